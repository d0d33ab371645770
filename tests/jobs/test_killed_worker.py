"""Workers that are killed with SIGKILL: the work is done all the same, and its effect is there once."""

import random
import signal
import time

import pytest
from sqlalchemy import select

from crm.db import Entity, db, reading
from crm.engine import outbox
from crm.engine.outbox import OPEN, Job
from tests import forked
from tests.forked import Forked

pytestmark = pytest.mark.fault


@pytest.fixture
def start_worker(own_database):
    """Starts a worker process; all are killed at the end."""
    started = []

    def start(lease_seconds: float) -> Forked:
        started.append(forked.start("tests.jobs.embedded_process", own_database, str(lease_seconds)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for(condition, seconds: float = 180.0) -> None:
    """Ask until it is so; between two questions nothing is held that a worker waits for."""
    deadline = time.monotonic() + seconds
    while True:
        with reading():
            db.session.rollback()
            is_so = condition()
            db.session.rollback()
        if is_so:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def states() -> list[str]:
    return list(db.session.scalars(select(Job.state).where(Job.task == "tests.once")))


def marks() -> list[str]:
    return sorted(db.session.scalars(select(Entity.label).where(Entity.module == "tested")))


def test_a_job_whose_worker_was_killed_is_done_by_the_next(own_app, start_worker):
    job = outbox.put(db.session, "tests.once", label="once", seconds=2)
    db.session.commit()
    first = start_worker(3)
    wait_for(lambda: outbox.standing(db.session, job).message == "begun")
    first.send_signal(signal.SIGKILL)
    first.wait()
    with reading():
        assert outbox.standing(db.session, job).state == "leased"
        assert marks() == []
        db.session.rollback()
    start_worker(3)
    wait_for(lambda: outbox.standing(db.session, job).state == "done")
    assert marks() == ["once"]
    assert db.session.get(Job, job).attempts == 2


def test_every_job_has_its_effect_once_whatever_workers_are_killed(own_app, start_worker):
    wanted = [f"job {n:03}" for n in range(40)]
    for label in wanted:
        outbox.put(db.session, "tests.once", label=label, seconds=0.02)
    db.session.commit()
    workers = [start_worker(3), start_worker(3)]
    for kills in (1, 2):
        wait_for(lambda at_least=kills * 8: states().count("done") >= at_least)
        victim = random.choice(workers)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        workers.remove(victim)
        workers.append(start_worker(3))
    wait_for(lambda: not set(states()) & set(OPEN))
    assert states().count("done") == 40
    assert marks() == wanted
