"""A database, a broker and two worker processes with their clocks, shared by the tests of one combination."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm.db import Entity, db, reading
from crm.engine import outbox
from crm.engine.outbox import Job
from crm.jobs import telling
from tests import brokers, databases, forked
from tests.apps import build_template, forget_engine, make_app
from tests.forked import Forked
from tests.jobs.worker_process import QUEUE, SAID

ENGINES = [("embedded", ""), *((engine, kind) for kind in brokers.KINDS for engine in ("dramatiq", "celery"))]
LEASE_SECONDS = 2
WORKER = "tests.jobs.worker_process"
PATIENCE_SECONDS = 120  # until something counts as never happening: processes start slowly on a machine that is busy


def combinations() -> list[Any]:
    """Engine, broker and database; those of one broker run in one process of the test run, which starts it once."""
    return [
        pytest.param(
            (engine, kind, database), id=f"{engine}-{kind or 'none'}-{database}",
            marks=pytest.mark.xdist_group(f"jobs-{kind}"),
        )
        for engine, kind in ENGINES for database in databases.KINDS
    ]  # fmt: skip


@pytest.fixture(scope="session")
def broker_of() -> Iterator[Callable[[str], str]]:
    """`broker_of("redis")`: the address of a running broker of that kind (brokers.shared)."""
    yield brokers.shared
    brokers.remove_shared()


class Works:
    """Worker processes on one database, and what a test asks of it."""

    def __init__(self, url: str, engine: str, broker: str, folder: Path, kind: str = "") -> None:
        """`kind`: of the broker, where all tests of this process share it."""
        self.kind = kind
        self.app = make_app(url, queue_engine=engine, queue_url=broker, data_dir=str(folder))
        self.engine, self.folder = engine, folder
        self.said = {"url": url, "engine": engine, "broker": broker, "lease": LEASE_SECONDS, "folder": str(folder)}
        self.workers: list[Forked] = []
        self.names: dict[int, str] = {}  # process id → the name by which it holds leases
        self.count = 0

    def start(self, workers: int) -> None:
        """Have `workers` processes, and wait until each is ready."""
        for one in [one for one in self.workers if one.poll() is not None]:
            self.kill(one)
        fresh = []
        for _ in range(workers - len(self.workers)):
            self.count += 1
            file = self.folder / f"worker {self.count}.json"
            file.write_text(json.dumps(self.said | {"name": f"worker {self.count}"}))
            fresh.append(forked.start(WORKER, str(file), log=self.folder / "log"))
            self.names[fresh[-1].pid] = f"worker {self.count}"
        for process in fresh:
            assert process.stdout.readline() == "ready\n", self.log()
        self.workers += fresh

    def kill(self, process: Forked) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        self.workers.remove(process)

    def end(self) -> None:
        for process in list(self.workers):
            self.kill(process)
        if teller := telling.teller_of(self.app.config["CUSTOMERHUB"]):
            teller.flush()
            if teller.trouble is None:
                teller.carrier.forget()

    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:]

    def put(self, task: str, **named: Any) -> int:
        job_id = outbox.put(db.session, f"tests.{task}", queue=QUEUE, **named)
        db.session.commit()
        return job_id

    def job(self, job_id: int) -> Job:
        with reading():
            db.session.rollback()
            found = db.session.get(Job, job_id, populate_existing=True)
            assert found is not None
            db.session.expunge(found)
            db.session.rollback()
        return found

    def wait(self, job_id: int, *states: str, seconds: float = PATIENCE_SECONDS) -> Job:
        """The job, as soon as it is in one of `states`."""
        return self.until(lambda: found if (found := self.job(job_id)).state in states else None, seconds)

    def until(self, so: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        end = time.monotonic() + seconds
        while not (found := so()):
            assert time.monotonic() < end, f"it did not happen in time\n{self.log()}"
            time.sleep(0.05)
        return found

    def marks(self, like: str = "%") -> list[str]:
        with reading():
            query = select(Entity.label).where(Entity.module == SAID, Entity.label.like(like)).order_by(Entity.id)
            found = list(db.session.scalars(query))
            db.session.rollback()
        return found

    def name_of(self, process: Forked) -> str:
        return self.names[process.pid]

    def worker_of(self, job: Job) -> Forked:
        """The process that the message of a job of tests.mark names."""
        pid = int(str(job.message).split()[-1])
        return next(one for one in self.workers if one.pid == pid)


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, broker_of: Any, tmp_path_factory: Any) -> Iterator[Works]:
    """The works of a combination; two workers begin, a test that kills one replaces it."""
    engine, kind, database = request.param
    broker = broker_of(kind)
    url = databases.create(database, build_template)
    found = Works(url, engine, broker, tmp_path_factory.mktemp("works"), kind)
    found.start(2)
    yield found
    with found.app.app_context():
        found.end()
    forget_engine(found.app)
    databases.drop(url)


@pytest.fixture
def works(shared: Works, broker_of: Any) -> Iterator[Works]:
    broker_of(shared.kind)
    with shared.app.app_context():
        shared.start(1)
        yield shared
