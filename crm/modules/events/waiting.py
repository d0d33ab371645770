"""Free seats go on to those who wait longest, by themselves or by a job; held ones that nobody confirmed come back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from crm import clock
from crm.db import db
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Missing
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.events import kinds, mails, parts, standings, windows
from crm.modules.events.acting import change_attendees
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.words import _

HELD_TOO_LONG = select(TABLE.c.id).where(
    TABLE.c.event_id == bindparam("event_id"),
    TABLE.c.status == "held",
    TABLE.c.held_until < bindparam("now"),
    standings.LIVE,
)


def promote(viewer: Viewer, event_id: int, channel: Channel = Channel.SYSTEM) -> list[int]:
    """Give free seats to those who wait longest, when the event does that by itself now; ids of who moved up."""
    event = standings.lock_family(event_id, ())[event_id]
    release(event, moves_up=False)
    return move_up(event, viewer, channel)


def move_up(event: Event, viewer: Viewer, channel: Channel) -> list[int]:
    """Seats of a locked event for those who wait, lowest number first."""
    standing = standings.standing_of([event.id])[event.id]
    free = standing.waiting if event.seats is None else min(standing.waiting, event.seats - standing.taken)
    rows: Sequence[Mapping[Any, Any]] = []
    if free > 0 and windows.may_promote(event):
        said = select(TABLE).where(TABLE.c.event_id == event.id, TABLE.c.status == "spare", standings.LIVE)
        rows = db.session.execute(said.order_by(TABLE.c.queue_no, TABLE.c.id).limit(free)).mappings().all()
        seat(viewer, event, rows, channel)
        standing.taken, standing.waiting = standing.taken + len(rows), standing.waiting - len(rows)
    elif free > 0:
        mails.tell_owner(event, free, standing.waiting)
    standings.note_full(event, standing)
    return [row["id"] for row in rows]


def seat(viewer: Viewer, event: Event, rows: Sequence[Mapping[Any, Any]], channel: Channel, tells: bool = True) -> None:
    """Give these rows, that wait, a seat of the locked event."""
    now = clock.now()
    change_attendees(viewer, {
        row["id"]: {"status": "joined", "queue_no": None, "promoted_at": now, "seat_version": row["seat_version"] + 1} for row in rows
    }, channel)  # fmt: skip
    if tells:
        mails.tell(event, [row["id"] for row in rows], "join", is_alone=True)


def release(event: Event, moves_up: bool = True) -> None:
    """Take back seats of a locked event that were held for a click that never came."""
    ids = list(db.session.execute(HELD_TOO_LONG, {"event_id": event.id, "now": clock.now()}).scalars())
    if not ids:
        return
    values = {
        "status": "cancelled",
        "cancelled_at": clock.now(),
        "held_until": None,
        "cancel_reason": _("The address was not confirmed in time."),
    }
    change_attendees(SYSTEM, dict.fromkeys(ids, values), Channel.SYSTEM)
    _release_parts(event, ids, values)
    if moves_up:
        move_up(event, SYSTEM, Channel.SYSTEM)
    else:
        standings.note_full(event)


def _release_parts(event: Event, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Take back the places at parts of the event of those who lost their seat there; the next ones move up."""
    said = select(TABLE.c.contact_id).where(TABLE.c.id.in_(ids), TABLE.c.contact_id.is_not(None))
    lost = parts.of_people(event, list(db.session.execute(said).scalars()))
    gone = [one for found in lost.values() for one in found]
    if not gone:
        return
    locked = kinds.lock({one.event.id for one in gone}, event.module)
    change_attendees(SYSTEM, {one.attendee_id: {**values, "queue_no": None} for one in gone}, Channel.SYSTEM)
    for part in locked.values():
        move_up(part, SYSTEM, Channel.SYSTEM)


@task("events.release_holds", every=60)
def release_holds(progress: Progress) -> str | None:
    """Take back held seats everywhere; one transaction an event."""
    said = (
        select(TABLE.c.event_id)
        .where(TABLE.c.status == "held", TABLE.c.held_until < clock.now(), standings.LIVE)
        .distinct()
    )
    ids = sorted(db.session.execute(said).scalars())
    db.session.rollback()
    for id in ids:
        try:
            release(kinds.lock([id])[id])
        except Missing:  # the event is in the bin
            db.session.rollback()
        db.session.commit()
    return f"{len(ids)} events" if ids else None


@task("events.promote")
def promote_later(progress: Progress, ids: Sequence[int], **_more: Any) -> str | None:
    """Seats were added, or are given automatically from now on: those who wait move up."""
    moved = 0
    for id in ids:
        try:
            moved += len(promote(SYSTEM, id))
        except Missing:
            continue
        db.session.commit()
    return f"{moved} got a seat" if moved else None
