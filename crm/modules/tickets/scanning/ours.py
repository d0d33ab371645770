"""The house's own addresses: what comes from them is no customer's mail."""

from dataclasses import dataclass

from sqlalchemy import select

from crm.db import db
from crm.engine.registry import modules
from crm.modules.tickets.scanning.tables import MailScanner


@dataclass(frozen=True)
class Ours:
    """Addresses of the house: `mailboxes` take answers, all of `addresses` are never a customer's."""

    mailboxes: tuple[str, ...]
    addresses: frozenset[str]

    def has(self, addr: str) -> bool:
        """Whether mail from this address is our own coming back."""
        local, _at, domain = addr.lower().partition("@")
        return addr.lower() in self.addresses or f"{local.partition('+')[0]}@{domain}" in self.addresses


def ours() -> Ours:
    """As they are now; read once a run."""
    rows = db.session.execute(select(MailScanner.reply_from, MailScanner.username)).all()
    table = modules["sender_addresses"].table
    senders = db.session.scalars(select(table.c.address).where(table.c.deleted_at.is_(None)))
    boxes = tuple(dict.fromkeys(row.reply_from for row in rows if row.reply_from))
    return Ours(boxes, frozenset(one.lower() for one in (*boxes, *(row.username for row in rows), *senders)))
