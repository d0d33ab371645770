"""A worker as a process of its own, with tasks of the tests: `python -m tests.jobs.embedded_process URL LEASE_SECONDS`."""

import sys
import threading
import time

from crm.db import Entity, db
from crm.engine import outbox
from crm.jobs.engines import embedded
from hub import orphans
from tests.apps import make_worker_app


@outbox.task("tests.once")
def mark(progress: outbox.Progress, label: str, seconds: float = 0.0) -> str:
    """Leave one entity called `label`, after a while."""
    progress.step(0, 1, "begun")
    time.sleep(seconds)
    db.session.add(Entity(module="tested", label=label))
    return "marked"


def main() -> None:
    orphans.end_with_parent()
    app = make_worker_app(sys.argv[1])
    # Queues are named, so that no other task of the house comes in between.
    embedded.run(app, threading.Event(), lease_seconds=float(sys.argv[2]), queues=["default"])


if __name__ == "__main__":
    main()
