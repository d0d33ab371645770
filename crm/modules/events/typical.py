"""The typical set of triggers of a mass event: confirmation, spare place, cancellation, reminder, thanks, with their mails."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.events import rules
from crm.modules.events.acting import acting
from crm.modules.sender_addresses import default_row
from crm.words import N_, _

# name, action, days from the base, base, subject, text
SET = (
    (N_("Confirmation"), "with_registration", 0, "event_start", N_("You are coming: {$event.name}"),
     N_("Hello {$contact.first_name},\n\nyour place is confirmed.\n\n{$event.times}\n{$event.location}{if $attendee.parts}\n\n{$attendee.parts}{/if}\n\nCheck-in code: {$attendee.code}\n\nYour registration, to change or cancel it: {$links.cancel}")),
    (N_("Spare place"), "with_spare_registration", 0, "event_start", N_("On a spare place: {$event.name}"),
     N_("Hello {$contact.first_name},\n\nthe event is full. You are number {$attendee.queue_no} on the spare places and get a mail when a seat is free.\n\nYour registration, to change or cancel it: {$links.cancel}")),
    (N_("Cancellation"), "after_cancellation", 0, "event_start", N_("Cancelled: {$event.name}"),
     N_("Hello {$contact.first_name},\n\nyour registration is cancelled. You can register again here: {$links.event}")),
    (N_("Reminder two days before"), "scheduled", -2, "event_start", N_("Soon: {$event.name}"),
     N_("Hello {$contact.first_name},\n\nsee you soon.\n\n{$event.times}\n{$event.location}\n\nCheck-in code: {$attendee.code}\n\nYour registration, to change or cancel it: {$links.cancel}")),
    (N_("Thanks a day after"), "scheduled", 1, "event_end", N_("Thank you: {$event.name}"),
     N_("Hello {$contact.first_name},\n\nthank you for coming to {$event.name}.")),
)  # fmt: skip


def make_set(viewer: Viewer, event_id: int, channel: Channel) -> int:
    """Make those of the set that the event has not got; how many. Raises Refused without a sender, Forbidden. The caller commits."""
    sender = default_row()
    if sender is None:
        raise Refused(sender_address_id=Fault("required", _("Add a sender address first.")))
    table = modules["event_triggers"].table
    said = select(table.c.name).where(table.c.event_id == event_id, table.c.deleted_at.is_(None))
    known, made = set(db.session.execute(said).scalars()), 0
    for name, action, days, base, subject, text in SET:
        if _(name) in known:
            continue
        values: dict[str, Any] = {
            "name": _(name), "event_id": event_id, "action": action, "template_id": _mail(viewer, sender, name, subject, text, channel),
            "base": base, "offset": days, "unit": "days",
        }  # fmt: skip
        if base == "event_end":
            values["statuses"] = ("attended",)
        records.create(viewer, "event_triggers", values, channel)
        made += 1
    return made


def _mail(viewer: Viewer, sender: Any, name: str, subject: str, text: str, channel: Channel) -> int:
    """The mail of one of them: one that was made before and may have been rewritten since, else a new one."""
    table = modules["email_templates"].table
    full = _("Events: %(name)s", name=_(name))
    known = select(table.c.id).where(
        table.c.name == full, table.c.folder == rules.FOLDER, table.c.status == "active", table.c.deleted_at.is_(None)
    )
    found = db.session.execute(known.order_by(table.c.id).limit(1)).scalar()
    if found is not None:
        return int(found)
    values = {
        "name": full, "kind": "email", "status": "active", "folder": rules.FOLDER, "subject": _(subject), "text": _(text),
        "sender_name": sender.display_name or sender.address, "sender_address_id": sender.id,
    }  # fmt: skip
    # A text of the house, made for whoever may change the event, also without a right to write mails.
    return records.create(acting(viewer), "email_templates", values | {"owner_id": viewer.id}, channel)
