"""What a kind of question is: how it is read from a form, checked, stored in parts, shown and counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from crm.words import _

OTHER = "_other"  # the value of "something else, namely …"
Read = Callable[[str], Sequence[str]]
"""What was typed into the field of a question called "" (its own) or by a part's name."""


def named_lines(own: str, text: str) -> str:
    """The lines of `own` (`name: words`) with the words of `text`, line by line; what is not translated stays."""
    found, theirs = [], text.splitlines()
    for place, line in enumerate(one for one in own.splitlines() if one.strip()):
        name, colon, _words = line.partition(":")
        said = theirs[place].strip() if place < len(theirs) else ""
        words = (
            said.partition(":")[2].strip() if said.partition(":")[0].strip() == name.strip() and ":" in said else said
        )
        found.append(f"{name.strip() if colon else f'r{place + 1}'}: {words}" if words else line)
    return "\n".join(found)


class Wrong(Exception):
    """An answer that cannot be taken; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen. `exclusive`: choosing it leaves no room for others."""

    value: str
    label: str
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One row of an answer as it is stored (surveys/modules/survey_answers.py)."""

    part: str = ""
    choice: str | None = None
    text: str | None = None
    score: Decimal | None = None
    file_id: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a kind can be told: drawn in the builder as `input` (text, whole, number, tick, choice, lines, picture).

    `is_spoken`: words that people read, so they can be translated.
    """

    name: str
    label: str
    input: str = "text"
    least: int | None = None
    most: int | None = None
    choices: tuple[tuple[str, str], ...] = ()
    default: Any = None
    help: str = ""
    is_spoken: bool = False


@dataclass(frozen=True)
class Question:
    """One question as it stands in a survey, its texts in one language."""

    id: int
    name: str
    kind: "Kind"
    title: str = ""
    description: str = ""
    required: bool = False
    visible: bool = True
    visible_if: Any = None
    enable_if: Any = None
    required_if: Any = None
    options: tuple[Option, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    mapping: Mapping[str, Any] | None = None
    page: int = 1  # the place of its page
    place: int = 1

    @property
    def input(self) -> str:
        """The name of its field in forms."""
        return f"q.{self.name}"

    def option(self, value: str) -> Option | None:
        return next((one for one in self.options if one.value == value), None)

    def set(self, name: str) -> Any:
        """A setting of its kind, or its default."""
        said = self.settings.get(name)
        return said if said not in (None, "") else self.kind.default(name)


class Kind:
    """Base of all kinds. A value is plain JSON: text, number, list or mapping; None: nothing was answered."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = "help-circle"
    has_answer: ClassVar[bool] = True
    takes_options: ClassVar[bool] = False
    counts: ClassVar[str] = "texts"  # how results are shown: choices, scores, texts, files, rows, ranks
    settings: ClassVar[tuple[Setting, ...]] = ()
    fits: ClassVar[frozenset[str]] = frozenset({"text", "long_text"})  # kinds of fields it can be written to

    def default(self, name: str) -> Any:
        return next((one.default for one in self.settings if one.name == name), None)

    def spoken(self, name: str, own: str, text: str) -> str:
        """A setting that people read, in another language: `text` in place of `own`."""
        return text

    def problems(self, question: Question) -> list[str]:
        """What must be mended before the question can be saved."""
        if not self.takes_options:
            return []
        values = [one.value for one in question.options]
        found = []
        if not values:
            found.append(_("Add at least one option."))
        if len(set(values)) < len(values):
            found.append(_("Two options have the same value."))
        if any(not value or len(value) > 80 or value == OTHER or "\n" in value for value in values):
            found.append(_("An option's value is 1 to 80 characters."))
        return found

    def read(self, question: Question, typed: Read) -> Any:
        """What was typed, as a raw value."""
        return next(iter(typed("")), "").strip() or None

    def clean(self, question: Question, raw: Any) -> Any:
        """The value to keep; None: no answer. Raises Wrong."""
        return raw

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        """The other way: by part ("" the question itself) what its fields hold for `value`."""
        return {} if value is None else {"": [str(value)]}

    def parts(self, question: Question, value: Any) -> list[Part]:
        """The rows that are stored."""
        return [Part(text=str(value))]

    def value_of(self, parts: Sequence[Part]) -> Any:
        """The value that was stored as `parts`."""
        return parts[0].text if parts else None

    def plain(self, value: Any) -> Any:
        """What conditions compare: text, number or a list of texts."""
        return value

    def words(self, question: Question, value: Any) -> str:
        """The value as people read it, in the language of the question."""
        return "" if value is None else str(value)

    def written(self, question: Question, value: Any) -> Any:
        """What a field of the CRM gets."""
        return self.plain(value)

    def from_field(self, question: Question, value: Any) -> Any:
        """The value that a field of the CRM begins the question with; None when it does not fit."""
        text = "" if value is None else str(value)
        return text or None
