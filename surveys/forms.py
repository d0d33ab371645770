"""A survey as a form: what to draw, and what was sent read, checked and cut to what the logic shows.

The state of a form is what was typed, by the names of its inputs: `q.<question>` and `q.<question>.<part>`. It travels with
the form, so that nothing is kept until it is sent, and everything is checked again then.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.identity.sealing import Sealer, sealer
from crm.words import _
from surveys import files
from surveys.design import Design, Page, load
from surveys.files import TooLarge
from surveys.kinds import Question, Wrong
from surveys.logic import Walk, names

Typed = dict[str, list[str]]
MOST_INPUTS = 5_000


@dataclass
class Answers:
    """What was sent. `values`: by question, checked, only of questions that are shown; `faults`: sentences by question.

    `typed`: all that was typed, for the form drawn again. `unknown`: inputs of no question.
    """

    design: Design
    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    typed: Typed = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    is_too_large: bool = False

    @property
    def is_good(self) -> bool:
        return not self.faults and not self.unknown

    @property
    def walk(self) -> Walk:
        """The way that these answers take."""
        return Walk(self.design, _plain(self.design, self.values))


@dataclass
class Shown:
    """One question as it is drawn. `is_hidden`: by an answer on the same page, so a script may show it."""

    question: Question
    typed: Typed
    is_hidden: bool = False
    is_open: bool = True
    is_required: bool = False
    fault: str = ""
    files: Sequence[tuple[str, str]] = ()  # (seal, name) of files taken already

    condition: str = ""  # for the script: when it is shown, as JSON
    opening: str = ""  # when it can be answered

    @property
    def id(self) -> str:
        return f"q-{self.question.name}"

    @property
    def input_type(self) -> str:
        """The type of its input; what a browser cannot read back is drawn as text."""
        kind = self.question.kind.name
        said = self.question.set("input") if kind == "text" else kind
        shape = {"email": "email", "phone": "tel", "date": "date", "time": "time", "url": "url"}.get(str(said), "text")
        return "text" if self.fault and shape in {"date", "time"} else shape

    @property
    def input_mode(self) -> str:
        said = self.question.set("input") if self.question.kind.name == "text" else self.question.kind.name
        return "decimal" if said == "number" else ""

    @property
    def complete(self) -> str:
        said = self.question.set("input") if self.question.kind.name == "text" else self.question.kind.name
        return {"email": "email", "phone": "tel"}.get(str(said), "")

    def one(self, part: str = "") -> str:
        """What stands in the field of a part."""
        return next(iter(self.many(part)), "")

    def many(self, part: str = "") -> list[str]:
        return self.typed.get(self.name(part), [])

    @property
    def groups(self) -> int:
        """How many groups of a panel are filled in: up to the last one that has something typed."""
        start = f"{self.name()}."
        places = [name.removeprefix(start).split(".")[0] for name in self.typed if name.startswith(start)]
        return max((int(one) + 1 for one in places if one.isdecimal() and len(one) < 3), default=0)

    def name(self, part: str = "") -> str:
        """The name of the field of a part."""
        return f"{self.question.input}.{part}" if part else self.question.input


@dataclass
class Form:
    """A form to draw: one page (`place`), or the whole survey at once when `place` is None (inside other forms)."""

    design: Design
    typed: Typed = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    place: int | None = None
    sealer: Sealer | None = None

    def __post_init__(self) -> None:
        self.walk = Walk(self.design, _plain(self.design, _values(self.design, self.typed, self.sealer)))

    @property
    def pages(self) -> list[Page]:
        """The pages that are drawn."""
        if self.place is not None:
            return [self.design.page(self.place)]
        return [page for page in self.design.pages if self.walk.is_reached(page.place)]

    def shown(self, page: Page) -> list[Shown]:
        """The questions of a page; those that answers of this page may bring are there, hidden."""
        here = {question.name for one in self.pages for question in one.questions}
        found = []
        for question in page.questions:
            is_shown = self.walk.is_shown(question)
            if not question.visible or not (is_shown or self._may_appear(question, here)):
                continue
            made = Shown(question, self.typed, not is_shown, self.walk.is_open(question),
                         self.walk.is_required(question), self.faults.get(question.name, ""))  # fmt: skip
            made.condition = _for_script(question.visible_if, here)
            made.opening = _for_script(question.enable_if, here)
            if question.kind.counts == "files" and self.sealer is not None:
                kept = files.open_seals(self.sealer, self.design.id, made.many())
                made.files = [(files.seal(self.sealer, self.design.id, one["id"]), one["name"]) for one in kept]
            found.append(made)
        return found

    def _may_appear(self, question: Question, here: set[str]) -> bool:
        return any(name in here for name in names(question.visible_if))

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What was typed on other pages, as hidden inputs."""
        drawn = {one.question.name for page in self.pages for one in self.shown(page)}
        return [
            (name, value) for name, values in self.typed.items() if name.split(".")[1] not in drawn for value in values
        ]

    @property
    def stops(self) -> list[int]:
        """The places of the pages that the present answers lead over."""
        return self.walk.stops()


def _for_script(condition: Any, here: set[str]) -> str:
    """A condition that answers on this page decide, as JSON."""
    if not condition or not any(name in here for name in names(condition)):
        return ""
    return json.dumps(condition, ensure_ascii=False, separators=(",", ":"))


def open_form(
    survey_id: int, language: str | None = None, person: int | None = None, typed: Typed | None = None
) -> Form:
    """A survey to be drawn whole inside another form. `person`: a contact or lead who proved who he is: fields that are
    mapped for it begin with what is known of him. Raises Missing."""
    design = load(survey_id, language)
    return Form(design, typed if typed is not None else begin(design, person), sealer=sealer())


def begin(design: Design, person: int | None) -> Typed:
    """What a form begins with: the data of `person` where questions are mapped so; never of a public or anonymous survey."""
    from surveys.mapping import known_of

    if person is None or design.row["anonymous"]:
        return {}
    return typed_of(design, known_of(design, person))


def typed_of(design: Design, values: Mapping[str, Any], sealed: Sealer | None = None) -> Typed:
    """Values as they would have been typed."""
    found: Typed = {}
    for name, value in values.items():
        question = design.by_name.get(name)
        if question is None or value is None:
            continue
        if question.kind.counts == "files" and sealed is not None:
            found[question.input] = [files.seal(sealed, design.id, one["id"]) for one in value]
            continue
        for part, texts in question.kind.typed(question, value).items():
            found[f"{question.input}.{part}" if part else question.input] = texts
    return found


def read(form: Form, posted: Any, uploaded: Any = None, places: Iterable[int] | None = None) -> Answers:
    """What was sent. `posted`, `uploaded`: the MultiDicts of a request. `places`: the pages to check (default: all that the
    answers lead over); the values are always those of the whole survey. Nothing is stored but uploaded files.
    """
    design, sealed = form.design, form.sealer or sealer()
    answers = Answers(design, typed=_typed(posted))
    answers.unknown = sorted(
        {name for name in answers.typed if name.split(".")[1] not in design.by_name}
    )[:20]  # fmt: skip
    for name in answers.unknown:
        del answers.typed[name]
    if uploaded is not None:
        _take_files(answers, uploaded, sealed)
    values, faults = _clean(design, answers.typed, sealed)
    walk = Walk(design, _plain(design, values))
    checked = set(walk.stops() if places is None else places)
    for question in design.questions:
        if not question.kind.has_answer or not walk.is_open(question):
            continue
        if question.name in values:
            answers.values[question.name] = values[question.name]
        if question.page not in checked:
            continue
        if question.name in faults:
            answers.faults.setdefault(question.name, faults[question.name])
        elif question.name not in values and walk.is_required(question):
            answers.faults.setdefault(question.name, design.text("message_required") or _("Please answer this."))
    return answers


def _typed(posted: Any) -> Typed:
    found: Typed = {}
    if posted is None:
        return found
    for count, (name, values) in enumerate(posted.lists() if hasattr(posted, "lists") else posted.items()):
        if name.startswith("q.") and len(name) <= 160 and count < MOST_INPUTS:
            kept = [one for one in values if one != ""]
            if kept:
                found[name] = kept
    return found


def _take_files(answers: Answers, uploaded: Any, sealed: Sealer) -> None:
    """Keep what was uploaded; the seals stand in what was typed, as if they had been there."""
    for question in answers.design.questions:
        if question.kind.counts != "files":
            continue
        parts = [part for part in uploaded.getlist(question.input) if part.filename]
        kept = answers.typed.get(question.input, [])
        most = int(question.set("most") or 1)
        if len(parts) + len(kept) > most:
            answers.faults[question.name] = _(
                "At most %(most)s files; there are %(count)s.", most=most, count=len(parts) + len(kept)
            )
            continue
        for part in parts:
            try:
                made = files.keep(answers.design.id, question, part)
            except Wrong as wrong:
                answers.faults[question.name] = str(wrong)
                answers.is_too_large |= isinstance(wrong, TooLarge)
                continue
            finally:
                part.close()
            answers.typed.setdefault(question.input, []).append(files.seal(sealed, answers.design.id, made.id))


def _clean(design: Design, typed: Typed, sealed: Sealer | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of all questions and what is wrong with which, whether they are shown or not."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    asked = {name.split(".")[1] for name in typed}
    for question in design.questions:
        if question.name not in asked or not question.kind.has_answer:
            continue
        raw = question.kind.read(question, _reader(question, typed))
        if question.kind.counts == "files":
            raw = files.open_seals(sealed, design.id, raw or []) if sealed is not None else None
        try:
            value = question.kind.clean(question, raw)
        except Wrong as wrong:
            faults[question.name] = str(wrong)
            continue
        if value is not None:
            values[question.name] = value
    return values, faults


def _reader(question: Question, typed: Typed) -> Any:
    return lambda part: typed.get(f"{question.input}.{part}" if part else question.input, [])


def _values(design: Design, typed: Typed, sealed: Sealer | None) -> dict[str, Any]:
    return _clean(design, typed, sealed)[0]


def _plain(design: Design, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: design.by_name[name].kind.plain(value) for name, value in values.items()}
