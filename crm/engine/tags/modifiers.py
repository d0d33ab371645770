"""The modifiers and functions a formula may use: one row each (spec/platform.md 2.5). All are linear in their input."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException
from typing import TYPE_CHECKING, Any

import re2

from crm.engine.tags import meaning
from crm.engine.tags.moments import read_moment, show_date, show_percent
from crm.words import _, say_number

if TYPE_CHECKING:
    from crm.engine.tags.meaning import Run

MAX_PATTERN = 500
MAX_DECIMALS = 10
MAX_TEXT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Modifier:
    """`apply(run, value, *arguments)`; `arguments` is how few and how many it takes."""

    apply: Callable[..., Any]
    arguments: tuple[int, int] = (0, 0)


def _text(value: Any) -> str:
    return meaning.shown(value)


def _whole(value: Any, limit: int = MAX_TEXT) -> int:
    return max(-limit, min(limit, int(meaning.number(value))))


def _moment(run: Run, value: Any) -> int:
    """A number is a moment already; anything else is read as a phrase; nothing is now."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return int(value)
    text = _text(value)
    return read_moment(text, run.now, run.zone) if text else int(run.now.timestamp())


def _default(run: Run, value: Any, other: Any = "") -> Any:
    return other if value is None or value == "" or value is False else value


def _regex_replace(run: Run, value: Any, pattern: Any, replacement: Any = "") -> str:
    """RE2 matches in time linear in the text, whatever the pattern; it knows no look-around and no back-reference."""
    written, flags = _delimited(_text(pattern))
    if len(written) > MAX_PATTERN:
        raise meaning.FormulaError(_("a pattern may have at most %(most)s characters", most=MAX_PATTERN))
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.case_sensitive = "i" not in flags
    try:
        compiled = re2.compile(written, options)
        changed: str = compiled.sub(re.sub(r"\$(\d)", r"\\\1", _text(replacement)), _text(value))
    except re2.error:
        raise meaning.FormulaError(_('the pattern "%(name)s" cannot be used', name=written[:40])) from None
    return _bounded(changed)


def _delimited(pattern: str) -> tuple[str, str]:
    """`/[a-z]+/i` → (`[a-z]+`, `i`); a pattern without slashes is taken as it is."""
    match = re.fullmatch(r"([/#~])(.*)\1([a-z]*)", pattern, re.DOTALL)
    return (match[2], match[3]) if match else (pattern, "")


def _replace(run: Run, value: Any, old: Any, new: Any = "") -> str:
    text, search, put = _text(value), _text(old), _text(new)
    if not search:
        return text
    if len(text) + text.count(search) * (len(put) - len(search)) > MAX_TEXT:
        raise meaning.FormulaError(_("the result is longer than %(most)s characters", most=say_number(MAX_TEXT)))
    return text.replace(search, put)


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise meaning.FormulaError(_("the result is longer than %(most)s characters", most=say_number(MAX_TEXT)))
    return text


def _truncate(run: Run, value: Any, length: Any = 80, ending: Any = "...", anywhere: Any = False) -> str:
    text, most, tail = _text(value), max(_whole(length), 0), _text(ending)
    if len(text) <= most:
        return text
    cut = text[: max(most - len(tail), 0)]
    if not meaning.truthy(anywhere) and " " in cut and not text[len(cut) : len(cut) + 1].isspace():
        cut = cut[: cut.rindex(" ")]
    return (cut.rstrip() + tail)[:most]


def _substr(run: Run, value: Any, start: Any, length: Any = None) -> str:
    text, begin = _text(value), _whole(start)
    begin = max(len(text) + begin, 0) if begin < 0 else begin
    if length is None:
        return text[begin:]
    size = _whole(length)
    return text[begin : len(text) + size] if size < 0 else text[begin : begin + size]


def _rounded(rounding: str) -> Callable[..., Decimal]:
    def apply(run: Run, value: Any, decimals: Any = 0) -> Decimal:
        return _quantized(meaning.number(value), _whole(decimals, MAX_DECIMALS), rounding)

    return apply


def _quantized(value: Decimal, decimals: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    if abs(value) >= Decimal("1e17"):
        return value
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


def _number_format(run: Run, value: Any, decimals: Any = 0, point: Any = ".", thousands: Any = ",") -> str:
    places = max(_whole(decimals, MAX_DECIMALS), 0)
    text = f"{_quantized(meaning.number(value), places):,.{places}f}"
    marks: dict[str, str | int | None] = {",": _text(thousands), ".": _text(point)}
    return text.translate(str.maketrans(marks))


_STRING_FORMAT = re.compile(r"%(?:(%)|([-+0 ]?)(\d{1,3})?(?:\.(\d{1,2}))?([sdfeEu]))")


def string_format(run: Run, value: Any, pattern: Any) -> str:
    """`%.2f`, `%05d`, `%s` with widths up to 999; nothing else."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return "%"
        flag, width, precision, kind = match[2], match[3] or "", match[4], match[5]
        if kind == "s":
            text = _text(value)[: int(precision)] if precision else _text(value)
            return text.ljust(int(width or 0)) if flag == "-" else text.rjust(int(width or 0))
        number = meaning.number(value)
        if kind in "du":
            return f"%{flag}{width}d" % int(number)
        return f"%{flag}{width}.{precision or 6}{kind}" % number

    return _STRING_FORMAT.sub(one, _text(pattern))


_ESCAPES: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "quotes": lambda text: text.replace("'", "\\'"),
}


def _escape(run: Run, value: Any, kind: Any = "html") -> str:
    if kind == "url":
        from urllib.parse import quote

        return quote(_text(value), safe="")
    escape = _ESCAPES.get(_text(kind))
    if escape is None:
        raise meaning.FormulaError(_("|escape knows html, url and quotes"))
    return escape(_text(value))


def _column(value: Any, field: Any) -> list[Decimal]:
    name = _text(field)
    found = [row.get(name) for row in meaning.rows_of(value)[: meaning.MAX_LOOP_STEPS + 1] if isinstance(row, Mapping)]
    if len(found) > meaning.MAX_LOOP_STEPS:
        raise meaning.FormulaError(_("more than %(most)s rows", most=say_number(meaning.MAX_LOOP_STEPS)))
    return [meaning.number(one) for one in found if one not in (None, "")]


def _sum(run: Run, value: Any, field: Any) -> Decimal:
    total = Decimal(0)
    for one in _column(value, field):
        total = meaning.arithmetic("+", total, one)
    return total


def _capitalize(run: Run, value: Any) -> str:
    return re.sub(r"(?<!\S)\S", lambda match: match[0].upper(), _text(value))


MODIFIERS: dict[str, Modifier] = {
    "default": Modifier(_default, (0, 1)),
    "date": Modifier(lambda run, value, when=None: show_date(_text(value), _moment(run, when), run.zone), (0, 1)),
    "date_format": Modifier(
        lambda run, value, pattern="%Y-%m-%d": (
            show_percent(_text(pattern), _moment(run, value), run.zone) if meaning.truthy(value) else ""
        ),
        (0, 1),
    ),
    "strtotime": Modifier(lambda run, value: Decimal(read_moment(_text(value), run.now, run.zone))),
    "upper": Modifier(lambda run, value: _text(value).upper()),
    "lower": Modifier(lambda run, value: _text(value).lower()),
    "capitalize": Modifier(_capitalize),
    "trim": Modifier(lambda run, value: _text(value).strip()),
    "replace": Modifier(_replace, (1, 2)),
    "regex_replace": Modifier(_regex_replace, (1, 2)),
    "truncate": Modifier(_truncate, (0, 3)),
    "substr": Modifier(_substr, (1, 2)),
    "cat": Modifier(lambda run, value, more="": _bounded(_text(value) + _text(more)), (0, 1)),
    "count_characters": Modifier(
        lambda run, value, spaces=False: Decimal(
            len(_text(value)) if meaning.truthy(spaces) else sum(not one.isspace() for one in _text(value))
        ),
        (0, 1),
    ),
    "round": Modifier(_rounded(ROUND_HALF_UP), (0, 1)),
    "floor": Modifier(_rounded(ROUND_FLOOR)),
    "ceil": Modifier(_rounded(ROUND_CEILING)),
    "number_format": Modifier(_number_format, (0, 3)),
    "string_format": Modifier(string_format, (1, 1)),
    "strip_tags": Modifier(lambda run, value: re.sub(r"<[^<>]*>", "", _text(value))),
    "escape": Modifier(_escape, (0, 1)),
    "intval": Modifier(lambda run, value: Decimal(_leading(_text(value)))),
    "rows_sum": Modifier(_sum, (1, 1)),
    "rows_count": Modifier(lambda run, value: Decimal(len(meaning.rows_of(value)))),
    "rows_max": Modifier(lambda run, value, field: max(_column(value, field), default=None), (1, 1)),
    "rows_min": Modifier(lambda run, value, field: min(_column(value, field), default=None), (1, 1)),
}


def _leading(text: str) -> str:
    """The whole number a text begins with, `0` when there is none."""
    match = re.match(r"\s*([+-]?\d{1,25})", text)
    return match[1] if match else "0"


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > meaning.MAX_POWER:
        raise meaning.FormulaError(_("a power may be at most %(most)s", most=meaning.MAX_POWER))
    return meaning.ARITHMETIC.power(base, exponent)


def _exponential(value: Decimal) -> Decimal:
    if abs(value) > meaning.MAX_POWER:
        raise meaning.FormulaError(_("a power may be at most %(most)s", most=meaning.MAX_POWER))
    return meaning.ARITHMETIC.exp(value)


FUNCTIONS: dict[str, tuple[Callable[..., Decimal], int, int]] = {
    "abs": (abs, 1, 1),
    "ceil": (lambda value: _quantized(value, 0, ROUND_CEILING), 1, 1),
    "floor": (lambda value: _quantized(value, 0, ROUND_FLOOR), 1, 1),
    "round": (lambda value, places=Decimal(0): _quantized(value, _whole(places, MAX_DECIMALS)), 1, 2),
    "min": (lambda *values: min(values), 1, 20),
    "max": (lambda *values: max(values), 1, 20),
    "pow": (_power, 2, 2),
    "sqrt": (lambda value: meaning.ARITHMETIC.sqrt(value), 1, 1),
    "exp": (_exponential, 1, 1),
    "log": (lambda value: meaning.ARITHMETIC.ln(value), 1, 1),
    "log10": (lambda value: meaning.ARITHMETIC.log10(value), 1, 1),
}


def compute(name: str, arguments: list[Decimal]) -> Decimal:
    """A function of {math}. Raises FormulaError."""
    known = FUNCTIONS.get(name)
    if known is None:
        raise meaning.FormulaError(_("%(name)s() is not a function of {math}", name=name))
    function, least, most = known
    if not least <= len(arguments) <= most:
        raise meaning.FormulaError(
            _("%(name)s() takes %(value)s arguments", name=name, value=least if least == most else f"{least} to {most}")
        )
    try:
        return function(*arguments)
    except (DecimalException, OverflowError):
        raise meaning.FormulaError(_("%(name)s() has no result for these values", name=name)) from None
