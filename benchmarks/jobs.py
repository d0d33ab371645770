"""What a job costs beside its work: thousands of empty ones through each engine, counted in processor time of the worker; and
the plain loop of two statements a job on the driver itself, in the same run."""

import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from sqlalchemy import func, insert, select, text

from benchmarks.world import Figure, world
from crm import clock
from crm.db import db, reading
from crm.engine import outbox
from crm.engine.outbox import Job
from crm.jobs.engines import brokered, embedded
from crm.jobs.engines.carriers import carrier_of

JOBS, PLAIN = 5_000, 2_000
TASK, QUEUE = "benchmarks.nothing", "default"
BROKERS = {"redis": "redis://127.0.0.1:6379/0", "rabbitmq": "amqp://guest:guest@127.0.0.1:5672/"}


def nothing(progress: outbox.Progress) -> None:
    """No work at all."""


def measure(kind: str, jobs: int = JOBS) -> list[Figure]:
    found = [_apart(kind, "embedded", "", jobs, "≥ 300")]
    for broker, url in BROKERS.items():
        url = os.environ.get(f"BENCH_{broker.upper()}_URL", url)
        for engine in ("dramatiq", "celery"):
            found.append(_apart(kind, engine, f"{url}?prefix=bench-{uuid.uuid4().hex[:8]}", jobs, "≥ 500"))
            found[-1].name += f" on {broker}"
    return found


def _apart(*said: Any) -> Figure:
    """`_engine` in a process of its own, as a worker is: Celery serves once in one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_engine, *said).result()


def _engine(kind: str, engine: str, url: str, jobs: int, target: str) -> Figure:
    outbox.TASKS[TASK] = outbox.Task(TASK, nothing, QUEUE)
    with world(kind, queue_engine=engine, queue_url=url) as app:
        plain = _plain()
        _put(jobs)
        stop = threading.Event()
        carrier = carrier_of(app.config["CUSTOMERHUB"])
        kept = {"lease_seconds": 60, "name": "bench"}
        if carrier is None:
            work = threading.Thread(target=embedded.run, args=(app, stop), kwargs={"queues": [QUEUE], **kept})
        else:
            for job_id in range(64):  # each word makes a worker go on until nothing is due
                carrier.tell(QUEUE, job_id)
            work = threading.Thread(target=brokered.run, args=(app, stop, carrier, QUEUE), kwargs=kept)
        cpu, wall = _clocked(lambda: (work.start(), _wait_until_done()))
        stop.set()
        work.join(15)
        if carrier is not None:
            carrier.forget()
        note = (
            f"{jobs / wall:,.0f}/s by the wall clock; plain loop {plain:,.0f}/s, {plain * cpu / jobs:.1f} times as fast"
        )
        return Figure(f"empty jobs, {engine}", kind, jobs / cpu, "jobs/s a core", target, note, {"plain": plain})


def _clocked(do: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.monotonic()
    do()
    return time.process_time() - cpu, time.monotonic() - wall


def _put(count: int) -> None:
    common = {"task": TASK, "queue": QUEUE, "arguments": {}, "state": "waiting", "run_at": clock.now()}
    db.session.execute(insert(Job), [common | {"created_at": clock.now()}] * count)
    db.session.commit()


def _wait_until_done() -> None:
    query = select(func.count()).select_from(Job).where(Job.task == TASK, Job.state.in_(outbox.OPEN))
    while True:
        with reading():
            left = db.session.scalar(query)
            db.session.rollback()
        if not left:
            return
        time.sleep(0.1)


def _plain() -> float:
    """Lease and close rows by their ids, two commits each, and nothing else."""
    _put(PLAIN)
    ids = list(db.session.scalars(select(Job.id)))
    db.session.commit()
    lease, close = (
        text("UPDATE jobs SET state='leased' WHERE id=:id"),
        text("UPDATE jobs SET state='done' WHERE id=:id"),
    )

    def loop() -> None:
        for job_id in ids:
            for statement in (lease, close):
                with db.engine.begin() as connection:
                    connection.execute(statement, {"id": job_id})

    cpu, _ = _clocked(loop)
    return PLAIN / cpu
