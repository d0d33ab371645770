"""Which ticket a mail answers, by proofs only: the sealed reply address, Message-IDs of the thread, number with signed code."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, union_all

from crm.db import db, fold, fold_text
from crm.engine.registry import modules
from crm.mail.inbox.parse import Incoming
from crm.modules.tickets import codes
from crm.modules.tickets.comments import TicketMail
from crm.modules.tickets.scanning.tables import ScannedMail


def ticket_of(mail: Incoming, mailboxes: Iterable[str]) -> dict[str, Any] | None:
    """The ticket that a mail provably belongs to; None for none, whatever number its subject shows."""
    for find in (_by_address, _by_thread, _by_code):
        for id in find(mail, list(mailboxes)):
            found = row_of(id)
            if found is not None:
                return found
    return None


def row_of(id: int) -> dict[str, Any] | None:
    """A living ticket; of a merged one the ticket that took it in."""
    table = modules["tickets"].table
    for _step in range(5):
        row = db.session.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None))).mappings().first()
        if row is None:
            return None
        if not row["merged_into_id"]:
            return dict(row)
        id = row["merged_into_id"]
    return None


def _by_address(mail: Incoming, mailboxes: list[str]) -> Iterable[int]:
    for address in (*mail.to, *mail.cc, *mail.delivered_to):
        for mailbox in mailboxes:
            found = codes.ticket_of(address.addr, mailbox)
            if found is not None:
                yield found


def _by_thread(mail: Incoming, _mailboxes: list[str]) -> Iterable[int]:
    return by_message_ids([*mail.in_reply_to, *reversed(mail.references)])


def by_message_ids(identities: list[str]) -> list[int]:
    """The tickets that mails of these Message-IDs belong to, ours and theirs, in the order of the ids."""
    wanted = list(dict.fromkeys(identities))[:100]
    if not wanted:
        return []
    ours, theirs = TicketMail.__table__, ScannedMail.__table__
    rows = dict(
        db.session.execute(
            union_all(
                select(theirs.c.message_id, theirs.c.ticket_id).where(theirs.c.message_id.in_(wanted), theirs.c.ticket_id.is_not(None)),
                select(ours.c.message_id, ours.c.ticket_id).where(ours.c.message_id.in_(wanted)),
            )
        ).all()
    )  # fmt: skip
    return [rows[one] for one in wanted if one in rows]


def sent_as(identities: Iterable[str]) -> list[tuple[int, str]]:
    """(ticket, address it went to) of those Message-IDs that are of mails which we wrote."""
    table = TicketMail.__table__
    said = select(table.c.ticket_id, table.c.email_key).where(table.c.message_id.in_(list(identities)[:100]))
    return [(row.ticket_id, row.email_key) for row in db.session.execute(said.order_by(table.c.id))]


def _by_code(mail: Incoming, _mailboxes: list[str]) -> Iterable[int]:
    for number, code in codes.marks_in(mail.subject):
        for id in ids_of_number(number):
            if codes.is_code(id, code):
                yield id


def ids_of_number(number: str) -> list[int]:
    """The living tickets of a number: one or none."""
    table = modules["tickets"].table
    said = select(table.c.id).where(fold(table.c.number) == fold_text(number), table.c.deleted_at.is_(None))
    return list(db.session.scalars(said.limit(2)))


def named_without_proof(mail: Incoming) -> str:
    """The number of an existing ticket that the subject names; for a note on the new one."""
    return next((number for number in codes.numbers_in(mail.subject) if ids_of_number(number)), "")
