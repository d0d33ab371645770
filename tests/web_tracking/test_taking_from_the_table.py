"""Hits that wait in PostgreSQL: taken in their order by ranges of numbers, each once, whatever the planner believes of the table."""

from typing import Any

from sqlalchemy import event

from crm.db import db
from web_tracking.stores import HITS, TableStore


def put(*ids: int) -> None:
    rows = [{"id": id, "at": id, "site_id": 1, "visitor": None, "nonce": 0, "kind": "bot", "said": "{}"} for id in ids]
    db.session.execute(HITS.insert(), rows)
    db.session.commit()


def taken(store: TableStore, most: int = 10) -> list[int]:
    return [hit.at for hit in store.take(most)]


def test_hits_are_taken_by_ranges_come_again_when_the_batch_fails_and_a_late_smaller_number_is_not_left(
    app: Any, session: Any
) -> None:
    if db.engine.dialect.name == "sqlite":
        return  # hits wait in a file there (test_rolling_up.py)
    store = TableStore(app.config["SQLALCHEMY_DATABASE_URI"])
    put(3, 5, 9, 20)
    assert taken(store) == [3, 5, 9]
    db.session.rollback()  # the batch failed
    assert taken(store) == [3, 5, 9]
    db.session.commit()
    store.done()
    put(7)  # its number was given before, its transaction ended only now
    assert taken(store) == [20]
    db.session.commit()
    store.done()
    assert taken(store) == [7]
    db.session.commit()
    store.done()
    assert taken(store) == []


def test_taking_joins_nothing_because_a_table_that_is_mostly_empty_is_believed_to_be_so(app: Any, session: Any) -> None:
    if db.engine.dialect.name == "sqlite":
        return
    store = TableStore(app.config["SQLALCHEMY_DATABASE_URI"])
    put(1, 2, 3)
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert taken(store) == [1, 2, 3]
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    of_hits = [one for one in seen if "hits" in one[0]]
    assert of_hits
    for statement, parameters in of_hits:
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
        assert not [line for line in plan if "Join" in line or "Nested Loop" in line], plan
