"""Mailboxes for what comes back, as administrators set them up; and the return path that mails of a sender get."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from crm.db import db, id_inserted
from crm.engine.refusals import Fault, Missing, Refused
from crm.identity.sealing import sealer
from crm.mail.mailbox import Account
from crm.mail.message import Address, BadAddress
from crm.mail.senders import return_path
from crm.modules.tickets.scanning import entry
from crm.modules.tickets.scanning.connecting import Checked, clean_connection, get_in, look
from crm.modules.tickets.scanning.entry import Secrets
from crm.words import _
from ecp.bounces.tables import ReturnMailbox
from ecp.pipeline.envelope import RETURN_OCTETS, bounce_token

ROOM = "returns"  # of their secrets among the keys
TEXTS = ("name", "host", "username", "encryption", "auth", "folder", "move_to", "return_path", "authorities", "token_address", "client_id", "scope")  # fmt: skip
TICKS = ("active", "validates_certificate", "for_all")


def listed() -> list[Any]:
    """Every mailbox, by name."""
    return list(db.session.execute(select(ReturnMailbox.__table__).order_by(ReturnMailbox.name)).mappings())


def one(id: int) -> dict[str, Any]:
    """A mailbox. Raises Missing."""
    row = db.session.execute(select(ReturnMailbox.__table__).where(ReturnMailbox.id == id)).mappings().first()
    if row is None:
        raise Missing
    return dict(row)


def save(
    values: Mapping[str, Any], secrets: Secrets, id: int | None = None, look: Callable[[Account], Checked] = look
) -> int:
    """Make or change a mailbox, after its connection was tried: what does not work is not stored. The caller commits.

    Empty secrets keep the old ones, unless they would go to another server. Raises Refused, Missing."""
    old = one(id) if id else None
    row = _clean(values, id)
    checked, secrets = get_in(row, secrets, old, ROOM, look)
    if row["folder"] not in checked.folders:
        known = ", ".join(checked.folders[:20])
        sentence = _(
            "There is no folder “%(folder)s” in this mailbox. It has: %(known)s.", folder=row["folder"], known=known
        )
        raise Refused.because("folder", sentence, "folder")
    if id is None:
        id = id_inserted(insert(ReturnMailbox).values(**row))
    else:
        fresh = {"failures": 0, "last_error": None, "next_run_at": None}
        db.session.execute(update(ReturnMailbox).where(ReturnMailbox.id == id).values(**row, **fresh))
    entry.keep(id, secrets, ROOM)
    return id


def _clean(values: Mapping[str, Any], id: int | None) -> dict[str, Any]:
    faults: dict[str, list[Fault]] = {}
    row: dict[str, Any] = {name: str(values.get(name) or "").strip() for name in TEXTS}
    row |= {name: bool(values.get(name)) for name in TICKS} | {"port": values.get("port")}
    for name, sentence in (
        ("name", _("Give the mailbox a name.")), ("host", _("Say which server the mailbox is on.")),
        ("username", _("Say the user name of the mailbox.")),
    ):  # fmt: skip
        if not row[name]:
            faults[name] = [Fault("required", sentence)]
    for name, most in (("name", 120), ("username", 255), ("folder", 255), ("move_to", 255)):
        if len(row[name]) > most:
            faults[name] = [Fault("too_long", _("This takes at most %(limit)s characters; there are %(count)s.", limit=most, count=len(row[name])))]  # fmt: skip
    faults |= clean_connection(row)
    row["folder"] = row["folder"] or "INBOX"
    row["move_to"] = row["move_to"] or None
    if row["return_path"]:
        try:
            row["return_path"] = Address(row["return_path"]).addr
            return_path(row["return_path"], "0" * 44)
        except BadAddress as bad:
            faults["return_path"] = [Fault("bad_email", str(bad))]
    row["return_path"] = row["return_path"] or None
    if row["move_to"] and row["move_to"] == row["folder"]:
        faults["move_to"] = [Fault("same", _("This is the folder that is read. Name another one, or none."))]
    twin = select(ReturnMailbox.id).where(ReturnMailbox.name == row["name"], ReturnMailbox.id != (id or 0))
    if "name" not in faults and db.session.execute(twin).first() is not None:
        faults["name"] = [Fault("not_unique", _("There is a mailbox of this name."))]
    if faults:
        raise Refused(faults)
    return row


def remove(id: int) -> None:
    """Delete a mailbox and its secrets; what it brought stays. Raises Missing. The caller commits."""
    one(id)
    db.session.execute(delete(ReturnMailbox).where(ReturnMailbox.id == id))
    entry.forget(id, ROOM)


def bounce_address(sender: str) -> str:
    """Where bounces of mails from `sender` shall come to: the mailbox under the sender's domain (SPF is judged there), else
    the one for all, else the sender's own."""
    domain = sender.rpartition("@")[2].lower()
    said = select(ReturnMailbox.return_path, ReturnMailbox.for_all).where(
        ReturnMailbox.active, ReturnMailbox.return_path.is_not(None)
    )
    found = db.session.execute(said.order_by(ReturnMailbox.id)).all()
    aligned = [row.return_path for row in found if is_aligned(row.return_path.rpartition("@")[2], domain)]
    general = [row.return_path for row in found if row.for_all]
    return str(next(iter([*aligned, *general]), sender))


def is_aligned(one: str, other: str) -> bool:
    """Whether one domain is the other, or lies below it: what DMARC asks of SPF when it is not strict."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def personal_path(sender: str, delivery_id: int) -> str:
    """The return path of one mail that is no mailing: sealed where a mailbox of ours reads it, else the sender's own."""
    mailbox = bounce_address(sender)
    if mailbox == sender:
        return sender
    return return_path(mailbox, bounce_token(sealer().octets("bounce", delivery_id, RETURN_OCTETS)))
