"""Documents of a customer: files of the contact's card that staff share, and those the customer sent (spec/portal.md 1.9)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from crm import clock
from crm.db import db, rows_changed
from crm.engine import history
from crm.engine.attachments import EntityFile, StoredFile, path_of
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.portals import letters
from crm.modules.rules import demand_record
from crm.words import _

PAIRS = EntityFile.__table__
MOST = 200  # documents of one contact; who has so many asks to have old ones taken away


def of_contact(contact_id: int) -> list[StoredFile]:
    """The documents that the contact sees, newest first. The right to ask is the caller's affair."""
    said = select(StoredFile).join(PAIRS, PAIRS.c.file_id == StoredFile.id).where(*_is_shared(contact_id))
    return list(db.session.execute(said.order_by(PAIRS.c.shared_at.desc(), StoredFile.id.desc()).limit(MOST)).scalars())


def file_of(contact_id: int, file_id: int) -> tuple[StoredFile, Path]:
    """One of them. Raises Missing."""
    said = select(StoredFile).join(PAIRS, PAIRS.c.file_id == StoredFile.id)
    found = db.session.execute(said.where(*_is_shared(contact_id), StoredFile.id == file_id)).scalar()
    if found is None:
        raise Missing
    return found, path_of(found.sha256)


def shared_ids(contact_id: int) -> frozenset[int]:
    """Which files of the card the contact sees. The right to ask is the caller's affair."""
    return frozenset(db.session.scalars(select(PAIRS.c.file_id).where(*_is_shared(contact_id))))


def share(viewer: Viewer, contact_id: int, file_id: int, is_shared: bool) -> None:
    """Let the contact see a file of the card, or no longer. Raises Missing, Forbidden. The caller commits."""
    demand_record(viewer, "contacts", contact_id, "edit")
    pair = PAIRS.c.entity_id == contact_id, PAIRS.c.file_id == file_id
    if db.session.execute(select(PAIRS.c.file_id).where(*pair)).first() is None:
        raise Missing
    other = PAIRS.c.shared_at.is_(None) if is_shared else PAIRS.c.shared_at.is_not(None)
    if rows_changed(update(PAIRS).where(*pair, other).values(shared_at=clock.now() if is_shared else None)):
        event = "file shared" if is_shared else "file no longer shared"
        history.note_events(viewer, modules["contacts"], [contact_id], event, Channel.FORM, clock.now())


def send(viewer: Viewer, contact: Any, files: Iterable[StoredFile]) -> None:
    """Hang stored files that the customer sent on the own card; who looks after the contact is told.

    Raises Refused when there are too many already. The caller commits."""
    sent, now = list(files), clock.now()
    held = db.session.scalar(select(func.count()).select_from(PAIRS).where(*_is_shared(contact["id"]))) or 0
    if held + len(sent) > MOST:
        message = _("There are %(most)s documents at most. Ask us to take away old ones.", most=MOST)
        raise Refused.because("too_many", message, "file")
    rows = [{"entity_id": contact["id"], "file_id": one.id, "shared_at": now} for one in sent]
    db.session.execute(insert(PAIRS), rows)
    history.note_events(viewer, modules["contacts"], [contact["id"]], "file attached", Channel.PORTAL, now)
    subject = _("%(who)s sent documents in the portal", who=viewer.name)
    lines = [*(one.name for one in sent), "", f"{letters.crm_base()}/crm/contacts/{contact['id']}"]
    letters.tell_owner(contact["owner_id"], subject, "\n".join(lines), f"portal_documents:{sent[0].id}")


def _is_shared(contact_id: int) -> tuple[Any, ...]:
    return PAIRS.c.entity_id == contact_id, PAIRS.c.shared_at.is_not(None)
