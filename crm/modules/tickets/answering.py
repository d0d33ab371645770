"""An agent's public comment goes out by mail, in the words of the template “Change Comments”."""

import mimetypes
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from crm.db import db
from crm.engine import attachments
from crm.engine.attachments import StoredFile
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity.tables import User
from crm.mail.message import Address, Attachment, BadAddress
from crm.mail.sending.singles import MOST_OCTETS
from crm.modules.tickets import mails, templates
from crm.modules.tickets.commenting import files_of
from crm.modules.tickets.comments import TicketComment
from crm.words import _


@task("tickets.answer")
def answer(progress: Progress, comment_id: int) -> str:
    """Mail a public comment to the ticket's contact and its copies; once, however often this is run."""
    comment, ticket = rows_of(comment_id)
    if comment is None or ticket is None or comment["visibility"] != "public" or comment["removed_at"]:
        return "nothing to send"
    people = recipients(ticket, but=comment["contact_id"] and address_of_contact(comment["contact_id"]))
    if not people:
        _note(comment_id, _("There is nobody to mail it to: the contact has no address."))
        return "nobody to mail to"
    if mails.post_of(ticket) is None:
        _note(comment_id, _("Not mailed: there is no confirmed sender address."))
        return "no sender"
    files, left_out = _files(comment_id)
    content = templates.fill(
        templates.row_of(templates.CHANGE_COMMENTS, mails.language_of(ticket)),
        templates.values_of(ticket, _name_of(comment["user_id"]) or comment["author_name"] or "", comment["text"] or ""),
    )  # fmt: skip
    sent = 0
    for person in people:
        key = f"tickets:answer:{comment_id}:{person.addr.lower()}"
        sent += mails.send(ticket, person, content, dedupe_key=key, comment_id=comment_id, files=files)
    if left_out:
        db.session.execute(
            update(TicketComment)
            .where(TicketComment.id == comment_id)
            .values(note=_("Files over 10 MB were not mailed; they are here."))
        )
    return f"{sent} mails"


def rows_of(comment_id: int) -> tuple[Any, Any]:
    """The comment and its ticket; None for what is gone."""
    comments, table = TicketComment.__table__, modules["tickets"].table
    comment = db.session.execute(select(comments).where(comments.c.id == comment_id)).mappings().first()
    if comment is None:
        return None, None
    said = select(table).where(table.c.id == comment["ticket_id"], table.c.deleted_at.is_(None))
    return comment, db.session.execute(said).mappings().first()


def recipients(ticket: Any, but: str | None = None) -> list[Address]:
    """The contact and the copies, each once, without the one who wrote it."""
    found: dict[str, Address] = {}
    own = address_of_contact(ticket["contact_id"]) if ticket["contact_id"] else None
    for one in [own, *(copy.addr for copy in mails.copies_of(ticket))]:
        try:
            address = Address(one) if one else None
        except BadAddress:
            continue
        if address is not None and address.addr.lower() != (but or "").lower():
            found.setdefault(address.addr.lower(), address)
    return list(found.values())


def address_of_contact(contact_id: int) -> str | None:
    """The address of a contact that can be written to."""
    table = modules["contacts"].table
    row = db.session.execute(
        select(table.c.email, table.c.email_status).where(table.c.id == contact_id, table.c.deleted_at.is_(None))
    ).first()
    return row.email if row is not None and row.email_status != "hard_bounced" else None


def _files(comment_id: int) -> tuple[list[Attachment], bool]:
    return as_mailed(files_of([comment_id]).get(comment_id, []))


def as_mailed(files: Iterable[StoredFile]) -> tuple[list[Attachment], bool]:
    """Stored files as a mail carries them, 10 MB in all, and whether any was left out."""
    found: list[Attachment] = []
    room = MOST_OCTETS
    for file in files:
        if file.size > room:
            return found, True
        room -= file.size
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        kind = "application/octet-stream" if kind.startswith(("multipart/", "message/")) else kind
        found.append(Attachment(file.name, kind, attachments.path_of(file.sha256).read_bytes()))
    return found, False


def _name_of(user_id: int | None) -> str:
    if user_id is None:
        return ""
    row = db.session.execute(select(User.first_name, User.last_name).where(User.id == user_id)).first()
    return f"{row.first_name or ''} {row.last_name}".strip() if row else ""


def _note(comment_id: int, note: str) -> None:
    db.session.execute(
        update(TicketComment).where(TicketComment.id == comment_id).values(flag="unsent", note=note[:500])
    )
