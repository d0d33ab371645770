"""Answers to the form of an event, beside the attendees who gave them: for the page of organisers and for spreadsheets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crm.engine import exports, search
from crm.engine.exports import Heading
from crm.engine.permissions import may
from crm.engine.rows import Row
from crm.engine.search import Page
from crm.identity.viewer import Viewer
from crm.modules.events.figures import where_of
from crm.modules.events.kinds import Event
from crm.words import _
from surveys.answering import values_of_many
from surveys.design import Design, load
from surveys.kinds import Question

AT_ONCE = 50
COLUMNS = ("name", "status", "role", "registered_at", "answers_response_id")
IN_FILES = (
    "name",
    "contact.email",
    "account_id",
    "company",
    "status",
    "queue_no",
    "role",
    "source",
    "registered_at",
    "note",
)


@dataclass(frozen=True)
class Answered:
    """A portion of the attendees of an event. `cells`: id of an attendee → question → what was answered, in words."""

    page: Page
    cells: dict[int, dict[str, str]]


def design_of(viewer: Viewer, event: Event) -> Design | None:
    """The form of the event, when `viewer` may read its answers; None when it has none, or one without names."""
    if event.survey_id is None or not may(viewer, "view", "survey_answers"):
        return None
    if not search.exists(viewer, "surveys", event.survey_id):
        return None
    design = load(event.survey_id, viewer.locale)
    return None if design.row["anonymous"] else design


def questions_of(design: Design) -> list[Question]:
    """The questions that have answers, in order."""
    return [one for one in design.questions if one.kind.has_answer]


def portion(viewer: Viewer, event: Event, design: Design, after: str | None = None) -> Answered:
    """Attendees of the event by name, as far as `viewer` may see them, with their answers: two queries."""
    page = search.find(
        viewer, "attendees", where=where_of(event.id), columns=COLUMNS, sort=("name",), limit=AT_ONCE, after=after
    )
    return Answered(page, _cells(design, page.rows))


def table(viewer: Viewer, event: Event, design: Design) -> Iterator[list[str]]:
    """All attendees as rows of text: their own columns, then one a question, under the names that reports use.

    Raises Forbidden without the right to export attendees.
    """
    questions = questions_of(design)
    shown = exports.headings(viewer, "attendees", IN_FILES)
    yield [*(heading.label for heading in shown), *(one.name for one in questions)]
    columns = [*(heading.name for heading in shown), "answers_response_id"]
    rows = exports.rows_of(viewer, "attendees", where_of(event.id), columns, ("name",))
    for some in _portions(rows):
        cells = _cells(design, some)
        for row in some:
            said = cells.get(row.id, {})
            yield [*(_text(row, heading) for heading in shown), *(said.get(one.name, "") for one in questions)]


def _text(row: Row, heading: Heading) -> str:
    value = row[heading.name]
    if heading.field.is_link:
        return row.label_of(heading.name) or ""
    return "" if value is None else heading.field.kind.text(value)


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    held: list[Row] = []
    for row in rows:
        held.append(row)
        if len(held) == exports.AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _cells(design: Design, rows: Iterable[Row]) -> dict[int, dict[str, str]]:
    """Attendee → question → words, of those who answered: one query."""
    by_response = {row["answers_response_id"]: row.id for row in rows if row["answers_response_id"] is not None}
    said = values_of_many(design, by_response) if by_response else {}
    return {
        by_response[response]: {
            one.name: one.kind.words(one, values[one.name]) for one in design.questions if one.name in values
        }
        for response, values in said.items()
    }


def note_of(event: Event) -> str:
    """Why there is nothing to see, in a sentence."""
    if event.survey_id is None:
        return _("This event asks no questions. Choose a survey on the event to ask some.")
    return _("The answers to this survey carry no names, or you may not see them.")
