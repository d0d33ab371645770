"""The engine that needs nothing: threads of one process look into the database for jobs themselves."""

import logging
import threading
from collections.abc import Sequence

from flask import Flask

from crm.engine.outbox import TASKS
from crm.jobs import schedule
from crm.jobs.worker import Worker, name_of_worker

log = logging.getLogger(__name__)
THREADS = {"default": 2}  # one long job of a queue that everybody uses does not stop all others


def tell(job_ids: Sequence[int]) -> None:
    """Nothing to do: the workers look by themselves several times a second."""


def queues_of(given: Sequence[str] | None = None) -> list[str]:
    """The queues that registered tasks name, or the given ones."""
    return list(given) if given is not None else sorted({task.queue for task in TASKS.values()} | {"default"})


def run(
    app: Flask,
    stop: threading.Event,
    *,
    lease_seconds: float,
    zone: str,
    queues: Sequence[str] | None = None,
    name: str | None = None,
    with_clock: bool = True,
) -> None:
    """Work until `stop` is set: a thread a queue, so that a long import holds up no mail, and the clock."""
    name = name or name_of_worker()
    served = queues_of(queues)
    workers = [Worker(app, name, lease_seconds, [queue]) for queue in served for _ in range(THREADS.get(queue, 1))]
    threads = [threading.Thread(target=one.work, args=(stop,), name=f"queue {one.queues}") for one in workers]
    if with_clock:
        threads.append(threading.Thread(target=schedule.keep_time, args=(app, name, zone, stop, tell), name="clock"))
    log.info("worker begins", extra={"worker": name, "queues": ",".join(served), "clock": with_clock})
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.info("worker ends", extra={"worker": name})
