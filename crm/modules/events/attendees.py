"""Attendees of both kinds of events: one row a contact and event, used again when somebody joins anew (spec 2.2).

Only `seats.py` gives places: also a row that is made by a form, an import or a program is given one by it. Event and
contact of a row stay; who is deleted gives up the place first, so that the bin never holds a seat.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, Module, PortalExposure, Related, Timeline
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.events.lists import ATTENDEE_ROLE, ATTENDEE_STATUS, EVENTS, OCCUPYING, SOURCES
from crm.words import N_, _


class Attendee(Record):
    """One person at one event. `name` is a copy, so that the row speaks when the contact is gone."""

    __tablename__ = "attendees"
    name: Mapped[str] = f.text("Name", max=200, read_only=True)
    event_id: Mapped[int] = f.link("Event", to=EVENTS, on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    account_id: Mapped[int | None] = f.link("Account", to="accounts", read_only=True)
    status: Mapped[str] = f.picklist("Status", "attendee_status", read_only=True, audited=True)
    queue_no: Mapped[int | None] = f.whole("Place in the queue", read_only=True)
    seat_version: Mapped[int] = f.whole("Seats given so far", read_only=True, default=1, in_lists=False)
    role: Mapped[str | None] = f.picklist("Role", "attendee_role", default="Attendee")
    source: Mapped[str] = f.picklist("Came by", "attendee_source", default="crm", read_only=True)
    registered_at: Mapped[datetime | None] = f.moment("Registered at", read_only=True, indexed=True)
    promoted_at: Mapped[datetime | None] = f.moment("Got a seat at", read_only=True)
    cancelled_at: Mapped[datetime | None] = f.moment("Cancelled at", read_only=True)
    cancel_reason: Mapped[str | None] = f.text("Why cancelled", max=500, read_only=True)
    attended_at: Mapped[datetime | None] = f.moment("Came at", read_only=True)
    held_until: Mapped[datetime | None] = f.moment("Held until", read_only=True, in_lists=False)
    code: Mapped[str | None] = f.text("Check-in code", max=12, read_only=True, unique=True)
    check_identity: Mapped[bool] = f.checkbox("Check who it is", mass_edit=True)
    differences: Mapped[str | None] = f.long_text("What was typed differently", max=4000, read_only=True)
    company: Mapped[str | None] = f.text("Company as typed", max=200, read_only=True)
    warning: Mapped[str | None] = f.text("Warning", max=300, read_only=True)
    answers_response_id: Mapped[int | None] = f.whole("Answers", read_only=True, in_lists=False)
    note: Mapped[str | None] = f.long_text("Note", max=4000)


TABLE = Attendee.__table__
LIVE = TABLE.c.deleted_at.is_(None)
Index(
    "uq_attendees_event_contact", TABLE.c.event_id, TABLE.c.contact_id, unique=True, sqlite_where=LIVE, postgresql_where=LIVE
)  # fmt: skip
Index("ix_attendees_event_status", TABLE.c.event_id, TABLE.c.status, TABLE.c.queue_no)

NO_PLACE = {  # what row_places.place_of_row says when there is none → code and sentence
    "full": ("event_full", N_("The event is full, its spare places too.")),
    "twice": ("not_unique", N_("This contact is among the attendees already.")),
    "called_off": ("event_cancelled", N_("This event was called off.")),
    "account_full": ("account_full", N_("Nobody else of this company can register.")),
}


def what_place_it_gets(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A row made by a person or a program gets the place that the one algorithm gives it."""
    if old is not None or values.get("status") or not (values.get("event_id") and values.get("contact_id")):
        return {}
    from crm.modules.events import row_places

    said = {"name": values["name"]} if values.get("name") else {}
    return row_places.place_of_row(values["event_id"], values["contact_id"]) | said


def has_a_place(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """There is a place for a new row; event and contact of a row that is there stay."""
    if old is None:
        if not values.get("contact_id"):
            return {"contact_id": Fault("required", _("Say who attends."))}
        code, sentence = NO_PLACE.get(values.get("status") or "", ("", ""))
        return {"event_id": Fault(code, _(sentence))} if code else {}
    stays = Fault("locked", _("This stays as it is. Cancel this registration and make another."))
    return {"event_id": stays} if values.get("event_id", old["event_id"]) != old["event_id"] else {}


def give_up_places(ids: list[int]) -> dict[int, Fault]:
    """Whoever is put into the bin has cancelled: a restored row never takes a seat that was given on."""
    from crm.modules.events import row_places

    row_places.give_up(ids)
    return {}


LISTED = ("name", "status", "queue_no", "role", "registered_at")

MODULE = Module(
    Attendee,
    label="Attendee",
    plural="Attendees",
    menu="Events",
    icon="user-check",
    title="name",
    columns=("name", "event_id", "status", "queue_no", "role", "account_id", "source", "registered_at"),
    facts=("event_id", "contact_id", "status", "queue_no", "role", "code"),
    form=(
        Block("Attendee", (
            "name", "event_id", "contact_id", "account_id", "status", "queue_no", "role", "source", "code",
        )),
        Block("When", ("registered_at", "promoted_at", "cancelled_at", "cancel_reason", "attended_at")),
        Block("To be checked", ("check_identity", "differences", "company", "warning", "note")),
    ),
    search=("name",),
    sort=("-registered_at",),
    filters=(
        Filter("joined", "Joined", where("status", "one of", list(OCCUPYING))),
        Filter("spare", "On a spare place", where("status", "is", "spare"), sort=("queue_no",)),
        Filter("cancelled", "Cancelled", where("status", "one of", ["cancelled", "declined"])),
        Filter("to_check", "To be checked", where("check_identity", "is", True)),
    ),
    shows_on={
        **{key: Related(by="event_id", label="Attendees", columns=LISTED) for key in EVENTS},
        "contacts": Related(
            by="contact_id", label="Events", columns=("event_id", "status", "role", "registered_at"),
            timeline=Timeline(
                "registered_at", "{event_id}: {status}", icon="calendar-event", category="event", columns=("event_id", "status")
            ),
        ),
        "accounts": Related(by="account_id", label="Attendees", columns=("name", "event_id", "status", "registered_at")),
    },
    portal=PortalExposure(by_contact="contact_id", by_account="account_id", status="status", is_view_only=True),
    follows="event_id",
    also=("mass_event_registrations",),
    picklists=(ATTENDEE_STATUS, SOURCES, ATTENDEE_ROLE),
    derives=(what_place_it_gets,),
    checks=(has_a_place,),
    before_delete=(give_up_places,),
)  # fmt: skip
