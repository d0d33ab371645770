"""What the engines with a broker share: a worker process serves one queue, and a word makes it look for what is due.

It takes the job that is due first, not the one that the word names, and goes on until none is due: so jobs of a queue
begin in order whatever becomes of the words, and one word is enough for all.
"""

import logging
import threading

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from crm.jobs.engines.carriers import Carrier
from crm.jobs.engines.embedded import THREADS
from crm.jobs.worker import Worker

log = logging.getLogger(__name__)


def run(app: Flask, stop: threading.Event, carrier: Carrier, queue: str, *, lease_seconds: float, name: str) -> None:
    """Work on `queue` until `stop` is set."""
    worker = Worker(app, name, lease_seconds, [queue])

    def look(job_id: int) -> None:
        try:
            while not stop.is_set() and worker.run_next():
                pass
        except SQLAlchemyError as error:  # the clock tells again when the database is back
            log.error("a worker could not look for jobs", extra={"reason": str(error.__cause__ or error)[:300]})
            stop.wait(1)
        except Exception:
            log.exception("a worker stumbled")

    log.info("worker begins", extra={"worker": name, "queues": queue})
    carrier.serve(queue, THREADS.get(queue, 1), look, stop)
    log.info("worker ends", extra={"worker": name})
