"""A batch of rows as a statement takes it. SQLite is given row after row; PostgreSQL, where a statement a row costs more than
the row, gets each column as one array, and a value that stands in all rows once: one statement, however many rows.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from msgspec.json import Encoder
from sqlalchemy import Column, Connection, String
from sqlalchemy.types import TypeDecorator

WRITTEN_ALIKE = (int, bool, str, date, datetime)  # JSON writes these as PostgreSQL reads them in an array
_json = Encoder().encode  # made once


class Given(NamedTuple):
    """One column of a batch: what its values are called, its declaration, its values row by row."""

    name: str
    column: Column[Any]
    values: list[Any]


class Spread(NamedTuple):
    """The SQL that stands for each given column (by name, in order), the FROM they come from, and the driver's parameters."""

    said: dict[str, str]
    source: str
    parameters: Any


def spread(connection: Connection, given: Sequence[Given]) -> Spread:
    """The values of a batch for a statement of `exec_driver_sql`. There is at least one row."""
    ready = [_ready(connection.dialect, one) for one in given]
    if connection.dialect.name == "sqlite":
        return Spread(dict.fromkeys((one.name for one in given), "?"), "", list(zip(*ready, strict=True)))
    return _as_arrays(connection.dialect, given, ready)


def _ready(dialect: Any, given: Given) -> list[Any]:
    """Values as the driver takes them; the same object in row after row is made ready once."""
    bind: Callable[[Any], Any] | None = given.column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return given.values
    before: Any = bind  # no value is this
    ready: Any = None
    found = []
    for value in given.values:
        if value is not before:
            before, ready = value, bind(value)
        found.append(ready)
    return found


def _as_arrays(dialect: Any, given: Sequence[Given], ready: Sequence[list[Any]]) -> Spread:
    """Arrays go as texts that we write, else in binary: the driver's own texts take four times as long as that."""
    said: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    arrays: list[str] = []
    names: list[str] = []
    for place, (one, values) in enumerate(zip(given, ready, strict=True)):
        kind, key, first = _kind(dialect, one.column), f"p{place}", values[0]
        if all(value is first for value in values):
            said[one.name], parameters[key] = f"%({key})s::{kind}", first
        else:
            written = _written(values)
            said[one.name], parameters[key] = f"given.{key}", _alike(values) if written is None else written
            names.append(key)
            arrays.append(f"%({key}){'b' if written is None else 's'}::{kind}[]")
    if arrays:
        return Spread(said, f"unnest({', '.join(arrays)}) AS given ({', '.join(names)})", parameters)
    return Spread(said, f"generate_series(1, {len(ready[0])})", parameters)


def _kind(dialect: Any, column: Column[Any]) -> str:
    """The type to read values as, without its length: what is too long is refused by the column, never cut."""
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return "text" if isinstance(kind, String) else column.type.compile(dialect=dialect).partition("(")[0]


def _written(values: list[Any]) -> str | None:
    """The array as PostgreSQL reads it; None where JSON says a value otherwise, as control characters.

    https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: in quotes only " and the backslash are escaped.
    """
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if len(kinds) != 1 or not kinds.issubset(WRITTEN_ALIKE):
        return None
    try:
        said = _json(values)
    except ValueError:  # half a character: for the driver to refuse
        return None
    if b"\\" in said and b"\\" in said.replace(b"\\\\", b"").replace(b'\\"', b""):
        return None
    return f"{{{said[1:-1].decode()}}}"


def _alike(values: list[Any]) -> list[Any]:
    """The values with one Python type, as an array has: text columns also hold other kinds of str, numbers are int or float."""
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) < 2:
        return values
    kind = str if any(issubclass(one, str) for one in kinds) else float
    return [None if value is None else kind(value) for value in values]
