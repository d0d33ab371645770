"""Who gets a sendout: each person once, refused ones kept with the first reason that hits."""

import pytest
from sqlalchemy import select, text

from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.organisation import require_opt_in
from ecp.pipeline import actions, allow, audience, checks


def prepare(sendout_id):
    """The delivery rows of a sendout: contact or lead id → waiting or the reason of the refusal."""
    said = checks.audience_of(actions.load(SYSTEM, sendout_id))
    before = audience.count(said)
    count = audience.create_deliveries(said)
    assert before == count
    rows = db.session.execute(select(Delivery).where(Delivery.sendout_id == sendout_id)).scalars().all()
    assert len(rows) == count.audience
    return {row.person_id: row.skip_reason or row.state for row in rows}


def refuse(email, scope, scope_id=None, **values):
    said = {"email": email, "scope": scope, "scope_id": scope_id} | values
    return records.create(SYSTEM, "suppressions", said, Channel.SYSTEM)


def test_each_reason_is_kept_beside_the_person(house):
    good = house.contact("good@example.com")
    people = {
        house.contact(None): "no_email",
        (unusable := house.contact("old@example.com")): "invalid_email",
        house.contact("out@example.com", email_opt_out=True): "opt_out",
        house.contact("said@example.com", email_opt_in="out_contact"): "opt_out",
        house.contact("all@example.com"): "opt_out",
        house.contact("list@example.com"): "list_unsubscribed",
        house.contact("camp@example.com"): "campaign_unsubscribed",
        house.contact("hard@example.com", email_status="hard_bounced"): "bounced_before",
        house.contact("bounced@example.com"): "bounced_before",
        house.contact("angry@example.com", email_status="complained"): "complained",
        good: "waiting",
    }
    # As an import of earlier days may have left it: an address that nobody can write to has no key.
    db.session.execute(text("UPDATE contacts SET email = 'nobody', email_key = NULL WHERE id = :i"), {"i": unusable})
    campaign = house.make("campaigns", name="All", type="Email", active=True)
    for id in people:
        db.session.execute(
            text(
                "INSERT INTO campaign_members (campaign_id, person_module, person_id, contact_id, state, added_at, added_by)"
                " VALUES (:c, 'contacts', :p, :p, 'member', '2026-01-01 00:00:00', 'user')"
            ),
            {"c": campaign, "p": id},
        )
    refuse("all@example.com", "global")
    refuse("LIST@example.com", "list_type", house.list_id)
    refuse("camp@example.com", "campaign", campaign)
    refuse("bounced@example.com", "bounce")
    sendout = house.sendout(campaign)
    assert prepare(sendout) == people


def test_the_first_reason_in_the_order_of_the_rules_is_the_one_that_is_kept(house):
    id = house.contact("many@example.com", email_opt_out=True, email_status="hard_bounced")
    refuse("many@example.com", "list_type", house.list_id)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "opt_out"}


def test_of_several_people_with_one_address_the_lowest_contact_gets_the_mail(house):
    first, second = house.contact("same@example.com"), house.contact("SAME@Example.com")
    lead = house.make("leads", last_name="Lead", company="Co", email="same@example.com")
    found = prepare(house.sendout(house.campaign([second, first], (lead,))))
    assert found == {first: "waiting", second: "duplicate_address", lead: "duplicate_address"}


def test_an_address_is_refused_when_anybody_living_with_it_has_opted_out(house):
    first, second = house.contact("shared@example.com"), house.contact("shared@example.com")
    house.contact("shared@example.com", email_opt_out=True)  # in no campaign
    assert prepare(house.sendout(house.campaign([first, second]))) == {first: "opt_out", second: "opt_out"}


def test_the_opt_out_of_somebody_in_the_bin_stops_nobody(house):
    id, other = house.contact("shared@example.com"), house.contact("shared@example.com", email_opt_out=True)
    records.delete(SYSTEM, "contacts", other, Channel.SYSTEM)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "waiting"}


def test_when_the_first_of_two_is_refused_the_other_gets_the_mail(house):
    first, second = house.contact("two@example.com", email_status="complained"), house.contact("two@example.com")
    assert prepare(house.sendout(house.campaign([first, second]))) == {first: "complained", second: "waiting"}


def test_leaving_one_list_does_not_stop_mail_of_another(house):
    id = house.contact("a@example.com")
    other = house.make("list_types", name="Other list", kind="marketing", active=True)
    refuse("a@example.com", "list_type", other)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "waiting"}


def test_a_refusal_that_ended_stops_nobody(house):
    id = house.contact("a@example.com")
    refusal = refuse("a@example.com", "list_type", house.list_id)
    records.update(SYSTEM, "suppressions", refusal, {"active": False, "note": "asked for it"}, Channel.SYSTEM)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "waiting"}


def test_a_new_address_of_the_same_person_inherits_the_refusal(house):
    id = house.contact("old@example.com")
    refuse("old@example.com", "list_type", house.list_id, person_id=id)
    records.update(SYSTEM, "contacts", id, {"email": "new@example.com"}, Channel.SYSTEM)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "list_unsubscribed"}


def test_an_essential_list_reaches_those_who_left_the_campaign_but_not_those_who_left_it(house):
    essential = house.make("list_types", name="Notices", kind="essential", active=True)
    stays, leaves = house.contact("a@example.com"), house.contact("b@example.com")
    campaign = house.campaign([stays, leaves])
    refuse("a@example.com", "campaign", campaign)
    refuse("b@example.com", "list_type", essential)
    found = prepare(house.sendout(campaign, list_type_id=essential))
    assert found == {stays: "waiting", leaves: "list_unsubscribed"}


def test_who_left_the_campaign_is_shown_as_refused_and_who_was_taken_out_is_not_there(house):
    stays, left, removed = (house.contact(f"{name}@example.com") for name in ("stays", "left", "removed"))
    campaign = house.campaign([stays, left, removed])
    for id, state in ((left, "unsubscribed"), (removed, "removed")):
        db.session.execute(text("UPDATE campaign_members SET state = :s WHERE person_id = :p"), {"s": state, "p": id})
    assert prepare(house.sendout(campaign)) == {stays: "waiting", left: "campaign_unsubscribed"}


def test_who_got_the_same_mail_before_is_left_out_unless_it_is_wanted(house):
    id = house.contact("a@example.com")
    campaign = house.campaign([id])
    prepare(first := house.sendout(campaign))
    db.session.execute(text("UPDATE deliveries SET state = 'sent' WHERE sendout_id = :s"), {"s": first})
    assert prepare(house.sendout(campaign)) == {id: "already_received"}
    assert prepare(house.sendout(campaign, skip_earlier=False)) == {id: "waiting"}


def test_an_international_domain_is_refused_under_either_spelling(house):
    id = house.contact("matti@päivä.example")
    refuse("Matti@xn--piv-qlac.example", "list_type", house.list_id)
    assert prepare(house.sendout(house.campaign([id]))) == {id: "list_unsubscribed"}


def group(house, campaign, ids, list_id=None):
    made = house.make("portal_target_groups", name="Group", campaign_id=campaign, list_type_id=list_id or house.list_id)
    for id, email in ids:
        db.session.execute(
            text(
                "INSERT INTO portal_target_group_members (portal_target_group_id, person_module, person_id, contact_id,"
                " email, email_key) VALUES (:g, 'contacts', :p, :p, :e, :e)"
            ),
            {"g": made, "p": id, "e": email},
        )
    return made


def test_people_of_several_target_groups_get_one_mail_at_the_address_of_the_import(house):
    one, two = house.contact("one@example.com"), house.contact("two@example.com")
    campaign = house.campaign([one, two])
    groups = (
        group(house, campaign, [(one, "one@example.com"), (two, "two@example.com")]),
        group(house, campaign, [(one, "one@example.com")]),
    )
    records.update(SYSTEM, "contacts", one, {"email": "moved@example.com"}, Channel.SYSTEM)
    sendout = house.sendout(groups=groups)
    assert prepare(sendout) == {one: "waiting", two: "waiting"}
    emails = db.session.execute(select(Delivery.email).where(Delivery.sendout_id == sendout)).scalars().all()
    assert sorted(emails) == ["one@example.com", "two@example.com"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda house, id, campaign: records.update(SYSTEM, "contacts", id, {"email_opt_out": True}, Channel.SYSTEM), "opt_out"),
        (lambda house, id, campaign: house.contact("a@example.com", email_opt_out=True), "opt_out"),
        (lambda house, id, campaign: house.contact("z@example.com", secondary_email="A@example.com", email_opt_out=True), "opt_out"),
        (lambda house, id, campaign: refuse("a@example.com", "list_type", house.list_id), "list_unsubscribed"),
        (lambda house, id, campaign: refuse("a@example.com", "campaign", campaign), "campaign_unsubscribed"),
        (lambda house, id, campaign: refuse("a@example.com", "complaint"), "complained"),
        (lambda house, id, campaign: records.delete(SYSTEM, "contacts", id, Channel.SYSTEM), "contact_deleted"),
        (lambda house, id, campaign: None, None),
    ],
)  # fmt: skip
def test_the_rules_asked_right_before_a_mail_are_the_same(house, change, reason):
    id = house.contact("a@example.com")
    campaign = house.campaign([id])
    sendout = house.sendout(campaign)
    prepare(sendout)
    change(house, id, campaign)
    rules = checks.audience_of(actions.load(SYSTEM, sendout)).rules
    found = db.session.execute(select(allow.refusal(rules)).where(Delivery.sendout_id == sendout)).scalar()
    assert found == reason
    allowed = db.session.execute(
        Delivery.__table__.update()
        .where(Delivery.sendout_id == sendout, allow.refusal(rules).is_(None))
        .values(drops=0)
    ).rowcount
    assert allowed == (0 if reason else 1)


def test_linking_is_by_the_declared_relation(house):
    campaign = house.campaign([house.contact("a@example.com")])
    one = group(house, campaign, [])
    sendout = house.sendout(groups=(one,))
    assert audience.group_ids_of(sendout) == [one]
    assert db.session.execute(relations.linked("sendouts", sendout, "portal_target_groups")).scalars().all() == [one]


OPT_INS = ("none", "single_user", "single_webform", "double", "out_user", "out_contact")


@pytest.mark.parametrize(
    ("required", "mailed"),
    [(False, set(OPT_INS[:4])), (True, set(OPT_INS[1:4])), ("double", {"double"})],
)
def test_where_opt_in_is_required_only_those_who_gave_it_are_mailed(house, required, mailed):
    people = {house.contact(f"{state}@example.com", email_opt_in=state): state for state in OPT_INS}
    lead = house.make("leads", last_name="Lead", company="Co", email="lead@example.com", email_opt_in="double")
    sendout = house.sendout(house.campaign(list(people), (lead,)))
    require_opt_in(required)
    expected = {
        id: "waiting" if state in mailed else "opt_out" if state in OPT_INS[4:] else "no_opt_in"
        for id, state in people.items()
    } | {lead: "waiting"}
    assert prepare(sendout) == expected
    require_opt_in(False)  # what holds when the text begins is what counts
    rules = checks.audience_of(actions.load(SYSTEM, sendout)).rules
    right_before = select(Delivery.person_id, allow.refusal(rules).label("why")).where(Delivery.sendout_id == sendout)
    assert {row.person_id for row in db.session.execute(right_before) if row.why == "no_opt_in"} == set()
    require_opt_in(required)
    rules = checks.audience_of(actions.load(SYSTEM, sendout)).rules
    right_before = select(Delivery.person_id, allow.refusal(rules).label("why")).where(Delivery.sendout_id == sendout)
    assert {row.person_id: row.why or "waiting" for row in db.session.execute(right_before)} == expected
