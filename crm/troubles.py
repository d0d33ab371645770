"""What is down that the house needs, and since when: noted by the processes that notice it, read by pages and /readyz.

A row lives as long as its process renews it, so nothing stays said by one that is gone. Nothing is written while all is well.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Float, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import UtcDateTime, database_seconds, db

SUBJECTS = ("mail", "queue", "disk")
"""The mail server, the broker of jobs, room on the disk. Of a database that is down no row can tell: the error page does."""
KEPT_SECONDS = 90


class Trouble(db.Model):  # type: ignore[name-defined, misc]
    """One thing that is down, as one process sees it. `seen_at`: seconds by the clock of the database."""

    __tablename__ = "troubles"
    subject: Mapped[str] = mapped_column(String(20), primary_key=True)
    seen_by: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[float] = mapped_column(Float)


@dataclass(frozen=True)
class Down:
    """One thing that is down."""

    subject: str
    since: datetime


class Watch:
    """What one process (`seen_by`) says of one subject. Used by one thread."""

    def __init__(self, engine: Engine, subject: str, seen_by: str) -> None:
        self.engine, self.subject, self.seen_by = engine, subject, seen_by[:120]
        self._is_noted = False

    def note(self, is_down: bool) -> None:
        """Write down what holds now, if there is anything to write. Raises SQLAlchemy's errors."""
        if not is_down and not self._is_noted:
            return
        mine = (Trouble.subject == self.subject, Trouble.seen_by == self.seen_by)
        with self.engine.begin() as connection:
            if not is_down:
                connection.execute(delete(Trouble).where(*mine))
            elif not connection.execute(update(Trouble).where(*mine).values(seen_at=database_seconds())).rowcount:
                said = {"subject": self.subject, "seen_by": self.seen_by, "since": clock.now()}
                connection.execute(insert(Trouble).values(**said, seen_at=database_seconds()))
                connection.execute(delete(Trouble).where(Trouble.seen_at < database_seconds() - 10 * KEPT_SECONDS))
        self._is_noted = is_down


def current() -> list[Down]:
    """What is down now, the longest first: one small query."""
    rows = db.session.execute(
        select(Trouble.subject, func.min(Trouble.since).label("since"))
        .where(Trouble.seen_at > database_seconds() - KEPT_SECONDS)
        .group_by(Trouble.subject)
    )
    return sorted((Down(row.subject, row.since) for row in rows), key=lambda one: one.since)
