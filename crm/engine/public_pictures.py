"""Pictures of mails and events under public addresses: /i/<random>.<ext>. Only what really is a picture, under a name nobody can guess."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ForeignKey, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db
from crm.engine.attachments import StoredFile, path_of
from crm.engine.refusals import Refused
from crm.words import _

# What a file begins with → its ending and media type. SVG is left out: it can hold scripts.
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF87a", "gif", "image/gif"),
    (b"GIF89a", "gif", "image/gif"),
)
_NAME = re.compile(r"([A-Za-z0-9_-]{22})\.(png|jpg|gif|webp)").fullmatch
MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


class PublicPicture(db.Model):  # type: ignore[name-defined]
    """That a stored file may be seen by everybody who has its address."""

    __tablename__ = "public_pictures"
    name: Mapped[str] = mapped_column(String(22), primary_key=True)
    ending: Mapped[str] = mapped_column(String(4))
    file_id: Mapped[int] = mapped_column(BigId, ForeignKey("files.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Picture:
    """A public picture: where its bytes lie and what it is."""

    path: Path
    media_type: str


def ending_of(data: bytes) -> str:
    """png, jpg, gif or webp by the first octets; "" for anything else."""
    for begin, ending, _type in SIGNATURES:
        if data.startswith(begin):
            return ending
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def publish(stored: StoredFile) -> str:
    """The public path of a stored picture, such as /i/….png; the same when asked again. Raises Refused. The caller commits."""
    table = PublicPicture.__table__
    known = db.session.execute(select(table.c.name, table.c.ending).where(table.c.file_id == stored.id)).first()
    if known:
        return f"/i/{known.name}.{known.ending}"
    with path_of(stored.sha256).open("rb") as file:
        ending = ending_of(file.read(16))
    if not ending:
        raise Refused.because(
            "bad_picture", _("“%(name)s” is no PNG, JPEG, GIF or WebP picture.", name=stored.name), "file"
        )
    name = secrets.token_urlsafe(16)
    db.session.execute(insert(table).values(name=name, ending=ending, file_id=stored.id, created_at=clock.now()))
    return f"/i/{name}.{ending}"


def withdraw(file_id: int) -> None:
    """Nobody sees the stored picture under its public path any more. The caller commits."""
    db.session.execute(delete(PublicPicture).where(PublicPicture.file_id == file_id))


def find(name: str) -> Picture | None:
    """The picture at /i/<name>; None when there is none."""
    said = _NAME(name)
    if not said:
        return None
    table, files = PublicPicture.__table__, StoredFile.__table__
    query = select(files.c.sha256).join(table, table.c.file_id == files.c.id)
    sha256 = db.session.execute(query.where(table.c.name == said[1], table.c.ending == said[2])).scalar()
    if sha256 is None or not path_of(sha256).exists():
        return None
    return Picture(path_of(sha256), MEDIA_TYPES[said[2]])
