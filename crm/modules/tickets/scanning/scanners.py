"""Scanners as administrators set them up: read, checked against the real server, saved with their secrets wrapped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from crm.db import db, id_inserted
from crm.engine.refusals import Fault, Missing, Refused
from crm.identity.owners import owners_among
from crm.mail.mailbox import Account
from crm.mail.message import Address, BadAddress
from crm.modules.tickets.scanning import entry
from crm.modules.tickets.scanning.connecting import Checked, clean_connection, get_in, look
from crm.modules.tickets.scanning.entry import Secrets
from crm.modules.tickets.scanning.tables import MailScanner, ScannedMail, ScannerRule
from crm.words import LANGUAGES, _

SCANS = ("unread", "all_since_last")
SAVED = (
    "name", "active", "host", "port", "encryption", "validates_certificate", "authorities", "username", "auth", "token_address",
    "client_id", "scope", "folders", "scans", "move_to", "reply_from", "has_plus", "makes_contacts", "owner_id",
    "default_language",
)  # fmt: skip


def listed() -> list[Any]:
    """Every scanner, by name."""
    return list(db.session.execute(select(MailScanner.__table__).order_by(MailScanner.name)).mappings())


def one(id: int) -> dict[str, Any]:
    """A scanner. Raises Missing."""
    row = db.session.execute(select(MailScanner.__table__).where(MailScanner.id == id)).mappings().first()
    if row is None:
        raise Missing
    return dict(row)


def save(
    values: Mapping[str, Any], secrets: Secrets, id: int | None = None, look: Callable[[Account], Checked] = look
) -> tuple[int, Checked]:
    """Make or change a scanner, after its connection was tried: what does not work is not stored. The caller commits.

    Empty secrets keep the old ones, unless the scanner would now hand them to another server. Raises Refused, Missing.
    """
    old = one(id) if id else None
    row = _clean(values, id)
    checked, secrets = get_in(row, secrets, old, look=look)
    if unknown := [folder for folder in row["folders"] if folder not in checked.folders]:
        raise Refused.because(
            "folder", _("There is no folder “%(folder)s” in this mailbox.", folder=unknown[0]), "folders"
        )
    row["known_folders"] = list(checked.folders)
    if id is None:
        id = id_inserted(insert(MailScanner).values(**row))
    else:
        fresh = {"failures": 0, "last_error": None, "next_run_at": None}
        db.session.execute(update(MailScanner).where(MailScanner.id == id).values(**row, **fresh))
    entry.keep(id, secrets)
    return id, checked


def note_folders(id: int, checked: Checked) -> None:
    """Keep the names that the server gave. The caller commits."""
    db.session.execute(update(MailScanner).where(MailScanner.id == id).values(known_folders=list(checked.folders)))


def _clean(values: Mapping[str, Any], id: int | None) -> dict[str, Any]:
    faults: dict[str, list[Fault]] = {}
    row: dict[str, Any] = {name: values.get(name) for name in SAVED}
    for name, sentence in (
        ("name", _("Give the scanner a name.")), ("host", _("Say which server the mailbox is on.")),
        ("username", _("Say the user name of the mailbox.")),
    ):  # fmt: skip
        row[name] = str(row[name] or "").strip()
        if not row[name]:
            faults[name] = [Fault("required", sentence)]
    faults |= clean_connection(row)
    if row["scans"] not in SCANS:
        faults["scans"] = [Fault("not_in_list", _("Choose a value of the list."))]
    if row["reply_from"]:
        try:
            row["reply_from"] = Address(row["reply_from"]).addr
        except BadAddress as bad:
            faults["reply_from"] = [Fault("bad_email", str(bad))]
    row["default_language"] = row["default_language"] or None
    if row["default_language"] not in (None, *LANGUAGES):
        faults["default_language"] = [Fault("not_in_list", _("Choose a value of the list."))]
    row["reply_from"], row["move_to"] = row["reply_from"] or None, str(row["move_to"] or "").strip() or None
    row["folders"] = [str(folder) for folder in row["folders"] or []][:50]
    if row["owner_id"] and not owners_among([row["owner_id"]]):
        faults["owner_id"] = [Fault("no_such_record", _("This user or group is not active, or does not exist."))]
    for name in ("active", "validates_certificate", "has_plus", "makes_contacts"):
        row[name] = bool(row[name])
    twin = select(MailScanner.id).where(MailScanner.name == row["name"], MailScanner.id != (id or 0))
    if "name" not in faults and db.session.execute(twin).first() is not None:
        faults["name"] = [Fault("not_unique", _("There is a scanner of this name."))]
    if faults:
        raise Refused(faults)
    return row


def remove(id: int) -> None:
    """Delete a scanner, its rules and its secrets; tickets stay. Raises Missing. The caller commits."""
    one(id)
    for table in (ScannerRule, ScannedMail):
        db.session.execute(delete(table).where(table.scanner_id == id))
    db.session.execute(delete(MailScanner).where(MailScanner.id == id))
    entry.forget(id)


def latest(scanner_id: int, limit: int = 30) -> Sequence[Any]:
    """What the scanner did last, newest first."""
    table = ScannedMail.__table__
    said = select(table).where(table.c.scanner_id == scanner_id).order_by(table.c.id.desc()).limit(limit)
    return db.session.execute(said).mappings().all()
