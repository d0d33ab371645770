"""A process that sends: its worker row and heartbeat, its batch, and as many sending threads as it has connections."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from crm import troubles
from crm.mail.outcome import Outcome
from crm.mail.sending import workers
from crm.mail.sending.batch import Batch
from crm.mail.sending.kinds import KINDS
from crm.mail.sending.ledger import Ledger
from crm.mail.sending.runs import pause_run
from crm.mail.sending.send import Sender, Way
from crm.mail.sending.throttle import Throttle
from crm.mail.transport import Transport

log = logging.getLogger(__name__)
REFUSALS_IN_A_ROW = 20
AWAY_PAUSE_SECONDS = 2.0  # of the back-off: the second failure in a row


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of sending (contract.md): rates a second (0: none), seconds, what a commit survives, connections."""

    send_rate: float = 10.0
    domain_rate: float = 2.0
    lease_seconds: float = 60.0
    first_retry_seconds: float = 300.0
    ledger_sync: str = "power"
    connections: int = 4


class PostOffice:
    """Sends what is due until told to stop.

    `context` gives an app context (`app.app_context`) for what kinds do; `name` is the process's, by which its parent may bury
    it (`workers.bury_named`)."""

    def __init__(
        self,
        engine: Engine,
        transport: Transport,
        rules: Rules,
        context: Callable[[], AbstractContextManager[Any]],
        name: str,
    ) -> None:
        self.engine, self.transport, self.rules, self.context, self.name = engine, transport, rules, context, name
        self._counting = threading.Lock()
        self._in_a_row: Counter[int | None] = Counter()
        self._runs_seen: set[int | None] = set()
        self._watch = troubles.Watch(engine, "mail", name)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; after a lost heartbeat it begins again as a new worker."""
        while not stop.is_set():
            self._bury_silent()
            try:
                worker_id = workers.enlist(self.engine, self.name)
            except DBAPIError:
                log.exception("the sending ledger cannot be reached")
                stop.wait(2)
                continue
            self._work_as(worker_id, stop)

    def _work_as(self, worker_id: int, stop: threading.Event) -> None:
        over = threading.Event()
        batch = Batch(self.engine, worker_id, self._throttle(), self.context)
        way = Way(self._tell_unreachable)
        senders = [
            Sender(batch, ledger, self.transport.connection(), way, self.rules.first_retry_seconds, self._note)
            for ledger in self._ledgers(worker_id)
        ]
        threads = [
            threading.Thread(target=sender.run, args=(over,), name=f"mail {n}") for n, sender in enumerate(senders)
        ]
        for thread in threads:
            thread.start()
        try:
            while not stop.wait(min(workers.HEARTBEAT_SECONDS, self.rules.lease_seconds / 4)):
                if not self._beat(worker_id):
                    log.warning("this sending process was taken for dead and begins anew", extra={"worker": worker_id})
                    break
                self._look_at_server(way, worker_id)
        finally:
            over.set()
            for thread in threads:
                thread.join()
            batch.empty()
            with contextlib.suppress(DBAPIError):  # else its lease ends by itself
                workers.retire(self.engine, worker_id)
                self._watch.note(False)  # nobody here sees it any more

    def _ledgers(self, worker_id: int) -> list[Ledger]:
        """One for each sending thread, or the same for all."""
        first, *others = (
            Ledger(self.engine, worker_id, self.rules.ledger_sync, self.context) for _ in range(self.rules.connections)
        )
        return [first, *(first if first.is_shared else one for one in others)]

    def _beat(self, worker_id: int) -> bool:
        """Renew the heartbeat and bury others; a database that does not answer is no reason to stop what is under way."""
        try:
            alive = workers.beat(self.engine, worker_id)
        except DBAPIError:
            log.warning("no heartbeat: the database does not answer")
            return True
        self._bury_silent()
        return alive

    def _look_at_server(self, way: Way, worker_id: int) -> None:
        """Note whether the mail server is away; while nobody waits, no sender would meet it again, so it is looked for here."""
        try:
            if way.failing_since and not way.wait() and not workers.holds(self.engine, worker_id):
                connection = self.transport.connection()
                problem = connection.open()
                connection.close()
                if problem is None:
                    way.works()
                else:
                    way.failed(problem.sentence)
            self._watch.note(bool(way.failing_since) and way.pause >= AWAY_PAUSE_SECONDS)
        except DBAPIError:
            log.warning("what is known of the mail server cannot be noted: the database does not answer")

    def _bury_silent(self) -> None:
        try:
            workers.bury_silent(self.engine, self.rules.lease_seconds)
        except DBAPIError as problem:
            log.warning("silent workers cannot be buried now", extra={"reason": str(problem.orig)})

    def _throttle(self) -> Throttle:
        is_throttled = self.transport.is_throttled
        rates = (self.rules.send_rate, self.rules.domain_rate) if is_throttled else (0.0, 0.0)
        return Throttle(self.engine, *rates)

    def _note(self, sendout_id: int | None, outcome: Outcome) -> None:
        """Notice a server that refuses everything of a sendout for policy: stop before the list is burnt."""
        if sendout_id is None:
            return
        with (
            self._counting
        ):  # the others wait for the pause to be committed, so that it comes after 20 and not after 30
            self._runs_seen.add(sendout_id)
            if not (outcome.is_permanent and outcome.blame == "sender"):
                self._in_a_row[sendout_id] = 0
                return
            self._in_a_row[sendout_id] += 1
            if self._in_a_row[sendout_id] != REFUSALS_IN_A_ROW:
                return
            self._in_a_row[sendout_id] = 0
            with self.engine.begin() as connection:
                pause_run(connection, sendout_id)
        sentence = f"Paused: the server refused {REFUSALS_IN_A_ROW} mails in a row: {outcome.sentence}"
        self._tell(sendout_id, "policy", sentence)

    def _tell_unreachable(self, sentence: str) -> None:
        for sendout_id in self._runs_seen or {None}:
            self._tell(sendout_id, "unreachable", f"The mail server is not reachable: {sentence}")

    def _tell(self, sendout_id: int | None, code: str, sentence: str) -> None:
        for kind in list(KINDS.values()):
            try:
                with self.context():
                    kind.trouble(sendout_id, code, sentence)
            except Exception:
                log.exception("nobody could be told of trouble with sending")
