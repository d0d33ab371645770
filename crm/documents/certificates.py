"""Certificates: that somebody attended an event. One row an attendee, with a number and a code that anybody may check."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from crm.documents.templates import EVENTS
from crm.engine import fields as f
from crm.engine.module import Module, Related
from crm.engine.record import Ledger

KEY = "certificates"


class Certificate(Ledger):
    """One certificate. It keeps number and code when it is sent again; taken back it is not valid."""

    __tablename__ = KEY
    __table_args__ = (UniqueConstraint("verify_code"),)
    number: Mapped[str | None] = f.text("Number", max=40)
    attendee_id: Mapped[int] = f.link("Attendee", to="attendees", on_delete="CASCADE")
    event_id: Mapped[int] = f.link("Event", to=EVENTS, on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    template_id: Mapped[int | None] = f.link("Template", to="document_templates")
    template_version: Mapped[int | None] = f.whole("Version of the template")
    verify_code: Mapped[str] = f.text("Code", max=24, in_lists=False, sensitive=True)
    file_id: Mapped[int | None] = f.file("File", in_lists=False)
    made_at: Mapped[datetime] = f.moment("Numbered at")
    issued_at: Mapped[datetime | None] = f.moment("Issued at")
    sent_at: Mapped[datetime | None] = f.moment("Sent at")
    revoked_at: Mapped[datetime | None] = f.moment("Taken back at")
    problem: Mapped[str | None] = f.text("Why it was not sent", max=300)


TABLE = Certificate.__table__

MODULE = Module(
    Certificate,
    label="Certificate",
    plural="Certificates",
    icon="certificate",
    title="number",
    parent="attendee_id",
    about="contact_id",
    columns=("number", "attendee_id", "event_id", "issued_at", "sent_at", "problem"),
    sort=("-made_at",),
    shows_on={
        **{key: Related(by="event_id", label="Certificates", columns=("number", "attendee_id", "sent_at", "problem"), tab=False) for key in EVENTS},
        "contacts": Related(by="contact_id", label="Certificates", columns=("number", "event_id", "issued_at")),
        "attendees": Related(by="attendee_id", label="Certificates", columns=("number", "issued_at", "sent_at", "problem")),
    },
    importable=False,
)  # fmt: skip
