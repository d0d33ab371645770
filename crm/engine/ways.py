"""Which way the database goes to the rows of a page: by what the conditions leave, or along the order of an index.

The planners cannot know it well: SQLite has no statistics and takes every index of a condition for a narrow one, and PostgreSQL
takes a limit for a promise. So before the page it is tried how many records fit, which is the count that the page shows too.
Few are remembered by their ids, and whatever they are sorted by costs nothing; of many, some soon turn up along the order
(measures A6: 8 to 1,000 times as fast).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Date, DateTime, String, Time

from crm.db import db, fold

FEW = 3_000  # at a million records the walk to 50 of more than these reads some 17,000; to sort these takes as long
HUNDREDS = 100  # keys: from here on PostgreSQL is told to look up each


class plainly(FunctionElement[bool]):
    """SQL: the condition as it is, but on SQLite no reason to walk an index of what it is about."""

    type = Boolean()
    inherit_cache = True


class tested(plainly):
    """SQL: a condition for rows that are walked to: on no database a reason to walk another index, or to join."""

    inherit_cache = True


@compiles(plainly)
def _plainly(element: Any, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)})"  # it may be an OR, and stands beside an AND


@compiles(plainly, "sqlite")
@compiles(tested, "sqlite")
def _plainly_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(+({compiler.process(element.clauses, **kw)}))"


@compiles(tested, "postgresql")
def _tested_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(({compiler.process(element.clauses, **kw)}) IS TRUE)"


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """That `column` is one of many values: numbers and texts are given as one value, so that the statement stays the same."""
    if not isinstance(column.type, Integer | String):
        return column.in_(values)
    if db.engine.dialect.name == "sqlite":
        said = bindparam("among", json.dumps(list(values)), Text(), unique=True)
        return column.in_(select(func.json_each(said).table_valued("value").c.value))
    kind: Any = BigInteger() if isinstance(column.type, Integer) else Text()
    return column == func.any(bindparam("among", list(values), postgresql.ARRAY(kind), unique=True))


def given(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same for a statement that is kept: `keys` of the values come as its parameter `name`."""
    if db.engine.dialect.name == "sqlite":
        return column.in_(select(func.json_each(bindparam(name, type_=Text())).table_valued("value").c.value))
    kind: Any = BigInteger() if isinstance(column.type, Integer) else Text()
    return column == func.any(bindparam(name, type_=postgresql.ARRAY(kind)))


def keys(values: Sequence[Any]) -> Any:
    """Numbers or texts as the one value of `given`."""
    return json.dumps(list(values)) if db.engine.dialect.name == "sqlite" else list(values)


@contextmanager
def by_index(count: int) -> Iterator[None]:
    """Statements inside look up `count` keys by an index.

    PostgreSQL takes hundreds of keys as a reason to read the whole table, folding every text in it, which is right only for
    tables that are small anyhow.
    """
    if count < HUNDREDS or db.engine.dialect.name != "postgresql":
        yield
        return
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    db.session.execute(text("SET LOCAL enable_seqscan = on"))


@contextmanager
def by_its_values() -> Iterator[None]:
    """Statements inside are planned for the values that they are given, not once for all: what they look for is far from alike."""
    if db.engine.dialect.name != "postgresql":
        yield
        return
    db.session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    yield
    db.session.execute(text("SET LOCAL plan_cache_mode = auto"))


def trial(said: Select[Any], most: int) -> Select[tuple[int, Any]]:
    """The statement of `tried`: how many ids `said` gives, counted as far as `most`, and the ids when these are few."""
    found = at_most(said, max(most, FEW + 1)).subquery("found")
    if db.engine.dialect.name == "sqlite":
        ids: ColumnElement[Any] = func.json_group_array(found.c.id, type_=JSON())
    else:
        ids = func.array_agg(found.c.id)
    return select(func.count(), case((func.count() <= FEW, ids))).select_from(found)


def tried(said: Select[tuple[int, Any]]) -> tuple[int, list[int] | None]:
    """What a trial gives: how many fit, and their ids when these are few (else None)."""
    count, known = db.session.execute(said).one()
    return count, known if count else []


def at_most(said: Select[Any], most: int) -> Select[Any]:
    """The same with a limit that stands in the statement: for a plan that it keeps, PostgreSQL takes a limit that is a
    parameter for a tenth of the rows, and then reads the whole table."""
    return said.limit(literal_column(str(int(most)), Integer))


def counted(said: Select[Any], most: int) -> int:
    """How many rows `said` gives, counted as far as `most`."""
    return db.session.execute(select(func.count()).select_from(at_most(said, most).subquery())).scalar() or 0


def read_in_index(said: Select[Any], table: Any, field: str) -> Select[Any]:
    """The same Select of living rows; on SQLite it reads the text `field` in the index of it, which is a tenth of the table."""
    if (field, True) not in ordered(table):
        return said
    return said.with_hint(table, f"INDEXED BY ix_{table.name}_{field}", "sqlite")


@cache
def ordered(table: Table) -> frozenset[tuple[str, bool]]:
    """By which columns an index holds the rows in order, and whether as folded texts."""
    firsts: list[Any] = [index.expressions[0] for index in table.indexes if index.expressions]
    return frozenset(
        (first.clauses.clauses[0].name, True) if isinstance(first, fold) else (first.name, False) for first in firsts
    )


def is_held(module: Any, name: str) -> bool:
    """Whether an index of the module holds the field `name` in order."""
    field = module.fields.get(name)
    if field is None:
        return False
    if field.custom:
        return bool(field.indexed)
    return not {(name, True), (name, False)}.isdisjoint(ordered(module.table))


def is_there(expression: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a value is not empty, said so that a walk along an index begins behind the empty ones."""
    if db.engine.dialect.name != "sqlite":
        return expression.is_not(None)
    is_text = isinstance(expression.type, String | Date | DateTime | Time) or isinstance(
        getattr(expression.type, "impl_instance", None), String | Date | DateTime | Time
    )
    return expression >= literal_column("''" if is_text else "-9223372036854775808")
