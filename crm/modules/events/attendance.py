"""Who came: check-in by code or name, and the list at the end."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing
from crm.identity.viewer import Viewer
from crm.modules.events import codes, kinds, windows
from crm.modules.events.acting import change_attendees
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OCCUPYING
from crm.words import _


def demand_door_open(event: Event) -> None:
    """That people may be checked in: from the day of the event on, as doors open before the start. Raises Conflict."""
    if event.starts_at is None:
        return
    zone = ZoneInfo(event.zone)
    if clock.now().astimezone(zone).date() < event.starts_at.astimezone(zone).date():
        raise Conflict(_("Attendance can be marked from the day of the event."), "too_early")


def mark(viewer: Viewer, event_id: int, attendee_ids: Sequence[int], status: str, channel: Channel) -> int:
    """Mark attendees of an event as attended, no_show or joined again; how many changed.

    Only who has a seat can be marked. Raises Conflict (too_early, not_joined), Missing. The caller asks the viewer's right to
    the event, and commits.
    """
    event = kinds.lock([event_id])[event_id]
    if status == "attended":
        demand_door_open(event)
    elif status == "no_show" and not windows.has_begun(event):
        raise Conflict(_("Nobody is missing before the event has begun."), "too_early")
    said = select(TABLE.c.id, TABLE.c.name, TABLE.c.status).where(
        TABLE.c.event_id == event_id, TABLE.c.id.in_(attendee_ids), TABLE.c.deleted_at.is_(None)
    )
    rows = db.session.execute(said).all()
    if len(rows) < len(set(attendee_ids)):
        raise Missing
    for row in rows:
        if row.status not in OCCUPYING:
            raise Conflict(_("%(name)s has no seat at this event.", name=row.name), "not_joined")
    values = {"status": status, "attended_at": clock.now() if status == "attended" else None, "held_until": None}
    changes = {row.id: values for row in rows if row.status != status}
    if changes:
        change_attendees(viewer, changes, channel)
    return len(changes)


def missing(viewer: Viewer, event_id: int, channel: Channel) -> int:
    """Mark everybody who has a seat and did not come; how many. Raises Conflict. The caller commits."""
    said = select(TABLE.c.id).where(
        TABLE.c.event_id == event_id, TABLE.c.status == "joined", TABLE.c.deleted_at.is_(None)
    )
    return mark(viewer, event_id, list(db.session.execute(said).scalars()), "no_show", channel)


def by_code(event_id: int, typed: str) -> int | None:
    """The attendee of the event whose code was typed or read; None when there is none."""
    code = codes.as_typed(typed)
    if len(code) != codes.LENGTH:
        return None
    said = select(TABLE.c.id).where(TABLE.c.event_id == event_id, TABLE.c.code == code, TABLE.c.deleted_at.is_(None))
    found: int | None = db.session.execute(said).scalar()
    return found
