"""The warm-up of a sender domain as it is kept: the plan with today's ceiling, and what each day before it brought."""

from datetime import date, datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import UtcDateTime, db


class WarmUp(db.Model):  # type: ignore[name-defined, misc]
    """One plan a domain (in ASCII). `state`: on, done. `day`: the day (of the site's zone) that `ceiling` and `released` are of.

    `released`: mails of sendouts that may leave that day. `braked_at`: since when no more are let go today."""

    __tablename__ = "warm_ups"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="on")
    start: Mapped[int] = mapped_column(Integer)
    goal: Mapped[int] = mapped_column(Integer)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date]
    ceiling: Mapped[int] = mapped_column(Integer)
    released: Mapped[int] = mapped_column(Integer, default=0)
    braked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WarmUpDay(db.Model):  # type: ignore[name-defined, misc]
    """One day that is over. `verdict`: grew, stayed, quiet (too little was sent to judge), fell, done."""

    __tablename__ = "warm_up_days"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ceiling: Mapped[int] = mapped_column(Integer)
    sent: Mapped[int] = mapped_column(Integer)
    bounced: Mapped[int] = mapped_column(Integer)
    complained: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(8))
