"""A worker with a clock as a process of its own, with tasks of the tests: `python -m tests.jobs.worker_process FILE.json`.

The file says: url, engine, broker, lease, folder.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from crm.db import Entity, db
from crm.engine import outbox
from crm.jobs import leases, schedule
from crm.jobs.engines import carriers
from hub import children, orphans, working
from tests.apps import make_worker_app

QUEUE = "tests"
SAID = "tested"
DEATHS = 2  # of workers, until a job is given up
ENDING_SECONDS = 1.0


def leave(label: str) -> None:
    db.session.add(Entity(module=SAID, label=label))


@outbox.task("tests.mark", QUEUE)
def mark(progress: outbox.Progress, label: str, seconds: float = 0.0) -> str:
    """Leave one entity called `label`, after a while."""
    begun = time.time()
    progress.step(0, 1, f"begun by {os.getpid()}")
    time.sleep(seconds)
    leave(label)
    return f"{begun} {os.getpid()}"


@outbox.task("tests.stumble", QUEUE)
def stumble(progress: outbox.Progress, label: str) -> str:
    """Fail twice, then leave the times of all three tries."""
    folder = Path(os.environ["TESTS_FOLDER"])
    with (folder / label).open("a") as file:
        file.write(f"{time.time()}\n")
    times = (folder / label).read_text().split()
    leave("half-way")
    db.session.flush()
    if len(times) < 3:
        raise RuntimeError("no luck")
    return " ".join(times)


@outbox.task("tests.count", QUEUE)
def count(progress: outbox.Progress, steps: int) -> str:
    """Count slowly, until cancelled."""
    for done in range(steps):
        if progress.cancelled():
            return f"stopped at {done}"
        progress.step(done, steps, "counting")
        time.sleep(0.02)
    return "to the end"


@outbox.task("tests.die", QUEUE, max_attempts=DEATHS)
def die(progress: outbox.Progress) -> str:
    """Take the whole process along."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@outbox.task("tests.often", QUEUE, every=1)
def often(progress: outbox.Progress) -> str:
    """Leave a mark every second."""
    leave(f"tick {int(time.time())}")
    return "ticked"


def main() -> None:
    said = json.loads(Path(sys.argv[1]).read_text())
    os.environ["TESTS_FOLDER"] = said["folder"]
    leases.FIRST_RETRY_SECONDS = 0.4  # type: ignore[assignment]
    schedule.LEADS_FOR_SECONDS = 4
    carriers.ENDING_SECONDS = ENDING_SECONDS  # type: ignore[misc]
    orphans.end_with_parent()
    app = make_worker_app(
        said["url"], queue_engine=said["engine"], queue_url=said["broker"], lease_seconds=said["lease"]
    )
    working.load_tasks = lambda: None
    for name in [name for name in outbox.TASKS if not name.startswith("tests.")]:
        del outbox.TASKS[name]  # no other task of the house comes in between
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work = threading.Thread(
        target=working.work,
        args=(app, app.config["CUSTOMERHUB"], stop, said["name"]),
        kwargs={"queues": [QUEUE]},
        daemon=True,
    )
    work.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    children.end_in_time(work, stop)


if __name__ == "__main__":
    main()
