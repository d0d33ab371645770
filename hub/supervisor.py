"""`serve` and `worker`: one process that keeps pages and workers running, ends them all, and is missed by them when it dies."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from crm.config import Config
from crm.jobs.leases import release_of
from crm.jobs.worker import name_of_worker
from crm.mail.sending.workers import bury_named
from hub import working

log = logging.getLogger(__name__)
STOP_SECONDS = 7.5
GIVE_BACK_SECONDS = 1.5
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """One kind of child: how it is started anew, and what is done when one has died."""

    kind: str
    command: Callable[[], list[str]]
    buried: Callable[[bool], None] = lambda told: None  # `told`: it was told to end
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
            self.buried(False)
        if self.process is None and now >= self.next_at:
            self.start()


def serve(config: Config, host: str, port: int, *, with_worker: bool, processes: int, threads: int = 4) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code."""
    place = ["--host", host, "--port", str(port), "--processes", str(processes), "--threads", str(threads)]
    children = [Child("web", lambda: ["web", *_parent(), *place])]
    if with_worker:
        children += _workers(config, None, with_clock=True)
    return keep(children)


def work(config: Config, queues: Sequence[str] | None) -> int:
    """Keep the worker processes of `queues` (None: all) running until SIGTERM or SIGINT; gives the exit code."""
    return keep(_workers(config, queues, with_clock=False))


def keep(children: list[Child]) -> int:
    """Start the children, and anew whichever dies, until SIGTERM or SIGINT; then end them."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    while not stop.is_set():
        for child in children:
            child.look()
        stop.wait(0.2)
    end_all(children)
    return 0


def _parent() -> list[str]:
    return ["--parent", str(os.getpid())]


def _workers(config: Config, queues: Sequence[str] | None, with_clock: bool) -> list[Child]:
    return [_worker(config, *share) for share in working.shares_of(config, queues, with_clock)]


def _worker(config: Config, queues: list[str] | None, with_clock: bool) -> Child:
    held: list[str] = []
    does = [] if queues is None else ["--queues", ",".join(queues)]
    does += [] if with_clock else ["--no-clock"]

    def command() -> list[str]:
        held.append(name_of_worker())
        return ["worker", *_parent(), "--name", held[-1], "--engine", config.queue_engine, *does]

    def give_back(told: bool) -> None:
        """What the dead worker had leased can be taken at once, instead of after its lease."""
        from sqlalchemy import create_engine

        from crm.db import prepare_engine

        engine = create_engine(config.url_of_database)
        prepare_engine(engine)
        try:
            jobs, mails = release_of(engine, held[-1], counted=not told), bury_named(engine, held[-1])
            log.info("leases of the dead worker given back", extra={"jobs": jobs, "uncertain_mails": mails})
        except Exception:
            log.exception("leases of the dead worker could not be given back; they end by themselves")
        finally:
            engine.dispose()

    return Child(f"worker {','.join(queues)}".strip() if queues else "worker", command, give_back)


def end_all(children: list[Child]) -> None:
    """Ask every child to end, and after a while make it; what jobs were running then is given back, not counted as tried."""
    running = [(child, child.process) for child in children if child.process is not None]
    for _, process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for _, process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("child is ended by force", extra={"pid": process.pid})
            process.kill()
            process.wait()
    # A database that does not answer must not hold the end up: leases end by themselves too.
    last = [threading.Thread(target=child.buried, args=(True,), daemon=True) for child, _ in running]
    for thread in last:
        thread.start()
    deadline = time.monotonic() + GIVE_BACK_SECONDS
    for thread in last:
        thread.join(max(0.0, deadline - time.monotonic()))
    log.info("all children ended")
