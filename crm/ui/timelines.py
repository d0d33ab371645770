"""The timeline of a card: what happened to a record, newest first, in days; its filters and its pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import Entity, db
from crm.engine import history
from crm.engine.kinds import BadValue
from crm.engine.module import Module
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.ui.formats import own, words

SHOWN = 30
EVENTS = {
    "created": ("plus", "Created"), "deleted": ("trash", "Deleted"), "restored": ("rotate", "Restored"),
    "converted": ("transform", "Converted"), "merged": ("git-merge", "Merged"),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: datetime
    icon: str
    text: str
    who: str = ""
    href: str = ""
    said: str = ""
    category: str = ""


def first_page(viewer: Viewer, module: Module, id: int) -> list[tuple[str, list[Entry]]]:
    """The newest entries by day."""
    return by_day(_changes(viewer, module, id))


def by_day(entries: list[Entry]) -> list[tuple[str, list[Entry]]]:
    """Entries under the names of their days."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(own().zone)
    days: dict[Any, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.at, reverse=True):
        days.setdefault(entry.at.astimezone(zone).date(), []).append(entry)
    return [(own().day_name(day), found) for day, found in days.items()]


def _changes(viewer: Viewer, module: Module, id: int) -> list[Entry]:
    """The change log: changes of one save by one person are one entry."""
    changes = history.of_record(viewer, module, id, SHOWN * 2)
    actors = {change.actor_id for change in changes if change.actor_id}
    names = (
        dict(db.session.execute(select(Entity.id, Entity.label).where(Entity.id.in_(actors))).all()) if actors else {}
    )
    ids = {int(value) for change in changes if (said := module.fields.get(change.field)) is not None and said.is_link
           for value in (change.old, change.new) if value and value.isdigit()}  # fmt: skip
    labels = labels_of(viewer, ids) if ids else {}
    saves: dict[tuple[datetime, int | None], list[Any]] = {}
    for change in changes:
        saves.setdefault((change.at, change.actor_id), []).append(change)
    entries = []
    for (at, actor), found in list(saves.items())[:SHOWN]:
        who = names.get(actor, "") if actor else _("The system")
        for event in [change for change in found if not change.field]:
            icon, label = EVENTS.get(event.new or "", ("bolt", (event.new or "").capitalize()))
            entries.append(Entry(at, icon, _(label), who, category="change"))
        lines = [_line(module, change, labels) for change in found if change.field in module.fields]
        if lines and not any(not change.field and change.new == "created" for change in found):
            entries.append(Entry(at, "pencil", _("Changed"), who, said="\n".join(lines[:8]), category="change"))
    return entries


def _line(module: Module, change: Any, labels: dict[int, str]) -> str:
    said = module.fields[change.field]

    def shown(text: str | None) -> str:
        if text is None:
            return "–"
        if said.is_link:
            return labels.get(int(text), _("(hidden)")) if text.isdigit() else text
        try:
            return words(said, said.kind.clean(text, said))[:120]
        except BadValue:
            return text[:120]

    return f"{_(said.label)}: {shown(change.old)} → {shown(change.new)}"
