"""A survey as it is answered: its row, pages and questions with their texts in one language. Three queries, then memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.refusals import Missing
from crm.words import _
from surveys.kinds import KINDS, Option, Question
from surveys.modules.survey_pages import SurveyPage
from surveys.modules.survey_questions import SurveyQuestion
from surveys.modules.surveys import Survey

TEXTS = (
    "title", "intro", "completion_message", "message_invalid", "message_required", "message_closed", "message_answered",
    "button_next", "button_back", "button_save", "button_send",
)  # fmt: skip
"""Texts of a survey that can be translated."""


@dataclass(frozen=True)
class Page:
    """One page with its questions, in their order. `jumps`: (condition, place of the page to go on with, or "end")."""

    id: int
    place: int
    title: str = ""
    description: str = ""
    visible_if: Any = None
    jumps: tuple[tuple[Any, int | str], ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Design:
    """A whole survey in one language. `row`: the values of its table."""

    id: int
    row: Mapping[str, Any]
    language: str
    pages: tuple[Page, ...] = ()
    by_name: Mapping[str, Question] = field(default_factory=dict)

    @property
    def questions(self) -> Iterator[Question]:
        return iter(self.by_name.values())

    def text(self, name: str) -> str:
        """One of TEXTS in the language of the design, else in the survey's own; "" when it is not written."""
        said = (self.row["translations"] or {}).get(self.language, {}).get(name)
        return str(said or self.row[name] or "")

    @property
    def title(self) -> str:
        """What people who answer are told; the internal name is for the house alone."""
        return title_of(self.row, self.language)

    def page(self, place: int) -> Page:
        return self.pages[place - 1]


def load(survey_id: int, language: str | None = None) -> Design:
    """The survey, in `language` when it has that, else in its own. Raises Missing."""
    table = Survey.__table__
    said = select(table).where(table.c.id == survey_id, table.c.deleted_at.is_(None))
    found = db.session.execute(said).mappings().first()
    if found is None:
        raise Missing
    row = dict(found)
    spoken = choose_language(row, language)
    questions: dict[int, list[Question]] = {}
    places = {}
    page_rows = db.session.execute(_rows(SurveyPage.__table__, survey_id)).mappings().all()
    for place, one in enumerate(page_rows, 1):
        places[one["id"]] = place
    for one in db.session.execute(_rows(SurveyQuestion.__table__, survey_id)).mappings():
        if one["kind"] in KINDS and one["page_id"] in places:
            questions.setdefault(one["page_id"], []).append(_question(dict(one), spoken, places[one["page_id"]]))
    pages = tuple(
        _page(dict(one), spoken, place, questions.get(one["id"], [])) for place, one in enumerate(page_rows, 1)
    )
    by_name = {question.name: question for page in pages for question in page.questions}
    return Design(survey_id, row, spoken, pages, by_name)


def with_draft(design: Design, row: Mapping[str, Any], page_id: int, index: int | None = None) -> Design:
    """The design with one question as it would be: `row` as its table keeps it, in place of the one with its id, or new on a
    page at `index` (None: at the end)."""
    pages = []
    for page in design.pages:
        questions = list(page.questions)
        known = next((n for n, one in enumerate(questions) if one.id == row["id"]), None)
        if known is not None:
            questions[known] = _question(row, design.language, page.place)
        elif page.id == page_id and row["id"] == 0:
            questions.insert(len(questions) if index is None else index, _question(row, design.language, page.place))
        pages.append(replace(page, questions=tuple(questions)))
    by_name = {question.name: question for page in pages for question in page.questions}
    return replace(design, pages=tuple(pages), by_name=by_name)


def languages_of(row: Mapping[str, Any]) -> list[str]:
    """The languages a survey speaks, its own first."""
    own = row["language"] or config.current().locale
    return list(dict.fromkeys([own, *(row["languages"] or ())]))


def choose_language(row: Mapping[str, Any], wanted: str | None) -> str:
    """`wanted` when the survey speaks it, else its own language."""
    known = languages_of(row)
    return wanted if wanted in known else known[0]


def title_of(row: Mapping[str, Any], language: str | None) -> str:
    """The title in a language, else in the survey's own, else words that fit every survey; never the internal name.

    `row`: at least title and translations."""
    said = (row["translations"] or {}).get(language, {}).get("title")
    return str(said or row["title"] or "").strip() or _("A few questions for you")


def _rows(table: Any, survey_id: int) -> Any:
    return select(table).where(table.c.survey_id == survey_id).order_by(table.c.place, table.c.id)


def _said(row: Mapping[str, Any], language: str, name: str) -> str:
    return str((row["translations"] or {}).get(language, {}).get(name) or row[name] or "")


def _page(row: Mapping[str, Any], language: str, place: int, questions: list[Question]) -> Page:
    jumps = tuple((one["when"], one["to"]) for one in row["jumps"] or ())
    title, description = _said(row, language, "title"), _said(row, language, "description")
    return Page(row["id"], place, title, description, row["visible_if"], jumps, tuple(questions))


def _question(row: Mapping[str, Any], language: str, page: int) -> Question:
    options = tuple(
        Option(one["value"], (one.get("labels") or {}).get(language) or one.get("label") or one["value"],
               bool(one.get("exclusive")))
        for one in row["options"] or ()
    )  # fmt: skip
    texts = (row["translations"] or {}).get(language, {})
    settings = dict(row["settings"] or {})
    kind = KINDS[row["kind"]]
    for name, text in texts.items():
        if name.startswith("settings.") and text:
            setting = name.removeprefix("settings.")
            settings[setting] = kind.spoken(setting, str(settings.get(setting) or ""), text)
    return Question(
        id=row["id"], name=row["name"], kind=kind, title=_said(row, language, "title"),
        description=_said(row, language, "description"), required=row["required"], visible=row["visible"],
        visible_if=row["visible_if"] or None, enable_if=row["enable_if"] or None, required_if=row["required_if"] or None,
        options=options, settings=settings, mapping=row["mapping"] or None, page=page, place=row["place"],
    )  # fmt: skip
