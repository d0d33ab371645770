"""The documents of a person on the personal page: certificates that were issued and not taken back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.documents.certificates import TABLE
from crm.engine.attachments import StoredFile, path_of
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.modules.privacy.showing import day_of
from crm.words import N_
from self_service_portal.pages import Section

ROWS = 50


def _of(contact_id: int) -> Any:
    events, e = (modules[key].table for key in ("invitation_events", "mass_events"))
    name = events.c.name.label("name")
    said = select(TABLE.c.id, TABLE.c.number, TABLE.c.issued_at, name, e.c.name.label("other"), TABLE.c.file_id)
    said = said.outerjoin(events, events.c.id == TABLE.c.event_id).outerjoin(e, e.c.id == TABLE.c.event_id)
    return said.where(
        TABLE.c.contact_id == contact_id, TABLE.c.issued_at.is_not(None), TABLE.c.revoked_at.is_(None), TABLE.c.file_id.is_not(None)
    )  # fmt: skip


def _draw(contact_id: int) -> Mapping[str, Any] | None:
    rows = db.session.execute(_of(contact_id).order_by(TABLE.c.issued_at.desc()).limit(ROWS)).all()
    return (
        {"rows": [(row.id, row.name or row.other, row.number, day_of(row.issued_at)) for row in rows]} if rows else None
    )


def file_of(contact_id: int, certificate_id: int) -> tuple[StoredFile, Any]:
    """The file of a certificate of this person. Raises Missing."""
    row = db.session.execute(_of(contact_id).where(TABLE.c.id == certificate_id)).first()
    stored = db.session.get(StoredFile, row.file_id) if row is not None else None
    if stored is None:
        raise Missing
    return stored, path_of(stored.sha256)


DOCUMENTS = Section("documents", N_("Your documents"), "sections/documents.html", _draw)
