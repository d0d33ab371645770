"""Telling an engine with a broker that jobs are there: after the commit that wrote them, and again when words were lost.

A thread of its own tells, so that no page and no transaction ever waits for a broker. What it cannot tell it drops: the
clock that leads looks for jobs that are due and that nobody takes, and has them told again.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from crm import clock, config
from crm.config import Config
from crm.db import db
from crm.engine import outbox
from crm.jobs import schedule
from crm.jobs.engines.carriers import BrokerDown, Carrier, carrier_of

log = logging.getLogger(__name__)
MOST_WORDS = 16  # a queue at a time: whoever hears one goes on until nothing is due, so more would only be thrown away
PAUSE_SECONDS = 2.0
REMIND_EVERY_SECONDS = 5.0
Told = Iterable[tuple[str, int]]  # queue, job


class Teller:
    """Carries words to the broker from a thread of its own, which starts with the first word."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._changed = threading.Condition()
        self._wanted: dict[str, list[int]] = {}
        self._busy = False
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self.trouble: str | None = None

    def tell(self, told: Told) -> None:
        """Have these jobs told; returns at once."""
        if self._process != os.getpid():  # a fork has no thread of its parent
            self._begin_anew()
        with self._changed:
            for queue, job_id in told:
                wanted = self._wanted.setdefault(queue, [])
                if len(wanted) < MOST_WORDS:
                    wanted.append(job_id)
            if self._wanted and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="teller", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
            self._changed.notify_all()

    def flush(self, seconds: float = 3.0) -> bool:
        """Wait until all is told or dropped, e.g. at the end of a command; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._wanted or self._busy), seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._wanted)
                wanted, self._wanted, self._busy = self._wanted, {}, True
            try:
                for queue, job_ids in wanted.items():
                    for job_id in job_ids:
                        self.carrier.tell(queue, job_id)
                self._note(None)
            except BrokerDown as reason:
                self._note(str(reason))
                time.sleep(PAUSE_SECONDS)
            except Exception:
                log.exception("the teller stumbled")
                time.sleep(PAUSE_SECONDS)

    def _note(self, trouble: str | None) -> None:
        if trouble and not self.trouble:
            log.error("the broker cannot be told of jobs; the clock tells it later", extra={"reason": trouble})
        elif self.trouble and not trouble:
            log.info("the broker can be told of jobs again")
        self.trouble = trouble


_tellers: dict[int, Teller] = {}


def teller_of(settings: Config) -> Teller | None:
    """The teller of this process; None with the embedded engine, whose workers look by themselves."""
    carrier = carrier_of(settings)
    return _tellers.setdefault(id(carrier), Teller(carrier)) if carrier is not None else None


@event.listens_for(db.session, "after_commit")
def tell_what_was_put(session: Session) -> None:
    """Nothing is told before its row is there for all to see."""
    if session.in_nested_transaction():
        return
    told = session.info.pop(outbox.PUT, None)
    if told and (teller := teller_of(config.current())):
        teller.tell(told)


@event.listens_for(db.session, "after_rollback")
def forget_what_was_put(session: Session) -> None:
    session.info.pop(outbox.PUT, None)


class Reminder:
    """What the leading clock does for engines with a broker, once a round: tells what has become due, and what was lost."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self._seen_until: datetime = clock.now()
        self._reminded_at = 0.0

    def __call__(self) -> None:
        """Look and tell. Needs the app's context."""
        now = clock.now()
        self.teller.tell(schedule.become_due(self._seen_until, now))
        self._seen_until = now
        if time.monotonic() - self._reminded_at < REMIND_EVERY_SECONDS:
            return
        self._reminded_at = time.monotonic()
        lost: dict[str, list[int]] = {}
        for queue, job_id in schedule.lost_jobs():
            lost.setdefault(queue, []).append(job_id)
        for queue, job_ids in lost.items():
            try:
                # Words that wait mean that all workers are busy, or that none is there: more would not help.
                if not self.teller.carrier.waiting(queue):
                    self.teller.tell((queue, job_id) for job_id in job_ids[:MOST_WORDS])
            except BrokerDown as reason:
                log.warning("the broker is away", extra={"reason": str(reason)})


def reminder_of(settings: Config) -> Any:
    """For crm.jobs.schedule.keep_time: a Reminder, or None with the embedded engine."""
    teller = teller_of(settings)
    return Reminder(teller) if teller is not None else None
