"""Tickets: requests of customers after the sale, from mail, portal, phone; with a clock that says when they are due."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, db
from crm.engine import afterwards
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, ManyLink, Module, PortalExposure, Related, Timeline
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after, makes_circle
from crm.modules.tickets import assigning, clock, settings, statuses
from crm.words import _

STATUSES = PicklistSeed.of(
    "ticket_status", "Ticket status",
    Choice("Open", colour="azure", carries={"state": "open"}),
    Choice("In Progress", colour="blue", carries={"state": "open"}),
    Choice("Wait For Response", colour="yellow", carries={"state": "waiting"}),
    Choice("Closed", colour="secondary", carries={"state": "closed", "tells_customer": True}),
)  # fmt: skip
STATES = PicklistSeed.of(
    "ticket_state", "State of a ticket",
    Choice("open", "Open", "azure"), Choice("waiting", "Waits for the customer", "yellow"),
    Choice("closed", "Closed", "secondary"),
)  # fmt: skip
PRIORITIES = PicklistSeed.of(
    "ticket_priority", "Ticket priority",
    Choice("Low", colour="secondary"), Choice("Normal", colour="azure"), Choice("High", colour="orange"),
    Choice("Urgent", colour="red"),
)  # fmt: skip
SEVERITIES = PicklistSeed.of("ticket_severity", "Severity", "Minor", "Major", "Feature", "Critical")
CATEGORIES = PicklistSeed.of(
    "ticket_category", "Ticket category", "Big Problem", "Small Problem", "Other Problem", "Data request"
)
SOURCES = PicklistSeed.of(
    "ticket_source", "Where a ticket came from",
    Choice("crm", "Staff", "blue"), Choice("portal", "Portal", "green"), Choice("email", "E-mail", "azure"),
    Choice("phone", "Phone", "purple"), Choice("web", "Web site", "teal"), Choice("survey", "Survey", "orange"),
    Choice("api", "API", "secondary"),
)  # fmt: skip


class Ticket(Record):
    """A request. `state` is what logic goes by; it follows from the status, as an administrator mapped it."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_clock", "state", "due_at"),)
    title: Mapped[str] = f.text("Title", max=255, aliases=("ticket_title",))
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts", aliases=("contactid",))
    account_id: Mapped[int | None] = f.link("Account", to="accounts", aliases=("parent_account",))
    product_id: Mapped[int | None] = f.link("Product", to="products")
    status: Mapped[str] = f.picklist(
        "Status", "ticket_status", default="Open", audited=True, indexed=True, aliases=("ticketstatus",)
    )
    state: Mapped[str | None] = f.picklist("State", "ticket_state", read_only=True, mass_edit=False)
    priority: Mapped[str] = f.picklist(
        "Priority", "ticket_priority", default="Normal", audited=True, aliases=("ticketpriorities",)
    )
    severity: Mapped[str | None] = f.picklist("Severity", "ticket_severity", aliases=("ticketseverities",))
    category: Mapped[str | None] = f.picklist("Category", "ticket_category", aliases=("ticketcategories",))
    source: Mapped[str] = f.picklist("Came by", "ticket_source", default="crm", mass_edit=False)
    description: Mapped[str | None] = f.long_text("Description")
    solution: Mapped[str | None] = f.long_text("Solution")
    hours: Mapped[Decimal | None] = f.number("Hours spent", scale=2, least=0, most=10_000)
    cc: Mapped[str | None] = f.long_text("Copies to", max=2000, help="Addresses with commas; answers go to them too")
    due_at: Mapped[datetime | None] = f.moment("Due", audited=True, help="Empty: by the priority")
    due_by_hand: Mapped[bool] = f.checkbox("Due time set by hand", read_only=True)
    respond_by_at: Mapped[datetime | None] = f.moment("First answer due", read_only=True)
    first_answer_at: Mapped[datetime | None] = f.moment("First answer", read_only=True)
    paused_at: Mapped[datetime | None] = f.moment("Clock stands since", read_only=True)
    paused_minutes: Mapped[int | None] = f.whole("Minutes the clock stood", read_only=True)
    overdue: Mapped[bool] = f.checkbox("Overdue", read_only=True, indexed=True)
    answer_overdue: Mapped[bool] = f.checkbox("First answer overdue", read_only=True)
    closed_at: Mapped[datetime | None] = f.moment("Closed at", read_only=True, indexed=True)
    closed_by_customer: Mapped[bool] = f.checkbox("Closed by the customer", read_only=True)
    reopened_count: Mapped[int | None] = f.whole("Times reopened", read_only=True)
    parent_id: Mapped[int | None] = f.link("Follows on", to="tickets")
    merged_into_id: Mapped[int | None] = f.link("Merged into", to="tickets", read_only=True)
    scanner_id: Mapped[int | None] = f.whole("Mail scanner", read_only=True, in_lists=False)
    last_comment_at: Mapped[datetime | None] = f.moment("Last comment", read_only=True)
    told_owner_id: Mapped[int | None] = mapped_column(BigId)  # who was told last that it is his
    told_status: Mapped[str | None] = mapped_column(String(80))  # the last status that telling.py has seen


def what_follows(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """State, owner, account of the contact, and what the clock says."""
    made: dict[str, Any] = {}
    then = after(values, old)
    made["state"] = statuses.state_of(then.get("status") or "Open")
    if old is None and not then.get("owner_id"):
        made["owner_id"] = assigning.next_owner()
        if made["owner_id"] is None and then.get("source") == "portal" and then.get("contact_id"):
            made["owner_id"] = _of_contact(then["contact_id"], "owner_id")
    if then.get("contact_id") and not then.get("account_id") and (old is None or "contact_id" in values):
        made["account_id"] = account_of(then["contact_id"])
    return made | clock.follow(values, old, made["state"])


def account_of(contact_id: int) -> int | None:
    """The account that a contact belongs to."""
    return _of_contact(contact_id, "account_id")


def _of_contact(contact_id: int, name: str) -> int | None:
    table = modules["contacts"].table
    found: int | None = db.session.execute(select(table.c[name]).where(table.c.id == contact_id)).scalar()
    return found


def fits_together(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The contact is one of the account; a closed ticket says what solved it where that is demanded; no circles."""
    then, faults = after(values, old), {}
    if {"contact_id", "account_id"} & set(values) and then.get("contact_id") and then.get("account_id"):
        theirs = account_of(then["contact_id"])
        moved = old is None or any(
            values.get(name) != old.get(name) for name in ("contact_id", "account_id") if name in values
        )
        if moved and theirs is not None and theirs != then["account_id"]:
            faults["contact_id"] = Fault(
                "other_account",
                _(
                    "This contact belongs to another account. Leave the account empty to take that one, or choose another contact."
                ),
            )
    is_closing = then.get("state") == "closed" and (old is None or old.get("state") != "closed")
    is_excused = then.get("closed_by_customer") or then.get("merged_into_id")
    if is_closing and settings.current().needs_solution and not then.get("solution") and not is_excused:
        faults["solution"] = Fault("required", _("Say what solved it before you close the ticket."))
    if makes_circle(Ticket.__table__.c.parent_id, values, old):
        faults["parent_id"] = Fault("cycle", _("A ticket cannot follow on itself."))
    return faults


def _shown(by: str) -> Related:
    return Related(
        by=by, columns=("number", "title", "status", "priority", "due_at", "owner_id"),
        timeline=Timeline("created_at", "Ticket: {title} ({status})", icon="ticket", category="ticket", columns=("title", "status")),
    )  # fmt: skip


OPEN = where("state", "is not", "closed")
MODULE = Module(
    Ticket,
    label="Ticket",
    plural="Tickets",
    menu="Service",
    prefix="TT",
    icon="ticket",
    title="title",
    columns=("number", "title", "contact_id", "account_id", "status", "priority", "due_at", "owner_id"),
    facts=("status", "priority", "contact_id", "account_id", "due_at", "overdue"),
    form=(
        Block("Ticket", (
            "title", "contact_id", "account_id", "product_id", "status", "priority", "severity", "category", "source",
            "owner_id", "description",
        )),
        Block("Solution", ("solution", "hours")),
        Block("Times", (
            "due_at", "respond_by_at", "first_answer_at", "paused_at", "overdue", "closed_at", "reopened_count",
        )),
        Block("More", ("cc", "parent_id", "merged_into_id")),
    ),
    search=("title", "number", "description", "solution"),
    sort=("-created_at",),
    filters=(
        Filter("open", "Open", OPEN, sort=("due_at",)),
        Filter("overdue", "Overdue", {"$and": [OPEN, where("overdue", "is", True)]}, sort=("due_at",)),
        Filter("waiting", "Waiting for the customer", where("state", "is", "waiting")),
        Filter("closed", "Closed", where("state", "is", "closed"), sort=("-closed_at",)),
    ),
    actions=(
        Action("start", "Start", lambda ticket: {"status": "In Progress"}, when=where("status", "is", "Open"), icon="player-play"),
        Action("close", "Close", lambda ticket: {"status": statuses.first_of("closed")}, when=OPEN, icon="check"),
        Action("reopen", "Reopen", lambda ticket: {"status": statuses.first_of("open")}, when=where("state", "is", "closed"), icon="rotate"),
    ),
    links=(
        ManyLink("related", "tickets", "related_from", "Linked tickets", "Linked from"),
        ManyLink("watchers", "users", "watched_tickets", "Watchers", "Watched tickets"),
        ManyLink("activities", "activities", "tickets", "Activities", "Tickets"),
    ),
    shows_on={
        "contacts": _shown("contact_id"),
        "accounts": _shown("account_id"),
        "products": Related(by="product_id", columns=("number", "title", "status", "priority", "due_at")),
        "tickets": Related(by="parent_id", label="Follow-on tickets", columns=("number", "title", "status", "owner_id")),
    },
    portal=PortalExposure(
        by_contact="contact_id", by_account="account_id", status="status", is_of_company=True, goes_to_assignee=True, edit_where=OPEN, gives={"source": "portal"},
        kept=frozenset({"status", "source", "solution", "hours", "cc", "due_at", "parent_id"}),
    ),
    picklists=(STATUSES, STATES, PRIORITIES, SEVERITIES, CATEGORIES, SOURCES),
    derives=(what_follows,),
    checks=(fits_together,),
)  # fmt: skip

afterwards.listen("tickets", "tickets.tell", "created")
afterwards.listen("tickets", "tickets.tell", "updated", fields=("owner_id", "status"))
