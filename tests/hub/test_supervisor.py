"""The supervisor's end: every child is told, waited for, and what it held is given back."""

import subprocess
import sys
import threading

import pytest

from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Job
from crm.jobs import leases
from hub import supervisor
from hub.supervisor import Child

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
OBEDIENT = "import time; print(flush=True); time.sleep(60)"


@pytest.fixture
def start():
    """`start(program)`: a child that runs it, and a list that says how it was buried."""
    started = []

    def begin(program: str) -> tuple[Child, list[bool]]:
        said: list[bool] = []
        child = Child("tested", list, said.append)
        child.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert child.process.stdout.readline() == b"\n"
        started.append(child.process)
        return child, said

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_children_that_end_and_those_that_are_made_to_give_back_what_they_held_as_told(start, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    (one, said), (other, told) = start(OBEDIENT), start(STUBBORN)
    supervisor.end_all([one, other])
    assert (one.process.returncode, other.process.returncode) == (-15, -9)
    assert (said, told) == ([True], [True])


def test_a_child_that_died_by_itself_is_buried_as_one_that_its_job_may_have_killed(start, monkeypatch):
    child, said = start(OBEDIENT)
    child.process.kill()
    child.process.wait()
    monkeypatch.setattr(Child, "start", lambda self: None)
    child.look()
    assert said == [False]


def test_a_database_that_does_not_answer_does_not_hold_the_end_up(start, monkeypatch):
    child, _ = start(OBEDIENT)
    answers = threading.Event()
    child.buried = lambda told: answers.wait(60)
    monkeypatch.setattr(supervisor, "GIVE_BACK_SECONDS", 0.1)
    supervisor.end_all([child])
    assert child.process.returncode == -15
    answers.set()


def test_a_job_whose_worker_was_told_to_end_has_not_been_tried(own_app):
    held = outbox.put(db.session, "tests.nothing")
    db.session.commit()
    for _ in range(outbox.MOST_ATTEMPTS + 1):
        assert leases.claim(db.engine, "told", 60).id == held
        assert leases.release_of(db.engine, "told", counted=False) == 1
    db.session.rollback()
    assert (db.session.get(Job, held).state, db.session.get(Job, held).attempts) == ("waiting", 0)
