"""The clock: puts the jobs of periodic tasks when they are due, and tells engines again of jobs that nobody took.

Any number of clocks may run; one leads, by a row that it renews. Even two leaders would put an occurrence only once,
since the timetable's row of a task can be moved on to it only once.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Float, String, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import database_seconds, db, reading
from crm.engine import outbox
from crm.engine.outbox import OPEN, TASKS, Job, Task, Timetable

log = logging.getLogger(__name__)
LEADS_FOR_SECONDS = 15
LOST_AFTER = timedelta(seconds=10)
KEPT_DAYS = 30


class Leader(db.Model):  # type: ignore[name-defined]
    """Who leads: of all clocks one, until its time is over by the clock of the database."""

    __tablename__ = "leaders"
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(120))
    until: Mapped[float] = mapped_column(Float)


def _insert() -> Any:
    return (postgresql if db.engine.dialect.name == "postgresql" else sqlite).insert


def lead(holder: str, role: str = "clock", seconds: float = LEADS_FOR_SECONDS) -> bool:
    """Become or stay the leader; False while somebody else is. Commits."""
    until = database_seconds() + seconds
    statement = (
        _insert()(Leader)
        .values(role=role, holder=holder, until=until)
        .on_conflict_do_update(
            index_elements=["role"],
            set_={"holder": holder, "until": until},
            where=or_(Leader.holder == holder, Leader.until < database_seconds()),
        )
        .returning(Leader.role)
    )
    leads = db.session.scalar(statement) is not None
    db.session.commit()
    return leads


def step_down(holder: str, role: str = "clock") -> None:
    """Let somebody else lead at once. Commits."""
    db.session.execute(delete(Leader).where(Leader.role == role, Leader.holder == holder))
    db.session.commit()


def latest_occurrence(task: Task, now: datetime, zone: str) -> datetime:
    """When the periodic `task` was due last, at or before `now`; a day's time is one of `zone`."""
    if task.every is not None:
        return datetime.fromtimestamp(now.timestamp() // task.every * task.every, UTC)
    assert task.daily is not None  # noqa: S101 - a task without either is not periodic
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    due = datetime.combine(today, task.daily, here)
    if due > now:
        due = datetime.combine(today - timedelta(days=1), task.daily, here)
    return due.astimezone(UTC)


def _standing_of_timetable() -> tuple[dict[str, datetime], set[str]]:
    """Task → its last occurrence, and the tasks whose last job is still open."""
    with reading():
        rows = db.session.execute(
            select(Timetable.task, Timetable.occurrence, Job.state).outerjoin(Job, Job.id == Timetable.job_id)
        ).all()
        db.session.rollback()
    return {row.task: row.occurrence for row in rows}, {row.task for row in rows if row.state in OPEN}


def put_due(zone: str) -> list[str]:
    """Put a job for every periodic task whose time has come; names of those. Commits.

    What was missed while nothing ran is made up for once, not once an occurrence. A task whose last job is still open
    is left alone until that is over.
    """
    now = clock.now()
    occurrences, busy = _standing_of_timetable()
    put = []
    for task in [task for task in TASKS.values() if task.is_periodic]:
        due = latest_occurrence(task, now, zone)
        if task.name not in occurrences:
            # First seen: its time counts from now on, an interval begins at once.
            first = due if task.daily else due - timedelta(seconds=task.every or 0)
            db.session.execute(_insert()(Timetable).values(task=task.name, occurrence=first).on_conflict_do_nothing())
            db.session.commit()
            if task.daily:
                continue
        elif occurrences[task.name] >= due or task.name in busy:
            continue
        moved: Any = db.session.execute(
            update(Timetable).where(Timetable.task == task.name, Timetable.occurrence < due).values(occurrence=due)
        )
        if moved.rowcount:
            job_id = outbox.put(db.session, task.name)
            db.session.execute(update(Timetable).where(Timetable.task == task.name).values(job_id=job_id))
            put.append(task.name)
        db.session.commit()
    return put


def lost_jobs(limit: int = 1000) -> list[tuple[str, int]]:
    """Queue and id of jobs that have been due for a while and nobody has taken, or whose worker is silent: their engine may
    have lost the word."""
    due = or_(
        and_(Job.state == "waiting", Job.run_at < clock.now() - LOST_AFTER),
        and_(Job.state == "leased", Job.lease_until < database_seconds()),
    )
    return _queues_and_ids(due, limit)


def become_due(after: datetime, until: datetime, limit: int = 1000) -> list[tuple[str, int]]:
    """Queue and id of jobs that were put for later, or for another try, and whose time came between the two moments."""
    due = and_(Job.state == "waiting", Job.run_at > after, Job.run_at <= until, Job.run_at > Job.created_at)
    return _queues_and_ids(due, limit)


def _queues_and_ids(which: Any, limit: int) -> list[tuple[str, int]]:
    with reading():
        rows = db.session.execute(
            select(Job.queue, Job.id).where(which).order_by(Job.run_at, Job.id).limit(limit)
        ).all()
        db.session.rollback()
    return [(row.queue, row.id) for row in rows]


@outbox.task("jobs.clear", every=3600)
def clear(progress: outbox.Progress) -> str:
    """Delete jobs that were over long ago: after a month what a person started or a key names, after a day what the house
    did by itself, after an hour what the timetable started."""
    now = clock.now()
    periodic = [task.name for task in TASKS.values() if task.is_periodic]
    own = and_(Job.state == "done", Job.created_by_id.is_(None), Job.dedupe_key.is_(None))
    cleared: Any = db.session.execute(
        delete(Job).where(
            Job.state.not_in(OPEN),
            or_(
                Job.finished_at < now - timedelta(days=KEPT_DAYS),
                and_(own, Job.finished_at < now - timedelta(days=1)),
                and_(own, Job.finished_at < now - timedelta(hours=1), Job.task.in_(periodic)),
            ),
        )
    )
    return f"{cleared.rowcount} old jobs deleted"


def keep_time(
    app: Flask,
    holder: str,
    zone: str,
    stop: threading.Event,
    remind: Callable[[], None] | None = None,
    seconds: float = 1.0,
) -> None:
    """Run the clock until `stop` is set: lead if nobody does, put what is due, `remind` an engine with a broker of jobs
    (crm.jobs.telling.Reminder)."""
    leads_until = 0.0
    while not stop.wait(seconds):
        now = time.monotonic()
        try:
            with app.app_context():
                if now > leads_until - LEADS_FOR_SECONDS / 2:
                    leads_until = now + LEADS_FOR_SECONDS if lead(holder, seconds=LEADS_FOR_SECONDS) else 0.0
                if leads_until:
                    put_due(zone)
                if leads_until and remind is not None:
                    remind()
        except SQLAlchemyError as error:  # the database may be away for a while; the clock outlives that
            log.error("the clock stumbled", extra={"reason": str(error.__cause__ or error)[:300]})
            stop.wait(2)
        except Exception:
            log.exception("the clock stumbled")
            stop.wait(2)
    with app.app_context():
        step_down(holder)
