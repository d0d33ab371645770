"""Stored files: named by us, kept outside the web root, linked to any record; given out only through a rights check."""

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import ColumnElement, ForeignKey, String, delete, exists, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, config
from crm.db import BigId, UtcDateTime, db
from crm.engine import history, outbox
from crm.engine.channels import Channel
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

MEGABYTE = 1024 * 1024
MOST = 25 * MEGABYTE  # of a file attached to a record (spec/platform.md 4.16)
REFUSED_ENDINGS = frozenset(
    [
        "ade",
        "adp",
        "app",
        "bat",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "hta",
        "ins",
        "isp",
        "jar",
        "js",
        "jse",
        "lib",
        "lnk",
        "mde",
        "msc",
        "msi",
        "msp",
        "mst",
        "nsh",
        "pif",
        "ps1",
        "scr",
        "sct",
        "shb",
        "sys",
        "vb",
        "vbe",
        "vbs",
        "vxd",
        "wsc",
        "wsf",
        "wsh",
    ]
)
PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)  # how executables begin, whatever they are called


class StoredFile(db.Model):  # type: ignore[name-defined]
    """What is known of one file; the bytes lie in the data folder under their hash."""

    __tablename__ = "files"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigId)
    media_type: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    creator_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EntityFile(db.Model):  # type: ignore[name-defined]
    """That a file belongs to a record. `shared_at`: since when the customer sees it in the portal too; None: staff only."""

    __tablename__ = "entity_files"
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    file_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    shared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def plain_name(name: str) -> str:
    """A file name without folders, control or direction characters; never empty, at most 200 characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:\"|?*]", "", name).strip(". ")
    return name[-200:] or "file"


def store(viewer: Viewer, name: str, stream: IO[bytes], media_type: str, most: int = MOST) -> StoredFile:
    """Keep a file. Raises Refused (too large: the message names limit and file; a program by name or content)."""
    name = plain_name(name)
    if name.rsplit(".", 1)[-1].lower() in REFUSED_ENDINGS:
        raise Refused.because("bad_file", _("“%(name)s” is a program; programs are not taken.", name=name), "file")
    data = stream.read(most + 1)
    if len(data) > most:
        raise Refused.because(
            "file_too_large",
            _("“%(name)s” is larger than %(limit)s MB, the limit.", name=name, limit=most // MEGABYTE),
            "file",
        )
    if data.startswith(PROGRAMS):
        raise Refused.because("bad_file", _("“%(name)s” is a program; programs are not taken.", name=name), "file")
    digest = hashlib.sha256(data).hexdigest()
    _write(digest, data)
    made = StoredFile(
        name=name, size=len(data), media_type=media_type[:120] or "application/octet-stream", sha256=digest,
        creator_id=viewer.id, created_at=clock.now(),
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def path_of(sha256: str) -> Path:
    """Where the bytes with this hash lie."""
    folder: Path = config.current().data_path / "files"
    return folder / sha256[:2] / sha256


def _write(digest: str, data: bytes) -> None:
    path = path_of(digest)
    if path.exists():
        os.utime(path)  # one that is about to be dropped is wanted again
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{os.getpid()}.part")
    with open(fresh, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def attach(viewer: Viewer, module: str, id: int, file_id: int, channel: Channel) -> None:
    """Hang a file on a record. Raises Missing, Forbidden."""
    demand(viewer, "edit", module)
    _demand_visible(viewer, module, id, "edit")
    db.session.execute(insert(EntityFile).values(entity_id=id, file_id=file_id))
    history.note_events(viewer, modules[module], [id], "file attached", channel, clock.now())


def files_of(viewer: Viewer, module: str, id: int) -> list[StoredFile]:
    """The files of a record, newest first. Raises Missing."""
    _demand_visible(viewer, module, id, "view")
    said = select(StoredFile).join(EntityFile, EntityFile.file_id == StoredFile.id).where(EntityFile.entity_id == id)
    return list(db.session.execute(said.order_by(StoredFile.id.desc())).scalars())


def open_file(viewer: Viewer, file_id: int) -> tuple[StoredFile, Path]:
    """A file that the viewer may read: his own, or one on a record that he may see. Raises Missing."""
    found = db.session.get(StoredFile, file_id)
    if found is None:
        raise Missing
    if found.creator_id is not None and found.creator_id == viewer.id:
        return found, path_of(found.sha256)
    from crm.db import Entity

    said = select(Entity.id, Entity.module).join(EntityFile, EntityFile.entity_id == Entity.id)
    for id, module in db.session.execute(said.where(EntityFile.file_id == file_id, Entity.deleted_at.is_(None))):
        try:
            _demand_visible(viewer, module, id, "view")
            return found, path_of(found.sha256)
        except Missing:
            continue
    raise Missing


def _demand_visible(viewer: Viewer, module: str, id: int, verb: str) -> None:
    from crm.engine.permissions import may

    said = modules[module]
    if not may(viewer, "view", said):
        raise Missing
    table = said.table
    query = select(table.c.id).where(table.c.id == id)
    narrowing = scope(viewer, said, verb)
    if narrowing is not None:
        query = query.where(narrowing)
    if db.session.execute(query).first() is None:
        raise Missing


def chunks(path: Path, size: int = 64 * 1024) -> Iterator[bytes]:
    """The bytes of a stored file, piece by piece."""
    with open(path, "rb") as file:
        while piece := file.read(size):
            yield piece


def detach(viewer: Viewer, module: str, id: int, file_id: int, channel: Channel) -> None:
    """Take a file off a record; the bytes stay while anything else holds them. Raises Missing, Forbidden."""
    demand(viewer, "edit", module)
    _demand_visible(viewer, module, id, "edit")
    db.session.execute(delete(EntityFile).where(EntityFile.entity_id == id, EntityFile.file_id == file_id))
    history.note_events(viewer, modules[module], [id], "file removed", channel, clock.now())
    drop_unheld([file_id])


def forget(ids: Sequence[int]) -> None:
    """Records are deleted for good: their files go with them, but those that something else holds. The caller commits."""
    theirs = select(EntityFile.file_id).where(EntityFile.entity_id.in_(ids))
    files = list(db.session.execute(theirs).scalars())
    db.session.execute(delete(EntityFile).where(EntityFile.entity_id.in_(ids)))
    drop_unheld(files)


def unheld() -> list[ColumnElement[bool]]:
    """What holds of a file that nothing refers to."""
    table = StoredFile.__table__
    return [
        ~exists().where(column == table.c.id)
        for other in db.metadata.tables.values()
        for column in other.columns
        if any(key.column is table.c.id for key in column.foreign_keys)
    ]


def drop_unheld(ids: Sequence[int]) -> None:
    """Delete the rows of those files that nothing refers to, and their bytes after the commit."""
    if not ids:
        return
    table = StoredFile.__table__
    gone = db.session.execute(select(table.c.id, table.c.sha256).where(table.c.id.in_(ids), *unheld())).all()
    if gone:
        db.session.execute(delete(StoredFile).where(table.c.id.in_([row.id for row in gone])))
        # A minute later: who stores the same bytes right now has committed by then.
        run_at, sha256s = clock.now() + timedelta(minutes=1), sorted({row.sha256 for row in gone})
        outbox.put(db.session, "files.drop", queue="files", run_at=run_at, sha256s=sha256s, asked=time.time())


@outbox.task("files.drop", queue="files")
def drop(progress: outbox.Progress, sha256s: list[str], asked: float) -> str:
    """Delete bytes that no file has any more, and that nobody stored again since it was asked for."""
    left = set(db.session.execute(select(StoredFile.sha256).where(StoredFile.sha256.in_(sha256s))).scalars())
    paths = [path_of(sha256) for sha256 in set(sha256s) - left]
    gone = [path for path in paths if path.exists() and path.stat().st_mtime <= asked]
    for path in gone:
        path.unlink(missing_ok=True)
    return f"{len(gone)} files"
