"""Saying something on a ticket: rights, rules of states, who is told. Every comment of people and mails goes through `say`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from crm import clock
from crm.db import db
from crm.engine import history, outbox, records
from crm.engine.attachments import StoredFile
from crm.engine.channels import Channel
from crm.engine.permissions import scope
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.organisation import organisation
from crm.modules.rules import demand_record
from crm.modules.tickets import settings, statuses
from crm.modules.tickets.comments import CommentFile, TicketComment
from crm.words import _

MOST = 60_000
EDITED_WITHIN = timedelta(minutes=15)
VISIBILITIES = ("public", "internal")


@dataclass(frozen=True)
class Author:
    """Who speaks: `kind` staff, customer or house; a customer is a contact (or, by mail, a name alone)."""

    kind: str
    name: str
    user_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True)
class Said:
    """What came of it: the comment, and the ticket it stands on now (a new one when the old was closed too long ago)."""

    comment_id: int
    ticket_id: int


def author_of(viewer: Viewer, contact_id: int | None = None) -> Author:
    """The author that a viewer is."""
    if viewer.kind in {"customer", "link"}:
        return Author("customer", viewer.name, contact_id=contact_id)
    if viewer.is_system:
        return Author("house", "")
    return Author("staff", viewer.name, user_id=viewer.id)


def say(
    viewer: Viewer, ticket_id: int, text: str, visibility: str = "public", channel: Channel = Channel.FORM, *,
    file_ids: Iterable[int] = (), status: str = "", contact_id: int | None = None,
) -> int:  # fmt: skip
    """Comment on a ticket as `viewer`; gives the comment's id. An agent's public comment goes out by mail; `status` is set with it.

    A customer needs to see the ticket and speaks always in public; `contact_id` is his. Raises Missing, Forbidden,
    Refused, Conflict. The caller commits.
    """
    text = checked(text)
    if viewer.kind in {"customer", "link"}:
        ticket = demand_record(viewer, "tickets", ticket_id, "view")
        author = author_of(viewer, contact_id or (viewer.customer.contact_id if viewer.customer else None))
        return reply(ticket, author, {"text": text, "source": "portal"}, file_ids, channel).comment_id
    ticket = demand_record(viewer, "tickets", ticket_id, "edit" if visibility == "public" or status else "view")
    if visibility not in VISIBILITIES:
        raise Refused.because("not_in_list", _("Say whether the customer sees it."), "visibility")
    author = author_of(viewer)
    comment_id = put(
        ticket_id,
        author,
        {"text": text, "visibility": visibility, "source": "api" if channel is Channel.API else "crm"},
        file_ids,
    )
    if visibility == "public":
        is_answered(ticket)
        outbox.put(db.session, "tickets.answer", dedupe_key=f"tickets:answer:{comment_id}", comment_id=comment_id)
    if status and status != ticket["status"]:
        records.update(viewer, "tickets", ticket_id, {"status": status}, channel)
    outbox.put(db.session, "tickets.tell_comment", comment_id=comment_id, dedupe_key=f"tickets:tell:{comment_id}")
    return comment_id


def checked(text: str) -> str:
    """The text of a comment. Raises Refused for none and for a novel."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Refused.because("required", _("Write something first."), "text")
    if len(text) > MOST:
        sentence = _("This takes at most %(limit)s characters; there are %(count)s.", limit=MOST, count=len(text))
        raise Refused.because("too_long", sentence, "text")
    return text


def is_answered(ticket: Mapping[str, Any]) -> None:
    """Note the first answer of the house."""
    if not ticket["first_answer_at"]:
        records.update(
            SYSTEM, "tickets", ticket["id"], {"first_answer_at": clock.now(), "answer_overdue": False}, Channel.SYSTEM
        )


def reply(
    ticket: Mapping[str, Any], author: Author, values: dict[str, Any], file_ids: Iterable[int], channel: Channel
) -> Said:
    """What a customer says, with the rule of states: waiting → in progress, closed lately → open again, long ago → a new ticket."""
    id, table = int(ticket["id"]), modules["tickets"].table
    if ticket["merged_into_id"]:
        into = db.session.execute(select(table).where(table.c.id == ticket["merged_into_id"])).mappings().first()
        if into is not None and into["deleted_at"] is None:
            return reply(dict(into), author, values, file_ids, channel)
    if ticket["state"] == "closed" and not may_reopen(ticket):
        id = follow_on(ticket, author, values)
    elif ticket["state"] != "open":
        records.update(SYSTEM, "tickets", id, {"status": statuses.in_progress()}, Channel.SYSTEM)
    comment_id = put(id, author, {**values, "visibility": "public"}, file_ids)
    outbox.put(db.session, "tickets.tell_comment", comment_id=comment_id, dedupe_key=f"tickets:tell:{comment_id}")
    return Said(comment_id, id)


def may_reopen(ticket: Mapping[str, Any]) -> bool:
    """Whether a closed ticket is young enough to be opened again."""
    closed = ticket["closed_at"]
    return closed is None or closed > clock.now() - timedelta(days=settings.current().reopens_for_days)


def follow_on(ticket: Mapping[str, Any], author: Author, values: Mapping[str, Any]) -> int:
    """A new ticket that follows on a closed one, for the same people; gives its id."""
    made = {
        name: ticket[name]
        for name in ("title", "contact_id", "account_id", "product_id", "priority", "category", "cc", "scanner_id")
    }
    made |= {"description": values.get("text"), "source": values.get("source", "portal"), "parent_id": ticket["id"]}
    if author.contact_id and not made["contact_id"]:
        made["contact_id"] = author.contact_id
    return records.create(SYSTEM, "tickets", made, Channel.SYSTEM)


def put(ticket_id: int, author: Author, values: dict[str, Any], file_ids: Iterable[int] = ()) -> int:
    """Write the comment and nothing else; gives its id. The right to it is the caller's affair."""
    now = clock.now()
    name = author.name or ((organisation().name or _("The house")) if author.kind == "house" else "")
    row = {
        "ticket_id": ticket_id, "at": now, "author": author.kind, "user_id": author.user_id,
        "contact_id": author.contact_id, "author_name": name[:160] or None,
    } | values  # fmt: skip
    comment_id = records.create(SYSTEM, "ticket_comments", row, Channel.SYSTEM)
    files = [{"comment_id": comment_id, "file_id": file_id} for file_id in dict.fromkeys(file_ids)]
    if files:
        db.session.execute(insert(CommentFile.__table__), files)
    table = modules["tickets"].table
    db.session.execute(update(table).where(table.c.id == ticket_id).values(last_comment_at=now))
    return comment_id


def change_text(viewer: Viewer, comment_id: int, text: str) -> None:
    """Mend one's own note for staff within 15 minutes. Raises Missing, Refused, Conflict. The caller commits."""
    row = mendable(viewer, comment_id)
    table, now = TicketComment.__table__, clock.now()
    db.session.execute(update(table).where(table.c.id == comment_id).values(text=checked(text), edited_at=now))
    history.note_events(viewer, modules["tickets"], [row["ticket_id"]], "comment changed", Channel.FORM, now)


def mendable(viewer: Viewer, comment_id: int) -> dict[str, Any]:
    """One's own comment that may still be changed. Raises Missing, and Conflict with the reason why not."""
    row = own(viewer, comment_id)
    if row["visibility"] == "public":
        raise Conflict(_("What the customer has read is not changed. Write another comment."), "sent")
    if not is_young(row):
        raise Conflict(_("A comment can be changed for 15 minutes only."), "too_late")
    return row


def is_young(row: Mapping[str, Any]) -> bool:
    """Whether a comment is there and was written in the last 15 minutes."""
    return not row["removed_at"] and clock.now() - row["at"] <= EDITED_WITHIN


def remove(viewer: Viewer, comment_id: int) -> None:
    """Take a comment's words and files away; a mark stays. Raises Missing, Forbidden."""
    row = own(viewer, comment_id)
    table = TicketComment.__table__
    gone = {"text": None, "html": None, "quoted": None, "removed_at": clock.now()}
    db.session.execute(update(table).where(table.c.id == comment_id).values(gone))
    db.session.execute(delete(CommentFile).where(CommentFile.comment_id == comment_id))
    history.note_events(viewer, modules["tickets"], [row["ticket_id"]], "comment removed", Channel.FORM, clock.now())


def own(viewer: Viewer, comment_id: int) -> dict[str, Any]:
    """A comment that the viewer wrote, or that an administrator may touch. Raises Missing."""
    row = of_id(viewer, comment_id)
    if not (viewer.is_admin or viewer.is_system or (row["user_id"] is not None and row["user_id"] == viewer.id)):
        raise Missing
    return row


def of_id(viewer: Viewer, comment_id: int) -> dict[str, Any]:
    """A comment that the viewer may see. Raises Missing."""
    table = TicketComment.__table__
    said = select(table).where(table.c.id == comment_id)
    narrowing = scope(viewer, "ticket_comments")
    row = db.session.execute(said if narrowing is None else said.where(narrowing)).mappings().first()
    if row is None:
        raise Missing
    return dict(row)


def files_of(comment_ids: Iterable[int]) -> dict[int, list[StoredFile]]:
    """The files of some comments; the right to the comments is the caller's affair."""
    ids, found = list(comment_ids), dict[int, list[StoredFile]]()
    said = select(CommentFile.comment_id, StoredFile).join(StoredFile, StoredFile.id == CommentFile.file_id)
    for comment_id, file in db.session.execute(said.where(CommentFile.comment_id.in_(ids)).order_by(StoredFile.id)):
        found.setdefault(comment_id, []).append(file)
    return found


def file_of(viewer: Viewer, ticket_id: int, file_id: int) -> StoredFile:
    """A file of a comment that the viewer may see. Raises Missing."""
    table = TicketComment.__table__
    said = (
        select(StoredFile)
        .join(CommentFile, CommentFile.file_id == StoredFile.id)
        .join(table, table.c.id == CommentFile.comment_id)
        .where(StoredFile.id == file_id, table.c.ticket_id == ticket_id)
    )
    narrowing = scope(viewer, "ticket_comments")
    found = db.session.execute(said if narrowing is None else said.where(narrowing)).scalars().first()
    if found is None:
        raise Missing
    return found  # type: ignore[no-any-return]
