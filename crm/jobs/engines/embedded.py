"""The engine that needs nothing: threads of one process look into the database for jobs themselves."""

import logging
import threading
from collections.abc import Sequence

from flask import Flask

from crm.jobs.worker import Worker, name_of_worker

log = logging.getLogger(__name__)
QUEUES = ("default", "files")  # of all rooms; those who supervise workers have not loaded the tasks that name them
THREADS = {"default": 2}  # one long job of a queue that everybody uses does not stop all others


def run(
    app: Flask,
    stop: threading.Event,
    *,
    lease_seconds: float,
    queues: Sequence[str] | None = None,
    name: str | None = None,
) -> None:
    """Work until `stop` is set: threads of its own for each queue, so that a long import holds up nothing else."""
    name = name or name_of_worker()
    served = QUEUES if queues is None else queues
    workers = [Worker(app, name, lease_seconds, [queue]) for queue in served for _ in range(THREADS.get(queue, 1))]
    threads = [threading.Thread(target=one.work, args=(stop,), name=f"queue {one.queues}") for one in workers]
    log.info("worker begins", extra={"worker": name, "queues": ",".join(served)})
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.info("worker ends", extra={"worker": name})
