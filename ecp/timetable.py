"""The self-check of the timetable (M60): is there a clock that leads, when was it seen, who sends, and what is due next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from crm import clock, config
from crm.db import database_seconds, db
from crm.engine import search
from crm.engine.conditions import where
from crm.engine.outbox import Job, Timetable
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.jobs.schedule import LEADS_FOR_SECONDS, Leader
from crm.mail.sending.deliveries import MailWorker

TICK = "sendouts.tick"
LATE_SECONDS = 60
NEXT = 10


@dataclass(frozen=True)
class Heartbeat:
    """The clock that leads. `seconds`: since it was seen last, by the clock of the database; None: nobody leads."""

    holder: str
    seconds: int | None

    @property
    def is_stale(self) -> bool:
        return self.seconds is None or self.seconds > 2 * LEADS_FOR_SECONDS


@dataclass(frozen=True)
class Check:
    """All of it. `looked_at`: when due sendouts were looked for last; `waits_since`: the oldest job that is due and not taken."""

    heartbeat: Heartbeat
    looked_at: datetime | None
    waits_since: datetime | None
    senders: int
    zone: str
    now: datetime
    is_zone_known: bool
    due: list[Row]

    @property
    def is_late(self) -> bool:
        """Whether due sendouts were not looked for in time."""
        return self.looked_at is None or (self.now - self.looked_at).total_seconds() > LATE_SECONDS

    @property
    def has_backlog(self) -> bool:
        """Whether jobs wait for longer than a worker that is there would let them."""
        return self.waits_since is not None and (self.now - self.waits_since).total_seconds() > LATE_SECONDS

    @property
    def is_well(self) -> bool:
        return not (self.heartbeat.is_stale or self.is_late or self.has_backlog) and self.senders > 0

    def is_overdue(self, row: Row) -> bool:
        """Whether a scheduled sendout should have begun."""
        at: datetime | None = row["scheduled_at"]
        return at is not None and self.now - at > timedelta(seconds=LATE_SECONDS)


def check(viewer: Viewer) -> Check:
    """How the timetable stands, with the next scheduled sendouts that the viewer may see."""
    leads = db.session.execute(
        select(Leader.holder, (database_seconds() - Leader.until).label("over")).where(Leader.role == "clock")
    ).first()
    heartbeat = Heartbeat("", None)
    if leads is not None:
        heartbeat = Heartbeat(leads.holder, max(0, round(leads.over + LEADS_FOR_SECONDS)))
    looked_at = db.session.execute(select(func.max(Timetable.occurrence)).where(Timetable.task == TICK)).scalar()
    now = clock.now()
    waits = select(func.min(Job.run_at)).where(Job.state == "waiting", Job.run_at <= now)
    alive = MailWorker.seen_at > database_seconds() - config.current().lease_seconds
    senders = db.session.execute(select(func.count()).select_from(MailWorker).where(alive)).scalar() or 0
    due = search.find(
        viewer, "sendouts", where=where("state", "is", "scheduled"), columns=("name", "scheduled_at"), sort=("scheduled_at",),
        limit=NEXT, count="none",
    ).rows  # fmt: skip
    zone = config.current().timezone
    return Check(
        heartbeat, looked_at, db.session.execute(waits).scalar(), senders, zone, now, _is_known(zone), list(due)
    )


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        return False
    return True
