"""`serve`: one process that keeps the pages and the worker running, ends them all, and is missed by them when it dies."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from crm.config import Config
from crm.jobs.leases import release_of
from crm.jobs.worker import name_of_worker
from crm.mail.sending.workers import bury_named

log = logging.getLogger(__name__)
STOP_SECONDS = 8.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """One kind of child: how it is started anew, and what is done when one has died."""

    kind: str
    command: Callable[[], list[str]]
    buried: Callable[[], None] = lambda: None
    process: "subprocess.Popen[bytes] | None" = None
    begun_at: float = 0.0
    falls: int = 0  # one after the other, each soon after its start
    next_at: float = field(default=0.0)

    def start(self) -> None:
        self.begun_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.children", *self.command()], stdin=subprocess.DEVNULL
        )
        log.info("child begins", extra={"child": self.kind, "pid": self.process.pid})

    def look(self) -> None:
        """Start the child if it is not there; after falls in a row with growing pauses."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            self.falls = 0 if now - self.begun_at > 60 else self.falls + 1
            self.next_at = now + min(LONGEST_PAUSE_SECONDS, 0.5 * 2**self.falls - 0.5)
            log.error("child died", extra={"child": self.kind, "pid": self.process.pid, "code": code})
            self.process = None
            self.buried()
        if self.process is None and now >= self.next_at:
            self.start()


def serve(config: Config, host: str, port: int, *, with_worker: bool, processes: int, threads: int = 4) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    parent = ["--parent", str(os.getpid())]
    place = ["--host", host, "--port", str(port), "--processes", str(processes), "--threads", str(threads)]
    children = [Child("web", lambda: ["web", *parent, *place])]
    if with_worker:
        children.append(_worker(config, parent))
    while not stop.is_set():
        for child in children:
            child.look()
        stop.wait(0.2)
    end_all(children)
    return 0


def _worker(config: Config, parent: list[str]) -> Child:
    held: list[str] = []

    def command() -> list[str]:
        held.append(name_of_worker())
        return ["worker", *parent, "--name", held[-1]]

    def give_back() -> None:
        """What the dead worker had leased can be taken at once, instead of after its lease."""
        from sqlalchemy import create_engine

        from crm.db import prepare_engine

        engine = create_engine(config.url_of_database)
        prepare_engine(engine)
        try:
            jobs, mails = release_of(engine, held[-1]), bury_named(engine, held[-1])
            log.info("leases of the dead worker given back", extra={"jobs": jobs, "uncertain_mails": mails})
        except Exception:
            log.exception("leases of the dead worker could not be given back; they end by themselves")
        finally:
            engine.dispose()

    return Child("worker", command, give_back)


def end_all(children: list[Child]) -> None:
    """Ask every child to end, and after a while make it."""
    running = [child.process for child in children if child.process is not None and child.process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("child is ended by force", extra={"pid": process.pid})
            process.kill()
            process.wait()
    log.info("all children ended")
