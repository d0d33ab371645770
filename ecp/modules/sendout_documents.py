"""The document that goes to each person of a mail merge: made before the mail leaves, kept with its sendout.

In the database, not among the files: a machine that only sends has no data folder (decisions.md 13).
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, String, distinct, func, insert, select
from sqlalchemy.orm import Mapped, deferred, mapped_column

from crm.db import BigId, db
from crm.mail.message import Attachment


class SendoutDocument(db.Model):  # type: ignore[name-defined, misc]
    """One document of one person; who stands behind several records of the merge has several."""

    __tablename__ = "sendout_documents"
    __table_args__ = (Index("ix_sendout_documents_sendout", "sendout_id", "person_id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sendout_id: Mapped[int] = mapped_column(BigId, ForeignKey("sendouts.id", ondelete="CASCADE"))
    person_module: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(120))
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))


DOCUMENTS = SendoutDocument.__table__
_D = DOCUMENTS.c


def keep(sendout_id: int, rows: Iterable[tuple[str, int, Attachment]]) -> None:
    """Write down the documents of a sendout: (module of the person, its id, the file). The caller commits."""
    said = [
        {
            "sendout_id": sendout_id, "person_module": module, "person_id": id, "contact_id": id if module == "contacts" else None,
            "name": file.name[:255], "media_type": file.mime_type, "data": file.data,
        }
        for module, id, file in rows
    ]  # fmt: skip
    if said:
        db.session.execute(insert(DOCUMENTS), said)


def people(sendout_id: int) -> Select[Any]:
    """Those who have a document: (person_module, person_id, contact_id), each once."""
    return select(_D.person_module, _D.person_id, _D.contact_id).where(_D.sendout_id == sendout_id).distinct()


def count(sendout_id: int) -> int:
    """How many people have one."""
    said = select(func.count(distinct(_D.person_id))).where(_D.sendout_id == sendout_id)
    return int(db.session.execute(said).scalar() or 0)


def of_person(sendout_id: int, person_id: int | None) -> list[Attachment]:
    """The documents of one person, in the order of the records; without a person those of the first, for a test."""
    if person_id is None:
        person_id = db.session.execute(select(func.min(_D.person_id)).where(_D.sendout_id == sendout_id)).scalar()
    said = select(_D.name, _D.media_type, _D.data).where(_D.sendout_id == sendout_id, _D.person_id == person_id)
    return [Attachment(row.name, row.media_type, row.data) for row in db.session.execute(said.order_by(_D.id))]
