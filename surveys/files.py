"""Files of answers: checked by name and content, kept by the attachments engine, carried from page to page under a seal."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, rows_changed
from crm.engine import attachments
from crm.engine.attachments import MEGABYTE, StoredFile
from crm.engine.refusals import Refused
from crm.identity.sealing import Sealer
from crm.identity.viewer import SYSTEM
from crm.words import _
from surveys.kinds import Question, Wrong
from surveys.kinds.file import MOST_MEGABYTES, File

PURPOSE = "survey_file"
SIZE = 17  # octets of both ids and one to spare, so that the token needs no padding


class SurveyFile(db.Model):  # type: ignore[name-defined, misc]
    """A file that came with a form, so that it can be forgotten when the form is never sent."""

    __tablename__ = "survey_files"
    file_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    survey_id: Mapped[int] = mapped_column(BigId, ForeignKey("surveys.id", ondelete="CASCADE"), index=True)
    came_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class TooLarge(Wrong):
    """A file over the limit (413)."""


def keep(survey_id: int, question: Question, part: Any) -> StoredFile:
    """Keep an uploaded file of a question. Raises Wrong (type), TooLarge."""
    kind = question.kind
    endings = kind.endings(question) if isinstance(kind, File) else ()
    name = attachments.plain_name(part.filename or "")
    if endings and name.rsplit(".", 1)[-1].lower() not in endings:
        raise Wrong(_("“%(name)s” is not taken here; these are: %(endings)s.", name=name, endings=", ".join(endings)))
    most = min(int(question.set("megabytes") or MOST_MEGABYTES), MOST_MEGABYTES) * MEGABYTE
    try:
        made = attachments.store(SYSTEM, name, part.stream, part.mimetype or "", most)
    except Refused as refused:
        fault = refused.faults["file"][0]
        raise (TooLarge if fault.code == "file_too_large" else Wrong)(fault.message) from None
    db.session.execute(insert(SurveyFile).values(file_id=made.id, survey_id=survey_id, came_at=clock.now()))
    return made


def sweep() -> int:
    """Forget files that came more than thirty days ago and belong to no answer; gives how many. The caller commits."""
    from surveys.modules.survey_answers import SurveyAnswer

    used = select(SurveyAnswer.file_id).where(SurveyAnswer.file_id.is_not(None))
    old = select(SurveyFile.file_id).where(SurveyFile.came_at < clock.now() - timedelta(days=30))
    gone = delete(StoredFile).where(StoredFile.id.in_(old), StoredFile.id.not_in(used))
    count = rows_changed(gone.execution_options(synchronize_session=False))
    kept = delete(SurveyFile).where(SurveyFile.came_at < clock.now() - timedelta(days=30))
    db.session.execute(kept.execution_options(synchronize_session=False))
    return count


def seal(sealer: Sealer, survey_id: int, file_id: int) -> str:
    """What a form carries in place of a file that was taken already."""
    return sealer.seal(PURPOSE, survey_id << 64 | file_id, SIZE)


def open_seals(sealer: Sealer, survey_id: int, tokens: list[str]) -> list[dict[str, Any]]:
    """The files that seals stand for, [{"id", "name"}]; those of another survey, or made up, are left out."""
    ids = []
    for token in tokens[:50]:
        number = sealer.open(PURPOSE, token, SIZE)
        if number is not None and number >> 64 == survey_id:
            ids.append(number & (2**64 - 1))
    if not ids:
        return []
    table = StoredFile.__table__
    found = {
        row.id: row.name for row in db.session.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids)))
    }
    return [{"id": id, "name": found[id]} for id in dict.fromkeys(ids) if id in found]
