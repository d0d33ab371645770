"""Which rows exist already, for thousands at a time: each is looked up by the index of its table, whatever a planner believes of it."""

import json
from collections.abc import Sequence
from typing import Any

from crm.db import db
from crm.engine.batches import Given, spread


def ids_of(table: Any, names: Sequence[str], rows: Sequence[tuple[Any, ...]], before: str = "") -> list[int | None]:
    """For each row of values the id of a row in `table` that says the same in the columns `names`, or None.

    `before`: the one of `names` that is smaller there. `table` has an index of the others. Values are numbers and texts.
    PostgreSQL may not join here: it knows little of a table that grew by half since it was looked at, and then reads all of it.
    """
    if not rows:
        return []
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        given = [Given("place", table.c.id, list(range(len(rows))))]
        given += [
            Given(name, table.c[name], list(said)) for name, said in zip(names, zip(*rows, strict=True), strict=True)
        ]
        made = spread(connection, given)
        asked = _asked(table, names, [made.said[name] for name in names], before)
        found = connection.exec_driver_sql(f"SELECT {made.said['place']}, {asked} FROM {made.source}", made.parameters)  # noqa: S608 — our names; what is said is bound
    else:
        asked = _asked(
            table, names, [f"json_extract(given.value, '$[{place}]')" for place in range(len(names))], before
        )
        said = f"SELECT given.key, {asked} FROM json_each(?) AS given"  # noqa: S608
        found = connection.exec_driver_sql(said, (json.dumps(rows),))
    ids: list[int | None] = [None] * len(rows)
    for place, id in found:
        ids[place] = id
    return ids


def _asked(table: Any, names: Sequence[str], said: Sequence[str], before: str) -> str:
    tests = [f"found.{name} {'<' if name == before else '='} {value}" for name, value in zip(names, said, strict=True)]
    return f"(SELECT found.id FROM {table.name} AS found WHERE {' AND '.join(tests)} LIMIT 1)"  # noqa: S608
