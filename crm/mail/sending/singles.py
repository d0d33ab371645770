"""Single mails (confirmation, password, letter, answer to a ticket) as deliveries without sendout, each written once.

The row is written in the caller's transaction: the mail leaves if, and only if, that commits. With a dedupe key that was
used before nothing is written, so a repeated job or a double click sends one mail.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from crm import clock
from crm.mail.assemble import build
from crm.mail.dkim import Signer
from crm.mail.letters import Letter
from crm.mail.message import Address, Attachment, Envelope, email_key
from crm.mail.senders import message_id
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed, Kind, Rendered, register
from crm.mail.sending.runs import Writes, dialect_of

Refusal = Callable[[int | None], ColumnElement[str | None] | None]
MOST_OCTETS = 10 * 1024 * 1024  # of the files of one letter


def put_mail(
    session: Writes,
    kind: str,
    to: Address,
    payload: dict[str, Any],
    *,
    dedupe_key: str,
    subject: str = "",
    person: tuple[str, int] | None = None,
) -> int | None:
    """Write one mail of `kind` into the ledger; its delivery id, None when the key was used before. The caller commits.

    `payload` is plain JSON for the kind's `render`; it is removed when the mail was sent. `subject` is
    how people find the mail again, cut at 255 characters. `person`: (module, id)."""
    dialect = postgresql if dialect_of(session) == "postgresql" else sqlite
    module, person_id = person or (None, None)
    row = dialect.insert(Delivery).values(
        kind=kind, dedupe_key=dedupe_key, email=to.addr, email_key=email_key(to.addr), payload=payload, created_at=clock.now(),
        person_module=module, person_id=person_id, contact_id=person_id if module == "contacts" else None,
        subject=subject[:255] or None,
    )  # fmt: skip
    written = row.on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Delivery.id)
    found: int | None = session.execute(written).scalar()
    return found


def put_letter(
    session: Writes, letter: Letter, sender: Address, *, dedupe_key: str, person: tuple[str, int] | None = None, kind: str = "letter"
) -> int | None:  # fmt: skip
    """The same for a letter. `sender` is what the reader sees and where bounces go; `kind`: one made by `register_letters`.

    Its files are kept in the ledger until it was sent: MOST_OCTETS at most in all, else ValueError."""
    if sum(len(file.data) for file in letter.attachments) > MOST_OCTETS or letter.inline:
        raise ValueError("A letter carries files of 10 MB at most, and no inline pictures.")
    payload: dict[str, Any] = {
        "sender": [sender.addr, sender.name], "to": [letter.to.addr, letter.to.name], "subject": letter.subject,
        "text": letter.text, "html": letter.html, "auto_submitted": letter.auto_submitted,
        "in_reply_to": letter.in_reply_to, "references": list(letter.references),
        "reply_to": [letter.reply_to.addr, letter.reply_to.name] if letter.reply_to else None,
        "files": [[file.name, file.mime_type, b64encode(file.data).decode("ascii")] for file in letter.attachments],
    }  # fmt: skip
    return put_mail(session, kind, letter.to, payload, dedupe_key=dedupe_key, subject=letter.subject, person=person)


def find_mail(session: Writes, dedupe_key: str) -> int | None:
    """The delivery id of a mail that was put with this key."""
    found: int | None = session.execute(select(Delivery.id).where(Delivery.dedupe_key == dedupe_key)).scalar()
    return found


def register_letters(
    secret: Callable[[], bytes],
    signers: Callable[[str], Sequence[Signer]] = lambda domain: (),
    path: Callable[[str, int], str] = lambda sender, delivery_id: sender,
    name: str = "letter",
    refusal: Refusal = lambda sendout_id: None,
) -> Kind:
    """Make a kind of letters known. `secret` gives the key of Message-IDs, `signers` the DKIM keys of a domain, `path` the
    return path of a delivery, `refusal` see `Kind`. A `letter` with an address for answers has a mailbox that reads what comes
    back by itself; other kinds always have the return path."""

    def load(rows: Sequence[Claimed]) -> tuple[bytes, dict[str, Sequence[Signer]], dict[int, str]]:
        senders = {row.id: str((row.payload or {})["sender"][0]) for row in rows}
        paths = {
            row.id: path(senders[row.id], row.id)
            for row in rows
            if name != "letter" or not (row.payload or {})["reply_to"]
        }
        domains = {sender.rpartition("@")[2] for sender in senders.values()}
        return secret(), {domain: signers(domain) for domain in domains}, paths

    def render(row: Claimed, loaded: Any) -> Rendered:
        key, signers_of, paths = loaded
        said = row.payload or {}
        sender = Address(*said["sender"])
        letter = Letter(
            Address(*said["to"]), said["subject"], said["text"], said["html"],
            Address(*said["reply_to"]) if said["reply_to"] else None, said["auto_submitted"], said["in_reply_to"],
            tuple(said["references"]),
            tuple(Attachment(name, kind, b64decode(data)) for name, kind, data in said.get("files", ())),
        )  # fmt: skip
        identity = message_id(key, "delivery", row.id, sender.domain)
        data = build(letter.message(sender, clock.now(), identity), signers_of.get(sender.domain, ()))
        return Rendered(Envelope(paths.get(row.id, sender.addr), letter.to.addr), data, identity)

    return register(Kind(name, render, load, refusal))
