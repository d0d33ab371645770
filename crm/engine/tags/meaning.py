"""What values mean in formulas: numbers, truth, equality, limits; nothing here knows the tree."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Context as Arithmetic
from decimal import Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from crm.engine.tags.moments import as_phrase
from crm.words import _

MAX_LOOP_STEPS = 1000
MAX_STEPS = 20_000
MAX_SECONDS = 0.2
MAX_OUTPUT = 64 * 1024
MAX_POWER = 100
ARITHMETIC = Arithmetic(prec=28, Emax=40, Emin=-40, traps=[DivisionByZero, InvalidOperation, Overflow])


class FormulaError(ValueError):
    """A formula that cannot be computed for this record; the text is a reason for the person who saves it."""


@dataclass
class Run:
    """One evaluation: what it knows and how much it has used."""

    values: Mapping[str, Any]
    now: datetime
    zone: tzinfo
    own: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    loop_steps: int = 0
    length: int = 0
    deadline: float = 0.0

    def step(self) -> None:
        """Counts one piece of work; stops a formula that takes too much."""
        self.steps += 1
        if self.steps > MAX_STEPS or (self.steps % 64 == 0 and time.monotonic() > self.deadline):
            raise FormulaError(_("the formula takes too long"))


def number(value: Any, name: str = "") -> Decimal:
    """A value as a Decimal; surrounding spaces and a decimal comma are forgiven. Raises FormulaError."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal | int | float):
        result = Decimal(str(value))
    else:
        text = shown(value).strip()
        if not text:
            raise FormulaError(
                _("%(name)s is empty; write |default:0 after it", name=name)
                if name
                else _("a number is empty; write |default:0 after it")
            )
        try:
            result = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
        except InvalidOperation:
            raise FormulaError(_('"%(name)s" is not a number', name=text[:40])) from None
    if not result.is_finite() or abs(result) > Decimal("1e30"):
        raise FormulaError(_("the number is too large"))
    return result


def arithmetic(operator: str, left: Decimal, right: Decimal) -> Decimal:
    """One operation with 28 digits. Raises FormulaError (division by zero, too large)."""
    if operator in ("/", "%") and not right:
        raise FormulaError(_("division by zero"))
    operate = {
        "+": ARITHMETIC.add,
        "-": ARITHMETIC.subtract,
        "*": ARITHMETIC.multiply,
        "/": ARITHMETIC.divide,
        "%": ARITHMETIC.remainder,
    }[operator]
    try:
        return operate(left, right)
    except DecimalException:
        raise FormulaError(_("the number is too large")) from None


def shown(value: Any) -> str:
    """A value as a formula prints it: nothing for none and false, 1 for true, numbers without needless zeros."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    if isinstance(value, date | datetime):
        return as_phrase(value)
    if isinstance(value, list | tuple | set):
        return ", ".join(shown(one) for one in value)
    return str(value)


def truthy(value: Any) -> bool:
    """Nothing, '', 0, '0', false and an empty list are false."""
    if isinstance(value, Decimal | int | float):
        return value != 0
    return value not in (None, "", "0", [], (), {})


def equal(left: Any, right: Any) -> bool:
    """Numbers compare as numbers, nothing equals '' and 0, the rest as text."""
    if isinstance(left, bool) or isinstance(right, bool):
        return truthy(left) == truthy(right)
    numeric = _numeric(left), _numeric(right)
    if numeric[0] is not None and numeric[1] is not None:
        return numeric[0] == numeric[1]
    for value, other in ((left, numeric[1]), (right, numeric[0])):
        if shown(value) == "" and other is not None and not isinstance(right if value is left else left, str):
            return other == 0
    return shown(left) == shown(right)


def ordered(operator: str, left: Any, right: Any) -> bool:
    """`<`, `>`, `<=`, `>=`: as numbers where both are (nothing counts as 0), else as text."""
    numeric = _numeric(left), _numeric(right)
    one: Any = numeric[0]
    other: Any = numeric[1]
    if one is None and other is not None and shown(left) == "":
        one = Decimal(0)
    if other is None and one is not None and shown(right) == "":
        other = Decimal(0)
    if one is None or other is None:
        one, other = shown(left), shown(right)
    if operator == "<":
        return bool(one < other)
    if operator == ">":
        return bool(one > other)
    return bool(one <= other if operator == "<=" else one >= other)


def _numeric(value: Any) -> Decimal | None:
    if isinstance(value, Decimal | int | float):
        return Decimal(str(value))
    if isinstance(value, str) and value.strip():
        try:
            result = Decimal(value.strip())
        except InvalidOperation:
            return None
        return result if result.is_finite() else None
    return None


def rows_of(value: Any) -> Sequence[Mapping[str, Any]]:
    """Row data of a record, or nothing."""
    return value if isinstance(value, list | tuple) else ()
