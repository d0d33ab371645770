"""“Afterwards” is a row: what must happen later is written as a job in the caller's transaction, and tasks are named here.

A worker (crm/jobs) claims the row, runs the task of that name and records what came of it. Any room may register tasks,
and may ask for a task of a room above by its name.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Protocol

from sqlalchemy import ForeignKey, Index, String, Text, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column, scoped_session

from crm import clock
from crm.db import BigId, Json, UtcDateTime, db

OPEN = ("waiting", "leased")
STATES = (*OPEN, "done", "failed", "cancelled")
MOST_ATTEMPTS = 5
PUT = "jobs put"  # in Session.info: (queue, id) of the jobs that this transaction made due, for crm.jobs.telling
AnySession = Session | scoped_session[Any]


class Job(db.Model):  # type: ignore[name-defined]
    """Work to be done once, with its state and progress. `lease_until` is in seconds of the database's clock."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "queue", "run_at"),
        Index(None, "created_by_id", "created_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task: Mapped[str] = mapped_column(String(80))
    queue: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[float | None]
    worker: Mapped[str | None] = mapped_column(String(120))
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=MOST_ATTEMPTS)
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int | None]
    message: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="SET NULL"))
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Timetable(db.Model):  # type: ignore[name-defined]
    """The last occurrence of a periodic task that was put; of two clocks only one can move it on."""

    __tablename__ = "timetable"
    task: Mapped[str] = mapped_column(String(80), primary_key=True)
    occurrence: Mapped[datetime] = mapped_column(UtcDateTime)
    job_id: Mapped[int | None] = mapped_column(BigId)


class Progress(Protocol):
    """What a task is given first: how to tell where it is, and whether it is still wanted."""

    job_id: int
    created_by_id: int | None

    def step(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Note progress. Inside a transaction it becomes visible with the task's own commit, else at once."""

    def cancelled(self) -> bool:
        """Whether somebody asked to stop. The task then tidies up and returns; the job counts as cancelled."""


@dataclass(frozen=True)
class Task:
    """A registered task. `every` (seconds) or `daily` (a time in the zone of the site) makes it periodic."""

    name: str
    run: Callable[..., str | None]
    queue: str = "default"
    max_attempts: int = MOST_ATTEMPTS
    every: int | None = None
    daily: time | None = None

    @property
    def is_periodic(self) -> bool:
        return self.every is not None or self.daily is not None


class GiveUp(Exception):
    """Raised by a task: it failed and a repetition would not help. The message is shown to the person who started it."""


class RunLater(Exception):
    """Raised by a task: nothing went wrong, look again after `seconds`. Not counted as an attempt."""

    def __init__(self, seconds: float, message: str | None = None) -> None:
        super().__init__(message or f"again in {seconds} s")
        self.seconds = seconds
        self.message = message


TASKS: dict[str, Task] = {}


def task(
    name: str,
    queue: str = "default",
    *,
    max_attempts: int = MOST_ATTEMPTS,
    every: int | None = None,
    daily: time | None = None,
) -> Callable[[Callable[..., str | None]], Callable[..., str | None]]:
    """Register `run(progress, **arguments)` as the task `name`. What it returns is the job's closing message.

    What is left uncommitted in `db.session` when it returns is committed together with the state "done".
    A task may be run again after a crash: it must find out itself what is done already.
    """

    def register(run: Callable[..., str | None]) -> Callable[..., str | None]:
        known = TASKS.get(name)
        if known and (known.run.__module__, known.run.__qualname__) != (run.__module__, run.__qualname__):
            raise ValueError(f"two tasks are called “{name}”: {known.run.__module__} and {run.__module__}")
        TASKS[name] = Task(name, run, queue, max_attempts, every, daily)
        return run

    return register


def put(
    session: AnySession,
    name: str,
    /,
    *,
    run_at: datetime | None = None,
    dedupe_key: str | None = None,
    queue: str | None = None,
    created_by_id: int | None = None,
    total: int | None = None,
    **arguments: Any,
) -> int:
    """Write a job for the task `name` in the transaction of `session`; the id of its row.

    With a `dedupe_key` that was used before nothing is written, and the id is that of the first job.
    `arguments` must be plain JSON. The queue is that of the task when none is given.
    """
    known = TASKS.get(name)
    now = clock.now()
    values: dict[str, Any] = {
        "task": name,
        "queue": queue or (known.queue if known else "default"),
        "arguments": json.loads(json.dumps(arguments)),
        "state": "waiting",
        "run_at": run_at or now,
        "max_attempts": known.max_attempts if known else MOST_ATTEMPTS,
        "fence": 0,
        "attempts": 0,
        "done_count": 0,
        "total_count": total,
        "created_by_id": created_by_id,
        "dedupe_key": dedupe_key,
        "created_at": now,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Job).values(values).on_conflict_do_nothing(index_elements=["dedupe_key"])
    fresh: int | None = session.scalar(insert.returning(Job.id))
    if fresh is not None:
        if run_at is None or run_at <= now:
            session.info.setdefault(PUT, []).append((values["queue"], fresh))
        return fresh
    return session.scalars(select(Job.id).where(Job.dedupe_key == dedupe_key)).one()


def put_unless_waiting(session: AnySession, name: str, /) -> int:
    """The same for a task without arguments that does all there is to do: one that waits already will do, and its id is given."""
    waits = select(Job.id).where(Job.task == name, Job.state == "waiting").limit(1)
    waiting: int | None = session.scalar(waits)
    return waiting if waiting is not None else put(session, name)


def cancel(session: AnySession, job_id: int) -> bool:
    """Ask a job to stop: a waiting one is cancelled at once, a running one when it looks. False when it was over."""
    now = clock.now()
    waiting = session.execute(
        update(Job).where(Job.id == job_id, Job.state == "waiting").values(state="cancelled", finished_at=now)
    )
    if waiting.rowcount:  # type: ignore[attr-defined]
        return True
    running = session.execute(update(Job).where(Job.id == job_id, Job.state == "leased").values(cancel_asked_at=now))
    return bool(running.rowcount)  # type: ignore[attr-defined]


def retry(session: AnySession, job_id: int) -> bool:
    """Let a failed or cancelled job run once more, with its attempts counted anew. False when it is in another state."""
    queue = session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.state.in_(("failed", "cancelled")))
        .values(state="waiting", run_at=clock.now(), attempts=0, error=None, finished_at=None, cancel_asked_at=None)
        .returning(Job.queue)
    )
    if queue is not None:
        session.info.setdefault(PUT, []).append((queue, job_id))
    return queue is not None


@dataclass(frozen=True)
class Standing:
    """Where a job is, as a screen shows it."""

    id: int
    task: str
    state: str
    done_count: int
    total_count: int | None
    message: str | None
    error: str | None
    arguments: Mapping[str, Any]
    created_by_id: int | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def percent(self) -> int | None:
        return min(100, 100 * self.done_count // self.total_count) if self.total_count else None


_SHOWN = (
    Job.id, Job.task, Job.state, Job.done_count, Job.total_count, Job.message, Job.error, Job.arguments, Job.created_by_id,
)  # fmt: skip


def standing(session: AnySession, job_id: int) -> Standing | None:
    """Where the job is now; None when there is no such job (any more)."""
    row = session.execute(select(*_SHOWN).where(Job.id == job_id)).one_or_none()
    return Standing(*row) if row else None


def running_for(session: AnySession, user_id: int, limit: int = 10) -> list[Standing]:
    """The open jobs that `user_id` started, newest first."""
    query = select(*_SHOWN).where(Job.created_by_id == user_id, Job.state.in_(OPEN))
    return [Standing(*row) for row in session.execute(query.order_by(Job.id.desc()).limit(limit))]
