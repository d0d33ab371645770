"""Answers of the API kept for 24 hours, so that the same POST twice has one effect (crm/api/idempotency.py writes and reads them)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, LargeBinary, String, UniqueConstraint, delete
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, rows_changed
from crm.engine import outbox

KEPT = timedelta(hours=24)


class StoredAnswer(db.Model):  # type: ignore[name-defined]
    """The answer that one key of one caller got; status 0 while it is being made."""

    __tablename__ = "stored_answers"
    __table_args__ = (UniqueConstraint("caller", "key"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer, default=0)
    body: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@outbox.task("forget_stored_answers", every=3600)
def forget_stored_answers(_progress: outbox.Progress, **_: Any) -> str:
    """Delete answers older than 24 hours."""
    gone = rows_changed(delete(StoredAnswer).where(StoredAnswer.created_at <= clock.now() - KEPT))
    return f"{gone} forgotten"
