"""Text: one line, plain or of a kind that can be checked (number, e-mail, phone, date, time, web address)."""

from datetime import time
from typing import Any

from crm.db import compile_pattern
from crm.engine.fields import make
from crm.engine.kinds import BadValue
from crm.words import _
from surveys.kinds.base import Kind, Question, Setting, Wrong

LONGEST = 500
INPUTS = (
    ("plain", "Plain text"), ("number", "Number"), ("email", "E-mail"), ("phone", "Phone"), ("date", "Date"),
    ("time", "Time"), ("url", "Web address"),
)  # fmt: skip
CHECKED = {
    name: make(kind, "Answer", max=LONGEST)
    for name, kind in (("email", "email"), ("phone", "phone"), ("date", "day"), ("time", "time"), ("url", "website"))
}


def as_typed(kind: str, raw: str) -> str:
    """`raw` checked and spelled as the engine spells that kind. Raises Wrong."""
    field = CHECKED[kind]
    try:
        value = field.kind.clean(raw, field)
    except BadValue as bad:
        raise Wrong(bad.message) from None
    return value.isoformat("minutes") if isinstance(value, time) else field.kind.text(value)


class Text(Kind):
    name, label, icon = "text", "One line of text", "forms"
    settings = (
        Setting("input", "Takes", "choice", choices=INPUTS, default="plain"),
        Setting("min_length", "Shortest answer", "whole", 1, LONGEST),
        Setting("max_length", "Longest answer", "whole", 1, LONGEST, default=LONGEST),
        Setting("pattern", "Pattern (regular expression)"),
        Setting("least", "Least", "number"),
        Setting("most", "Most", "number"),
        Setting("placeholder", "Example in the field", is_spoken=True),
    )
    fits = frozenset(
        {"text", "long_text", "email", "phone", "website", "whole", "number", "money", "percent", "day", "time"}
    )

    def problems(self, question: Question) -> list[str]:
        pattern = question.set("pattern")
        if pattern:
            try:
                compile_pattern(f"^(?:{pattern})$")
            except Exception as bad:  # noqa: BLE001 - the library's error class is not public
                return [_("This pattern cannot be used: %(fault)s", fault=str(bad)[:200])]
        return []

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, ""):
            return None
        said = one_line(raw)
        most, least = int(question.set("max_length") or LONGEST), int(question.set("min_length") or 0)
        if len(said) > min(most, LONGEST):
            raise Wrong(
                _("At most %(most)s characters; there are %(count)s.", most=min(most, LONGEST), count=len(said))
            )
        if len(said) < least:
            raise Wrong(_("At least %(least)s characters; there are %(count)s.", least=least, count=len(said)))
        kind = question.set("input")
        if kind == "number":
            from surveys.kinds.number import read_number

            said = f"{read_number(question, said):f}"
        elif kind in CHECKED:
            said = as_typed(kind, said)
        pattern = question.set("pattern")
        if pattern and not compile_pattern(f"^(?:{pattern})$").search(said):
            raise Wrong(_("This does not have the form that is asked for."))
        return said


def one_line(raw: Any) -> str:
    """Text without line breaks and control characters. Raises Wrong for what is no text."""
    if not isinstance(raw, str):
        raise Wrong(_("This takes text."))
    return "".join(char for char in " ".join(raw.split()) if char.isprintable())
