"""Triggers of mass events: which mail goes to whom, with a registration, after a cancellation, or at a planned moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db
from crm.engine import fields as f
from crm.engine.conditions import BadCondition, where
from crm.engine.conditions import check as check_conditions
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after
from crm.words import _

ACTIONS = PicklistSeed.of(
    "trigger_action", "When a mail is sent",
    Choice("with_registration", "With the registration"), Choice("after_cancellation", "After a cancellation"),
    Choice("with_spare_registration", "With a spare place"), Choice("scheduled", "At a planned moment"),
)  # fmt: skip
TARGETS = PicklistSeed.of(
    "trigger_target", "Who gets a mail", Choice("attendees", "Attendees"), Choice("personnel", "Personnel")
)
BASES = PicklistSeed.of(
    "trigger_base", "Counted from",
    Choice("event_start", "Start of the event"), Choice("event_end", "End of the event"),
    Choice("registration_end", "End of registration"), Choice("moment", "A fixed moment"),
)  # fmt: skip
UNITS = PicklistSeed.of(
    "trigger_unit", "Unit of time", Choice("minutes", "Minutes"), Choice("hours", "Hours"), Choice("days", "Days")
)


class EventTrigger(Record):
    """One mail of one event. `fired_for`: the planned moment it was last sent for; a moved event has another."""

    __tablename__ = "event_triggers"
    name: Mapped[str] = f.text("Name", max=150)
    event_id: Mapped[int] = f.link("Event", to="mass_events", on_delete="CASCADE")
    sub_event_id: Mapped[int | None] = f.link("Only for the sub-event", to="mass_events")
    active: Mapped[bool] = f.checkbox("Active", default=True, mass_edit=True)
    action: Mapped[str] = f.picklist("When", "trigger_action", default="with_registration", mass_edit=False)
    template_id: Mapped[int | None] = f.link("Mail", to="email_templates", only=where("status", "is", "active"))
    target: Mapped[str] = f.picklist("To", "trigger_target", default="attendees", mass_edit=False)
    attendee_roles: Mapped[tuple[str, ...] | None] = f.multi("Only attendees in these roles", "attendee_role")
    personnel_roles: Mapped[tuple[str, ...] | None] = f.multi("Only personnel in these roles", "personnel_role")
    statuses: Mapped[tuple[str, ...] | None] = f.multi(
        "Only in these states", "attendee_status", help="Planned mails; none chosen: who joined"
    )
    conditions: Mapped[dict[str, Any] | None] = f.conditions("More conditions on the attendee", about="attendees")
    base: Mapped[str | None] = f.picklist("Counted from", "trigger_base", default="event_start", mass_edit=False)
    offset: Mapped[int | None] = f.whole("How much before (−) or after", least=-100_000, most=100_000, default=0)
    unit: Mapped[str | None] = f.picklist("Unit", "trigger_unit", default="days", mass_edit=False)
    moment: Mapped[datetime | None] = f.moment("Fixed moment")
    activated_at: Mapped[datetime | None] = f.moment("Active since", read_only=True)
    fired_for: Mapped[datetime | None] = f.moment("Sent for the moment", read_only=True)
    problem: Mapped[str | None] = f.text("What is wrong", max=300, read_only=True)


class TriggerDelivery(db.Model):  # type: ignore[name-defined, misc]
    """That a trigger has mailed somebody: once for a registration and seat, whatever happens later."""

    __tablename__ = "trigger_deliveries"
    __table_args__ = (Index("uq_trigger_deliveries_person", "trigger_id", "subject_id", "seat_version", unique=True),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    trigger_id: Mapped[int] = mapped_column(ForeignKey("event_triggers.id", ondelete="CASCADE"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    seat_version: Mapped[int] = mapped_column(default=0)  # 0 for planned mails: once a registration
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def activation(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A trigger is active from the moment it was switched on: what was due before is not sent."""
    was, now = bool(old and old.get("active")), bool(after(values, old).get("active"))
    return {"activated_at": clock.now()} if now and not was else {}


def holds_together(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """It has a mail; what is planned has a time; personnel neither cancel nor wait; the sub-event is one of the event."""
    then, faults = after(values, old), {}
    if not then.get("template_id"):
        faults["template_id"] = Fault("required", _("Choose the mail that is sent."))
    is_planned = then.get("action") == "scheduled"
    if is_planned and then.get("base") == "moment" and not then.get("moment"):
        faults["moment"] = Fault("required", _("Say at which moment it is sent."))
    if is_planned and (
        not then.get("base") or (then["base"] != "moment" and (then.get("offset") is None or not then.get("unit")))
    ):
        faults["offset"] = Fault("required", _("Say how long before or after it is sent."))
    if then.get("target") == "personnel" and not is_planned:
        faults["target"] = Fault("bad_value", _("Personnel do not register or cancel: they get planned mails only."))
    if values.get("sub_event_id"):
        table = modules["mass_events"].table
        above = db.session.execute(select(table.c.parent_id).where(table.c.id == values["sub_event_id"])).scalar()
        if above != then.get("event_id"):
            faults["sub_event_id"] = Fault("no_such_record", _("This is no sub-event of the event."))
    if values.get("conditions"):
        try:
            check_conditions(values["conditions"], modules["attendees"])
        except BadCondition as bad:
            faults["conditions"] = Fault("bad_conditions", str(bad))
    return faults


MODULE = Module(
    EventTrigger,
    label="E-mail trigger",
    plural="E-mail triggers",
    icon="bolt",
    columns=("name", "event_id", "action", "target", "template_id", "active", "problem"),
    facts=("event_id", "action", "template_id", "active", "problem"),
    form=(
        Block("When and what", ("name", "event_id", "sub_event_id", "active", "action", "template_id", "problem")),
        Block("To whom", ("target", "attendee_roles", "personnel_roles", "statuses", "conditions")),
        Block("Planned moment", ("base", "offset", "unit", "moment", "fired_for")),
    ),
    in_search=False,
    search=("name",),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    shows_on={"mass_events": Related(by="event_id", label="Triggers", columns=("name", "action", "offset", "unit", "template_id", "active"))},
    follows="event_id",
    picklists=(ACTIONS, TARGETS, BASES, UNITS),
    derives=(activation,),
    checks=(holds_together,),
    importable=False,
)  # fmt: skip
