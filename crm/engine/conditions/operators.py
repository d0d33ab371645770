"""The operators, one row each: key, words, how many values, SQL, the same test in memory, sentence.

Only positive operators have SQL and a test. A negative one names its opposite and matches wherever that does not, so also
where the field is empty; an absent value never matches a positive one. So NULL means the same in SQL and in memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, and_, false, func, or_, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from crm.db import fold, fold_text, is_found
from crm.engine.conditions.dates import Range
from crm.engine.conditions.patterns import read_pattern
from crm.engine.fields import Field


class is_within(FunctionElement[bool]):
    """SQL: whether the first text holds the second, byte for byte."""

    type = Boolean()
    inherit_cache = True


@compiles(is_within)
def _within_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(is_within, "postgresql")
def _within_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"


class fits_pattern(FunctionElement[bool]):
    """SQL: whether a pattern is found in a folded text. Arguments: text, RE2 pattern, PostgreSQL pattern."""

    type = Boolean()
    inherit_cache = True


@compiles(fits_pattern)
def _fits_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    text, pattern, _ = element.clauses
    return f"regexp({compiler.process(pattern, **kw)}, {compiler.process(text, **kw)})"


@compiles(fits_pattern, "postgresql")
def _fits_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    text, _, pattern = element.clauses
    return f"({compiler.process(text, **kw)} ~ {compiler.process(pattern, **kw)})"


Column = ColumnElement[Any]
Sql = ColumnElement[bool]


def shape_of(field: Field) -> str:
    """How a field is compared: text, key, ordered (numbers, dates), set (several keys), whole (of no use but emptiness)."""
    if field.kind.is_text:
        return "text"
    if field.kind.name == "multi":
        return "set"
    if field.kind.name in {"picklist", "checkbox"} or field.is_link:
        return "key"
    return "ordered" if "$gt" in field.kind.operators else "other"


# values: text → str (folded by the operator), key → the key, ordered → Range, set → tuple of keys


def _bound(field: Field, value: Any) -> Any:
    """A value as the column of `field` is compared with it."""
    if field.custom and value is not None and not field.kind.is_scaled:
        return field.kind.store(value, field)
    return value


def _all_keys(column: Column, keys: Sequence[str]) -> list[Sql]:
    return [is_within(type_coerce(column, Text), f"|{key}|") for key in keys]


def _in_range(column: Column, field: Field, value: Range) -> Sql:
    low, high = _bound(field, value.low), _bound(field, value.high)
    if value.is_point:
        said: Sql = column == low
        return said
    parts = [] if low is None else [column >= low]
    if high is not None:
        parts.append(column < high if value.is_open else column <= high)
    return and_(*parts) if parts else column.is_not(None)


def _equals(column: Column, field: Field, value: Any) -> Sql:
    shape = shape_of(field)
    if shape == "text":
        return fold(column) == fold_text(value)
    if shape == "ordered":
        return _in_range(column, field, value)
    if shape == "set":
        size = sum(len(key) + 1 for key in value) + 1
        return and_(func.length(type_coerce(column, Text)) == size, *_all_keys(column, value))
    said: Sql = column == _bound(field, value)
    return said


def _is_equal(field: Field, held: Any, value: Any) -> bool:
    shape = shape_of(field)
    if shape == "text":
        return fold_text(held) == fold_text(value)
    if shape == "ordered":
        return bool(value.holds(held))
    return set(held) == set(value) if shape == "set" else bool(held == value)


def _is_in(column: Column, field: Field, *values: Any) -> Sql:
    shape = shape_of(field)
    if shape == "text":
        return fold(column).in_([fold_text(value) for value in values])
    if shape == "set":
        return or_(*_all_keys(column, [key for value in values for key in value]))
    if shape == "key":
        return column.in_([_bound(field, value) for value in values]) if values else false()
    points = [_bound(field, value.low) for value in values if value.is_point]
    ranges = [_in_range(column, field, value) for value in values if not value.is_point]
    return or_(*([column.in_(points)] if points else []), *ranges)


def _is_one(field: Field, held: Any, *values: Any) -> bool:
    if shape_of(field) == "set":
        return any(key in held for value in values for key in value)
    return any(_is_equal(field, held, value) for value in values)


def _more(column: Column, field: Field, value: Any) -> Sql:
    if shape_of(field) == "text":
        return fold(column) > fold_text(value)
    high = _bound(field, value.high)
    said: Sql = column >= high if value.is_open else column > high
    return said


def _is_more(field: Field, held: Any, value: Any) -> bool:
    if shape_of(field) == "text":
        return (fold_text(held) or "") > (fold_text(value) or "")
    return bool(value.is_before(held))


def _at_least(column: Column, field: Field, value: Any) -> Sql:
    if shape_of(field) == "text":
        return fold(column) >= fold_text(value)
    said: Sql = column >= _bound(field, value.low)
    return said


def _is_at_least(field: Field, held: Any, value: Any) -> bool:
    if shape_of(field) == "text":
        return (fold_text(held) or "") >= (fold_text(value) or "")
    return bool(held >= value.low)


def _less(column: Column, field: Field, value: Any) -> Sql:
    if shape_of(field) == "text":
        return fold(column) < fold_text(value)
    said: Sql = column < _bound(field, value.low)
    return said


def _is_less(field: Field, held: Any, value: Any) -> bool:
    return not _is_at_least(field, held, value)


def _at_most(column: Column, field: Field, value: Any) -> Sql:
    if shape_of(field) == "text":
        return fold(column) <= fold_text(value)
    high = _bound(field, value.high)
    said: Sql = column < high if value.is_open else column <= high
    return said


def _is_at_most(field: Field, held: Any, value: Any) -> bool:
    return not _is_more(field, held, value)


def _between(column: Column, field: Field, low: Range, high: Range) -> Sql:
    return and_(_at_least(column, field, low), _at_most(column, field, high))


def _is_between(field: Field, held: Any, low: Range, high: Range) -> bool:
    return _is_at_least(field, held, low) and _is_at_most(field, held, high)


def _begins(column: Column, field: Field, value: str) -> Sql:
    """As a range of the folded text, so that an index serves it, in both databases by code point."""
    text = fold_text(value) or ""
    end = _next_text(text)
    return and_(fold(column) >= text, *([fold(column) < end] if end else []))


def _next_text(text: str) -> str:
    """The first text, by code point, after all that begin with `text`; "" when there is none."""
    while text:
        code = ord(text[-1]) + 1
        if code <= 0x10FFFF:
            return text[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
        text = text[:-1]
    return ""


def _contains(column: Column, field: Field, *values: Any) -> Sql:
    if shape_of(field) == "set":
        return and_(*_all_keys(column, [key for value in values for key in value]))
    return is_within(fold(column), fold_text(values[0]))


def _holds(field: Field, held: Any, *values: Any) -> bool:
    if shape_of(field) == "set":
        return all(key in held for value in values for key in value)
    return (fold_text(values[0]) or "") in (fold_text(held) or "")


def read_like(text: str) -> list[tuple[bool, str]]:
    """A LIKE pattern as (is a wildcard, folded text) parts; `\\` before %, _ and itself makes them plain."""
    parts: list[tuple[bool, str]] = []
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and place + 1 < len(text):
            place += 1
            parts.append((False, text[place]))
        else:
            parts.append((char in "%_", char))
        place += 1
    plain = ""
    folded: list[tuple[bool, str]] = []
    for is_wild, char in [*parts, (True, "")]:
        if not is_wild:
            plain += char
            continue
        if plain:
            folded.append((False, fold_text(plain) or ""))
        if char:
            folded.append((True, char))
        plain = ""
    return folded


def _like(column: Column, field: Field, value: str) -> Sql:
    said = "".join(
        char if is_wild else char.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        for is_wild, char in read_like(value)
    )
    return fold(column).like(said, escape="\\")


def _is_like(field: Field, held: str, value: str) -> bool:
    """Without a regular expression: the time grows with text × pattern only."""
    text = fold_text(held) or ""
    tokens = [(is_wild, char) for is_wild, part in read_like(value) for char in part]
    place = token = 0
    star, resume = -1, 0
    while place < len(text):
        if token < len(tokens) and tokens[token] == (True, "%"):
            star, resume, token = token, place, token + 1
        elif token < len(tokens) and (tokens[token] == (True, "_") or tokens[token] == (False, text[place])):
            token, place = token + 1, place + 1
        elif star >= 0:
            resume += 1
            token, place = star + 1, resume
        else:
            return False
    return all(one == (True, "%") for one in tokens[token:])


def _pattern(column: Column, field: Field, value: str) -> Sql:
    return fits_pattern(fold(column), *read_pattern(value))


def _is_pattern(field: Field, held: str, value: str) -> bool:
    return bool(is_found(read_pattern(value)[0], fold_text(held)))


def _nothing(*_: Any) -> Any:
    """Stands where a negative operator has its opposite."""
    raise TypeError("a negative operator is its opposite, turned round")


@dataclass(frozen=True)
class Operator:
    """One operator. `least`, `most`: how many values it takes beside the field. `takes`: what they are.

    `sentence`: English, with %(field)s and %(value)s (%(low)s, %(high)s); extracted for translation from this file.
    """

    key: str
    words: tuple[str, ...]
    sentence: str
    sql: Callable[..., Sql] = _nothing
    test: Callable[..., bool] = _nothing
    opposite: str = ""
    takes: str = "one"  # none, one, two, several, text, pattern, window


OPERATORS: dict[str, Operator] = {
    one.key: one
    for one in (
        Operator("$eq", ("is", "equals", "="), "%(field)s is %(value)s", _equals, _is_equal),
        Operator("$ne", ("is not", "not equals", "!="), "%(field)s is not %(value)s", opposite="$eq"),
        Operator("$gt", ("more than", "greater than", "after", ">"), "%(field)s is more than %(value)s", _more, _is_more),
        Operator("$gte", ("at least", "from", ">="), "%(field)s is at least %(value)s", _at_least, _is_at_least),
        Operator("$lt", ("less than", "before", "<"), "%(field)s is less than %(value)s", _less, _is_less),
        Operator("$lte", ("at most", "until", "<="), "%(field)s is at most %(value)s", _at_most, _is_at_most),
        Operator("$in", ("one of", "in"), "%(field)s is one of %(value)s", _is_in, _is_one, takes="several"),
        Operator("$nin", ("none of", "not in"), "%(field)s is none of %(value)s", opposite="$in", takes="several"),
        Operator(
            "$between", ("between",), "%(field)s is between %(low)s and %(high)s", _between, _is_between, takes="two"
        ),
        Operator(
            "$not.between", ("not between",), "%(field)s is not between %(low)s and %(high)s", opposite="$between",
            takes="two",
        ),
        Operator("$is.null", ("is empty", "empty"), "%(field)s is empty", opposite="$not.null", takes="none"),
        Operator(
            "$not.null", ("is not empty", "not empty"), "%(field)s is not empty",
            lambda column, field: column.is_not(None), lambda field, held: True, takes="none",
        ),
        Operator(
            "$beg", ("begins with", "starts with"), "%(field)s begins with %(value)s", _begins,
            lambda field, held, value: (fold_text(held) or "").startswith(fold_text(value) or ""), takes="text",
        ),
        Operator(
            "$end", ("ends with",), "%(field)s ends with %(value)s",
            lambda column, field, value: fold(column).endswith(fold_text(value), autoescape=True),
            lambda field, held, value: (fold_text(held) or "").endswith(fold_text(value) or ""), takes="text",
        ),
        Operator("$cts", ("contains",), "%(field)s contains %(value)s", _contains, _holds, takes="text"),
        Operator(
            "$not.cts", ("does not contain", "not contains"), "%(field)s does not contain %(value)s", opposite="$cts",
            takes="text",
        ),
        Operator("$like", ("is like", "like"), "%(field)s is like %(value)s", _like, _is_like, takes="text"),
        Operator(
            "$regex", ("matches", "fits the pattern"), "%(field)s fits the pattern %(value)s", _pattern, _is_pattern,
            takes="pattern",
        ),
        Operator(
            "$window", ("within", "is within", "during"), "%(field)s is within %(value)s",
            lambda column, field, value: _in_range(column, field, value), lambda field, held, value: value.holds(held),
            takes="window",
        ),
    )
}  # fmt: skip
WORDS = {word: one.key for one in OPERATORS.values() for word in one.words}


def allowed(field: Field) -> list[str]:
    """The keys of the operators that may be used on a field, in the order of the list."""
    found = field.kind.operators | {"$is.null", "$not.null"}
    if field.kind.name in {"day", "moment"}:
        found |= {"$window"}
    return [key for key in OPERATORS if key in found]
