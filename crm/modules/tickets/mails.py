"""Mails about a ticket: who they come from, where answers go, the headers that lead them home, and the guard against loops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select

from crm import clock, config
from crm.db import db
from crm.engine.registry import modules
from crm.identity import keys
from crm.mail.letters import AutoSubmitted, Letter
from crm.mail.message import Address, Attachment, BadAddress, one_line
from crm.mail.senders import message_id
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.modules.tickets import codes
from crm.modules.tickets.comments import TicketComment, TicketMail
from crm.modules.tickets.scanning.tables import MailScanner, ScannedMail
from crm.words import LANGUAGES

AUTOMATIC_PER_SENDER = (3, timedelta(hours=1))
AUTOMATIC_PER_TICKET = (10, timedelta(days=1))
MOST_REFERENCES = 20


@dataclass(frozen=True)
class Post:
    """Who a ticket's mails come from, and the mailbox that answers come to ("" without a scanner)."""

    sender: Address
    mailbox: str = ""
    has_plus: bool = False


@dataclass(frozen=True)
class Content:
    """What a mail says: subject without mark, text, HTML."""

    subject: str
    text: str
    html: str = ""


def post_of(ticket: Any) -> Post | None:
    """By the ticket's scanner, else the first one that works, else the default sender; None when the house has no address."""
    table = MailScanner.__table__
    said = select(table).where(table.c.active, table.c.reply_from.is_not(None))
    chosen = db.session.execute(
        said.order_by((table.c.id == (ticket["scanner_id"] or 0)).desc(), table.c.id).limit(1)
    ).mappings().first()  # fmt: skip
    row = default_row()
    name = (row.display_name if row else "") or ""
    if chosen is not None:
        return Post(Address(chosen["reply_from"], name), chosen["reply_from"], chosen["has_plus"])
    return Post(Address(row.address, name)) if row is not None else None


def language_of(ticket: Any) -> str:
    """The language in which the house writes about a ticket: that of its contact, of its mailbox, of the site."""
    contacts, scanners = modules["contacts"].table, MailScanner.__table__
    said = [
        db.session.scalar(select(table.c[name]).where(table.c.id == (ticket[key] or 0)))
        for table, name, key in ((contacts, "language", "contact_id"), (scanners, "default_language", "scanner_id"))
    ]
    return next((one for one in said if one in LANGUAGES), str(config.current().locale))


def may_answer_automatically(email_key: str, ticket_id: int) -> bool:
    """Whether one more automatic mail would still be no loop: 3 an hour to one address, 10 a day about one ticket."""
    table = TicketMail.__table__
    for (most, span), column, value in (
        (AUTOMATIC_PER_SENDER, table.c.email_key, email_key),
        (AUTOMATIC_PER_TICKET, table.c.ticket_id, ticket_id),
    ):
        said = select(func.count()).where(column == value, table.c.is_automatic, table.c.at > clock.now() - span)
        if (db.session.execute(said).scalar() or 0) >= most:
            return False
    return True


def send(
    ticket: Any, to: Address, content: Content, *, dedupe_key: str, automatic: AutoSubmitted = "",
    comment_id: int | None = None, files: Sequence[Attachment] = (), also: Sequence[str] = (),
) -> bool:  # fmt: skip
    """Put one mail about a ticket into the outbox; False when it was put before, or nothing may be sent. The caller commits.

    `also`: Message-IDs that it answers beyond those known of the thread. `automatic`: "" for what a person wrote; what a machine wrote is bound by the guard against loops.
    """
    post = post_of(ticket)
    if post is None or (automatic and not may_answer_automatically(to.addr.lower(), ticket["id"])):
        return False
    thread = [*references(ticket["id"]), *(one for one in also if one)]
    reply_to = post.mailbox and (codes.reply_address(post.mailbox, ticket["id"]) if post.has_plus else post.mailbox)
    letter = Letter(
        to, one_line(f"{codes.mark(ticket['number'], ticket['id'])} {content.subject}")[:300], content.text, content.html,
        Address(reply_to) if reply_to else None, automatic, thread[-1] if thread else "", tuple(thread), tuple(files),
    )  # fmt: skip
    person = ("contacts", ticket["contact_id"]) if ticket["contact_id"] else None
    delivery_id = singles.put_letter(db.session, letter, post.sender, dedupe_key=dedupe_key, person=person)
    if delivery_id is None:
        return False
    identity = message_id(keys.of("message_id"), "delivery", delivery_id, post.sender.domain)
    db.session.execute(insert(TicketMail.__table__).values(
        ticket_id=ticket["id"], comment_id=comment_id, delivery_id=delivery_id, message_id=identity,
        email_key=to.addr.lower(), is_automatic=bool(automatic), at=clock.now(),
    ))  # fmt: skip
    return True


def references(ticket_id: int) -> list[str]:
    """The Message-IDs of the thread, oldest first: what came in and what went out in public."""
    ours, theirs, comments = TicketMail.__table__, ScannedMail.__table__, TicketComment.__table__
    out = db.session.execute(select(ours.c.at, ours.c.message_id).where(ours.c.ticket_id == ticket_id))
    came = db.session.execute(
        select(theirs.c.at, theirs.c.message_id)
        .outerjoin(comments, comments.c.id == theirs.c.comment_id)
        .where(theirs.c.ticket_id == ticket_id, theirs.c.message_id.is_not(None))
        .where(func.coalesce(comments.c.visibility, "public") == "public")
    )
    known = sorted([*map(tuple, out), *map(tuple, came)])
    return [identity for _at, identity in known][-MOST_REFERENCES:]


def copies_of(ticket: Any) -> list[Address]:
    """The addresses that get copies; what is none is left out."""
    found = []
    for one in (ticket["cc"] or "").replace(";", ",").replace("\n", ",").split(","):
        try:
            found.append(Address(one.strip()))
        except BadAddress:
            continue
    return found[:20]
