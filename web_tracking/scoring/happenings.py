"""What can be scored: for each kind of event a Select of (person_id, at) over the ledger that knows of it. No event is copied.

Mails count by what people did; what machines opened or clicked, or what cannot be told, never does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine.registry import modules
from crm.modules.intakes.tables import Intake

Rule = Mapping[str, Any]
Narrow = Callable[[Any, Rule], list[ColumnElement[bool]]]


@dataclass(frozen=True)
class Kind:
    """Where events of a kind stand: the module, its columns of person and moment, and which of its rows a rule means."""

    ledger: str
    person: str
    at: str
    narrow: Narrow

    @property
    def table(self) -> Any:
        return Intake.__table__ if self.ledger == "intakes" else modules[self.ledger].table

    def events(self, rule: Rule, until: datetime) -> Select[Any]:
        """The events that a rule counts."""
        table = self.table
        person, at = table.c[self.person], table.c[self.at]
        said = select(person.label("person_id"), at.label("at"))
        return said.where(person.is_not(None), at <= until, *self.narrow(table, rule))


def like(column: Any, pattern: str | None) -> list[ColumnElement[bool]]:
    """That a column begins as the pattern says; a star stands for anything."""
    if not pattern:
        return []
    plain = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return [column.like(plain + ("" if plain.endswith("%") else "%"), escape="\\")]


def _of_people(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    return [table.c.made_by == "human", *(like(table.c.url, rule["pattern"]) if "url" in table.c else [])]


def _pages(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    found = [table.c.kind == "view", *like(table.c.path, rule["pattern"])]
    if rule["tracked_page_id"]:
        pages = modules["tracked_pages"].table
        page = db.session.execute(select(pages.c.site_id, pages.c.pattern).where(pages.c.id == rule["tracked_page_id"])).first()  # fmt: skip
        if page is not None:
            path = table.c.path
            found.append(table.c.site_id == page.site_id)
            found += (
                like(path, page.pattern)
                if page.pattern.endswith("*")
                else [or_(path == page.pattern, *like(path, f"{page.pattern}?"))]
            )
    return found


def _named(kind: str, column: str) -> Narrow:
    return lambda table, rule: [table.c.kind == kind, *like(table.c[column], rule["pattern"])]


def _forms(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    return [table.c.outcome.in_(("made", "known")), *_same(table.c.form_id, rule["website_form_id"])]


def _seats(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    gone = table.c.status.in_(("cancelled", "declined"))
    return [table.c.deleted_at.is_(None), ~gone, *_same(table.c.event_id, rule["event_id"])]


def _responses(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    return [table.c.status == "complete", *_same(table.c.survey_id, rule["survey_id"])]


def _numbers(table: Any, rule: Rule) -> list[ColumnElement[bool]]:
    """Responses in which a number was given that counts."""
    answers = modules["survey_answers"].table
    said = [answers.c.response_id == table.c.id, answers.c.score.is_not(None)]
    said += [answers.c.score >= rule["least"]] if rule["least"] is not None else []
    said += [answers.c.score <= rule["most"]] if rule["most"] is not None else []
    said += like(answers.c.name, rule["pattern"])
    return [*_responses(table, rule), select(answers.c.id).where(*said).exists()]


def _same(column: Any, id: int | None) -> list[ColumnElement[bool]]:
    return [column == id] if id else []


KINDS: dict[str, Kind] = {
    "mail_opened": Kind("opens", "person_id", "at", _of_people),
    "mail_clicked": Kind("clicks", "person_id", "at", _of_people),
    "page": Kind("page_views", "person_id", "at", _pages),
    "download": Kind("page_views", "person_id", "at", _named("download", "name")),
    "site_event": Kind("page_views", "person_id", "at", _named("event", "name")),
    "form": Kind("form_submissions", "person_id", "received_at", _forms),
    "outside_form": Kind("intakes", "record_id", "created_at", lambda _table, _rule: []),
    "registered": Kind("attendees", "contact_id", "registered_at", _seats),
    "attended": Kind("attendees", "contact_id", "attended_at", _seats),
    "ticket": Kind("tickets", "contact_id", "created_at", lambda table, _rule: [table.c.deleted_at.is_(None)]),
    "survey": Kind("survey_responses", "person_id", "completed_at", _responses),
    "survey_score": Kind("survey_responses", "person_id", "completed_at", _numbers),
}
