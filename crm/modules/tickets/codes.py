"""What proves that a mail answers one of ours: the signed code in the subject and the sealed token in the reply address.

Both are of the installation's key “tickets”; neither can be guessed, made or moved to another ticket.
"""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from crm.db import db
from crm.identity import keys
from crm.mail.message import BadAddress
from crm.mail.senders import read_return_path, return_path

KEY, KEPT = "tickets", "ticket_key"
_IN_SUBJECT = re.compile(r"\[#([A-Za-z0-9\-]{1,40})-([A-Za-z2-7]{8})\]")
_NUMBER = re.compile(r"#([A-Za-z]{0,10}-?\d{1,12})\b")
_ID_OCTETS = 8
_PURPOSE = [b"ticket_reply"]


def _key() -> bytes:
    """The key; read once a session, since every mail asks for it."""
    info = db.session().info
    if KEPT not in info:
        info[KEPT] = keys.of(KEY, 64)
    return info[KEPT]  # type: ignore[no-any-return]


def code_of(ticket_id: int) -> str:
    """The eight signs that stand behind a ticket's number in subjects."""
    seal = hmac.new(_key(), f"subject\0{ticket_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(seal[:5]).decode("ascii")


def mark(number: str, ticket_id: int) -> str:
    """What the subject of every mail about a ticket begins with."""
    return f"[#{number}-{code_of(ticket_id)}]"


def marks_in(subject: str) -> list[tuple[str, str]]:
    """The (number, code) pairs in a subject, not yet believed."""
    return [(number, code.upper()) for number, code in _IN_SUBJECT.findall(subject[:500])]


def is_code(ticket_id: int, code: str) -> bool:
    """Whether `code` is the ticket's; compared without telling by time how much was right."""
    return hmac.compare_digest(code_of(ticket_id).encode(), code.upper().encode("utf-8", "replace"))


def numbers_in(subject: str) -> list[str]:
    """The numbers that a subject names in any way; good for a note only, never a proof."""
    named = [number for number, _code in marks_in(subject)]
    return list(dict.fromkeys([*named, *_NUMBER.findall(subject[:500])]))[:5]


def reply_address(mailbox: str, ticket_id: int) -> str:
    """`support@…` with the ticket sealed in a plus part; the mailbox itself when its name is too long for that."""
    sealed = AESSIV(_key()).encrypt(ticket_id.to_bytes(_ID_OCTETS, "big"), _PURPOSE)
    try:
        return return_path(mailbox, _written(sealed))
    except BadAddress:
        return mailbox


def ticket_of(addr: str, mailbox: str) -> int | None:
    """The ticket that an address of `reply_address` was made for; None for every other address."""
    token = read_return_path(addr, mailbox)
    if token is None:
        return None
    try:
        sealed = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        if _written(sealed) != token.lower():
            return None  # another spelling of the same octets: the last letter holds bits that nobody reads
        opened = AESSIV(_key()).decrypt(sealed, _PURPOSE)
    except (binascii.Error, ValueError, InvalidTag):
        return None
    return int.from_bytes(opened, "big") if len(opened) == _ID_OCTETS else None


def _written(sealed: bytes) -> str:
    return base64.b32encode(sealed).decode("ascii").rstrip("=").lower()


def seed() -> None:
    """Make the key, so that scanning and sending processes only read it. The caller commits."""
    _key()
