"""How many mails a month the plan allows: promised when a sendout is scheduled or starts, counted when they are sent.

spec/marketing.md 6.8.

A sendout that is larger than what is left is refused before it starts, never cut; tests and system mails cost nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock, config
from crm.db import db, is_sqlite
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.words import _, say_number
from ecp.modules.plans import MailMonth, QuotaHold

WARN_AT = (80, 100)  # per cent


@dataclass(frozen=True)
class Quota:
    """A month. `limit` and `left` are None where the plan has none."""

    month: str
    limit: int | None
    sent: int
    reserved: int

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.sent - self.reserved)

    @property
    def percent(self) -> int | None:
        return None if not self.limit else 100 * (self.sent + self.reserved) // self.limit


def this_month() -> str:
    """The calendar month in the site's time zone, such as 2026-11."""
    return month_of(clock.now())


def month_of(at: datetime) -> str:
    """The calendar month of a moment in the site's time zone."""
    return at.astimezone(ZoneInfo(config.current().timezone)).strftime("%Y-%m")


def quota(month: str | None = None) -> Quota:
    """What the plan in force allows in `month` (default: now) and what of it is used and promised."""
    month = month or this_month()
    row = db.session.execute(
        select(MailMonth.sent_count, MailMonth.reserved_count).where(MailMonth.month == month)
    ).first()
    return Quota(month, _limit(), row.sent_count if row else 0, row.reserved_count if row else 0)


def reserve(count: int, month: str | None = None) -> str:
    """Promise `count` mails of a month's quota, or refuse them all; gives the month. The caller commits.

    One conditional statement, so that two sendouts never share what is left. Raises Refused with what is needed and left.
    """
    month, limit = month or this_month(), _limit()
    _open(month)
    table = MailMonth
    fits: Any = table.sent_count + table.reserved_count + count <= limit if limit is not None else True
    taken: Any = db.session.execute(
        update(table).where(table.month == month, fits).values(reserved_count=table.reserved_count + count)
    )
    if not taken.rowcount:
        raise Refused({"": [Fault("quota_exceeded", sentence(count, quota(month)))]})
    return month


def sentence(count: int, said: Quota) -> str:
    """Why `count` mails are too many: what is needed and what is left."""
    left = said.left or 0
    if said.month != this_month():
        return _(
            "This needs %(needed)s mails and %(left)s are left of the %(limit)s of %(month)s: %(over)s too many.",
            needed=say_number(count), left=say_number(left), limit=say_number(said.limit or 0), month=said.month,
            over=say_number(count - left),
        )  # fmt: skip
    return _(
        "This needs %(needed)s mails and %(left)s are left of this month's %(limit)s: %(over)s too many.",
        needed=say_number(count), left=say_number(left), limit=say_number(said.limit or 0), over=say_number(count - left),
    )  # fmt: skip


def hold(sendout_id: int, count: int, at: datetime) -> None:
    """Promise a scheduled sendout its mails of the month it leaves in. Raises Refused as `reserve`. The caller commits."""
    month = reserve(count, month_of(at))
    db.session.execute(insert(QuotaHold).values(sendout_id=sendout_id, month=month, count=count))


def held(sendout_id: int, month: str) -> int:
    """How many mails of `month` a scheduled sendout was promised."""
    said = select(QuotaHold.count).where(QuotaHold.sendout_id == sendout_id, QuotaHold.month == month)
    return db.session.execute(said).scalar() or 0


def release(sendout_id: int) -> None:
    """Give back what a scheduled sendout was promised: it goes out now and counts anew, or not at all. The caller commits."""
    said = delete(QuotaHold).where(QuotaHold.sendout_id == sendout_id).returning(QuotaHold.month, QuotaHold.count)
    for month, count in db.session.execute(said).all():
        settle(month, count, 0)


def settle(month: str, reserved: int, sent: int) -> None:
    """Turn a promise into what was really sent, once, when a sendout is over. The caller commits."""
    _open(month)
    db.session.execute(
        update(MailMonth)
        .where(MailMonth.month == month)
        .values(
            reserved_count=func.max(0, MailMonth.reserved_count - reserved)
            if is_sqlite()
            else func.greatest(0, MailMonth.reserved_count - reserved),
            sent_count=MailMonth.sent_count + sent,
        )
    )


def _open(month: str) -> None:
    dialect = sqlite if is_sqlite() else postgresql
    said = dialect.insert(MailMonth).values(month=month, sent_count=0, reserved_count=0)
    db.session.execute(said.on_conflict_do_nothing(index_elements=["month"]))


def _limit() -> int | None:
    table = modules["plans"].table
    row = db.session.execute(
        select(table.c.monthly_mail_limit).where(table.c.current, table.c.deleted_at.is_(None)).limit(1)
    ).first()
    return row.monthly_mail_limit if row else None
