"""Radio: one of several options, seen at once; "something else" may be written."""

from collections.abc import Sequence
from typing import Any, ClassVar

from crm.words import _
from surveys.kinds.base import OTHER, Kind, Part, Question, Read, Setting, Wrong
from surveys.kinds.text import LONGEST, one_line

OTHER_SETTINGS = (
    Setting("other", "Something else can be written", "tick"),
    Setting("other_label", "Words for something else", is_spoken=True),
)


def other_words(question: Question) -> str:
    """What "something else" is called."""
    return str(question.set("other_label") or _("Something else"))


def read_other(raw: Any) -> str:
    """What was written as something else. Raises Wrong when it is nothing or too long."""
    said = one_line(raw or "")
    if not said:
        raise Wrong(_("Write what else."))
    if len(said) > LONGEST:
        raise Wrong(_("At most %(most)s characters; there are %(count)s.", most=LONGEST, count=len(said)))
    return said


class Radio(Kind):
    name, label, icon, takes_options, counts = "radio", "One of several", "circle-dot", True, "choices"
    settings: ClassVar[tuple[Setting, ...]] = OTHER_SETTINGS
    fits = frozenset({"picklist", "text", "long_text"})

    def read(self, question: Question, typed: Read) -> Any:
        chosen = [one for one in typed("") if one]
        if not chosen:
            return None
        if len(chosen) > 1:
            return {"choice": chosen}  # refused below: a browser sends one
        return {"choice": chosen[0], "text": next(iter(typed(OTHER)), "")}

    def clean(self, question: Question, raw: Any) -> Any:
        if raw is None:
            return None
        choice = raw.get("choice") if isinstance(raw, dict) else raw
        if choice == OTHER and question.set("other"):
            return {"choice": OTHER, "text": read_other(raw.get("text") if isinstance(raw, dict) else "")}
        if not isinstance(choice, str) or question.option(choice) is None:
            raise Wrong(_("Choose one of the options."))
        return {"choice": choice}

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        if value is None:
            return {}
        return {"": [value["choice"]], OTHER: [value.get("text", "")]} if "text" in value else {"": [value["choice"]]}

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(choice=value["choice"], text=value.get("text"))]

    def value_of(self, parts: Sequence[Part]) -> Any:
        if not parts:
            return None
        said = {"choice": parts[0].choice}
        return said | {"text": parts[0].text} if parts[0].text else said

    def plain(self, value: Any) -> Any:
        return value["choice"] if value else None

    def words(self, question: Question, value: Any) -> str:
        if not value:
            return ""
        if value["choice"] == OTHER:
            return f"{other_words(question)}: {value.get('text', '')}"
        option = question.option(value["choice"])
        return option.label if option else value["choice"]

    def written(self, question: Question, value: Any) -> Any:
        return value.get("text") if value["choice"] == OTHER else value["choice"]

    def from_field(self, question: Question, value: Any) -> Any:
        return {"choice": value} if isinstance(value, str) and question.option(value) else None
