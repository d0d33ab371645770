"""How full an event is and who stands in its rows; whoever changes seats locks the event here first, and counts only then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, func, or_, select, update

from crm.db import db
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.modules.events import kinds
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OCCUPYING, OPEN_STATES
from crm.words import _

LIVE = TABLE.c.deleted_at.is_(None)
Room = Literal["open", "spare", "full"]


# Asked several times a registration, while others wait: built once.
HOW_FULL = (
    select(
        TABLE.c.event_id, func.count().filter(TABLE.c.status.in_(OCCUPYING)), func.count().filter(TABLE.c.status == "spare"),
        func.coalesce(func.max(TABLE.c.queue_no), 0),
    )
    .where(
        TABLE.c.event_id.in_(bindparam("event_ids", expanding=True)),
        or_(TABLE.c.status.in_(OCCUPYING), TABLE.c.status == "spare"), LIVE,
    )
    .group_by(TABLE.c.event_id)
)  # fmt: skip

ROWS = select(TABLE).where(
    TABLE.c.event_id == bindparam("event_id"), TABLE.c.contact_id.in_(bindparam("contact_ids", expanding=True)), LIVE
)


@dataclass
class Standing:
    """How full an event is."""

    taken: int = 0
    waiting: int = 0
    last_no: int = 0


def lock_family(event_id: int, sub_event_ids: Sequence[int], known: Event | None = None) -> dict[int, Event]:
    """The event, its main event, and the sub-events named, all locked. `known`: the event, where it was read before.

    Raises Missing, Refused (no such sub-event)."""
    first = known or kinds.load(event_id)
    events = kinds.lock({event_id, *sub_event_ids, *([first.parent_id] if first.parent_id else [])}, first.module)
    if any(events[id].parent_id != event_id for id in sub_event_ids):
        raise Refused(sub_event_ids=Fault("no_such_record", _("This is no sub-event of the event.")))
    return events


def lock_of(attendee_id: int) -> tuple[Event, Mapping[Any, Any]]:
    """The event of an attendee, locked, and the row as it is since then. Raises Missing."""
    event_id = row_of(attendee_id)["event_id"]
    event = lock_family(event_id, ())[event_id]
    return event, row_of(attendee_id)


def standing_of(event_ids: Sequence[int]) -> dict[int, Standing]:
    """How full the events are: one query."""
    found = {row[0]: Standing(*row[1:]) for row in db.session.execute(HOW_FULL, {"event_ids": list(event_ids)})}
    return {id: found.get(id, Standing()) for id in event_ids}


def room_of(event: Event, standing: Standing) -> Room:
    """What the next one would get: a seat, a spare place behind those who wait, or nothing."""
    if not standing.waiting and (event.seats is None or standing.taken < event.seats):
        return "open"
    return "spare" if standing.waiting < event.spare_places else "full"


def note_full(event: Event, standing: Standing | None = None) -> None:
    """Write down at an event whether it is full, for lists; `standing`: how full it is now, where that was counted.

    Not through the door: it follows from attendees, is no change that anybody made, and must not make open forms stale.
    """
    is_full = room_of(event, standing or standing_of([event.id])[event.id]) == "full"
    table = modules[event.module].table
    db.session.execute(
        update(table).where(table.c.id == event.id, table.c.is_full.is_(not is_full)).values(is_full=is_full)
    )


def attending(event_id: int) -> list[tuple[int, str]]:
    """(id, state) of the rows of an event, by id."""
    said = select(TABLE.c.id, TABLE.c.status).where(TABLE.c.event_id == event_id, LIVE).order_by(TABLE.c.id)
    return [(row.id, row.status) for row in db.session.execute(said)]


def rows_of(event_id: int, contact_ids: Sequence[int]) -> dict[int, Mapping[Any, Any]]:
    """The rows of these contacts at the event, contact's id → row."""
    said = {"event_id": event_id, "contact_ids": list(contact_ids)}
    return {row["contact_id"]: row for row in db.session.execute(ROWS, said).mappings()}


def row_of(attendee_id: int) -> Mapping[Any, Any]:
    """The row of an attendee as it is now. Raises Missing."""
    row = db.session.execute(select(TABLE).where(TABLE.c.id == attendee_id, LIVE)).mappings().first()
    if row is None:
        raise Missing
    return row


def state_of(event_id: int, contact_id: int) -> str | None:
    """How a contact stands at an event; None without a row."""
    said = select(TABLE.c.status).where(TABLE.c.event_id == event_id, TABLE.c.contact_id == contact_id, LIVE)
    return db.session.execute(said).scalar()


def open_rows(events: Mapping[int, Event], contact_id: int | None) -> dict[int, int]:
    """Event's id → attendee's id, where the contact has a place or waits for one."""
    if not events or contact_id is None:
        return {}
    said = select(TABLE.c.event_id, TABLE.c.id).where(
        and_(
            TABLE.c.event_id.in_(list(events)), TABLE.c.contact_id == contact_id, TABLE.c.status.in_(OPEN_STATES), LIVE
        )
    )
    return {row.event_id: row.id for row in db.session.execute(said)}


def people(contact_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Name and account of live contacts. Raises Missing when one is not there."""
    found = {
        row.id: {"name": f"{row.first_name or ''} {row.last_name}".strip()[:200], "account_id": row.account_id}
        for row in db.session.execute(_named(), {"ids": list(contact_ids)})
    }
    if len(found) < len(set(contact_ids)):
        raise Missing
    return found


@cache
def _named() -> Select[Any]:
    table = modules["contacts"].table
    return select(table.c.id, table.c.first_name, table.c.last_name, table.c.account_id).where(
        table.c.id.in_(bindparam("ids", expanding=True)), table.c.deleted_at.is_(None)
    )


def per_account(event: Event) -> dict[int, int]:
    """Company's id → how many of its people have a place; empty when the event limits none."""
    if not event.max_per_account:
        return {}
    said = select(TABLE.c.account_id, func.count()).where(
        TABLE.c.event_id == event.id, TABLE.c.status.in_(OPEN_STATES), LIVE
    )
    return dict(db.session.execute(said.group_by(TABLE.c.account_id)).all())
