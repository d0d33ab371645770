"""M71–M73: how far a target group is open, whom its conditions find, samples, and what survives a refresh."""

import pytest
from sqlalchemy import select, update

from crm.engine import records, search, timeline
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity.viewer import SYSTEM
from crm.modules.target_group_members import TargetGroupMember
from crm.modules.target_groups import TargetGroup, refresh

C = TargetGroupMember.__table__.c


def members(session, group):
    return set(session.execute(select(C.person_id).where(C.target_group_id == group, C.excluded.is_(False))).scalars())


def run(group, viewer=SYSTEM):
    return refresh.refresh(viewer, group, Channel.FORM)


def test_no_is_for_the_owner_read_opens_it_to_look_and_write_to_change(people, make):
    groups = {
        level: make("target_groups", name=level, public=level, owner_id=people.alice)
        for level in ("no", "read", "write")
    }
    charlie, alice, ada = people["charlie"], people["alice"], people["mary"]
    mary = ada
    assert {row["name"] for row in search.find(charlie, "target_groups").rows} == {"read", "write"}
    assert {row["name"] for row in search.find(alice, "target_groups").rows} == {"no", "read", "write"}
    with pytest.raises(Missing):
        search.one(mary, "target_groups", groups["no"])
    with pytest.raises((Missing, Forbidden)):
        records.update(mary, "target_groups", groups["read"], {"name": "Mine"}, Channel.FORM)
    records.update(mary, "target_groups", groups["write"], {"name": "Ours"}, Channel.FORM)
    with pytest.raises(Forbidden):
        run(groups["read"], mary)


def test_conditions_reach_the_linked_accounts(session, make):
    big, small = make("accounts", name="Big", employees=500), make("accounts", name="Small", employees=5)
    wanted = make("contacts", last_name="A", email="a@example.com", account_id=big, mailing_city="Turku")
    make("contacts", last_name="B", email="b@example.com", account_id=small, mailing_city="Turku")
    make("contacts", last_name="C", email="c@example.com", account_id=big, mailing_city="Oulu")
    where = {"$and": [{"mailing_city": "Turku"}, {"$gt": ["account.employees", 100]}]}
    group = make("target_groups", name="Big in Turku", conditions=where)
    done = run(group)
    assert (done.member_count, done.added, done.removed) == (1, 1, 0)
    assert members(session, group) == {wanted}
    assert search.one(SYSTEM, "target_groups", group)["member_count"] == 1


def test_conditions_on_accounts_bring_their_contacts(session, make):
    account = make("accounts", name="Acme", industry="Retail")
    inside = make("contacts", last_name="A", email="a@example.com", account_id=account)
    make("contacts", last_name="B", email="b@example.com")
    group = make("target_groups", name="Retail", source="accounts", conditions={"industry": "Retail"})
    run(group)
    assert members(session, group) == {inside}


def test_leads_can_be_collected(session, make):
    lead = make("leads", last_name="L", company="C", email="l@example.com", rating="Hot")
    make("leads", last_name="M", company="D", email="m@example.com", rating="Cold")
    group = make("target_groups", name="Hot", source="leads", conditions={"rating": "Hot"})
    run(group)
    assert members(session, group) == {lead}


def test_without_conditions_it_is_refused_unless_all_is_ticked(session, make):
    make("contacts", last_name="A", email="a@example.com")
    group = make("target_groups", name="All")
    with pytest.raises(Refused, match="select everyone"):
        run(group)
    records.update(SYSTEM, "target_groups", group, {"everybody": True}, Channel.FORM)
    assert run(group).member_count == 1


def test_people_who_may_not_be_mailed_are_left_out_unless_wanted(session, make):
    ok = make("contacts", last_name="Ok", email="ok@example.com")
    make("contacts", last_name="Out", email="out@example.com", email_opt_out=True)
    make("contacts", last_name="None")
    make("contacts", last_name="Bounced", email="b@example.com", email_status="hard_bounced")
    make("contacts", last_name="Complained", email="c@example.com")
    make("suppressions", email="c@example.com", scope="complaint", source="bounce")
    group = make("target_groups", name="All", everybody=True)
    run(group)
    assert members(session, group) == {ok}
    records.update(SYSTEM, "target_groups", group, {"leave_out_unmailable": False}, Channel.FORM)
    assert run(group).member_count == 5


@pytest.fixture
def hundred(session):
    rows = [{"last_name": f"P{n}", "email": f"p{n}@example.com"} for n in range(100)]
    return records.create_many(SYSTEM, "contacts", rows, Channel.SYSTEM).ids


def test_every_tenth_of_a_hundred_are_ten(session, make, hundred):
    group = make("target_groups", name="Tenth", everybody=True, sample="interval", sample_size=10)
    assert run(group).member_count == 10
    assert members(session, group) == set(hundred[::10])


def test_a_random_sample_has_its_size_and_stands_until_refreshed(session, make, hundred):
    group = make("target_groups", name="Some", everybody=True, sample="random", sample_size=30)
    assert run(group).member_count == 30
    first = members(session, group)
    assert members(session, group) == first
    seen = {frozenset(first)}
    for _ in range(5):
        run(group)
        seen.add(frozenset(members(session, group)))
    assert len(seen) > 1
    assert len(set().union(*seen)) > 60  # no one is left out for good


def test_a_sample_needs_a_size(make):
    with pytest.raises(Refused):
        make("target_groups", name="Some", everybody=True, sample="random")


def test_who_was_taken_out_by_hand_stays_out(session, make, hundred):
    group = make("target_groups", name="All", everybody=True)
    run(group)
    assert refresh.exclude(SYSTEM, group, hundred[:2], Channel.FORM) == 2
    done = run(group)
    assert (done.member_count, done.excluded) == (98, 2)
    assert refresh.exclude(SYSTEM, group, hundred[:1], Channel.FORM, back=True) == 1
    assert search.one(SYSTEM, "target_groups", group)["member_count"] == 99


def test_who_no_longer_fits_leaves(session, make, hundred):
    group = make("target_groups", name="P", conditions={"$beg": ["last_name", "P1"]})
    assert run(group).member_count == 11
    records.update(SYSTEM, "contacts", hundred[1], {"last_name": "Other"}, Channel.FORM)
    records.delete(SYSTEM, "contacts", hundred[10], Channel.FORM)
    done = run(group)
    assert (done.member_count, done.added, done.removed) == (9, 0, 2)


def test_too_many_people_are_refused_and_the_content_stays(session, make, hundred, monkeypatch):
    group = make("target_groups", name="P", conditions={"$beg": ["last_name", "P1"]})
    run(group)
    monkeypatch.setattr(refresh, "MOST_PEOPLE", 50)
    records.update(SYSTEM, "target_groups", group, {"conditions": None, "everybody": True}, Channel.FORM)
    with pytest.raises(Refused, match="more than 50 people"):
        run(group)
    assert len(members(session, group)) == 11


def test_conditions_that_take_too_long_are_refused_and_the_content_stays(session, make, hundred, monkeypatch):
    from sqlalchemy import func, literal

    group = make("target_groups", name="P", conditions={"$beg": ["last_name", "P1"]})
    run(group)
    slow = select(literal(1).label("n")).cte("slow", recursive=True)
    slow = slow.union_all(select(slow.c.n + 1).where(slow.c.n < 50_000_000))
    monkeypatch.setattr(refresh, "_people", lambda viewer, group: select(func.max(slow.c.n).label("id")))
    limited = refresh._limited
    monkeypatch.setattr(refresh, "_limited", lambda connection: limited(connection, 0.2))
    with pytest.raises(Refused, match="Narrow the conditions"):
        run(group)
    assert len(members(session, group)) == 11


def test_a_group_finds_only_whom_its_viewer_may_see(session, people, make):
    from crm.identity import sharing

    mine = make("contacts", last_name="Mine", email="m@example.com", owner_id=people.mary)
    make("contacts", last_name="Hers", email="h@example.com", owner_id=people.alice)
    sharing.set_level("contacts", "private")
    group = make("target_groups", name="All", everybody=True, owner_id=people.mary)
    run(group, people["mary"])
    assert members(session, group) == {mine}


def test_conditions_about_unknown_fields_are_refused_when_saved(make):
    with pytest.raises(Refused, match="mailing_city"):
        make("target_groups", name="X", conditions={"mailing_cty": "Turku"})
    with pytest.raises(Refused):
        make("target_groups", name="X", conditions={"$evil": ["last_name", "1"]})


def test_history_says_conditions_in_words(make):
    group = make("target_groups", name="Offices", source="accounts", conditions={"billing_city": "Turku"})
    for city in ("Oulu", "Oulu" * 300):
        records.update(SYSTEM, "target_groups", group, {"conditions": {"billing_city": city}}, Channel.FORM)
    told = [entry.sentence for entry in timeline.page(SYSTEM, "target_groups", group).entries]
    assert "Conditions: Billing city is “Turku” → Billing city is “Oulu”" in told
    assert "Conditions: Billing city is “Oulu” → set" in told  # the log keeps the beginning of what is long


def test_a_background_refresh_that_is_refused_says_why_on_the_group(own_app):
    from crm.db import db
    from crm.engine.outbox import GiveUp
    from tests.people import make_people

    people = make_people()
    group = records.create(SYSTEM, "target_groups", {"name": "X", "owner_id": people.mary}, Channel.SYSTEM)
    db.session.commit()
    with pytest.raises(GiveUp, match="select everyone"):
        refresh.refresh_in_background(None, group)
    assert "select everyone" in search.one(SYSTEM, "target_groups", group)["refresh_error"]
    db.session.execute(update(TargetGroup).values(everybody=True))
    db.session.commit()
    assert refresh.refresh_in_background(None, group) == "0 people: 0 came, 0 left."
    assert search.one(SYSTEM, "target_groups", group)["refresh_error"] is None
