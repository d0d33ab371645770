"""How PostgreSQL goes to the rows of lists, cards and searches: along indexes, wherever one serves."""

import pytest
from sqlalchemy import text

from crm.db import db
from crm.engine import records, search, text_index, timeline, walks, ways
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM, Viewer
from tests.people import make_user
from tests.statements import asked


@pytest.fixture
def house(app, database_kind):
    """A thousand accounts, one of ten in Oulu, one of two Olga's, on PostgreSQL; on SQLite the plans are tested beside the
    reading door. Gives Olga's id."""
    if database_kind != "postgresql":
        return 0
    olga = make_user("Olga", with_password=False)
    owners = (olga, make_user("Otto", with_password=False))
    rows = [
        {"name": f"House {n}", "billing_city": "Turku" if n % 10 else "Oulu", "owner_id": owners[n // 10 % 2]}
        for n in range(1_000)
    ]
    records.create_many(SYSTEM, "accounts", rows, Channel.SYSTEM)
    db.session.execute(text("ANALYZE accounts"))
    return olga


def plans_of(act) -> list[str]:
    """The plans of what `act` asks, where PostgreSQL reads whole tables and sorts them only if it has no other way."""
    seen = asked(act)
    connection = db.session.connection()
    for way in ("seqscan", "sort"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return [
        "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
        for statement, parameters, _ in seen
    ]


def test_conditions_on_texts_are_known_by_what_they_leave(house, database_kind):
    if database_kind == "sqlite":
        return
    said = text("EXPLAIN SELECT id FROM accounts WHERE fold(billing_city) COLLATE \"C\" = 'oulu'")
    first = db.session.execute(said).scalars().all()[0]
    assert "rows=100 " in first  # without statistics of the expression: 5


def test_a_page_of_many_is_walked_to_along_the_index_of_its_order(house, database_kind, monkeypatch):
    if database_kind == "sqlite":
        return
    monkeypatch.setattr(ways, "FEW", 2)
    monkeypatch.setattr(walks, "is_large", lambda table: False)
    where = {"billing_city": "Oulu"}
    tried, page, *_ = plans_of(lambda: search.find(SYSTEM, "accounts", where=where, sort=("name",), limit=5))[-3:]
    assert "ix_accounts_billing_city" in tried
    assert "ix_accounts_name" in page
    assert "ix_accounts_billing_city" not in page
    assert "Seq Scan" not in tried + page


def test_what_some_owners_have_of_a_condition_is_counted_in_its_index(house, database_kind):
    if database_kind == "sqlite":
        return
    seller = Viewer(kind="staff", id=house, principals=frozenset({house}), defaults={"accounts": "private"})
    db.session.execute(text("SET LOCAL enable_bitmapscan = off"))  # what is not vacuumed yet is read by a bitmap
    *_, plan = plans_of(lambda: search.count(seller, "accounts", {"billing_city": "Oulu"}))
    assert "Index Only Scan using ix_accounts_billing_city" in plan


@pytest.mark.parametrize("module", ["accounts", "contacts", "leads", "tickets"])
def test_no_source_of_a_timeline_reads_a_whole_table(house, database_kind, module):
    if database_kind == "sqlite":
        return
    values = {"accounts": {"name": "A"}, "tickets": {"title": "T"}}.get(module, {"last_name": "L", "company": "C"})
    values = {name: value for name, value in values.items() if name in timeline.modules[module].fields}
    id = records.create(SYSTEM, module, values, Channel.SYSTEM)
    plans = plans_of(lambda: timeline.page(SYSTEM, module, id))
    assert [line for plan in plans for line in plan.splitlines() if "Seq Scan" in line] == []


def test_a_search_reads_the_index_of_words_and_what_is_everywhere_from_the_newest_records(
    house, database_kind, monkeypatch
):
    if database_kind == "sqlite":
        return
    found, newest = plans_of(lambda: text_index.search(SYSTEM, "house"))
    assert "ix_text_index_words" in found
    assert "pk_accounts" in newest
    assert "text_index_pkey" in newest
    monkeypatch.setattr(text_index, "NEWEST", 4)  # records to look through, where five hits are wanted
    whole = plans_of(lambda: text_index.search(SYSTEM, "house"))
    assert len(whole) == 3
    assert "ix_text_index_words" in whole[2]
    assert not [plan for plan in whole if "Seq Scan" in plan]
