"""One sending thread: render, commit (outcome of the last, beginning of the next), send, and so on; one commit a mail.

What is promised in invariants.md 2 is kept here: nothing begins that is not written down before, nothing is repeated whose
end is in doubt, and while the ledger cannot be written nothing begins at all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crm import clock
from crm.mail.outcome import Outcome
from crm.mail.sending.batch import Batch
from crm.mail.sending.ledger import Beginning, Ending, Ledger
from crm.mail.sending.pace import is_deferral
from crm.mail.sending.settle import Settlement, settle
from crm.mail.transport import Connection

log = logging.getLogger(__name__)
FRESH_SECONDS = 0.5
"""Older than this when the server asks for the text, a beginning is asked for again (invariant 6 allows one second)."""
_IDLE_SECONDS = 5.0


@dataclass(slots=True)
class Way:
    """How the way out is doing, shared by the threads of a process: back-off of 1 to 60 s while the server is not there."""

    told: Callable[[str], None] = lambda sentence: None
    failing_since: float = 0.0
    pause: float = 0.0
    try_at: float = 0.0
    was_told: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failed(self, sentence: str) -> None:
        """The server did not let us in, or sent us away."""
        with self.lock:
            now = time.monotonic()
            self.failing_since = self.failing_since or now
            if now >= self.try_at:
                self.pause = min(max(1.0, self.pause * 2), 60.0)
                self.try_at = now + self.pause
            tell = not self.was_told and now - self.failing_since > 600
            self.was_told = self.was_told or tell
        if tell:
            self.told(sentence)

    def works(self) -> None:
        """A mail was taken or judged by the server."""
        self.failing_since = self.pause = self.try_at = 0.0
        self.was_told = False

    def wait(self) -> float:
        """Seconds until the server may be tried again."""
        return max(0.0, self.try_at - time.monotonic())


class Sender:
    """One thread's connection, ledger and place in the sequence."""

    def __init__(
        self,
        batch: Batch,
        ledger: Ledger,
        connection: Connection,
        way: Way,
        first_retry_seconds: float,
        refused: Callable[[int | None, Outcome], None],
    ) -> None:
        self.batch, self.ledger, self.connection, self.way = batch, ledger, connection, way
        self.first_retry_seconds = first_retry_seconds
        self.refused = refused  # told every outcome, to notice that a server refuses everything
        self._ending: Ending | None = None
        self._held: Beginning | None = None
        self._used_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; what was begun is ended and recorded."""
        try:
            while not stop.is_set():
                try:
                    self.step(stop)
                except (
                    Exception
                ):  # a thread that ended here would leave its rows leased for as long as the process lives
                    log.exception("a sending thread goes on after a fault of ours")
                    stop.wait(1)
        finally:
            self._record(stop, None, for_ever=False)
            self.connection.close()
            self.ledger.close()

    def step(self, stop: threading.Event) -> None:
        """One mail, or one pause."""
        try:
            mail = self._held or self._next(stop)
        except (SQLAlchemyError, OSError):
            log.exception("mails cannot be claimed")
            self._record(stop, None)
            stop.wait(2)
            return
        self._held = None
        if mail is None:
            return
        if not self._is_way_open():
            self._held = mail  # it has not begun: it stays ours until the server is back
            self._record(stop, None)
            stop.wait(min(self.way.wait(), 1.0))
            return
        if not self._record(stop, mail):
            self._refuse(stop, mail)
            return
        try:
            outcome = self.connection.send(mail.rendered.envelope, mail.rendered.data, self._go_ahead(mail))
        except Exception as problem:  # a fault of ours in the middle: what the server has is not known
            log.exception("a mail ended in a fault of ours", extra={"delivery": mail.row.id})
            self.connection.close()
            outcome = Outcome("in_doubt", "text", text=f"{type(problem).__name__}: {problem}")
        self._used_at = time.monotonic()
        self._ending = self._end(mail, outcome)

    def _next(self, stop: threading.Event) -> Beginning | None:
        """The next mail that may go now; None after a pause or something else that had to be written down."""
        found = self.batch.next_mail(may_fill=self._ending is None)
        if isinstance(found, Beginning):
            return found
        if self._ending is not None:
            self._record(stop, None)
            if isinstance(found, float):
                return None
        if isinstance(found, Ending):
            self._ending = found
            self._record(stop, None)
            return None
        if self.connection.is_open and time.monotonic() - self._used_at > _IDLE_SECONDS:
            self.connection.close()
        stop.wait(min(found, 1.0))
        return None

    def _is_way_open(self) -> bool:
        """Connect if need be, not more often than the back-off allows."""
        if self.connection.is_open:
            return True
        if self.way.wait():
            return False
        problem = self.connection.open()
        if problem:
            log.warning("mail server not reachable", extra={"reason": problem.sentence})
            self.way.failed(problem.sentence)
        return problem is None

    def _go_ahead(self, mail: Beginning) -> Callable[[], bool]:
        begun = time.monotonic()

        def may_go() -> bool:
            if time.monotonic() - begun < FRESH_SECONDS:
                return True
            try:
                return self.ledger.may_still(mail)
            except DBAPIError:
                return False  # what cannot be asked is not sent

        return may_go

    def _end(self, mail: Beginning, outcome: Outcome) -> Ending:
        domain = mail.row.domain
        self.batch.pacer.note(domain, outcome)
        is_of_server = not is_deferral(outcome) or self.batch.pacer.is_server_busy(domain)
        if outcome.kind == "unreachable" or (outcome.is_closing and is_of_server):
            self.way.failed(outcome.sentence)
        elif outcome.kind != "not_sent":
            self.way.works()
        self.refused(mail.row.sendout_id, outcome)
        return Ending(mail.row, outcome, settle(mail.row, outcome, clock.now(), self.first_retry_seconds))

    def _record(self, stop: threading.Event, mail: Beginning | None, *, for_ever: bool = True) -> bool:
        """Write what has ended and what begins; waits while the ledger cannot be written. Whether `mail` may begin."""
        if self._ending is None and mail is None:
            return False
        pause, deadline = 0.1, time.monotonic() + 10
        while True:
            try:
                may_begin = self.ledger.record(self._ending, mail)
            except DBAPIError as problem:
                log.warning("the sending ledger cannot be written", extra={"reason": str(problem.orig)})
                if stop.is_set() and (not for_ever or time.monotonic() > deadline):
                    return False
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            self._ending = None
            return may_begin

    def _refuse(self, stop: threading.Event, mail: Beginning) -> None:
        """A mail that may not begin: write down why, or leave it to whom it now belongs."""
        if self._ending is not None:
            return  # the ledger could not be written, and we are to stop
        try:
            reason = self.ledger.why_not(mail.row)
        except DBAPIError:
            return  # it stays leased to us and is given back when we end or are buried
        if reason is None:
            return
        if reason:
            settlement = Settlement("skipped", {"skip_reason": reason, "worker_id": None})
        else:
            settlement = Settlement("retry" if mail.row.attempts else "waiting", {"worker_id": None})
        self._ending = Ending(mail.row, None, settlement)
        self._record(stop, None)
