"""Requests from the portal that an agent answers: to be let in, to let a colleague in, to put data of a contact right."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm import clock
from crm.db import db
from crm.engine import fields as f
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module
from crm.engine.permissions import demand
from crm.engine.record import Record
from crm.engine.refusals import Conflict
from crm.engine.search import one
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _

KINDS = PicklistSeed.of(
    "portal_request_kind", "Kind of request",
    Choice("registration", "Wants to log in", "blue"), Choice("colleague", "A colleague shall log in", "cyan"),
    Choice("contact", "A contact to look at", "orange"),
)  # fmt: skip
STATUS = PicklistSeed.of(
    "portal_request_status", "Status of the request",
    Choice("open", "Open", "azure"), Choice("accepted", "Accepted", "green"), Choice("rejected", "Rejected", "secondary"),
)  # fmt: skip


class PortalRequest(Record):
    """One request, made by the portal or noted by an agent; closed once."""

    __tablename__ = "portal_requests"
    email: Mapped[str] = f.email("E-mail", indexed=True)
    kind: Mapped[str] = f.picklist("Kind", "portal_request_kind", default="registration", mass_edit=False)
    status: Mapped[str] = f.picklist("Status", "portal_request_status", default="open", read_only=True, mass_edit=False)
    portal_id: Mapped[int] = f.link("Portal", to="portals", on_delete="CASCADE")
    first_name: Mapped[str | None] = f.text("First name", max=60)
    last_name: Mapped[str | None] = f.text("Last name", max=80)
    company: Mapped[str | None] = f.text("Company", max=120)
    message: Mapped[str | None] = f.long_text("Message", max=2000)
    asked_by_id: Mapped[int | None] = f.link("Asked by", to="contacts")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    closed_at: Mapped[datetime | None] = f.moment("Closed at", read_only=True)
    note: Mapped[str | None] = f.long_text("Note of the agent", max=2000)


MODULE = Module(
    PortalRequest,
    label="Portal request",
    plural="Portal requests",
    menu="Service",
    icon="user-question",
    title="email",
    columns=("email", "kind", "status", "company", "asked_by_id", "contact_id", "created_at"),
    facts=("kind", "status", "portal_id", "created_at"),
    form=(
        Block(
            "Portal request",
            (
                "email",
                "kind",
                "portal_id",
                "first_name",
                "last_name",
                "company",
                "message",
                "asked_by_id",
                "contact_id",
            ),
        ),
        Block("Answer", ("status", "closed_at", "note", "owner_id")),
    ),
    search=("email", "last_name", "company"),
    filters=(
        Filter("open", "Open", where("status", "is", "open")),
        Filter("closed", "Closed", where("status", "is not", "open")),
    ),
    picklists=(KINDS, STATUS),
    areas={"create": "portal_access", "edit": "portal_access", "delete": "portal_access", "mass_edit": "portal_access"},
)


def ask(kind: str, portal: Any, **said: Any) -> int | None:
    """Write a request, unless the same one is open; gives its id. The caller commits."""
    table = PortalRequest.__table__
    values = {"kind": kind, "portal_id": portal.id, "owner_id": portal.owner_id} | said
    same = select(table.c.id).where(
        table.c.kind == kind, table.c.email == values.get("email"), table.c.contact_id == values.get("contact_id")
        if values.get("contact_id") else table.c.contact_id.is_(None),
        table.c.status == "open", table.c.deleted_at.is_(None),
    )  # fmt: skip
    if db.session.execute(same).first() is not None:
        return None
    return records.create(SYSTEM, MODULE, values, Channel.SYSTEM)


def accept(viewer: Viewer, id: int, contact_id: int | None) -> int:
    """Let the contact in (None: a new contact is made of what was typed); gives the contact's id.

    Raises Missing, Forbidden, Conflict for a closed one, Refused (no address, address taken …). The caller commits."""
    row = _open(viewer, id)
    if contact_id is None:
        values = {"first_name": row["first_name"], "last_name": row["last_name"] or row["email"], "email": row["email"]}
        contact_id = records.create(viewer, "contacts", values, Channel.FORM)
    one(viewer, "contacts", contact_id, ("last_name",))  # an agent links only contacts that he sees
    if row["kind"] != "contact":
        records.create(viewer, "portal_users", {"contact_id": contact_id, "portal_id": row["portal_id"]}, Channel.FORM)
    _close(id, "accepted", contact_id)
    return contact_id


def reject(viewer: Viewer, id: int) -> None:
    """Close a request without doing it. Raises Missing, Forbidden, Conflict. The caller commits."""
    _open(viewer, id)
    _close(id, "rejected", None)


def _open(viewer: Viewer, id: int) -> Any:
    row = one(viewer, MODULE, id)
    demand(viewer, "edit", MODULE)
    if row["status"] != "open":
        raise Conflict(_("This request was answered already."), "closed")
    return row


def _close(id: int, status: str, contact_id: int | None) -> None:
    said = {"status": status, "closed_at": clock.now()} | ({"contact_id": contact_id} if contact_id else {})
    records.update(SYSTEM, MODULE, id, said, Channel.SYSTEM)
