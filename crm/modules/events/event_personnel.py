"""Personnel of events: speakers, hosts, helpers. They use no seats, and may be attendees too."""

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.module import Block, Module, Related
from crm.engine.record import Record
from crm.modules.events.lists import EVENTS, PERSONNEL_ROLE


class EventPerson(Record):
    """One contact who works at an event, in one role."""

    __tablename__ = "event_personnel"
    event_id: Mapped[int] = f.link("Event", to=EVENTS, on_delete="CASCADE")
    contact_id: Mapped[int] = f.link("Contact", to="contacts", on_delete="CASCADE")
    role: Mapped[str] = f.picklist("Role", "personnel_role", default="Helper")
    note: Mapped[str | None] = f.long_text("Note", max=2000)


MODULE = Module(
    EventPerson,
    label="Event person",
    plural="Event personnel",
    icon="user-star",
    title="role",
    columns=("contact_id", "event_id", "role", "owner_id"),
    facts=("event_id", "contact_id", "role"),
    form=(Block("Event person", ("event_id", "contact_id", "role", "note", "owner_id")),),
    shows_on={
        **{key: Related(by="event_id", label="Personnel", columns=("contact_id", "role")) for key in EVENTS},
        "contacts": Related(by="contact_id", label="Personnel at events", columns=("event_id", "role")),
    },
    follows="event_id",
    picklists=(PERSONNEL_ROLE,),
)
