"""Who has a record's form open: a mark that lasts for minutes, so that two people do not write the same unknowingly. It locks nothing."""

import contextlib
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, rows_changed
from crm.identity.tables import User
from crm.identity.viewer import Viewer

LASTS = timedelta(minutes=3)  # a page with the form open says it again every minute


class EditingMark(db.Model):  # type: ignore[name-defined]
    """That a user had the form of a record open at a time."""

    __tablename__ = "editing_marks"
    record_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def note(viewer: Viewer, record_id: int) -> None:
    """Note that `viewer` has the form open now; marks of others that are over go. The right to the record is the caller's affair."""
    table, now = EditingMark.__table__, clock.now()
    if viewer.id is None:
        return
    db.session.execute(delete(table).where(table.c.at < now - LASTS))
    own = update(table).where(table.c.record_id == record_id, table.c.user_id == viewer.id)
    if not rows_changed(own.values(at=now)):
        with contextlib.suppress(IntegrityError), db.session.begin_nested():  # two windows of one user
            db.session.execute(insert(table).values(record_id=record_id, user_id=viewer.id, at=now))


def forget(viewer: Viewer, record_id: int) -> None:
    """The form was saved: `viewer` writes no longer."""
    table = EditingMark.__table__
    db.session.execute(delete(table).where(table.c.record_id == record_id, table.c.user_id == viewer.id))


def others(viewer: Viewer, record_id: int) -> list[str]:
    """The names of those others who have the form open."""
    table = EditingMark.__table__
    said = (
        select(User.first_name, User.last_name)
        .join(table, table.c.user_id == User.id)
        .where(table.c.record_id == record_id, table.c.user_id != (viewer.id or 0), table.c.at >= clock.now() - LASTS)
        .order_by(User.last_name, User.id)
    )
    return [f"{row.first_name or ''} {row.last_name}".strip() for row in db.session.execute(said)]
