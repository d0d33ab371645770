"""Tables of scoring that are no modules: what each rule gave each person, and how the model as a whole is set."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db


class ScorePart(db.Model):  # type: ignore[name-defined, misc]
    """What one rule gives one person. `points` as counted, `worth` what is left of them, in hundredths of a point."""

    __tablename__ = "score_parts"
    __table_args__ = (Index("ix_score_parts_rule", "rule_id"), {"sqlite_with_rowid": False})
    person_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    rule_id: Mapped[int] = mapped_column(BigId, ForeignKey("score_rules.id", ondelete="CASCADE"), primary_key=True)
    event_count: Mapped[int] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    worth: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScoreModel(db.Model):  # type: ignore[name-defined, misc]
    """The one row of settings, and how far the ledgers were read: `seen` holds the last id of each."""

    __tablename__ = "score_model"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    half_life_days: Mapped[int | None] = mapped_column(Integer)
    warm_at: Mapped[int] = mapped_column(Integer, default=25)
    hot_at: Mapped[int] = mapped_column(Integer, default=60)
    touch_months: Mapped[int] = mapped_column(Integer, default=36)
    seen: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
