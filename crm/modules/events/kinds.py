"""An event as seats, mails and pages see it, whichever of the two kinds it is: one row read, or read and locked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import Select, bindparam, select

from crm.db import Entity, db
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.modules.events.lists import EVENTS

TEMPLATES = {
    "join": "join_template_id",
    "spare": "spare_template_id",
    "cancel": "cancel_template_id",
    "called_off": "called_off_template_id",
}


@dataclass(frozen=True)
class Event:
    """One event. `seats` None: no limit. `state`: planned (not yet open), open, closed, cancelled."""

    id: int
    module: str
    number: str
    name: str
    owner_id: int | None
    state: str
    type: str  # invitation, need_registration, open, invitation_only
    seats: int | None
    spare_places: int
    starts_at: datetime | None
    ends_at: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    cancel_until: datetime | None
    zone: str
    promotion: str
    cutoff_hours: int
    confirm_email: bool
    ask_before_spare: bool
    show_counts: bool
    is_public: bool
    in_portal: bool
    is_listed: bool  # anybody may find it, who does not know its secret name
    parent_id: int | None
    group_rule: str
    max_per_account: int | None
    campaign_id: int | None
    product_id: int | None
    survey_id: int | None
    is_full: bool  # as it was when the event was read
    location: str
    online_url: str
    description: str
    slug: str
    public_link: str
    picture: str  # its public path, "" when there is none
    language: str
    cancel_reason: str
    templates: Mapping[str, int | None]

    @property
    def has_form(self) -> bool:
        """Whether people register for it themselves."""
        return self.type != "open"

    @property
    def plain_description(self) -> str:
        """The description without its markup, for calendars and texts."""
        return " ".join(Markup(self.description).striptags().split())  # noqa: S704 — tags are taken out here


def load(event_id: int) -> Event:
    """The event with this id. Raises Missing."""
    return _read([event_id], lock=False)[event_id]


def load_many(event_ids: Iterable[int]) -> dict[int, Event]:
    """Those of the events that are there."""
    return _read(sorted(set(event_ids)), lock=False, strict=False)


def lock(event_ids: Iterable[int], module: str = "") -> dict[int, Event]:
    """The events, locked until the transaction ends, always in the order of their ids so that no two wait for each other.

    On SQLite the transaction holds the one write lock already. On PostgreSQL the rows are locked against other writers of
    seats, and are read as they are once the lock is held. `module`: of all of them, where it is known. Raises Missing.
    """
    return _read(sorted(set(event_ids)), lock=True, module=module)


def sub_events(event_id: int) -> list[Event]:
    """The live sub-events of a mass event, by id."""
    return [_of_mass(row) for row in db.session.execute(_parts(), {"event_id": event_id}).mappings()]


def by_slug(slug: str) -> Event | None:
    """The event with this public name."""
    for key in EVENTS:
        row = db.session.execute(_by_slug(key), {"slug": slug}).mappings().first()
        if row is not None:
            return MAKERS[key](row)
    return None


# Asked many times a registration, while others wait: built once.


@cache
def _parts() -> Select[Any]:
    table = modules["mass_events"].table
    of_it = table.c.parent_id == bindparam("event_id")
    return select(table).where(of_it, table.c.deleted_at.is_(None)).order_by(table.c.id)


@cache
def _by_slug(key: str) -> Select[Any]:
    table = modules[key].table
    return select(table).where(table.c.slug == bindparam("slug"), table.c.deleted_at.is_(None))


@cache
def _by_ids(key: str, lock: bool) -> Select[Any]:
    table = modules[key].table
    among = table.c.id.in_(bindparam("ids", expanding=True))
    said = select(table).where(among, table.c.deleted_at.is_(None)).order_by(table.c.id)
    return said.with_for_update(key_share=True, of=table) if lock else said


def _read(ids: list[int], lock: bool, strict: bool = True, module: str = "") -> dict[int, Event]:
    if module:
        kinds = dict.fromkeys(ids, module)
    else:
        kinds = dict(db.session.execute(select(Entity.id, Entity.module).where(Entity.id.in_(ids))).all())
    found: dict[int, Event] = {}
    for key in EVENTS:
        mine = [id for id in ids if kinds.get(id) == key]
        if not mine:
            continue
        rows = db.session.execute(_by_ids(key, lock), {"ids": mine}).mappings()
        found |= {row["id"]: MAKERS[key](row) for row in rows}
    if strict and len(found) < len(set(ids)):
        raise Missing
    return found


def _end_of(day: date | None, zone: str) -> datetime | None:
    """The end of a day in the zone of the event: until then a deadline that names the day holds."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)) if day else None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


def _of_invitation(row: Mapping[Any, Any]) -> Event:
    zone = row["time_zone"]
    states = {"planned": "planned", "open": "open", "cancelled": "cancelled"}
    return Event(
        **_alike(row), module="invitation_events", state=states.get(row["status"], "closed"), type="invitation",
        seats=None if row["unlimited_seats"] else row["seats"], spare_places=row["spare_places"], opens_at=None,
        closes_at=_earliest(_end_of(row["last_registration_on"], zone), row["starts_at"]),
        cancel_until=_earliest(_end_of(row["last_cancellation_on"], zone), row["starts_at"]), ask_before_spare=row["ask_before_spare"],
        is_public=row["public"], in_portal=row["portal_visible"],
        is_listed=row["public"], parent_id=None, group_rule="any",
        max_per_account=row["max_per_account"], language="", templates={step: row[name] for step, name in TEMPLATES.items()},
    )  # fmt: skip


def _of_mass(row: Mapping[Any, Any]) -> Event:
    states = {"draft": "planned", "published": "open", "cancelled": "cancelled"}
    return Event(
        **_alike(row), module="mass_events", state=states.get(row["status"], "closed"), type=row["event_type"],
        seats=row["capacity"], spare_places=row["spare_capacity"], opens_at=row["registration_starts_at"],
        closes_at=row["registration_ends_at"] or row["starts_at"], cancel_until=_earliest(row["cancel_until"], row["starts_at"]),
        ask_before_spare=False, is_public=row["public_form"], in_portal=row["event_type"] != "invitation_only",
        is_listed=row["listing_visible"] and row["event_type"] != "invitation_only",
        parent_id=row["parent_id"], group_rule=row["sub_event_rule"], max_per_account=None, language=row["language"] or "",
        templates={},
    )  # fmt: skip


def _alike(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What both tables call the same."""
    return {
        "id": row["id"], "number": row["number"] or "", "name": row["name"], "owner_id": row["owner_id"],
        "starts_at": row["starts_at"], "ends_at": row["ends_at"], "zone": row["time_zone"], "promotion": row["spare_promotion"],
        "cutoff_hours": row["promotion_cutoff_hours"], "confirm_email": row["confirm_email"], "show_counts": row["show_counts"],
        "campaign_id": row["campaign_id"], "product_id": row["product_id"], "survey_id": row["survey_id"], "is_full": row["is_full"], "location": row["location"] or "",
        "online_url": row["online_url"] or "", "description": row["description"] or "", "slug": row["slug"] or "",
        "public_link": row["public_link"] or "", "picture": row["picture_path"] or "", "cancel_reason": row["cancel_reason"] or "",
    }  # fmt: skip


MAKERS = {"invitation_events": _of_invitation, "mass_events": _of_mass}
