"""Files that came with notes of service requests: who sees the note may have its files, nobody else."""

from collections.abc import Iterable

from sqlalchemy import ForeignKey, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, db
from crm.engine import attachments
from crm.engine.attachments import StoredFile
from crm.engine.permissions import scope
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity.viewer import Viewer

KEY = "sr_notes"


class SrNoteFile(db.Model):  # type: ignore[name-defined, misc]
    """That a file came with a note."""

    __tablename__ = "sr_note_files"
    note_id: Mapped[int] = mapped_column(BigId, ForeignKey("sr_notes.id", ondelete="CASCADE"), primary_key=True)
    file_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, index=True
    )


def keep(note_id: int, file_ids: Iterable[int]) -> None:
    """Hang stored files on a note. The right to it is the caller's affair."""
    rows = [{"note_id": note_id, "file_id": file_id} for file_id in dict.fromkeys(file_ids)]
    if rows:
        db.session.execute(insert(SrNoteFile.__table__), rows)


def files_of(note_ids: Iterable[int]) -> dict[int, list[StoredFile]]:
    """The files of some notes, by note; the right to the notes is the caller's affair."""
    found: dict[int, list[StoredFile]] = {}
    said = select(SrNoteFile.note_id, StoredFile).join(StoredFile, StoredFile.id == SrNoteFile.file_id)
    for note_id, file in db.session.execute(said.where(SrNoteFile.note_id.in_(list(note_ids))).order_by(StoredFile.id)):
        found.setdefault(note_id, []).append(file)
    return found


def forget(contact_ids: Iterable[int]) -> int:
    """Take away the files that came with notes of these contacts; gives how many. The caller commits."""
    notes = modules[KEY].table
    theirs = select(notes.c.id).where(notes.c.contact_id.in_(list(contact_ids)))
    ids = list(db.session.scalars(select(SrNoteFile.file_id).where(SrNoteFile.note_id.in_(theirs))))
    db.session.execute(delete(SrNoteFile).where(SrNoteFile.note_id.in_(theirs)))
    attachments.drop_unheld(ids)
    return len(ids)


def file_of(viewer: Viewer, request_id: int, file_id: int) -> StoredFile:
    """A file of a note that the viewer may see. Raises Missing."""
    notes = modules[KEY].table
    said = (
        select(StoredFile)
        .join(SrNoteFile, SrNoteFile.file_id == StoredFile.id)
        .join(notes, notes.c.id == SrNoteFile.note_id)
        .where(StoredFile.id == file_id, notes.c.request_id == request_id)
    )
    narrowing = scope(viewer, KEY)
    found = db.session.execute(said if narrowing is None else said.where(narrowing)).scalars().first()
    if found is None:
        raise Missing
    return found  # type: ignore[no-any-return]
