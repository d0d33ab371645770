"""Certificates as those outside see them: anybody checks a code, the person fetches the own one; and how they are forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update

from crm import clock
from crm.db import Entity, db
from crm.documents import certificate_codes as codes
from crm.documents.certificates import TABLE
from crm.engine import attachments
from crm.engine.refusals import Missing
from crm.modules.events.attendees import TABLE as ATTENDEES


@dataclass(frozen=True)
class Valid:
    """What the public page tells of a valid certificate, and nothing else."""

    event: str
    initials: str


@dataclass(frozen=True)
class Own:
    """A certificate that its person may fetch."""

    id: int
    number: str
    event_id: int
    issued_at: datetime


def check(typed: str) -> Valid | None:
    """The certificate with the typed code; None when there is none, it was taken back, or never sent."""
    code = codes.as_typed(typed)
    if not code:
        return None
    cards = Entity.__table__
    said = (
        select(ATTENDEES.c.name, cards.c.label)
        .join(TABLE, TABLE.c.attendee_id == ATTENDEES.c.id)
        .join(cards, cards.c.id == TABLE.c.event_id)
        .where(
            TABLE.c.verify_code == code, TABLE.c.revoked_at.is_(None), TABLE.c.issued_at.is_not(None), cards.c.deleted_at.is_(None),
            ATTENDEES.c.deleted_at.is_(None),
        )
    )  # fmt: skip
    row = db.session.execute(said).first()
    return Valid(row.label or "", initials_of(row.name or "")) if row is not None else None


def initials_of(name: str) -> str:
    """“Anna-Liisa Virta” → “A. V.”"""
    return " ".join(f"{word[0].upper()}." for word in name.split() if word[0].isalpha())


def of_contact(contact_id: int, event_id: int | None = None) -> list[Own]:
    """The certificates that were sent to a person, newest first; of one event, or of all."""
    said = select(TABLE.c.id, TABLE.c.number, TABLE.c.event_id, TABLE.c.issued_at).where(*_live(contact_id))
    if event_id is not None:
        said = said.where(TABLE.c.event_id == event_id)
    return [Own(*row) for row in db.session.execute(said.order_by(TABLE.c.issued_at.desc(), TABLE.c.id.desc()))]


def open_own(contact_id: int, certificate_id: int) -> tuple[str, Path]:
    """(name, where the PDF lies) of a person's certificate. Raises Missing for one of anybody else."""
    said = select(TABLE.c.file_id).where(TABLE.c.id == certificate_id, *_live(contact_id))
    file_id = db.session.execute(said).scalar()
    found = db.session.get(attachments.StoredFile, file_id) if file_id is not None else None
    if found is None:
        raise Missing
    return found.name, attachments.path_of(found.sha256)


def _live(contact_id: int) -> Sequence[Any]:
    return (TABLE.c.contact_id == contact_id, TABLE.c.revoked_at.is_(None), TABLE.c.file_id.is_not(None))


def take_back(event_id: int, certificate_id: int) -> None:
    """The certificate is not valid from now on, and is not sent again. Raises Missing. The caller asks the right, and commits."""
    said = update(TABLE).where(TABLE.c.id == certificate_id, TABLE.c.event_id == event_id, TABLE.c.revoked_at.is_(None))
    if db.session.execute(said.values(revoked_at=clock.now()).returning(TABLE.c.id)).first() is None:
        raise Missing


def forget(contact_ids: Sequence[int]) -> int:
    """Delete the certificates of people for good, with their files (erasure); how many. The caller commits."""
    rows = db.session.execute(select(TABLE.c.id, TABLE.c.file_id).where(TABLE.c.contact_id.in_(contact_ids))).all()
    files = [row.file_id for row in rows if row.file_id is not None]
    db.session.execute(delete(TABLE).where(TABLE.c.id.in_([row.id for row in rows])))
    db.session.execute(delete(attachments.EntityFile).where(attachments.EntityFile.file_id.in_(files)))
    attachments.drop_unheld(files)
    return len(rows)
