"""Which events are listed: for everybody, for customers in the portal, and those of one's own. A few statements each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from crm import clock
from crm.db import db, fold, fold_text
from crm.engine.registry import modules
from crm.modules.events import kinds, public, standings, windows
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import MAKERS, Event
from crm.modules.events.lists import EVENTS

MOST = 200
Shown = Literal["open", "spare", "full", "not_open", "closed", "past", "called_off", "no_form"]


@dataclass(frozen=True)
class Listed:
    """One event of a list: what its page shows, and how many seats are free (None: no limit, or not shown)."""

    event: Event
    category: str
    state: Shown
    free: int | None


@dataclass(frozen=True)
class Mine:
    """One registration: the event (None: it is gone) and the attendee's row."""

    event: Event | None
    row: Mapping[Any, Any]


def for_everybody(language: str = "", category: str = "", text: str = "", limit: int = MOST) -> list[Listed]:
    """Mass events that anybody may know of, soonest first: published, listed, not over, registration has begun.

    Those by invitation only, parts of others and invitation events are never here. `language`: of it, or of no language.
    """
    table = modules["mass_events"].table
    said = [*_listed_mass(table), *_about(table, text)]
    if language:
        said.append(or_(table.c.language == language, table.c.language.is_(None)))
    if category:
        said.append(table.c.category == category)
    query = select(table).where(*said).order_by(table.c.starts_at, table.c.id).limit(min(limit, MOST))
    return _with_state([dict(row) | {"module": "mass_events"} for row in db.session.execute(query).mappings()])


def in_portal(text: str = "", since: date | None = None, only: int | None = None) -> list[Listed]:
    """Events that customers may register for or come to, soonest first: shown in the portal, registration not over.

    `only`: the one event that is asked about.
    """
    rows: list[dict[str, Any]] = []
    for key in EVENTS:
        table = modules[key].table
        where = _listed_mass(table) if key == "mass_events" else _listed_invitations(table)
        if only is not None:
            where.append(table.c.id == only)
        if since is not None:
            where.append(table.c.ends_at >= datetime.combine(since, time(), ZoneInfo(clock.site_zone())))
        query = select(table).where(*where, *_about(table, text)).order_by(table.c.starts_at, table.c.id).limit(MOST)
        rows += [dict(row) | {"module": key} for row in db.session.execute(query).mappings()]
    found = [one for one in _with_state(rows) if one.state not in {"closed", "past", "called_off", "not_open"}]
    return sorted(
        found, key=lambda one: (one.event.starts_at is None, one.event.starts_at or clock.now(), one.event.id)
    )


def is_in_portal(event: Event) -> bool:
    """Whether customers may open the page of an event that they have nothing to do with yet."""
    return bool(in_portal(only=event.id))


def mine(contact_ids: Sequence[int]) -> list[Mine]:
    """The registrations of these contacts at events, the latest event first; parts of events stand by themselves."""
    query = select(TABLE).where(TABLE.c.contact_id.in_(contact_ids), TABLE.c.deleted_at.is_(None))
    rows = list(db.session.execute(query.order_by(TABLE.c.id.desc()).limit(1000)).mappings())
    events = kinds.load_many(row["event_id"] for row in rows)
    found = [Mine(events.get(row["event_id"]), row) for row in rows]
    begins = {one.row["id"]: _start(one.event) for one in found}
    return sorted(found, key=lambda one: begins[one.row["id"]], reverse=True)


def _start(event: Event | None) -> float:
    return event.starts_at.timestamp() if event is not None and event.starts_at is not None else 0.0


def _listed_mass(table: Any) -> list[Any]:
    now = clock.now()
    return [
        table.c.deleted_at.is_(None), table.c.status == "published", table.c.listing_visible, table.c.parent_id.is_(None),
        table.c.event_type != "invitation_only", table.c.ends_at > now,
        or_(table.c.registration_starts_at.is_(None), table.c.registration_starts_at <= now, table.c.event_type == "open"),
    ]  # fmt: skip


def _listed_invitations(table: Any) -> list[Any]:
    return [
        table.c.deleted_at.is_(None), table.c.portal_visible, table.c.status == "open",
        or_(table.c.starts_at.is_(None), table.c.starts_at > clock.now()),
    ]  # fmt: skip


def _about(table: Any, text: str) -> list[Any]:
    """Each word stands in name, place or description."""
    folded = [fold(table.c[name]) for name in ("name", "location", "description")]
    words = [fold_text(word) or "" for word in text.split()[:10]]
    return [or_(*(column.contains(word, autoescape=True) for column in folded)) for word in words]


def _with_state(rows: Iterable[Mapping[str, Any]]) -> list[Listed]:
    kept = list(rows)
    return listed((MAKERS[row["module"]](row) for row in kept), [row.get("category") or "" for row in kept])


def listed(events: Iterable[Event], categories: Sequence[str] = ()) -> list[Listed]:
    """Events with their state and free seats, in the order given: one query."""
    kept = list(events)
    standing = standings.standing_of([event.id for event in kept]) if kept else {}
    return [
        Listed(
            event, categories[n] if categories else "", shown_state(event, standing[event.id]),
            public.free_seats(event, standing[event.id]),
        )
        for n, event in enumerate(kept)
    ]  # fmt: skip


def shown_state(event: Event, standing: standings.Standing | None = None) -> Shown:
    """What a page shows of an event: as public.state_of, and "no_form" for one that takes no registrations and is ahead."""
    if not event.has_form and event.state == "open" and not windows.is_over(event):
        return "no_form"
    return public.state_of(event, standing)
