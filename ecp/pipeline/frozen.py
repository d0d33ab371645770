"""What a sendout sends, kept in the database from the moment it is prepared: later edits of the mail change nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ForeignKey, LargeBinary, String, Text, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, config
from crm.db import BigId, UtcDateTime, db
from crm.engine.attachments import EntityFile, StoredFile, path_of
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.mail.message import Attachment
from crm.words import _
from ecp.content.compile import Compiled, Content, compile
from ecp.content.linked import with_survey, without_online
from ecp.content.problems import ContentRefused

MOST_ATTACHED = 5 * 1024 * 1024  # of one mail, all files together (spec/marketing.md 6.1)
LANGUAGES = ("en", "fi", "sv", "de")


class SendoutContent(db.Model):  # type: ignore[name-defined]
    """The compiled mail of a sendout and what was promised for it."""

    __tablename__ = "sendout_contents"
    sendout_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("sendouts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    compiled: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(10))
    frozen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    prepared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the audience's rows are there
    quota_month: Mapped[str | None] = mapped_column(String(7))
    quota_count: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counted: Mapped[int] = mapped_column(default=0, server_default="0")  # its mails that were taken from quotas so far


class SendoutFile(db.Model):  # type: ignore[name-defined]
    """A file that goes with every mail of a sendout."""

    __tablename__ = "sendout_files"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sendout_id: Mapped[int] = mapped_column(BigId, ForeignKey("sendouts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(120))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class TrackedLink(db.Model):  # type: ignore[name-defined]
    """Where the n-th link of a sendout leads; a click goes there and nowhere else."""

    __tablename__ = "tracked_links"
    sendout_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("sendouts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(255))
    part: Mapped[str] = mapped_column(String(4))


@dataclass(frozen=True)
class Frozen:
    """The content of one sendout, as every worker reads it once."""

    sendout_id: int
    compiled: Compiled
    files: tuple[Attachment, ...]


def compile_mail(email_template_id: int, needs_unsubscribe: bool, for_one: bool = False) -> tuple[Compiled, str]:
    """The mail as it would be sent now, and its language. Raises Refused with every problem and its place.

    `for_one`: it goes to one person alone, outside of any sendout."""
    table = modules["email_templates"].table
    row = dict(db.session.execute(select(table).where(table.c.id == email_template_id)).mappings().one())
    if row["version_of_id"] is not None:  # the survey is that of the mail
        said = select(table.c.survey_id).where(table.c.id == row["version_of_id"])
        row["survey_id"] = db.session.execute(said).scalar()
    row = dict(with_survey(row))
    row = dict(without_online(row)) if for_one else row
    language = row["language"] if row["language"] in LANGUAGES else config.current().locale
    content = Content(
        kind="mjml" if row["mjml"] else "html", source=row["mjml"] or row["html"] or "", subject=row["subject"] or "",
        text=row["text"] or "", preheader=row["preheader"] or "", language=language, needs_unsubscribe=needs_unsubscribe,
    )  # fmt: skip
    try:
        return compile(content), language
    except ContentRefused as refused:
        raise Refused({"email_template_id": [Fault("bad_content", str(one)) for one in refused.problems]}) from None


def files_of(email_template_id: int) -> list[Attachment]:
    """The files of a mail. Raises Refused when they are too large together, or one is gone."""
    rows = db.session.execute(
        select(StoredFile.name, StoredFile.media_type, StoredFile.sha256, StoredFile.size)
        .join(EntityFile, EntityFile.file_id == StoredFile.id)
        .where(EntityFile.entity_id == email_template_id)
        .order_by(StoredFile.id)
    ).all()
    if sum(row.size for row in rows) > MOST_ATTACHED:
        raise Refused.because("file_too_large", _("The files of a mail may have 5 MB together."), "email_template_id")
    found = []
    for row in rows:
        path = path_of(row.sha256)
        if not path.exists():
            raise Refused.because(
                "file_missing",
                _("The file “%(name)s” is missing. Attach it again.", name=row.name),
                "email_template_id",
            )
        found.append(Attachment(row.name, _media_type(row.media_type), path.read_bytes()))
    return found


def freeze(sendout_id: int, email_template_id: int, needs_unsubscribe: bool) -> Compiled:
    """Keep the mail as it is now; asked again while it is being prepared, it is kept anew. Raises Refused. The caller commits."""
    compiled, language = compile_mail(email_template_id, needs_unsubscribe)
    files = files_of(email_template_id)
    now = clock.now()
    kept = {"compiled": compiled.dump(), "language": language, "frozen_at": now}
    changed = db.session.execute(update(SendoutContent).where(SendoutContent.sendout_id == sendout_id).values(**kept))
    if not changed.rowcount:  # type: ignore[attr-defined]
        db.session.execute(insert(SendoutContent).values(sendout_id=sendout_id, quota_count=0, **kept))
    for table in (SendoutFile, TrackedLink):
        db.session.execute(delete(table).where(table.sendout_id == sendout_id))
    for file in files:
        db.session.execute(
            insert(SendoutFile).values(sendout_id=sendout_id, name=file.name, media_type=file.mime_type, data=file.data)
        )
    if compiled.links:
        db.session.execute(
            insert(TrackedLink),
            [
                {"sendout_id": sendout_id, "number": link.number, "url": link.url, "label": link.label[:255], "part": link.part}
                for link in compiled.links
            ],
        )  # fmt: skip
    return compiled


def load(sendout_id: int) -> Frozen | None:
    """What a sendout sends; None when nothing was frozen (yet)."""
    dumped = db.session.execute(select(SendoutContent.compiled).where(SendoutContent.sendout_id == sendout_id)).scalar()
    if dumped is None:
        return None
    rows: Sequence[SendoutFile] = (
        db.session.execute(select(SendoutFile).where(SendoutFile.sendout_id == sendout_id).order_by(SendoutFile.id))
        .scalars()
        .all()
    )
    files = tuple(Attachment(row.name, _media_type(row.media_type), row.data) for row in rows)
    return Frozen(sendout_id, loaded(dumped), files)


@lru_cache(maxsize=32)
def loaded(dumped: str) -> Compiled:
    """A compiled mail from what was kept of it."""
    return Compiled.load(dumped)


def _media_type(said: str) -> str:
    plain = said.partition(";")[0].strip().lower()
    return plain if "/" in plain and not plain.startswith(("multipart/", "message/")) else "application/octet-stream"


def needs_unsubscribe(list_type_id: int | None) -> bool:
    """Whether mails of that list must show a link to leave: all but essential notices."""
    if list_type_id is None:
        return True
    table = modules["list_types"].table
    kind = db.session.execute(select(table.c.kind).where(table.c.id == list_type_id)).scalar()
    return kind != "essential"
