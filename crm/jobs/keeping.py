"""Keeping the leases of running jobs: one thread for all of a worker, there while there are any."""

import logging
import threading

from sqlalchemy import Engine

from crm.jobs import leases
from crm.jobs.leases import Claimed

log = logging.getLogger(__name__)


class Keeper:
    """Lengthens the leases it was given, four times in the length of one, until they are over or lost."""

    def __init__(self, engine: Engine, lease_seconds: float) -> None:
        self.engine, self.lease_seconds = engine, lease_seconds
        self._lock = threading.Lock()
        self._held: dict[tuple[int, int], Claimed] = {}
        self._thread: threading.Thread | None = None

    def begin(self, claimed: Claimed) -> None:
        """Keep this lease from now on."""
        with self._lock:
            self._held[claimed.id, claimed.fence] = claimed
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
                self._thread.start()

    def end(self, claimed: Claimed) -> None:
        """Keep it no more."""
        with self._lock:
            self._held.pop((claimed.id, claimed.fence), None)

    def _keep(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self.lease_seconds / 4)
            with self._lock:
                held = list(self._held.values())
                if not held:
                    self._thread = None
                    return
            for claimed in held:
                try:
                    if not leases.keep(self.engine, claimed, self.lease_seconds):
                        self.end(claimed)
                except Exception:
                    log.warning("the lease of job %s could not be kept", claimed.id, exc_info=True)
