"""Rows into tables, many at once: what the writing door has decided, written with little more than the database's own work.

SQLAlchemy looks at every value of every row. Rows of a batch are alike, so here every column is looked at, and a value that
stands in many rows (a time stamp, an empty object) is made ready once.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, insert, select, text

from crm.db import Entity, db
from crm.engine.batches import Given, spread

Values = dict[str, Any]
RESERVE = {
    "sqlite": "UPDATE sqlite_sequence SET seq = seq + :count WHERE name = 'entities' RETURNING seq",
    "postgresql": "SELECT nextval((SELECT pg_get_serial_sequence('entities', 'id'))) FROM generate_series(1, :count)",
}


def insert_rows(table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that says nothing of a column gets the column's default, or none."""
    if not rows:
        return
    names = rows[0].keys()
    are_alike = all(row.keys() == names for row in rows)  # nearly always: then no row is asked whether it has a value
    named, given = names if are_alike else {name for row in rows for name in row}, []
    for column in table.c:
        name, empty = column.name, _default(column)
        if name in named:
            values = map(itemgetter(name), rows) if are_alike else (row.get(name, empty) for row in rows)
            given.append(Given(name, column, list(values)))
        elif column.default is not None:
            given.append(Given(name, column, [empty] * len(rows)))
    _insert(db.session.connection(), table, given)


def _insert(connection: Connection, table: Any, given: Sequence[Given]) -> None:
    made, quote = spread(connection, given), connection.dialect.identifier_preparer.quote
    said = ", ".join(made.said.values())
    said = f"SELECT {said} FROM {made.source}" if made.source else f"VALUES ({said})"  # noqa: S608 — no values, they are bound
    into = f"{quote(table.name)} ({', '.join(map(quote, made.said))})"
    connection.exec_driver_sql(f"INSERT INTO {into} {said}", made.parameters)


def _default(column: Any) -> Any:
    if column.default is None:
        return None
    return column.default.arg if column.default.is_scalar else column.default.arg(None)


def insert_identities(cards: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write the identity cards of new records (without ids); their ids, in order.

    The ids are reserved in one step, so that no row has to be asked for its own; on SQLite that takes the write lock, too.
    """
    connection, table = db.session.connection(), Entity.__table__
    ids = _reserved(connection, len(cards))
    if not ids:  # the very first record on SQLite: the table has no sequence yet
        said = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return list(connection.execute(said, cards).scalars())
    insert_rows(table, [{"id": id, **card} for id, card in zip(ids, cards, strict=True)])
    return ids


def _reserved(connection: Connection, count: int) -> list[int]:
    found = list(connection.execute(text(RESERVE[connection.dialect.name]), {"count": count}).scalars())
    if connection.dialect.name == "sqlite":
        return list(range(found[0] - count + 1, found[0] + 1)) if found else []
    return found


def update_rows(table: Any, names: Sequence[str], rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any]) -> bool:
    """Change rows: the columns `names` to what each row says, those of `same` in all. `of_id` of a row says which it is.

    Where the table counts versions, `of_version` is the one that was seen; gives False when a row has another by now.
    """
    if not rows:
        return True
    connection = db.session.connection()
    known = {"of_id": table.c.id} | ({"of_version": table.c.version} if "version" in table.c else {})
    given = [Given(name, table.c[name], [row[name] for row in rows]) for name in names if name not in same]
    given += [Given(name, table.c[name], [value] * len(rows)) for name, value in same.items()]
    given += [Given(name, column, [row[name] for row in rows]) for name, column in known.items()]
    made, quote = spread(connection, given), connection.dialect.identifier_preparer.quote
    own = quote(table.name)
    steps = [f"{quote(name)} = {said}" for name, said in made.said.items() if name not in known]
    steps += [f"version = {own}.version + 1"] if "version" in table.c else []
    source = f" FROM {made.source}" if made.source else ""
    which = " AND ".join(f"{own}.{column.name} = {made.said[name]}" for name, column in known.items())
    change = f"UPDATE {own} SET {', '.join(steps)}{source} WHERE {which}"  # noqa: S608 — our names; what is said is bound
    done = connection.exec_driver_sql(change, made.parameters)
    return not 0 <= done.rowcount < len(rows)


def insert_for_each(table: Any, column: str, ids: Sequence[int], same: Mapping[str, Any]) -> None:
    """Insert a row for each of `ids` (in `column`), which else are the same: one statement."""
    if not ids:
        return
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        given = [Given(name, table.c[name], [value] * len(ids)) for name, value in same.items()]
        _insert(connection, table, [Given(column, table.c[column], list(ids)), *given])
        return
    said = {f"same_{name}": value for name, value in same.items()}
    connection.execute(_for_each(table, column, tuple(same)), said | {"ids": "[" + ",".join(map(str, ids)) + "]"})


@cache
def _for_each(table: Any, column: str, names: tuple[str, ...]) -> Any:
    each = func.json_each(bindparam("ids", type_=Text())).table_valued("value").c.value
    values = [bindparam(f"same_{name}", type_=table.c[name].type).label(name) for name in names]
    return insert(table).from_select([column, *names], select(each, *values), include_defaults=False)
