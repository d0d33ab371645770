"""A worker: claims one job after the other and runs each in an app context of its own.

While a task runs, a second thread keeps its lease (crm/jobs/keeping.py). What the task left in the session is committed together with the
state "done", under the fence: a worker that lost its lease commits nothing.
"""

import logging
import os
import socket
import threading
import time
import traceback
import uuid
from collections.abc import Sequence

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from crm.db import db, reading
from crm.engine.outbox import TASKS, GiveUp, Job, RunLater
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.jobs import leases
from crm.jobs.keeping import Keeper
from crm.jobs.leases import Claimed

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 0.5
HOPELESS = (GiveUp, Refused, Forbidden, Missing, UnknownName)  # would be the same the next time


class LostLease(Exception):
    """The job was taken by somebody else meanwhile."""


def name_of_worker() -> str:
    """A name that no other worker has, also after a restart under the same process id."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Running:
    """The progress of one claimed job: what a task is given as its first argument."""

    def __init__(self, claimed: Claimed) -> None:
        self._claimed = claimed
        self._looked_at = 0.0
        self._noted_at = 0.0
        self.was_cancelled = False
        self.job_id = claimed.id
        self.created_by_id = claimed.created_by_id

    def step(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """See crm.engine.outbox.Progress. Writes at most twice a second, and the last step always."""
        now = time.monotonic()
        if now - self._noted_at < LOOK_EVERY_SECONDS and done != total:
            return
        self._noted_at = now
        values = {"done_count": done, "total_count": total, "message": message}
        inside = db.session().in_transaction()
        if not leases.note(db.session, self._claimed, **{name: v for name, v in values.items() if v is not None}):
            raise LostLease
        if not inside:
            db.session.commit()

    def cancelled(self) -> bool:
        """See crm.engine.outbox.Progress. Asks the database at most twice a second."""
        now = time.monotonic()
        if not self.was_cancelled and now - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = now
            with reading(), db.engine.connect() as connection:  # the task may hold the write lock
                asked = connection.scalar(select(Job.cancel_asked_at).where(Job.id == self.job_id))
            self.was_cancelled = asked is not None
        return self.was_cancelled


class Worker:
    """Claims and runs jobs of `queues` (None: all) until told to stop."""

    def __init__(self, app: Flask, name: str, lease_seconds: float, queues: Sequence[str] | None = None) -> None:
        self.app = app
        self.name = name
        self.lease_seconds = lease_seconds
        self.queues = queues
        with app.app_context():
            self.engine = db.engine
        self.keeper = Keeper(self.engine, lease_seconds)
        self._was_busy = False

    def work(self, stop: threading.Event, idle_seconds: float = 0.25) -> None:
        """Run whatever is due, look again after `idle_seconds` when nothing is; returns soon after `stop` is set."""
        while not stop.is_set():
            try:
                busy = self.run_next()
            except SQLAlchemyError as error:  # the database may be away for a while; a worker outlives that
                log.error("a worker could not look for jobs", extra={"reason": str(error.__cause__ or error)[:300]})
                busy = bool(stop.wait(2))
            except Exception:
                log.exception("a worker stumbled")
                busy = bool(stop.wait(2))
            if not busy:
                stop.wait(idle_seconds)

    def run_next(self) -> bool:
        """Claim and run one job; False when none is due."""
        # Where one was due just now, another may be: it is claimed without looking first.
        claimed = leases.claim(self.engine, self.name, self.lease_seconds, self.queues, look=not self._was_busy)
        if claimed is None and self._was_busy:
            claimed = leases.claim(self.engine, self.name, self.lease_seconds, self.queues)
        self._was_busy = claimed is not None
        if claimed is None:
            return False
        self.run(claimed)
        return True

    def run(self, claimed: Claimed) -> None:
        """Run a claimed job to its end and record what came of it."""
        self.keeper.begin(claimed)
        begun = time.monotonic()
        try:
            with self.app.app_context():
                state = self._run(claimed)
        finally:
            self.keeper.end(claimed)
        seconds = round(time.monotonic() - begun, 3)
        task = TASKS.get(claimed.task)
        # What the timetable starts every few seconds is worth a line only when something is wrong.
        level = logging.DEBUG if task and task.is_periodic and state == "done" else logging.INFO
        extra = {"job": claimed.id, "task": claimed.task, "state": state, "seconds": seconds}
        log.log(level, "job over", extra=extra)

    def _run(self, claimed: Claimed) -> str:
        task = TASKS.get(claimed.task)
        running = Running(claimed)
        try:
            if task is None:
                raise LookupError(f"There is no task called “{claimed.task}” in this worker.")
            message = task.run(running, **claimed.arguments)
            state = "cancelled" if running.was_cancelled else "done"
            if not leases.finish(db.session, claimed, state, message):
                raise LostLease
            db.session.commit()
            return state
        except LostLease:
            db.session.rollback()
            return "lost"
        except RunLater as later:
            if not leases.put_back(db.session, claimed, later.seconds, counted=False, message=later.message):
                db.session.rollback()
                return "lost"
            db.session.commit()
            return "later"
        except HOPELESS as reason:
            db.session.rollback()
            return self._fail(claimed, str(reason))
        except Exception as error:
            db.session.rollback()
            log.exception("job failed", extra={"job": claimed.id, "task": claimed.task, "attempt": claimed.attempts})
            text = "".join(traceback.format_exception_only(error)).strip()
            if claimed.attempts >= claimed.max_attempts:
                return self._fail(claimed, text)
            pause = leases.pause_before_retry(claimed.attempts)
            with self.engine.begin() as connection:
                leases.put_back(connection, claimed, pause, counted=True, error=text)
            return "retry"

    def _fail(self, claimed: Claimed, text: str) -> str:
        with self.engine.begin() as connection:
            leases.finish(connection, claimed, "failed", error=text)
        return "failed"
