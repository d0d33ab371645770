"""Words about a request, with time and author: notes among staff, and messages between staff and customer. Steps are steps.py."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped

from crm import clock
from crm.db import db
from crm.engine import fields as f
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.module import Module, PortalExposure, Related, Timeline
from crm.engine.record import Ledger
from crm.engine.refusals import Conflict
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.modules.service_requests import note_files
from crm.modules.service_requests.lists import ENDED
from crm.modules.tickets.commenting import Author, author_of, checked
from crm.words import _


class SrNote(Ledger):
    """One note. `is_internal`: staff alone see it; any other is a message that the other side is mailed."""

    __tablename__ = "sr_notes"
    __table_args__ = (Index("ix_sr_notes_of", "request_id", "at", "id"),)
    request_id: Mapped[int] = f.link("Request", to="service_requests", on_delete="CASCADE")
    at: Mapped[datetime] = f.moment("When")
    user_id: Mapped[int | None] = f.user("User")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    author_name: Mapped[str | None] = f.text("Name", max=160)
    is_internal: Mapped[bool] = f.checkbox("Staff only")
    text: Mapped[str | None] = f.long_text("Text", in_lists=False)


TABLE = SrNote.__table__
MOST = 500


def of_request(request_id: int, is_public_only: bool = False) -> list[dict[str, object]]:
    """The newest 500 notes of a request, oldest first."""
    said = select(TABLE).where(TABLE.c.request_id == request_id)
    if is_public_only:
        said = said.where(~TABLE.c.is_internal)
    rows = db.session.execute(said.order_by(TABLE.c.at.desc(), TABLE.c.id.desc()).limit(MOST)).mappings()
    return [dict(row) for row in reversed(rows.all())]


def say(viewer: Viewer, id: int, text: str, *, is_internal: bool = False, file_ids: Iterable[int] = ()) -> int:
    """Note something as `viewer`, with stored files; gives the note's id. Customers speak in public, to staff.

    Raises Missing, Forbidden, Refused (no words, too many), Conflict (a message after the end). The caller commits.
    """
    is_customer = viewer.kind == "customer"
    is_internal = is_internal and not is_customer
    request = demand_record(viewer, "service_requests", id, "view" if is_customer or is_internal else "edit")
    text = checked(text)
    if request["state"] in ENDED and not is_internal:
        raise Conflict(_("This request has ended; make a new one."), "ended")
    return put(
        id, author_of(viewer, viewer.customer.contact_id if viewer.customer else None), text, is_internal, file_ids
    )


def put(id: int, author: Author, text: str, is_internal: bool, file_ids: Iterable[int] = ()) -> int:
    """Write the note; the other side is mailed a message. Gives the note's id. The right to it is the caller's affair."""
    row = {
        "request_id": id, "at": clock.now(), "user_id": author.user_id, "contact_id": author.contact_id, "author_name": author.name[:160],
        "is_internal": is_internal, "text": text,
    }  # fmt: skip
    made = records.create(SYSTEM, "sr_notes", row, Channel.SYSTEM)
    note_files.keep(made, file_ids)
    if not is_internal:
        outbox.put(db.session, "service_requests.mail_note", dedupe_key=f"sr:note:{made}", note_id=made)
    return made


MODULE = Module(
    SrNote,
    label="Note on a service request",
    plural="Notes on service requests",
    icon="message",
    title="author_name",
    parent="request_id",
    columns=("request_id", "at", "author_name", "is_internal"),
    sort=("-at",),
    shows_on={
        "service_requests": Related(
            by="request_id", tab=False,
            timeline=Timeline("at", "Note of {author_name}", icon="message", category="comment", columns=("author_name",)),
        ),
    },
    portal=PortalExposure(
        through="request_id", through_module="service_requests", where=where("is_internal", "is", False),
        fields=("request_id", "at", "author_name", "contact_id", "text"),
    ),
    importable=False,
)  # fmt: skip
