"""Groups that are kept up to date: who comes and goes after a change, and what a change costs."""

import pytest
from sqlalchemy import Engine, event, select, update

from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.refusals import Refused
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from crm.modules.clicks import Click
from crm.modules.target_group_members import TargetGroupMember
from crm.modules.target_groups import TargetGroup, keeping_fresh, refresh

C = TargetGroupMember.__table__.c


def members(session, group):
    return set(session.execute(select(C.person_id).where(C.target_group_id == group, C.excluded.is_(False))).scalars())


def count(session, group):
    return session.execute(select(TargetGroup.member_count).where(TargetGroup.id == group)).scalar()


@pytest.fixture
def work(session):
    """Does the jobs that changes have put for groups, and gives how many there were."""

    def run():
        jobs = session.query(Job).filter(Job.task == "target_groups.freshen", Job.state == "waiting").all()
        for job in jobs:
            keeping_fresh.freshen(None, **job.arguments)
            job.state = "done"
        session.commit()
        return len(jobs)

    return run


@pytest.fixture
def group_of(people, make):
    def make_group(conditions, **more):
        id = make("target_groups", name="Fresh", conditions=conditions, kept_fresh=True, owner_id=people.ada, **more)
        refresh.refresh(SYSTEM, id, Channel.SYSTEM)
        return id

    return make_group


def change(module, id, **values):
    records.update(SYSTEM, module, id, values, Channel.FORM)


def test_one_person_comes_and_goes_by_what_is_changed_and_nothing_else_is_asked(session, make, work, group_of):
    ada = make("contacts", last_name="Ada", email="ada@example.com", mailing_city="Oulu")
    group = group_of({"mailing_city": "Turku"})
    work()
    change("contacts", ada, title="Controller")
    assert work() == 0  # no group asks for titles
    change("contacts", ada, mailing_city="Turku")
    assert work() == 1
    assert (members(session, group), count(session, group)) == ({ada}, 1)
    change("contacts", ada, email_opt_out=True)
    work()
    assert (members(session, group), count(session, group)) == (set(), 0)
    made = records.create(
        SYSTEM, "contacts", {"last_name": "New", "email": "n@example.com", "mailing_city": "turku"}, Channel.IMPORT
    )
    work()
    assert members(session, group) == {made}
    records.delete(SYSTEM, "contacts", made, Channel.FORM)
    work()
    assert (members(session, group), count(session, group)) == (set(), 0)


def test_whoever_was_taken_out_by_hand_stays_out(session, make, work, group_of):
    ada = make("contacts", last_name="Ada", email="ada@example.com", mailing_city="Turku")
    group = group_of({"mailing_city": "Turku"})
    refresh.exclude(SYSTEM, group, [ada], Channel.FORM)
    change("contacts", ada, mailing_city="Oulu")
    change("contacts", ada, mailing_city="Turku")
    work()
    assert (members(session, group), count(session, group)) == (set(), 0)
    assert session.execute(select(C.excluded).where(C.target_group_id == group)).scalars().all() == [True]


@pytest.mark.parametrize(
    ("source", "conditions", "module", "values"),
    [
        ("contacts", {"account.industry": "Retail"}, "accounts", {"industry": "Retail"}),
        ("accounts", {"industry": "Retail"}, "accounts", {"industry": "Retail"}),
        ("contacts", {"$has": ["potentials", {"stage": "Closed Won"}]}, "potentials", {"stage": "Closed Won"}),
        ("contacts", {"$has": ["account", {"$has": ["potentials", {"stage": "Closed Won"}]}]}, "potentials", {"stage": "Closed Won"}),
        ("contacts", {"mailing_city": "Pori"}, "suppressions", {"active": False, "note": "Asked for it"}),
    ],
)  # fmt: skip
def test_what_conditions_reach_brings_the_people_behind_it(
    session, make, work, group_of, source, conditions, module, values
):
    account = make("accounts", name="Acme")
    ada = make("contacts", last_name="Ada", email="ada@example.com", account_id=account, mailing_city="Pori")
    make("contacts", last_name="Ben", email="ben@example.com", mailing_city="Oulu")
    refused = make(
        "suppressions", email="ada@example.com", scope="global", source="user", active=module == "suppressions"
    )
    deal = make("potentials", name="Deal", contact_id=ada, account_id=account)
    group = group_of(conditions, source=source)
    work()
    assert members(session, group) == set()
    change(module, {"accounts": account, "potentials": deal, "suppressions": refused}[module], **values)
    assert work()
    assert members(session, group) == {ada}


def test_clicks_count_for_whom_a_change_concerns(session, make, work, group_of):
    """Also: `$has` is looked up for each of few people, with the same meaning as for all."""
    ada, ben = (
        make("contacts", last_name=name, email=f"{name}@example.com", mailing_city="Oulu") for name in ("ada", "ben")
    )
    session.add(Click(person_id=ben, at=records.clock.now(), made_by="human"))
    where = {"mailing_city": "Turku"}
    did = group_of({"$and": [where, {"$has": ["clicks"]}]})
    not_ = group_of({"$and": [where, {"$hasnot": ["clicks"]}]})
    for person in (ada, ben):
        change("contacts", person, mailing_city="Turku")
    work()
    assert (members(session, did), members(session, not_)) == ({ben}, {ada})


def test_it_is_seen_with_the_eyes_of_the_owner(session, people, make, work):
    sharing.set_level("contacts", "private")
    group = make(
        "target_groups", name="Mine", conditions={"mailing_city": "Turku"}, kept_fresh=True, owner_id=people.charlie
    )
    theirs = make("contacts", last_name="A", email="a@example.com", owner_id=people.alice)
    own = make("contacts", last_name="B", email="b@example.com", owner_id=people.charlie)
    for id in (theirs, own):
        change("contacts", id, mailing_city="Turku")
    work()
    assert members(session, group) == {own}


def test_a_batch_is_a_few_statements_whatever_its_size(session, make, work, group_of):
    group = group_of({"mailing_city": "Turku"})
    rows = [{"last_name": f"P{n}", "email": f"p{n}@example.com", "mailing_city": "Turku"} for n in range(300)]
    ids = records.create_many(SYSTEM, "contacts", rows, Channel.IMPORT).ids
    said = []
    see = lambda _connection, _cursor, statement, *_rest: said.append(statement)  # noqa: E731
    event.listen(Engine, "before_cursor_execute", see)
    work()
    event.remove(Engine, "before_cursor_execute", see)
    assert members(session, group) == set(ids)
    assert count(session, group) == 300
    assert len(said) < 25


def test_changed_conditions_are_collected_anew(session, make, group_of):
    group = group_of({"mailing_city": "Turku"})
    session.execute(update(Job).values(state="done"))
    change("target_groups", group, conditions={"mailing_city": "Oulu"})
    job = session.query(Job).filter(Job.task == "target_groups.changed", Job.state == "waiting").one()
    keeping_fresh.collect_changed(None, **job.arguments)
    assert session.query(Job).filter(Job.task == "refresh_target_group").one().arguments == {"target_group_id": group}


def test_a_sample_cannot_be_kept_up_to_date(make):
    with pytest.raises(Refused, match="sample is drawn"):
        make("target_groups", name="S", everybody=True, sample="interval", sample_size=3, kept_fresh=True)


def plans_of(session, act):
    """How the database goes about the questions that `act` asks of contacts."""
    seen = []
    see = lambda _connection, _cursor, said, values, *_rest: seen.append((said, values))  # noqa: E731
    event.listen(Engine, "before_cursor_execute", see)
    act()
    event.remove(Engine, "before_cursor_execute", see)
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:  # a few rows are read whole, whatever index there is
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    word = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    asked = [(said, values) for said, values in seen if "FROM contacts" in said and "clicks" in said]
    assert asked
    return [
        "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{word} {said}", values))
        for said, values in asked
    ]


def test_groups_are_asked_along_indexes(session, people, make, group_of):
    """All people: by the condition that leaves few, never by a tick that most have; one person: by the key. Clicks: in their index."""
    ada = make("contacts", last_name="Ada", email="ada@example.com", mailing_city="Turku")
    where = [{"mailing_city": "Turku"}, {"email_opt_out": False}, {"$hasnot": ["clicks", {"sendout_id": 1}]}]
    group = group_of({"$and": where})
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    (whole,) = plans_of(session, lambda: refresh.refresh(SYSTEM, group, Channel.SYSTEM))
    if is_sqlite:  # PostgreSQL counts its values, and decides by that
        assert "ix_contacts_mailing_city" in whole
        assert "COVERING INDEX ix_clicks_person_sendout" in whole
    (kept,) = keeping_fresh.kept_fresh()
    (one,) = plans_of(session, lambda: keeping_fresh.reevaluate([(SYSTEM, kept)], [ada]))
    assert ("contacts USING INTEGER PRIMARY KEY" if is_sqlite else "pk_contacts") in one
    assert ("COVERING INDEX ix_clicks_person_sendout" if is_sqlite else "ix_clicks_") in one
    assert "SCAN contacts" not in one
    assert "Seq Scan on contacts" not in one
