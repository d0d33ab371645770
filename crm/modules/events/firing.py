"""Triggers of mass events at work: with a registration, after a cancellation, with a spare place, at planned moments.

A planned moment is computed from the event each time it is looked at, so that it moves with the event. Who registered after
the moment does not get that mail; nobody gets the mail of one trigger twice for one registration.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import db
from crm.engine import search
from crm.engine.conditions import BadCondition
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules import written_mails
from crm.modules.events import kinds
from crm.modules.events.attendees import TABLE
from crm.modules.events.event_personnel import EventPerson
from crm.modules.events.event_triggers import EventTrigger, TriggerDelivery
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OCCUPYING
from crm.words import _

ACTION_OF = {"join": "with_registration", "spare": "with_spare_registration", "cancel": "after_cancellation"}
TRIGGERS = EventTrigger.__table__
AT_ONCE = 200
Row = Mapping[Any, Any]


OF_STEP = select(TRIGGERS).where(
    or_(
        (TRIGGERS.c.event_id == bindparam("event_id")) & TRIGGERS.c.sub_event_id.is_(None),
        TRIGGERS.c.sub_event_id == bindparam("event_id"),
    ),
    TRIGGERS.c.active.is_(True), TRIGGERS.c.action == bindparam("action"), TRIGGERS.c.deleted_at.is_(None),
).order_by(TRIGGERS.c.id)  # fmt: skip


def of_step(event: Event, step: str, is_alone: bool = False) -> list[Row]:
    """Active triggers of a mass event for a step: its own, and those of the main event that name it.

    `is_alone`: no mail of the main event tells of this step; a part for which no trigger speaks borrows those of the main event.
    """
    if event.module != "mass_events" or step not in ACTION_OF:
        return []
    found: list[Row] = list(db.session.execute(OF_STEP, {"event_id": event.id, "action": ACTION_OF[step]}).mappings())
    if not found and is_alone and event.parent_id is not None:
        found = list(db.session.execute(OF_STEP, {"event_id": event.parent_id, "action": ACTION_OF[step]}).mappings())
    return found


def with_step(event: Event, triggers: Sequence[Row], rows: Sequence[Row], step: str) -> None:
    """Send the mails of these triggers for a step of these attendees. The caller commits."""
    for trigger in triggers:
        _fire(event, trigger, rows, step, lambda row: int(row["seat_version"]))


def _fire(event: Event, trigger: Row, rows: Sequence[Row], step: str, version: Any) -> int:
    """Send a trigger's mail to those of `rows` whom it means and who have not had it; how many were sent."""
    from crm.modules.events import mails

    if not written_mails.is_ready(trigger["template_id"]):
        _set(trigger["id"], problem=_("The mail is missing or not active. Nothing is sent."))
        mails.warn(event, _("The trigger “%(name)s” has no active mail.", name=trigger["name"]))
        return 0
    meant = [row for row in _meant(trigger, rows) if _take(trigger["id"], row["id"], version(row))]
    sent = mails.send(
        event, meant, trigger["template_id"], lambda row: f"trigger:{trigger['id']}:{row['id']}:{version(row)}", step
    )
    for subject, delivery in sent.items():
        db.session.execute(
            update(TriggerDelivery)
            .where(TriggerDelivery.trigger_id == trigger["id"], TriggerDelivery.subject_id == subject, TriggerDelivery.delivery_id.is_(None))
            .values(delivery_id=delivery)
        )  # fmt: skip
    if trigger["problem"]:
        _set(trigger["id"], problem=None)
    return len(sent)


def _meant(trigger: Row, rows: Sequence[Row]) -> list[Row]:
    """Those of the rows who have one of the roles and meet the conditions."""
    roles = set(trigger["attendee_roles"] or ())
    found = [row for row in rows if not roles or row["role"] in roles]
    if trigger["conditions"] and found:
        try:
            said = search.ids(SYSTEM, "attendees", trigger["conditions"]).where(
                TABLE.c.id.in_([row["id"] for row in found])
            )
        except BadCondition as bad:
            _set(trigger["id"], problem=str(bad)[:300])
            return []
        fitting = set(db.session.execute(said).scalars())
        found = [row for row in found if row["id"] in fitting]
    return found


def _take(trigger_id: int, subject_id: int, version: int) -> bool:
    """Write down that somebody gets this mail; False when that was written before."""
    make: Any = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    put = make(TriggerDelivery).values(
        trigger_id=trigger_id, subject_id=subject_id, seat_version=version, at=clock.now()
    )
    put = put.on_conflict_do_nothing(index_elements=["trigger_id", "subject_id", "seat_version"])
    return db.session.execute(put.returning(TriggerDelivery.id)).scalar() is not None


def _set(trigger_id: int, **values: Any) -> None:
    """Note what became of a trigger: the clock's bookkeeping, no change that a person made (so not through the door)."""
    db.session.execute(update(TRIGGERS).where(TRIGGERS.c.id == trigger_id).values(**values))


# planned


def due_at(trigger: Row, event: Event) -> datetime | None:
    """The planned moment of a trigger as the event stands now; None when it has none."""
    if trigger["base"] == "moment":
        moment: datetime | None = trigger["moment"]
        return moment
    base = {"event_start": event.starts_at, "event_end": event.ends_at, "registration_end": event.closes_at}.get(
        trigger["base"] or ""
    )
    if base is None:
        return None
    return base + timedelta(**{trigger["unit"] or "days": trigger["offset"] or 0})


@task("events.fire_planned", every=60)
def fire_planned(progress: Progress) -> str | None:
    """Send what is planned and due, a trigger at a time; what was missed while nothing ran is sent once."""
    said = select(TRIGGERS).where(
        TRIGGERS.c.action == "scheduled", TRIGGERS.c.active.is_(True), TRIGGERS.c.deleted_at.is_(None)
    )
    triggers = list(db.session.execute(said).mappings())
    events = kinds.load_many([row["sub_event_id"] or row["event_id"] for row in triggers])
    db.session.rollback()
    sent = 0
    for trigger in triggers:
        event = events.get(trigger["sub_event_id"] or trigger["event_id"])
        if event is None or event.state in {"planned", "cancelled"}:
            continue
        due = due_at(trigger, event)
        is_new = due is not None and due != trigger["fired_for"]
        if (
            due is None
            or not is_new
            or due > clock.now()
            or (trigger["activated_at"] and due < trigger["activated_at"])
        ):
            continue
        sent += send_planned(trigger["id"], due)
    return f"{sent} mails" if sent else None


def send_planned(trigger_id: int, due: datetime) -> int:
    """Send a planned trigger for the moment `due` (also by hand: *send now*); how many mails. Commits. Raises Missing."""
    trigger = db.session.execute(select(TRIGGERS).where(TRIGGERS.c.id == trigger_id)).mappings().first()
    if trigger is None:
        raise Missing
    event = kinds.load(trigger["sub_event_id"] or trigger["event_id"])
    if trigger["target"] == "personnel":
        sent = _to_personnel(event, trigger)
    else:
        sent = _to_attendees(event, trigger, due)
    _set(trigger_id, fired_for=due)
    db.session.commit()
    return sent


def _to_attendees(event: Event, trigger: Row, due: datetime) -> int:
    from crm.modules.events import mails

    states = trigger["statuses"] or OCCUPYING
    since = db.func.coalesce(TABLE.c.promoted_at, TABLE.c.registered_at)
    asked = [TABLE.c.event_id == event.id, TABLE.c.status.in_(states), or_(since.is_(None), since <= due)]
    sent, last = 0, 0
    while True:
        ids = (
            select(TABLE.c.id)
            .where(*asked, TABLE.c.id > last, TABLE.c.deleted_at.is_(None))
            .order_by(TABLE.c.id)
            .limit(AT_ONCE)
        )
        portion = list(db.session.execute(ids).scalars())
        if not portion:
            return sent
        sent += _fire(event, trigger, mails.rows_of(portion), "reminder", lambda row: 0)
        last = portion[-1]
        db.session.commit()


def _to_personnel(event: Event, trigger: Row) -> int:
    """The same for those who work at the event; their tags of an attendee say name and role."""
    from crm.mail.message import Address, BadAddress
    from crm.modules.events import mails, tags

    if not written_mails.is_ready(trigger["template_id"]):
        _set(trigger["id"], problem=_("The mail is missing or not active. Nothing is sent."))
        return 0
    people, contacts = EventPerson.__table__, modules["contacts"].table
    said = (
        select(
            people.c.id,
            people.c.role,
            contacts.c.id.label("contact_id"),
            contacts.c.first_name,
            contacts.c.last_name,
            contacts.c.email,
            contacts.c.language,
        )
        .join(contacts, contacts.c.id == people.c.contact_id)
        .where(
            people.c.event_id == event.id,
            people.c.deleted_at.is_(None),
            contacts.c.deleted_at.is_(None),
            contacts.c.email.is_not(None),
            or_(contacts.c.email_status.is_(None), contacts.c.email_status.not_in(mails.UNREACHABLE)),
            ~mails.is_refused(contacts),
        )
    )
    roles, sent = trigger["personnel_roles"] or (), 0
    for row in db.session.execute(said if not roles else said.where(people.c.role.in_(roles))).mappings():
        name = f"{row['first_name'] or ''} {row['last_name']}".strip()
        try:
            to = Address(row["email"], name)
        except BadAddress:
            continue
        if not _take(trigger["id"], row["id"], 0):
            continue
        about = {"name": name, "status": "joined", "queue_no": None, "code": "", "role": None}
        values = tags.values_of(event, [], about, {}, row["language"]) | {
            "attendee.status": "",
            "attendee.role": row["role"],
        }
        key = f"trigger:{trigger['id']}:{row['id']}:0"
        sent += (
            written_mails.put(
                trigger["template_id"], to, ("contacts", row["contact_id"]), values=values, dedupe_key=key
            )
            is not None
        )
    return sent
