"""What was taken from integrations: one row a submission, so that one that comes again, even days later, makes nothing new."""

from datetime import datetime, time, timedelta

from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint, delete
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, rows_changed
from crm.engine.outbox import Progress, task

KEPT = timedelta(days=400)  # longer than any site tries again


class Intake(db.Model):  # type: ignore[name-defined]
    """A submission by the name that its site gave it; `caller`: the API key it came by. It holds nothing of its person."""

    __tablename__ = "intakes"
    __table_args__ = (UniqueConstraint("caller", "submission"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    caller: Mapped[str] = mapped_column(String(40))
    submission: Mapped[str] = mapped_column(String(80))
    module: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id", ondelete="SET NULL"), index=True)
    is_new: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@task("intakes.sweep", daily=time(4, 20))
def sweep(_progress: Progress | None) -> str:
    """Forget what was taken so long ago that nobody tries it again."""
    return f"{rows_changed(delete(Intake).where(Intake.created_at < clock.now() - KEPT))} forgotten"
