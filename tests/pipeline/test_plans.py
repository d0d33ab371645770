"""How the databases go to the rows of statements about many people at once: none reads the whole of a large table where an index
serves. On PostgreSQL whole tables are forbidden as far as there is another way, as a test has only a few rows."""

import pytest
from sqlalchemy import event

from crm.db import db, is_sqlite
from crm.engine import search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.target_groups import refresh
from ecp import statistics
from ecp.pipeline import actions, prepare
from tests.statements import asked

LARGE = ("clicks", "contacts", "deliveries", "opens", "suppressions", "target_group_members", "campaign_members")


@pytest.fixture
def place(house):
    """A prepared sendout, one that is still to be prepared, and a group of people in Oulu who did not click."""
    first, second = (house.sendout(house.campaign(house.contacts(6, domain))) for domain in ("a.example", "b.example"))
    actions.start(SYSTEM, first)
    prepare.prepare(first)
    actions.start(SYSTEM, second)
    not_clicked = {"$hasnot": ["clicks", {"sendout_id": first}]}
    group = house.make("target_groups", name="Oulu", conditions={"$and": [{"mailing_city": "Oulu"}, not_clicked]})
    db.session.commit()
    return {"sendout": first, "next": second, "group": group}


WORK = {
    "a group is refreshed": lambda at: refresh.refresh(SYSTEM, at["group"], Channel.SYSTEM),
    "a sendout is prepared": lambda at: prepare.prepare(at["next"]),
    "numbers of a sendout": lambda at: statistics.report(SYSTEM, at["sendout"]),
    "its curve": lambda at: statistics.curve(SYSTEM, at["sendout"]),
    "its links": lambda at: statistics.links(SYSTEM, at["sendout"]),
    "its recipients": lambda at: statistics.recipients(SYSTEM, at["sendout"], sort=("id",)),
    "who clicked": lambda at: search.count(SYSTEM, "contacts", {"$has": ["clicks", {"sendout_id": at["sendout"]}]}),
    "who got it": lambda at: search.count(SYSTEM, "contacts", {"$has": ["deliveries", {"sendout_id": at["sendout"]}]}),
}


def test_no_large_table_is_read_as_a_whole(place):
    seen = []

    def see(_connection, _cursor, statement, parameters, _context, is_many):
        if statement.lstrip().split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"} and not is_many:
            seen.append((statement, parameters))

    engine = getattr(db.engine, "engine", db.engine)
    whole = {}
    for name, act in WORK.items():
        seen.clear()
        event.listen(engine, "before_cursor_execute", see)
        try:
            act(place)
        finally:
            event.remove(engine, "before_cursor_execute", see)
        assert seen, name
        lines = [(line, statement) for statement, given in seen for line in _plan(statement, given)]
        whole[name] = [one for one in lines if _reads_whole(one[0])]
    assert {name: found for name, found in whole.items() if found} == {}


def test_who_got_the_mail_before_is_looked_up_for_each_person(place):
    (written,) = [
        one for one in asked(lambda: prepare.prepare(place["next"])) if one.text.startswith("INSERT INTO deliveries")
    ]
    lines = _plan(written.text, written.parameters)
    # By the address and by the person; of a few rows PostgreSQL does not care by which index.
    assert len([line for line in lines if "deliveries_" in line and "index" in line.lower()]) >= 2, lines


def _plan(statement, parameters):
    connection = db.session.connection()
    if is_sqlite():
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


def _reads_whole(line):
    words = line.replace("->", "").split()
    if is_sqlite():  # SCAN contacts; SCAN contacts USING INDEX walks all of an index
        return words[0] == "SCAN" and words[1].removeprefix("person_").rstrip("_0123456789") in LARGE
    return words[:3] == ["Seq", "Scan", "on"] and words[3] in LARGE
