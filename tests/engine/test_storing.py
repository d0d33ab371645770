"""Rows into tables: many are as many statements as few, ragged rows get defaults, a row that others changed is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from markupsafe import Markup
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError

from crm.db import WAITING, db, fold, fold_text
from crm.engine import records, search, statistics, storing, ways
from crm.engine.channels import Channel
from crm.engine.duplicates import holders
from crm.engine.history import Change
from crm.identity.viewer import SYSTEM
from tests.engine.declared import MOMENT, THINGS, present
from tests.statements import asked


@pytest.fixture
def house(app):
    with present():
        yield


def executed(act) -> list[tuple[str, bool]]:
    """The statements of `act()`, and whether each was one for many rows."""
    return [(one.text, one.is_many) for one in asked(act)]


def make(count: int) -> list[int]:
    rows = [{"name": f"n{place}", "amount": Decimal(place)} for place in range(count)]
    return records.create_many(SYSTEM, "t_things", rows, Channel.SYSTEM).ids


def test_the_statements_of_a_batch_do_not_grow_with_its_rows(house):
    make(2)
    assert len(executed(lambda: make(2))) == len(executed(lambda: make(400))) <= 10


def test_on_postgresql_a_batch_is_sent_once_not_row_by_row(house):
    """A statement a row costs more than the row there; the single verbs are batches of one."""
    if db.engine.dialect.name == "sqlite":
        seen = executed(lambda: make(3))
        assert any(is_many for _statement, is_many in seen), "SQLite is given row after row"
        return
    seen = executed(lambda: make(3))
    seen += executed(
        lambda: records.update_many(SYSTEM, "t_things", {id: {"name": f"x{id}"} for id in make(3)}, Channel.SYSTEM)
    )
    seen += executed(lambda: make(1))
    assert {is_many for _statement, is_many in seen} == {False}


def test_values_of_a_column_may_be_of_several_types_all_alike_or_none(house):
    """An array has one type, so what rows say of a column is made alike; a batch of one says each value singly."""
    table, stamps = THINGS.table, {"created_at": MOMENT, "updated_at": MOMENT, "archived": False}
    names = ["plain", Markup("<b>"), 'a "quoted", {braced} \\ one', "ä€😀 NULL", "NULL"]
    numbers = [None, 7, None, 2**40, 0]
    ids = storing.insert_identities([{"module": "t_things", "number": None, "label": name} for name in names])
    rows = [
        {"id": id, "name": name, "pieces": number, "note": None, "vip": True, "extra": {"cf_1": name}, **stamps}
        for id, name, number in zip(ids, names, numbers, strict=True)
    ]
    storing.insert_rows(table, rows)
    kept = db.session.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)).all()
    assert [(row.name, row.pieces, row.note, row.vip) for row in kept] == [
        (str(name), number, None, True) for name, number in zip(names, numbers, strict=True)
    ]
    assert [row.extra["cf_1"] for row in kept] == [str(name) for name in names]


def test_a_text_too_long_for_its_column_is_refused_not_cut(house):
    rows = [{"of_id": id, "of_version": 1, "number": "9" * 41 + str(id)} for id in make(2)]
    if db.engine.dialect.name == "sqlite":  # its columns have no length: that is the cleaner's
        assert storing.update_rows(THINGS.table, ("number",), rows, {})
        return
    with pytest.raises(DBAPIError, match="too long"), db.session.begin_nested():
        storing.update_rows(THINGS.table, ("number",), rows, {})


def test_many_keys_are_looked_up_at_once(house):
    keys = [fold_text(f"N{place}") for place in range(300)]
    ids = make(150)
    held = holders(THINGS, "name", keys)
    assert held == {f"n{place}": id for place, id in enumerate(ids)}
    assert holders(THINGS, "name", ["n3"]) == {"n3": ids[3]}
    assert holders(THINGS, "amount", [Decimal("7")]) == {Decimal("7.00"): ids[7]}


def test_texts_are_folded_alike_in_python_and_in_the_database(app):
    texts = [
        "Plain ASCII 09 ~",
        "ÄÖÅ",
        "ＦＵＬＬ width",
        "ﬁn",
        "ΣΊΣΥΦΟΣ",
        "\t\x7f",
        "É\u0301X",
        "",
        None,
        "a\u00adb",
        "ÇA",
    ]
    said = bindparam("said", type_=THINGS.table.c.name.type)
    found = [db.session.execute(select(fold(said)), {"said": one}).scalar() for one in texts]
    assert found == [fold_text(one) for one in texts]


def test_a_table_that_a_batch_made_many_times_as_large_is_counted_once(house):
    def counted(count: int) -> list[str]:
        seen = executed(lambda: make(count))
        return [statement for statement, _is_many in seen if statement.startswith("ANALYZE")]

    few, first, again = counted(10), counted(statistics.MANY), counted(statistics.MANY)
    if db.engine.dialect.name == "sqlite":
        assert few == first == again == []
        return
    assert few == again == []
    assert len(first) == 1
    assert "t_things" in first[0]
    known = "SELECT n_distinct FROM pg_stats WHERE tablename = 't_things' AND attname = 'id'"
    assert db.session.execute(text(known)).scalar() == -1
    some = select(THINGS.table.c.name).where(ways.among(THINGS.table.c.id, make(400)))
    said = str(some.compile(db.engine, compile_kwargs={"literal_binds": True}))
    with ways.by_index(400):
        plan = " ".join(db.session.execute(text(f"EXPLAIN {said}")).scalars())
    assert "pk_t_things" in plan, "hundreds of keys are no reason to read the whole table"
    assert db.session.execute(text("SHOW enable_seqscan")).scalar() == "on"


def test_ragged_rows_keep_what_they_say_and_get_defaults_for_the_rest(house):
    rows = [
        {"name": "a", "colours": ("Red", "Green"), "seen_at": MOMENT},
        {"name": "b", "amount": Decimal("12.50")},
        {"name": "c", "vip": True, "due_on": MOMENT.date(), "opens": MOMENT.time()},
    ]
    ids = records.create_many(SYSTEM, "t_things", rows, Channel.SYSTEM).ids
    assert ids == sorted(ids)
    first, second, third = (search.one(SYSTEM, "t_things", id) for id in ids)
    assert (first["colours"], first["seen_at"], first["vip"]) == (("Red", "Green"), MOMENT, False)
    assert (second["amount"], second["colours"], second.version) == (Decimal("12.50"), (), 1)
    assert (third["vip"], third["due_on"], third["opens"]) == (True, MOMENT.date(), MOMENT.time())


def test_a_row_that_somebody_else_changed_meanwhile_is_told(house):
    one, two = make(2)
    rows = [{"of_id": one, "of_version": 1, "name": "new"}, {"of_id": two, "of_version": 7, "name": "new"}]
    later = {"updated_at": MOMENT + timedelta(days=1)}
    assert not storing.update_rows(THINGS.table, ("name",), rows, later)
    assert storing.update_rows(THINGS.table, ("name",), [{**rows[1], "of_version": 1}], later)
    row = search.one(SYSTEM, "t_things", two)
    assert (row["name"], row["updated_at"], row.version) == ("new", MOMENT + timedelta(days=1), 2)


def test_events_of_many_records_are_one_statement(house):
    ids = make(50)
    seen = executed(lambda: records.delete_many(SYSTEM, "t_things", ids, Channel.SYSTEM))
    assert [is_many for statement, is_many in seen if "INTO change_log" in statement] == [False]
    noted = db.session.query(Change).filter(Change.entity_id.in_(ids), Change.new == "deleted")
    assert noted.count() == 50


def test_the_words_of_a_batch_wait_for_nothing(house):
    """PostgreSQL sorts a batch into the search index at its end; searches need not look through words that still wait."""
    if db.engine.dialect.name == "sqlite":
        count = text("SELECT count(*) FROM text_index")
        before = db.session.execute(count).scalar()
        make(10)
        assert db.session.execute(count).scalar() == before + 10
        return
    sort_in = text("SELECT gin_clean_pending_list('ix_text_index_words')")  # gives how many pages waited
    db.session.execute(sort_in)
    make(10)
    assert db.session.execute(sort_in).scalar() > 0
    make(statistics.MANY)
    assert db.session.execute(sort_in).scalar() == 0
    assert db.session.execute(text("SHOW gin_pending_list_limit")).scalar() == WAITING
