"""What a certificate says of itself: number, code, the address where anybody may check it; as tags of certificate templates."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm import clock, config
from crm.db import db
from crm.documents.certificates import TABLE
from crm.documents.sources import Source, add_source
from crm.engine.fields import make
from crm.engine.rows import Row
from crm.identity.viewer import Viewer

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
LENGTH = 16
SAMPLE = {"number": "CERT0", "code": "XXXX-XXXX-XXXX-XXXX"}
FIELDS = {
    "number": make("text", "Number"), "code": make("text", "Code"), "address": make("text", "Address of the check"),
    "issued_on": make("day", "Issued on"),
}  # fmt: skip


def new_code() -> str:
    """A code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))


def said_of(certificate: Mapping[Any, Any] | None) -> dict[str, Any]:
    """What the tags `certificate.…` mean; of none: a sample."""
    today = clock.today(config.current().timezone)
    if certificate is None:
        return SAMPLE | {"address": address_of("X" * LENGTH), "issued_on": today}
    code = certificate["verify_code"]
    return {"number": certificate["number"], "code": spelled(code), "address": address_of(code), "issued_on": today}


def spelled(code: str) -> str:
    """A code in groups of four, as it is printed."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def as_typed(text: str) -> str:
    """What somebody typed, as codes are kept; "" when it cannot be one."""
    plain = "".join(letter for letter in text.upper() if letter in ALPHABET)
    return plain if len(plain) == LENGTH else ""


def address_of(code: str) -> str:
    """The public page that tells whether a certificate is valid."""
    return f"{config.current().base_url.rstrip('/')}/certificates/{code}"


def _read(_viewer: Viewer, row: Row) -> dict[str, Any]:
    said = select(TABLE).where(TABLE.c.attendee_id == row.id)
    return said_of(db.session.execute(said).mappings().first())


add_source("attendees", Source("certificate", FIELDS, _read))
