"""What an organiser does to a whole event: close registration, call it off, make a copy with other days."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import afterwards, attachments, pictures, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Conflict, Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.events import kinds, mails
from crm.modules.events.acting import acting
from crm.modules.events.attendees import TABLE
from crm.modules.events.event_personnel import EventPerson
from crm.modules.events.event_times import EventTime, set_times
from crm.modules.events.event_triggers import EventTrigger
from crm.modules.events.kinds import Event
from crm.modules.events.lists import EVENTS
from crm.modules.rules import demand_record
from crm.words import _

AT_ONCE = 200
NOT_COPIED = {
    "id", "number", "created_at", "updated_at", "creator_id", "updater_id", "archived", "deleted_at", "version", "extra",
    "slug", "public_link", "cancel_reason", "mail_warning", "status", "starts_at", "ends_at", "picture_id", "picture_path", "is_full",
}  # fmt: skip
DAYS = ("last_registration_on", "last_cancellation_on")
MOMENTS = ("registration_starts_at", "registration_ends_at", "cancel_until")


def close(viewer: Viewer, event_id: int, channel: Channel) -> None:
    """End registration now. Raises Missing, Forbidden, Conflict. The caller commits."""
    event = _demand(viewer, event_id)
    if event.state != "open":
        raise Conflict(_("Registration is not open."), "wrong_state")
    values: dict[str, Any] = {"status": "closed"}
    if event.module == "mass_events":
        opens = event.opens_at
        now = clock.now().replace(microsecond=0)
        values = {"registration_ends_at": now} | ({"registration_starts_at": None} if opens and opens >= now else {})
    records.update(viewer, event.module, event_id, values, channel)


def publish(viewer: Viewer, event_id: int, channel: Channel) -> None:
    """Publish a draft of a mass event, with its sub-events. Raises Missing, Forbidden, Refused, Conflict. The caller commits."""
    event = _demand(viewer, event_id)
    if event.module != "mass_events" or event.state != "planned":
        raise Conflict(_("This event is no draft."), "wrong_state")
    for one in (event, *kinds.sub_events(event_id)):
        if one.state == "planned":
            records.update(viewer, "mass_events", one.id, {"status": "published"}, channel)


def make_form(viewer: Viewer, event_id: int, channel: Channel) -> int:
    """A survey with one empty page as the registration form of an event that has none; its id. The caller commits.

    Raises Missing, Forbidden, Conflict."""
    event = _demand(viewer, event_id)
    if event.survey_id is not None:
        raise Conflict(_("This event has a form already."), "wrong_state")
    said = {
        "name": _("Form: %(name)s", name=event.name)[:150],
        "title": event.name[:150],
        "kind": "event_form",
        "days_valid": None,
    }
    made = records.create(viewer, "surveys", said, channel)
    records.create(acting(viewer), "survey_pages", {"survey_id": made, "place": 1}, channel)
    records.update(viewer, event.module, event_id, {"survey_id": made}, channel)
    return made


def call_off(viewer: Viewer, event_id: int, reason: str, channel: Channel) -> None:
    """Call an event off, with its sub-events; everybody who has a place is told once, by a job. The caller commits.

    States of attendees stay as they are; links in mails are dead from then on. Raises Missing, Forbidden, Refused, Conflict.
    """
    event = _demand(viewer, event_id)
    if event.state == "cancelled":
        raise Conflict(_("This event was called off before."), "event_cancelled")
    if not reason.strip():
        raise Refused(reason=Fault("required", _("Say why: it stands in the mail to the attendees.")))
    parts = [part.id for part in kinds.sub_events(event_id)] if event.module == "mass_events" else []
    values = {"status": "cancelled", "cancel_reason": reason.strip()[:2000]}
    for id in (event_id, *parts):
        records.update(viewer, event.module, id, values, channel)


@task("events.tell_called_off")
def tell_called_off(progress: Progress, ids: Sequence[int], **_more: Any) -> str | None:
    """Tell who has a place at events that were called off; run again, nobody is told twice.

    A person at an event and at its parts is told of the event only.
    """
    told = 0
    for id in ids:
        try:
            event = kinds.load(id)
        except Missing:
            continue
        if event.state != "cancelled" or (event.parent_id and kinds.load(event.parent_id).state == "cancelled"):
            continue
        told += _tell_all(event)
    return f"{told} people told" if told else None


def _tell_all(event: Event) -> int:
    told, last = 0, 0
    while True:
        ids = (
            select(TABLE.c.id)
            .where(TABLE.c.event_id == event.id, TABLE.c.status.in_(("held", "joined", "spare")), TABLE.c.deleted_at.is_(None), TABLE.c.id > last)
            .order_by(TABLE.c.id)
            .limit(AT_ONCE)
        )  # fmt: skip
        portion = list(db.session.execute(ids).scalars())
        if not portion:
            return told
        told += mails.tell_called_off(event, mails.rows_of(portion))
        last = portion[-1]
        db.session.commit()


def duplicate(viewer: Viewer, event_id: int, starts_on: date, channel: Channel) -> int:
    """A copy of an event that begins on another day, everything else moved along, with its triggers, personnel and
    sub-events but without attendees; its id. Raises Missing, Forbidden, Refused. The caller commits."""
    event = _demand(viewer, event_id, "view")
    days = (starts_on - event.starts_at.astimezone(ZoneInfo(event.zone)).date()).days if event.starts_at else 0
    made = _copy(viewer, event, days, channel, {})
    if event.module == "mass_events":
        parts = {
            part.id: _copy(viewer, part, days, channel, {"parent_id": made}) for part in kinds.sub_events(event_id)
        }
        _copy_triggers(viewer, event_id, made, parts, days, event.zone, channel)
    people = EventPerson.__table__
    for row in db.session.execute(
        select(people).where(people.c.event_id == event_id, people.c.deleted_at.is_(None))
    ).mappings():
        values = {"event_id": made, "contact_id": row["contact_id"], "role": row["role"], "note": row["note"]}
        records.create(viewer, "event_personnel", values, channel)
    return made


def _copy(viewer: Viewer, event: Event, days: int, channel: Channel, more: dict[str, Any]) -> int:
    table = modules[event.module].table
    row = db.session.execute(select(table).where(table.c.id == event.id)).mappings().one()
    values = {name: value for name, value in row.items() if name not in NOT_COPIED and value is not None}
    values |= {name: values[name] + timedelta(days=days) for name in DAYS if name in values}
    values |= {name: moved(values[name], days, event.zone) for name in MOMENTS if name in values}
    if event.module == "mass_events":
        values |= {name: moved(row[name], days, event.zone) for name in ("starts_at", "ends_at")}
    values |= {name: value for name, value in (row["extra"] or {}).items() if name in modules[event.module].fields}
    values["name"] = _("%(name)s (copy)", name=row["name"])[:200]
    made = records.create(viewer, event.module, values | more, channel)
    if row["picture_id"] is not None and pictures.may_give(viewer, modules[event.module]):
        stored = attachments.open_file(SYSTEM, row["picture_id"])
        with stored[1].open("rb") as file:
            pictures.give(viewer, event.module, made, stored[0].name, file, channel)
    if event.module == "invitation_events":
        times = EventTime.__table__
        said = select(times).where(times.c.event_id == event.id).order_by(times.c.starts_at)
        rows = [
            {
                "subject": one["subject"],
                **{name: moved(one[name], days, event.zone) for name in ("starts_at", "ends_at")},
            }
            for one in db.session.execute(said).mappings()
        ]
        set_times(viewer, made, rows, channel)
    return made


def _copy_triggers(
    viewer: Viewer, old: int, new: int, parts: dict[int, int], days: int, zone: str, channel: Channel
) -> None:
    table = EventTrigger.__table__
    names = (
        "name",
        "active",
        "action",
        "template_id",
        "target",
        "attendee_roles",
        "personnel_roles",
        "statuses",
        "conditions",
        "base",
        "offset",
        "unit",
    )
    for row in db.session.execute(
        select(table).where(table.c.event_id == old, table.c.deleted_at.is_(None))
    ).mappings():
        values = {name: row[name] for name in names} | {"event_id": new, "sub_event_id": parts.get(row["sub_event_id"])}
        values["moment"] = moved(row["moment"], days, zone) if row["moment"] else None
        records.create(viewer, "event_triggers", values, channel)


def moved(moment: datetime, days: int, zone: str) -> datetime:
    """The moment `days` later at the same hour of the zone, also across a change of the clocks."""
    here = moment.astimezone(ZoneInfo(zone))
    return here + timedelta(days=days)


def _demand(viewer: Viewer, event_id: int, verb: str = "edit") -> Event:
    event = kinds.load(event_id)
    demand_record(viewer, event.module, event_id, verb)
    return event


SEATS = {
    "invitation_events": ("seats", "unlimited_seats", "spare_places", "spare_promotion", "promotion_cutoff_hours"),
    "mass_events": ("capacity", "spare_capacity", "spare_promotion", "promotion_cutoff_hours"),
}
for key in EVENTS:
    afterwards.listen(key, "events.promote", "created", "updated", fields=SEATS[key])
    afterwards.listen(key, "events.tell_called_off", "updated", fields=("status",))
