"""The reading door: rights, conditions, linked columns, order, keyset paging, counts, the bin; queries do not grow with rows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from crm import clock
from crm.db import db
from crm.engine import overlay, remembered, search, ways
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.identity.viewer import SYSTEM, ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, PLACES, THINGS, TOUCHES, present, put
from tests.statements import asked

ALICE = Viewer(kind="staff", id=1, principals=frozenset({1}))
PRIVATE = {"t_things": "private"}


@pytest.fixture
def house(app):
    with present(), clock.standing_at(MOMENT):
        yield


@pytest.fixture
def owner(house):
    return put(PLACES, name="Owner")  # any entity can stand for an owner here


def names(page) -> str:
    return "".join(row["name"] for row in page)


class Statements:
    """Counts the statements of a block."""

    def __enter__(self):
        self.count = 0
        self.engine = db.engine.engine
        event.listen(self.engine, "before_cursor_execute", self._see)
        return self

    def _see(self, *_):
        self.count += 1

    def __exit__(self, *_):
        event.remove(self.engine, "before_cursor_execute", self._see)


def test_a_page_holds_typed_values_labels_of_links_and_columns_of_linked_records(house):
    place = put(PLACES, name="Harbour", city="Turku")
    put(THINGS, name="a", place_id=place, amount=Decimal("10.50"), colours=("Red", "red"), number="THI1")
    page = search.find(SYSTEM, "t_things", columns=("name", "place_id", "place.city", "amount", "colours", "number"))
    (row,) = page
    assert dict(row) == {
        "id": row.id, "name": "a", "place_id": place, "place.city": "Turku", "amount": Decimal("10.50"),
        "colours": ("Red", "red"), "number": "THI1",
    }  # fmt: skip
    assert (row.label, row.number, row.module, row.version) == ("a", "THI1", "t_things", 1)
    assert row.label_of("place_id") == "Harbour"
    assert row.label_of("name") is None
    assert (page.total, page.at_least, page.next) == (1, False, None)


def test_the_number_of_queries_does_not_grow_with_the_rows(house):
    bob = Viewer(kind="staff", id=2, principals=frozenset({2}), defaults={"t_places": "private"})
    for viewer in (ALICE, bob):
        search.find(viewer, "t_things")  # the overlay is read once a session
        counts = []
        for count in (1, 30):
            for _ in range(count):
                put(THINGS, name="x", place_id=put(PLACES, name="p"))
            with Statements() as said:
                search.find(viewer, "t_things", columns=("name", "place_id", "place.city", "owner_id"), limit=100)
            counts.append(said.count)
        assert counts[0] == counts[1] <= 6


def test_what_may_not_be_read_is_absent_from_rows_columns_links_order_and_count(house, owner):
    hers, other = put(PLACES, name="Hers", city="Åbo", owner_id=owner), put(PLACES, name="Other", city="Oulu")
    put(THINGS, name="a", place_id=hers, owner_id=owner, amount=1, note="n")
    put(THINGS, name="b", place_id=other, owner_id=owner)
    put(THINGS, name="c", place_id=hers)
    bob = Viewer(
        kind="staff", id=owner, principals=frozenset({owner}), defaults={"t_things": "private", "t_places": "private"},
        rights=Rights({"t_things": ModuleRights(hidden=frozenset({"note"})), "t_places": ModuleRights(hidden=frozenset({"secret"}))}),
    )  # fmt: skip
    page = search.find(
        bob, "t_things", columns=("name", "place_id", "place.city", "place.secret", "note"), sort=("name",)
    )
    assert [(row["name"], row["place.city"], row["note"], row["place.secret"]) for row in page] == [
        ("a", "Åbo", None, None), ("b", None, None, None),
    ]  # fmt: skip
    assert [row.label_of("place_id") for row in page] == ["Hers", None]
    assert page.total == search.count(bob, "t_things") == 2
    with pytest.raises(UnknownName):
        search.find(bob, "t_things", sort=("note",))
    with pytest.raises(UnknownName):
        search.find(bob, "t_things", sort=("place.secret",))
    charlie = Viewer(kind="staff", id=5, rights=Rights(otherwise=ModuleRights(verbs=frozenset())))
    with pytest.raises(Forbidden):
        search.find(charlie, "t_things")


def test_one_record_is_missing_when_absent_deleted_or_unreadable(house, owner):
    mine, other = put(THINGS, name="mine", owner_id=owner), put(THINGS, name="other")
    gone = put(THINGS, name="gone", owner_id=owner, deleted_at=MOMENT)
    bob = Viewer(kind="staff", id=owner, principals=frozenset({owner}), defaults=PRIVATE)
    assert search.one(bob, "t_things", mine)["name"] == "mine"
    for id in (other, gone, 10**12, 0, -1, 2**70, put(PLACES, name="a place")):
        assert not search.exists(bob, "t_things", id)
        with pytest.raises(Missing):
            search.one(bob, "t_things", id)
    assert names(search.find(bob, "t_things", bin=True)) == "gone"


def test_rows_of_a_ledger_have_the_rights_of_what_they_belong_to(house, owner):
    mine, other = put(THINGS, name="mine", owner_id=owner), put(THINGS, name="other")
    for thing in (mine, other):
        put(TOUCHES, thing_id=thing, at=MOMENT, said=str(thing))
    bob = Viewer(kind="staff", id=owner, principals=frozenset({owner}), defaults=PRIVATE)
    (row,) = search.find(bob, "t_touches")
    assert (row["said"], row.label_of("thing_id")) == (str(mine), "mine")
    assert search.count(SYSTEM, "t_touches") == 2


def test_conditions_sorts_and_columns_take_custom_fields(house):
    text, number = overlay.add_field("t_things", "text", "Nick"), overlay.add_field("t_things", "number", "Weight")
    for name, nick, weight in (("a", "ÖRN", 3), ("b", None, None), ("c", "apa", -1)):
        extra = {} if nick is None else {text: nick, number: weight * 10_000}
        put(THINGS, name=name, extra=extra)
    assert names(search.find(SYSTEM, "t_things", sort=(text,))) == "cab"
    assert names(search.find(SYSTEM, "t_things", sort=(f"-{number}",))) == "acb"
    page = search.find(SYSTEM, "t_things", where={text: "örn"}, columns=("name", text, number))
    assert [(row["name"], row[text], row[number]) for row in page] == [("a", "ÖRN", Decimal(3))]


def test_links_sort_by_what_they_show(house):
    for name, place in (("a", "Örebro"), ("b", "Borgå"), ("c", None), ("d", "älta")):
        put(THINGS, name=name, place_id=place and put(PLACES, name=place, city=place))
    assert names(search.find(SYSTEM, "t_things", sort=("place_id",))) == "bdac"
    assert names(search.find(SYSTEM, "t_things", sort=("-place.city",))) == "adbc"


SORTS = ["name", "-name", "amount", "-amount", "stage", "-due_on", "seen_at", "-seen_at", "place_id", "-place.city", "vip",
         "colours", "-created_at", "opens"]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sort=st.lists(st.sampled_from(SORTS), min_size=1, max_size=3, unique=True), size=st.integers(1, 7))
def test_pages_by_cursor_put_together_are_the_whole_list(many, sort, size):
    whole = [row.id for row in search.find(SYSTEM, "t_things", sort=sort, limit=100)]
    assert len(whole) == 24
    pages, after = [], None
    while True:
        page = search.find(SYSTEM, "t_things", sort=sort, limit=size, after=after, count="none")
        pages += [row.id for row in page]
        after = page.next
        if after is None:
            break
    assert pages == whole


@pytest.fixture
def many(house):
    places = [put(PLACES, name=f"P{n}", city=[None, "Åbo", "Oulu"][n]) for n in range(3)]
    for n in range(24):
        put(
            THINGS, name=f"n{n % 5}", amount=[None, Decimal("1.5"), Decimal(2)][n % 3], stage=[None, "New", "Won"][n // 8],
            due_on=[None, MOMENT.date()][n % 2], seen_at=[None, MOMENT, MOMENT + timedelta(microseconds=n)][n % 3],
            place_id=[None, *places][n % 4], vip=bool(n % 2), colours=[None, ("Red",), ("Red", "Green")][n % 3],
            created_at=MOMENT + timedelta(seconds=n // 4), opens=[None, MOMENT.time()][n % 2],
        )  # fmt: skip


def test_what_is_empty_comes_last_in_either_direction(many):
    for sort in ("amount", "-amount", "place_id", "-due_on"):
        said = [
            row[sort.lstrip("-")] is None
            for row in search.find(SYSTEM, "t_things", sort=(sort,), columns=(sort.lstrip("-"),))
        ]
        assert said == sorted(said)
        assert any(said)


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "bm9uc2U", "W10", "W1sibmFtZSJdLFsxLDJdXQ", "W1sibmFtZSJdLFt7InEiOjF9LDJdXQ"]
)
def test_a_cursor_that_is_none_or_of_another_order_is_refused(many, cursor):
    with pytest.raises(Refused, match="Start from the beginning"):
        search.find(SYSTEM, "t_things", sort=("name",), after=cursor)
    good = search.find(SYSTEM, "t_things", sort=("name",), limit=2).next
    with pytest.raises(Refused):
        search.find(SYSTEM, "t_things", sort=("-name",), after=good)


def test_totals_are_exact_up_to_a_limit_and_on_request(many, monkeypatch):
    monkeypatch.setattr(search, "CAP", 10)
    page = search.find(SYSTEM, "t_things", limit=5)
    assert (page.total, page.at_least) == (10, True)
    page = search.find(SYSTEM, "t_things", limit=5, count="exact")
    assert (page.total, page.at_least) == (24, False)
    assert search.find(SYSTEM, "t_things", limit=5, count="none").total is None
    assert search.find(SYSTEM, "t_things", limit=20, offset=20).total == 24
    assert search.count(SYSTEM, "t_things", {"vip": True}) == 12
    assert search.count(SYSTEM, "t_things", exact=False) == 11


def test_ids_are_a_select_that_other_statements_use(many):
    chosen = search.ids(SYSTEM, "t_things", {"stage": "Won"})
    assert search.find(SYSTEM, "t_things", within=chosen).total == 8
    assert search.find(SYSTEM, "t_things", within=[]).total == 0


def test_unknown_columns_sorts_and_sizes_are_refused(house):
    for wrong in ({"columns": ("nmae",)}, {"sort": ("nmae",)}, {"columns": ("place.nmae",)}, {"sort": ("owner.name",)}):
        with pytest.raises(UnknownName):
            search.find(SYSTEM, "t_things", **wrong)
    for limit in (0, -1, 10_001):
        with pytest.raises(Refused):
            search.find(SYSTEM, "t_things", limit=limit)


def statements_of(**said) -> list[tuple[str, object]]:
    """The statements over things that a page takes, with their parameters."""
    everything = asked(lambda: search.find(SYSTEM, "t_things", **said))
    return [(one.text, one.parameters) for one in everything if "FROM t_things" in one.text]


def plans_of(**said) -> list[str]:
    """How SQLite goes about each."""
    connection = db.session.connection()
    return [
        "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
        for statement, parameters in statements_of(**said)
    ]


BOTH = {"$and": [{"stage": "Won"}, {"vip": True}]}


def test_few_records_that_fit_are_found_once_and_then_known_by_their_ids(many):
    whole = [row.id for row in search.find(SYSTEM, "t_things", where=BOTH, sort=("-name",), count="none")]
    page = search.find(SYSTEM, "t_things", where=BOTH, sort=("-name",), limit=3)
    assert ([row.id for row in page], page.total) == (whole[:3], len(whole))
    assert len(statements_of(where=BOTH, sort=("-name",), limit=3)) == 2
    assert len(statements_of(where={"name": "nobody"})) == 1
    if db.engine.dialect.name == "sqlite":
        _fitting, shown = plans_of(where=BOTH, sort=("-name",), limit=3)
        assert "SEARCH t_things USING INTEGER PRIMARY KEY" in shown
        assert "SCAN t_things" not in shown


def test_where_many_fit_the_page_is_walked_to_along_the_order(many, monkeypatch):
    monkeypatch.setattr(ways, "FEW", 2)
    expected = [row.id for row in search.find(SYSTEM, "t_things", where=BOTH, sort=("name",), count="none")]
    page = search.find(SYSTEM, "t_things", where=BOTH, sort=("name",), limit=3)
    assert ([row.id for row in page], page.total) == (expected[:3], len(expected))
    if db.engine.dialect.name == "postgresql":  # its statistics know how many; it is told nothing
        assert not any("+(" in statement for statement, _ in statements_of(where=BOTH, sort=("name",)))
        return
    db.session.connection().exec_driver_sql("CREATE INDEX ix_of_this_test ON t_things (stage, id)")
    for sort, index in ((("-created_at",), "ix_t_things_created"), (("name",), "ix_t_things_name")):
        plan = plans_of(where=BOTH, sort=sort)[1]
        assert f"SCAN t_things USING INDEX {index}" in plan
        assert "ix_of_this_test" not in plan
    assert "ix_of_this_test" not in plans_of(where=BOTH, sort=("-amount",))[1]
    assert "ix_t_things_name (<expr>>?" in plans_of(where={"$beg": ["name", "n"]}, sort=("name",))[1]
    after = search.find(SYSTEM, "t_things", sort=("name",), limit=3).next
    assert "ix_t_things_name (<expr>>?" in plans_of(sort=("name",), after=after)[0]


@pytest.mark.parametrize("sort", ["amount", "-amount", "seen_at", "-due_on", "name"])
def test_pages_along_an_index_with_empty_ones_at_the_wrong_end_are_the_whole_list(many, monkeypatch, sort):
    whole = [row.id for row in search.find(SYSTEM, "t_things", sort=(sort, "-name"), limit=100)]
    known = ways.ordered(THINGS.table) | {("amount", False), ("seen_at", False), ("due_on", False)}
    monkeypatch.setattr(ways, "ordered", lambda table: known)
    for size in (1, 5, 9, 100):
        pages, after = [], None
        while True:
            page = search.find(SYSTEM, "t_things", sort=(sort, "-name"), limit=size, after=after)
            pages += [row.id for row in page]
            after = page.next
            if after is None:
                break
        assert pages == whole


def test_a_list_that_is_remembered_is_that_of_its_viewer(house, owner):
    put(THINGS, name="a", owner_id=owner)
    nobody, holder = (Viewer(kind="staff", id=id, principals=frozenset({id}), defaults=PRIVATE) for id in (1, owner))
    for _ in range(2):  # composed, then as it was remembered
        assert [search.find(viewer, "t_things").total for viewer in (nobody, holder, SYSTEM)] == [0, 1, 1]
    assert len(remembered._kept["list"]) == 3


RECENT = {"$or": [{"stage": "Lost"}, {"$gte": ["due_on", "$now.date -1 day"]}]}


@pytest.mark.parametrize(
    ("module", "where"),
    [
        ("t_things", RECENT),
        ("t_things", {"$window": ["due_on", "$today"]}),
        ("t_places", {"$has": ["t_things", RECENT]}),
    ],
)
def test_a_list_that_asks_for_a_time_is_asked_anew(house, module, where):
    put(THINGS, name="a", due_on=MOMENT.date(), place_id=put(PLACES, name="p"))
    totals = []
    for days in (0, 3):
        with clock.standing_at(MOMENT + timedelta(days=days)):
            totals.append(search.find(SYSTEM, module, where=where).total)
    assert totals == [1, 0]


def test_texts_that_hold_something_are_looked_for_in_the_index_of_the_text(many):
    where = {"$cts": ["name", "N3"]}
    assert search.find(SYSTEM, "t_things", where=where).total == search.count(SYSTEM, "t_things", where) == 5
    if db.engine.dialect.name == "sqlite":
        assert "USING INDEX ix_t_things_name" in plans_of(where=where)[0]
    assert search.find(SYSTEM, "t_things", where=where, bin=True).total == 0
    assert search.find(SYSTEM, "t_things", where={"$and": [where, {"stage": "Won"}]}).total == 2
