"""Single mails, sent or received: an activity on the cards of those they concern. Mass mail is in deliveries."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, ManyLink, Module, Related, Timeline
from crm.engine.record import Record

DIRECTIONS = PicklistSeed.of(
    "email_direction", "Direction", Choice("sent", "Sent", "blue"), Choice("received", "Received", "green")
)
STATES = PicklistSeed.of(
    "email_state", "State of a mail", Choice("draft", "Draft", "secondary"), Choice("sending", "Sending", "yellow"),
    Choice("sent", "Sent", "green"), Choice("received", "Received", "green"), Choice("failed", "Failed", "red"),
    Choice("uncertain", "Uncertain", "orange"),
)  # fmt: skip


class Email(Record):
    """One mail between people. Addresses are written as in a header, several with commas."""

    __tablename__ = "emails"
    subject: Mapped[str | None] = f.text("Subject", max=500)
    direction: Mapped[str] = f.picklist("Direction", "email_direction", default="sent", mass_edit=False)
    state: Mapped[str] = f.picklist("State", "email_state", default="draft", mass_edit=False, read_only=True)
    from_address: Mapped[str | None] = f.text("From", max=500)
    to_addresses: Mapped[str] = f.long_text("To", max=5000)
    cc_addresses: Mapped[str | None] = f.long_text("Copy to", max=5000)
    reply_to: Mapped[str | None] = f.email("Reply to")
    at: Mapped[datetime | None] = f.moment("When", indexed=True)
    text: Mapped[str | None] = f.long_text("Text", in_lists=False)
    html: Mapped[str | None] = f.html("Formatted text", in_lists=False)
    message_id: Mapped[str | None] = f.text("Message-ID", max=300, indexed=True, read_only=True)
    in_reply_to: Mapped[str | None] = f.text("In reply to", max=300, read_only=True)
    email_template_id: Mapped[int | None] = f.link("Built from", to="email_templates")
    failed_reason: Mapped[str | None] = f.text("Why it failed", max=500, read_only=True)


def _shown(through: str) -> Related:
    return Related(
        through=through,
        columns=("subject", "direction", "from_address", "to_addresses", "at"),
        timeline=Timeline(
            "at", "Mail: {subject} ({state})", icon="mail", category="mail", columns=("subject", "direction", "state")
        ),
    )


MODULE = Module(
    Email,
    label="E-mail",
    plural="E-mails",
    menu="Activities",
    prefix="EM",
    icon="mail",
    title="subject",
    columns=("subject", "direction", "from_address", "to_addresses", "at", "owner_id"),
    facts=("direction", "from_address", "to_addresses", "at", "state", "failed_reason"),
    form=(
        Block("E-mail", ("subject", "direction", "from_address", "to_addresses", "cc_addresses", "at", "owner_id")),
        Block("Text", ("text", "html")),
    ),
    search=("subject", "from_address", "to_addresses"),
    sort=("-at",),
    filters=(
        Filter("sent", "Sent", where("direction", "is", "sent")),
        Filter("received", "Received", where("direction", "is", "received")),
    ),
    links=tuple(
        ManyLink(key, key, "emails", label, "E-mails")
        for key, label in (
            ("accounts", "Accounts"), ("contacts", "Contacts"), ("leads", "Leads"), ("potentials", "Potentials"),
            ("campaigns", "Campaigns"), ("tickets", "Tickets"),
        )
    ),
    shows_on={key: _shown(key) for key in ("accounts", "contacts", "leads", "potentials", "campaigns", "tickets")},
    picklists=(DIRECTIONS, STATES),
    importable=False,
)  # fmt: skip
