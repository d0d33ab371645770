"""Walks along an index that end in time: the same rows as ever, the rest gathered in indexes, and all of a table read at once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crm import clock
from crm.db import db
from crm.engine import asked, search, walks, ways
from crm.identity.viewer import SYSTEM, Viewer
from tests.engine.declared import MOMENT, PLACES, THINGS, present, put
from tests.statements import asked as asked_of_the_database

CONDITIONS = (
    {"vip": True},
    {"$and": [{"stage": "Won"}, {"vip": True}]},
    {"$ne": ["amount", "2"]},
    {"$and": [{"$beg": ["name", "n"]}, {"$gt": ["amount", "1"]}]},
    {"$has": ["place", {"city": "Oulu"}]},
)
SORTS = (
    ("name",),
    ("-name",),
    ("amount",),
    ("-amount",),
    ("-seen_at", "name"),
    ("due_on", "-amount"),
    ("vip",),
    ("-created_at",),
)


@pytest.fixture
def house(app):
    with present(), clock.standing_at(MOMENT):
        places = [put(PLACES, name=f"P{n}", city=[None, "Åbo", "Oulu"][n]) for n in range(3)]
        for n in range(30):
            put(
                THINGS, name=f"n{n % 5}", amount=[None, Decimal("1.5"), Decimal(2)][n % 3], stage=[None, "New", "Won"][n // 10],
                due_on=[None, MOMENT.date()][n % 2], seen_at=[None, MOMENT, MOMENT + timedelta(microseconds=n)][n % 3],
                place_id=[None, *places][n % 4], vip=n > 12, created_at=MOMENT + timedelta(seconds=n // 4), owner_id=places[n % 3],
            )  # fmt: skip
        yield places


@pytest.fixture
def short_walks(monkeypatch):
    """Nothing is few, every table is large, every field has an index, and a walk goes three rows far."""
    known = ways.ordered(THINGS.table) | {(name, False) for name in ("amount", "seen_at", "due_on", "vip")}
    monkeypatch.setattr(ways, "FEW", 0)
    monkeypatch.setattr(ways, "ordered", lambda table: known)
    monkeypatch.setattr(walks, "is_large", lambda table: True)
    monkeypatch.setattr(walks, "NEAR", 3)


def listed(viewer, where, sort, size) -> list[int]:
    found: list[int] = []
    after = None
    while True:
        page = search.find(viewer, "t_things", where=where, sort=sort, limit=size, after=after)
        found += [row.id for row in page]
        after = page.next
        if after is None:
            return found


@pytest.mark.parametrize("sort", SORTS, ids=",".join)
def test_a_list_by_short_walks_is_the_same_list(house, sort, monkeypatch, request):
    sellers = Viewer(kind="staff", id=1, principals=frozenset({1, house[0]}), defaults={"t_things": "private"})
    lists = [(viewer, where) for viewer in (SYSTEM, sellers) for where in CONDITIONS]
    whole = [listed(viewer, where, sort, 100) for viewer, where in lists]
    assert sum(map(len, whole)) > 40
    request.getfixturevalue("short_walks")
    for size in (1, 4, 100):
        assert [listed(viewer, where, sort, size) for viewer, where in lists] == whole


def statements(act) -> list[str]:
    seen = asked_of_the_database(act)
    if db.engine.dialect.name != "sqlite":
        return [one.text for one in seen]
    connection = db.session.connection()
    return [
        "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", given))
        for one, given, _ in seen
    ]


def test_behind_the_near_part_the_walk_goes_on_in_the_index_alone(house, short_walks):
    where = {"$gte": ["created_at", MOMENT + timedelta(seconds=3)]}
    seen = statements(lambda: search.find(SYSTEM, "t_things", where=where, sort=("name",), limit=5, labels=False))
    if db.engine.dialect.name == "postgresql":
        assert sum("OFFSET 0) AS fits" in one for one in seen) == 1
        assert seen[-3:] == [
            "SET LOCAL plan_cache_mode = force_custom_plan",
            seen[-2],
            "SET LOCAL plan_cache_mode = auto",
        ]
        return
    _tried, end, near, far = seen[-4:]
    assert "USING INDEX ix_t_things_name" in end
    assert "USING INDEX ix_t_things_name (<expr><?)" in near
    assert "USING INDEX ix_t_things_name (<expr>>?)" in far
    assert "ix_t_things_created" in far  # the ids of all that fits


def test_whether_a_table_is_large_is_asked_once_in_a_while(house, monkeypatch):
    monkeypatch.setattr(walks, "LARGE", 30)
    monkeypatch.setattr(walks, "_sizes", type(walks._sizes)())
    assert walks.is_large(THINGS.table)
    assert not walks.is_large(PLACES.table)
    monkeypatch.setattr(walks, "LARGE", 31)
    assert walks.is_large(THINGS.table)
    monkeypatch.setattr(walks, "LASTS_SECONDS", -1)
    assert not walks.is_large(THINGS.table)


@pytest.mark.parametrize("where", CONDITIONS)
def test_all_ids_are_those_of_a_list(house, where, monkeypatch):
    monkeypatch.setattr(asked, "MANY", 0)
    expected = {row.id for row in search.find(SYSTEM, "t_things", where=where, limit=100)}
    assert set(db.session.execute(search.all_ids(SYSTEM, "t_things", where)).scalars()) == expected


def test_a_table_is_read_whole_where_no_index_leads_to_less_than_a_quarter(house, monkeypatch):
    if db.engine.dialect.name != "sqlite":
        return
    monkeypatch.setattr(asked, "MANY", 0)
    late, later = MOMENT + timedelta(seconds=3), MOMENT + timedelta(seconds=7)
    most, few = {"$gte": ["created_at", late]}, {"$gte": ["created_at", later]}
    for where, whole in ((most, True), (few, False), ({"$and": [most, {"name": "n1"}]}, False), ({"vip": True}, False)):
        said = str(search.all_ids(SYSTEM, "t_things", where).compile(db.engine))
        assert ("NOT INDEXED" in said) == whole, where
    monkeypatch.setattr(asked, "MANY", 31)
    assert "NOT INDEXED" not in str(search.all_ids(SYSTEM, "t_things", most).compile(db.engine))
