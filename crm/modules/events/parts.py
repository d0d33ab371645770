"""How people stand at the parts of an event: for the pages and mails that tell them, and for their places when the main one goes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from crm.db import db
from crm.engine import picklists
from crm.modules.events import kinds, standings, windows
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OPEN_STATES
from crm.words import _


@dataclass(frozen=True)
class Part:
    """A part of an event, and the place that somebody has there or waits for."""

    event: Event
    attendee_id: int
    status: str
    queue_no: int | None = None

    @property
    def may_cancel(self) -> bool:
        """Whether the person may still give this place up alone."""
        return windows.is_cancellable(self.event)


def of_people(event: Event, contact_ids: Sequence[int]) -> dict[int, list[Part]]:
    """Contact's id → the parts of the event where they have a place or wait for one, in the order of their start."""
    known = {part.id: part for part in kinds.sub_events(event.id)} if event.module == "mass_events" else {}
    if not known or not contact_ids:
        return {}
    said = select(TABLE.c.id, TABLE.c.contact_id, TABLE.c.event_id, TABLE.c.status, TABLE.c.queue_no).where(
        TABLE.c.event_id.in_(list(known)), TABLE.c.contact_id.in_(list(contact_ids)), TABLE.c.status.in_(OPEN_STATES), standings.LIVE
    )  # fmt: skip
    found: dict[int, list[Part]] = {}
    for row in db.session.execute(said):
        part = Part(known[row.event_id], row.id, row.status, row.queue_no)
        found.setdefault(row.contact_id, []).append(part)
    for parts in found.values():
        parts.sort(key=lambda one: (one.event.starts_at is None, one.event.starts_at, one.event.id))
    return found


def of_person(event: Event, contact_id: int | None) -> list[Part]:
    """The same for one contact."""
    return [] if contact_id is None else of_people(event, [contact_id]).get(contact_id, [])


def may_leave(event: Event, places: Sequence[Part]) -> bool:
    """Whether one of the parts can be given up while the others and the event are kept."""
    return event.group_rule == "any" or len(places) > 1


def in_words(parts: Sequence[Part]) -> str:
    """A line for each part: its name and how the person stands there, in the language that is spoken now."""
    return "\n".join(
        _("%(name)s: %(status)s", name=one.event.name, status=_(picklists.label("attendee_status", one.status)))
        for one in parts
    )
