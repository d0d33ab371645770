"""Whom an automatic sendout goes to, one row a person; and with that the memory that nobody gets the same mail twice.

A row is written in the transaction that makes the sendout. It is unique for what sends (a campaign, a target group, an
autoresponder), the mail, the person and the occurrence; so two workers at once, or one that died, send it once.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Select, String, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, is_sqlite


class SendoutPerson(db.Model):  # type: ignore[name-defined, misc]
    """One person of an automatic sendout. `about_id`: what sends. `occurrence`: 0; of what is sent again and again the moment
    in seconds since 1970; of what was sent anew by hand 1, 2, …"""

    __tablename__ = "sendout_people"
    __table_args__ = (
        Index("uq_sendout_people_once", "about_id", "email_template_id", "person_id", "occurrence", unique=True),
        Index("ix_sendout_people_sendout", "sendout_id", "person_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    about_id: Mapped[int] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    email_template_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("email_templates.id", ondelete="CASCADE"), index=True
    )
    occurrence: Mapped[int] = mapped_column(BigInteger, default=0)
    # Of a sendout that was thrown away the memory stays.
    sendout_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("sendouts.id", ondelete="SET NULL"))
    person_module: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


PEOPLE = SendoutPerson.__table__


def take(sendout_id: int, about_id: int, email_template_id: int, people: Select[Any], occurrence: int = 0) -> int:
    """Write down the people of a sendout: those of a Select of (person_id, person_module, contact_id) who have not had this
    mail of this sender at this occurrence; how many. The caller commits."""
    chosen = people.subquery()
    rows = select(
        literal(about_id), literal(email_template_id), literal(occurrence, PEOPLE.c.occurrence.type), literal(sendout_id),
        chosen.c.person_module, chosen.c.person_id, chosen.c.contact_id, literal(clock.now(), PEOPLE.c.at.type),
    ).where(chosen.c.person_id.is_not(None))  # fmt: skip
    names = [
        "about_id", "email_template_id", "occurrence", "sendout_id", "person_module", "person_id", "contact_id", "at"
    ]  # fmt: skip
    make: Any = sqlite.insert if is_sqlite() else postgresql.insert
    put = make(PEOPLE).from_select(names, rows)
    put = put.on_conflict_do_nothing(index_elements=["about_id", "email_template_id", "person_id", "occurrence"])
    db.session.execute(put)
    said = select(func.count()).select_from(PEOPLE).where(PEOPLE.c.sendout_id == sendout_id)
    return int(db.session.execute(said).scalar() or 0)
