"""The order of a list: what its rows are sorted by, the place of one of them as text, and what comes behind it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, false, func, literal, not_, or_, tuple_
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeDecorator

from crm.db import Scaled, db
from crm.engine.refusals import Refused
from crm.words import _


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the order. What is empty comes last, whichever way it goes."""

    expression: ColumnElement[Any]
    descending: bool
    is_nullable: bool
    field: str = ""  # the field of the module itself by whose index the rows can be walked

    @property
    def is_natural(self) -> bool:
        """Whether the database puts what is empty last by itself, as its indexes do."""
        return not self.is_nullable or self.descending == (db.engine.dialect.name == "sqlite")

    def order(self) -> ColumnElement[Any]:
        said = self.expression.desc() if self.descending else self.expression.asc()
        return said if self.is_natural else said.nulls_last()

    def after(self, value: Any) -> ColumnElement[bool]:
        if value is None:
            return false()
        bound = self.said(value)
        beyond = self.expression < bound if self.descending else self.expression > bound
        return or_(beyond, self.expression.is_(None)) if self.is_nullable else beyond

    def same(self, value: Any) -> ColumnElement[bool]:
        return self.expression.is_(None) if value is None else self.expression == self.said(value)

    def until(self, value: Any) -> ColumnElement[bool]:
        """That a value does not come behind `value`, which is not empty."""
        bound = self.said(value)
        return self.expression >= bound if self.descending else self.expression <= bound

    def said(self, value: Any) -> ColumnElement[Any]:
        return value if isinstance(value, ColumnElement) else literal(value, self.expression.type)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the order that one statement gives. `frame`: which rows stand in it."""

    frame: list[ColumnElement[bool]]
    keys: list[Key]
    order: list[Key]  # the same, but for those that say the same of all its rows


def beyond(values: Sequence[Any], keys: Sequence[Key]) -> ColumnElement[bool]:
    """That a row comes behind the place in the order that these values of its keys tell."""
    parts: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for key, value in zip(keys, values, strict=True):
        parts.append(and_(*same, key.after(value)))
        same.append(key.same(value))
    first = keys[0]
    if len(keys) > 1 and not first.is_nullable:  # says again what follows, so that an index serves it
        bound = first.said(values[0])
        begin = first.expression <= bound if first.descending else first.expression >= bound
        return and_(begin, or_(*parts))
    return or_(*parts)


def until(values: Sequence[Any], keys: Sequence[Key]) -> ColumnElement[bool]:
    """That a row comes before such a place or stands at it; none of its values is empty. Where all keys go one way it is said as
    the end of a range, at which a walk along an index stops."""
    first = keys[0].until(values[0])
    if len({key.descending for key in keys}) > 1:
        return and_(first, not_(func.coalesce(beyond(values, keys), false())))
    row, place = tuple_(*(key.expression for key in keys)), tuple_(*values)
    range = row >= place if keys[0].descending else row <= place
    # SQLite finds the end of a range by its first part alone. PostgreSQL would take the two for two things, and the rows for few.
    return and_(first, range) if db.engine.dialect.name == "sqlite" else range


def write_cursor(sort: Sequence[str], values: Sequence[Any]) -> str:
    """The place of a row in an order, as text. `sort`: what the order was asked for by; `values`: of its keys."""
    said = json.dumps([list(sort), [_written(value) for value in values]], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: Sequence[str], keys: Sequence[Key]) -> list[Any]:
    """The values of a cursor. Raises Refused when it is none, or of another order."""
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        names, values = said
        if names == list(sort) and len(values) == len(keys):
            return [_read(value, key) for value, key in zip(values, keys, strict=True)]
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        pass
    raise Refused.because("bad_cursor", _("This place in the list does not exist any more. Start from the beginning."))


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"m": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time):
        return {"t": value.isoformat()}
    return {"n": str(value)} if isinstance(value, Decimal) else value


READERS: dict[str, Any] = {"m": datetime.fromisoformat, "d": date.fromisoformat, "t": time.fromisoformat, "n": Decimal}


def _read(value: Any, key: Key) -> Any:
    """A value of a cursor, of the type that its key is compared with. Raises ValueError."""
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        value = READERS[kind](text)
    kind = key.expression.type
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    wanted = Decimal if isinstance(kind, Scaled) else plain.python_type
    if value is not None and type(value) is not wanted and not (wanted in {int, bool} and isinstance(value, int)):
        raise ValueError("another type")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("too large")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("no zone")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("NUL")
    return value
