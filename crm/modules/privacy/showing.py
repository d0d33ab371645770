"""Everything that is held about one person: the fields of the record, and a section for each holding of the rooms.

For programs values are plain (ISO dates, exact numbers); for people they are spoken, as the reader's language writes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm import clock
from crm.db import Entity, db
from crm.engine import picklists
from crm.engine.fields import Field
from crm.engine.labels import of_name
from crm.engine.registry import modules
from crm.modules.privacy import holdings
from crm.modules.privacy.holdings import Holding
from crm.modules.privacy.person import PERSONS, Person
from crm.words import N_, _, say_day

ALSO = (
    "email_opt_out",
    "email_opt_in",
    "may_measure_opens",
    "may_measure_opens_at",
    "do_not_call",
    "do_not_sms",
    "created_at",
)
HIDDEN = frozenset({"picture_id", "email_key"})  # the picture is among the files; the key is the address again
MOST_ROWS = 10_000  # of one section
HEADINGS = {
    "at": N_("When"), "outcome": N_("Outcome"), "address": N_("Address"), "agent": N_("Browser"), "field": N_("Field"),
    "old": N_("Before"), "new": N_("After"), "channel": N_("Way"), "module": N_("Kind of record"), "kind": N_("Kind"),
    "subject": N_("Subject"), "status": N_("Status"), "starts_at": N_("Begins"), "due_on": N_("Due"), "location": N_("Place"),
    "name": N_("Name"), "size": N_("Size"), "media_type": N_("File type"), "created_at": N_("Created"), "faq_id": N_("Question"),
    "is_helpful": N_("Was of help"), "asked_at": N_("Asked at"), "done_at": N_("Made at"), "survey": N_("Survey"),
    "question": N_("Question"), "event_count": N_("How often"), "points": N_("Points"), "worth": N_("Points left today"),
    "first_at": N_("First"), "last_at": N_("Last"),
}  # fmt: skip
"""What columns of tables without declared fields are called; what a field declares is called as it says."""
LABELS = {
    "score": N_("Score of interest, added up from what you did"),
    "score_grade": N_("Interest, as that score says"),
}
"""Fields that are called otherwise to the person: a profile of him is given out, and says what it is."""


@dataclass(frozen=True)
class Part:
    """One section: its key (the table), its title in the reader's language, headings, and rows of texts by column."""

    key: str
    title: str
    headings: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


def fields_of(module: str, row: Mapping[str, Any], is_spoken: bool = True) -> list[tuple[str, str, str]]:
    """(name, label, text) of the personal and custom fields of a record that hold something, and of its consents."""
    said = modules[module]
    names = [name for name, one in said.fields.items() if (one.personal or one.custom) and name not in HIDDEN]
    found = []
    for name in (*names, *ALSO):
        one = said.fields[name]
        value = (row.get("extra") or {}).get(name) if one.custom else row.get(name)
        if value not in (None, "", ()):
            found.append((name, _(LABELS.get(name, one.label)), _text(one, value, is_spoken)))
    return found


def parts_of(found: Person, is_spoken: bool = True, has_notes: bool = False) -> list[Part]:
    """Every section that has rows. `has_notes`: also what staff wrote among themselves; never for a page."""
    said = [(one.table, one) for one in holdings.all_holdings() if one.title]
    if has_notes:
        said += [(f"{one.table}.internal", one) for one in holdings.all_notes()]
    made = []
    for key, one in said:
        rows = rows_of(one, found.ids, is_spoken)
        if rows:
            made.append(Part(key, _(one.title), {name: _heading(one, name) for name in rows[0]}, rows))
    return made


def rows_of(one: Holding, ids: Sequence[int], is_spoken: bool = False) -> list[dict[str, Any]]:
    """The rows of a holding as they are given out: labels for links, words for lists, plain or spoken values else."""
    if one.rows is not None:
        said = one.rows(ids)
    else:
        said = select(*(one.of.c[name] for name in one.columns)).where(one.of.c[one.person].in_(ids))
        if "deleted_at" in one.of.c:
            said = said.where(one.of.c.deleted_at.is_(None))
    raw = [dict(row) for row in db.session.execute(said.limit(MOST_ROWS)).mappings()]
    linked = {value for row in raw for name, value in row.items() if name.endswith("_id") and isinstance(value, int)}
    labels = _labels(linked)
    return [
        {name: _shown(one, name, value, labels, is_spoken) for name, value in row.items() if name != "sha256"}
        for row in raw
    ]


def _labels(ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return {row.id: row.label for row in db.session.execute(select(Entity.id, Entity.label).where(Entity.id.in_(ids)))}


def _shown(one: Holding, name: str, value: Any, labels: Mapping[int, str], is_spoken: bool) -> Any:
    if name.endswith("_id") and isinstance(value, int):
        return labels.get(value, str(value))
    said = _field(one, name)
    if said is not None and value is not None:
        return _text(said, value, is_spoken)
    if is_spoken and one.table == "change_log":
        return _of_log(name, value)
    return spoken(value) if is_spoken else plain(value)


def _of_log(name: str, value: Any) -> Any:
    """What the log of changes names by key, in words."""
    if name == "field":
        return next((_(modules[key].fields[value].label) for key in PERSONS if value in modules[key].fields), value)
    if name == "module" and value in modules:
        return _(modules[value].label)
    return spoken(value)


def _text(said: Field, value: Any, is_spoken: bool) -> str:
    if said.kind.name == "picklist":
        return _(picklists.label(said.picklist, str(value)))
    if said.kind.name == "checkbox":
        return _("yes") if value else _("no")
    if said.is_link and isinstance(value, int):
        return _labels({value}).get(value, str(value))
    if said.names and is_spoken:
        return _(of_name(said.names, str(value)))
    return str(spoken(value) if is_spoken else plain(value))


def spoken(value: Any) -> Any:
    """A value as people read it: moments in the house's time zone."""
    if isinstance(value, datetime):
        return f"{day_of(value)} {value.astimezone(ZoneInfo(clock.site_zone())):%H:%M}"
    if isinstance(value, date):
        return say_day(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return plain(value)


def day_of(value: datetime) -> str:
    """The day of a moment in the house's time zone, as the reader's language writes it."""
    return say_day(value.astimezone(ZoneInfo(clock.site_zone())).date())


def plain(value: Any) -> Any:
    """A value as JSON has it: moments and days in ISO 8601, numbers exact."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)


def _field(one: Holding, name: str) -> Field | None:
    return modules[one.table].fields.get(name) if one.table in modules else None


def _heading(one: Holding, name: str) -> str:
    said = _field(one, name)
    return _(said.label) if said is not None else _(HEADINGS.get(name, name.replace("_", " ").capitalize()))
