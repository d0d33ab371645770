"""Number: between a least and a most, with so many decimals."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crm.engine.fields import make
from crm.engine.kinds import BadValue
from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Setting, Wrong

FIELD = make("number", "Answer", scale=4)


def read_number(question: Question, raw: Any) -> Decimal:
    """A number within the question's bounds. Raises Wrong."""
    try:
        value = FIELD.kind.clean(raw, FIELD)
    except BadValue as bad:
        raise Wrong(bad.message) from None
    if value is None:
        raise Wrong(_("This takes a number."))
    least, most = question.set("least"), question.set("most")
    if least not in (None, "") and value < Decimal(str(least)):
        raise Wrong(_("This takes %(least)s or more.", least=least))
    if most not in (None, "") and value > Decimal(str(most)):
        raise Wrong(_("This takes %(most)s or less.", most=most))
    return shortest(value)


def shortest(value: Decimal) -> Decimal:
    """Without zeros at the end, and never in the spelling 1E+2."""
    said = value.normalize()
    return said.quantize(Decimal(1)) if said == said.to_integral() else said


class Number(Kind):
    name, label, icon, counts = "number", "Number", "number", "scores"
    settings = (
        Setting("least", "Least", "number"),
        Setting("most", "Most", "number"),
        Setting("whole", "Whole numbers only", "tick"),
        Setting("unit", "Unit"),
    )
    fits = frozenset({"whole", "number", "money", "percent", "text", "long_text"})

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, ""):
            return None
        value = read_number(question, raw)
        if question.set("whole") and value != value.to_integral():
            raise Wrong(_("This takes a whole number."))
        return f"{value:f}"

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(text=value, score=Decimal(value))]

    def value_of(self, parts: Sequence[Part]) -> Any:
        return f"{shortest(parts[0].score):f}" if parts and parts[0].score is not None else None

    def plain(self, value: Any) -> Any:
        return None if value is None else Decimal(value)

    def words(self, question: Question, value: Any) -> str:
        return "" if value is None else f"{value} {question.set('unit') or ''}".strip()

    def written(self, question: Question, value: Any) -> Any:
        return value

    def from_field(self, question: Question, value: Any) -> Any:
        return None if value is None else f"{shortest(Decimal(str(value))):f}"
