"""Workers on each database: outcomes, retries, cancel, leases and fences between two workers."""

import logging
import threading
import time

import pytest
from sqlalchemy import update

from crm.db import Entity, db
from crm.engine import outbox
from crm.engine.outbox import GiveUp, Job, RunLater
from crm.engine.refusals import Refused
from crm.jobs import leases
from crm.jobs.worker import Worker


@pytest.fixture
def task(monkeypatch):
    """Registers a task for this test only."""
    monkeypatch.setattr("crm.engine.outbox.TASKS", tasks := dict(outbox.TASKS))
    monkeypatch.setattr("crm.jobs.worker.TASKS", tasks)
    return lambda run, **named: outbox.task("tests.task", **named)(run)


@pytest.fixture
def worker(own_app):
    return Worker(own_app, "tester", lease_seconds=60)


def put(**named) -> int:
    job_id = outbox.put(db.session, "tests.task", **named)
    db.session.commit()
    return job_id


def job(job_id: int) -> Job:
    """As it is now; the session is left without a transaction, which would keep workers from writing on SQLite."""
    db.session.rollback()
    found = db.session.get(Job, job_id, populate_existing=True)
    db.session.expunge(found)
    db.session.rollback()
    return found


def expire_leases() -> None:
    db.session.execute(update(Job).where(Job.state == "leased").values(lease_until=1.0))
    db.session.commit()


def make_due() -> None:
    db.session.execute(update(Job).values(run_at=Job.created_at))
    db.session.commit()


def test_a_job_is_run_once_with_its_arguments(worker, task):
    seen = []
    task(lambda progress, **arguments: seen.append(arguments) or "all well")
    done = put(name="Åsa", count=2)
    assert worker.run_next()
    assert not worker.run_next()
    assert seen == [{"name": "Åsa", "count": 2}]
    assert (job(done).state, job(done).message, job(done).attempts) == ("done", "all well", 1)
    assert job(done).finished_at is not None


def test_what_a_task_leaves_in_the_session_is_committed_with_its_end(worker, task):
    task(lambda progress: db.session.add(Entity(module="tested", label="made")))
    put()
    worker.run_next()
    assert db.session.query(Entity).filter_by(module="tested").count() == 1


def test_a_failure_is_tried_again_later_and_at_last_given_up(worker, task, caplog):
    caplog.set_level(logging.CRITICAL, "crm.jobs.worker")

    def fail(progress):
        db.session.add(Entity(module="tested", label="half"))
        db.session.flush()
        raise RuntimeError("no luck")

    task(fail, max_attempts=2)
    failing = put()
    worker.run_next()
    assert (job(failing).state, job(failing).attempts, job(failing).error) == ("waiting", 1, "RuntimeError: no luck")
    assert not worker.run_next()  # not before its pause is over
    make_due()
    worker.run_next()
    assert (job(failing).state, job(failing).attempts, job(failing).error) == ("failed", 2, "RuntimeError: no luck")
    assert db.session.query(Entity).filter_by(module="tested").count() == 0


@pytest.mark.parametrize("reason", [GiveUp("The file is empty."), Refused.because("bad", "The file is empty.")])
def test_what_cannot_succeed_is_not_repeated(worker, task, reason):
    def refuse(progress):
        raise reason

    task(refuse)
    refused = put()
    worker.run_next()
    assert job(refused).state == "failed"
    assert "The file is empty." in job(refused).error


def test_a_job_may_ask_to_be_looked_at_later_without_losing_an_attempt(worker, task):
    def wait(progress):
        raise RunLater(300, "The server asks for patience")

    task(wait)
    later = put()
    worker.run_next()
    assert (job(later).state, job(later).attempts, job(later).message) == ("waiting", 0, "The server asks for patience")
    assert not worker.run_next()


def test_an_unknown_task_is_tried_again_and_then_failed(worker, caplog):
    caplog.set_level(logging.CRITICAL, "crm.jobs.worker")
    unknown = outbox.put(db.session, "tests.of_another_release")
    db.session.commit()
    worker.run_next()
    assert job(unknown).state == "waiting"
    assert "no task called “tests.of_another_release”" in job(unknown).error


def test_progress_is_seen_while_the_job_runs(worker, task, own_app):
    seen = []

    def count(progress):
        db.session.add(Entity(module="tested", label="batch"))
        db.session.commit()
        progress.step(30, 120, "reading")
        with own_app.app_context():
            seen.append(outbox.standing(db.session, progress.job_id))

    task(count)
    put()
    worker.run_next()
    assert (seen[0].percent, seen[0].message, seen[0].state) == (25, "reading", "leased")


def test_a_running_job_stops_when_it_is_asked_to(worker, task, own_app):
    rounds = []

    def work(progress):
        with own_app.app_context():
            outbox.cancel(db.session, progress.job_id)
            db.session.commit()
        while not progress.cancelled() and len(rounds) < 100:
            rounds.append(1)
        return f"stopped after {len(rounds)}"

    task(work)
    cancelled = put()
    worker.run_next()
    assert job(cancelled).state == "cancelled"
    assert job(cancelled).message == "stopped after 0"


def test_only_named_queues_are_served(own_app, task):
    task(lambda progress: None, queue="files")
    filed = put()
    assert not Worker(own_app, "mail only", 60, ["mail"]).run_next()
    assert Worker(own_app, "files", 60, ["files"]).run_next()
    assert job(filed).state == "done"


def test_of_two_workers_one_gets_the_job(own_app, task):
    ran = []
    task(lambda progress: ran.append(progress.job_id) or None)
    jobs = sorted(put() for _ in range(30))
    stop = threading.Event()
    workers = [Worker(own_app, f"worker {n}", 60) for n in range(3)]
    threads = [threading.Thread(target=one.work, args=(stop, 0.01)) for one in workers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while len(ran) < 30 and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    assert sorted(ran) == jobs


def test_a_silent_worker_loses_its_job_and_can_commit_nothing(own_app, worker, task):
    """The first worker freezes for longer than its lease; the second does the work; the first wakes up."""
    woken = threading.Event()

    def work(progress):
        if progress._claimed.attempts == 1:
            expire_leases()
            assert Worker(own_app, "second", 60).run_next()
            woken.set()
        db.session.add(Entity(module="tested", label=f"attempt {progress._claimed.attempts}"))
        return f"attempt {progress._claimed.attempts}"

    task(work)
    taken = put()
    worker.run_next()
    assert woken.is_set()
    assert [one.label for one in db.session.query(Entity).filter_by(module="tested")] == ["attempt 2"]
    assert (job(taken).state, job(taken).message) == ("done", "attempt 2")


def test_a_lease_is_kept_while_the_task_runs(own_app, task):
    worker = Worker(own_app, "short", lease_seconds=2)
    task(lambda progress: time.sleep(4))
    kept = put()
    rival = []
    thread = threading.Thread(target=worker.run_next)
    thread.start()
    while job(kept).state == "waiting":
        time.sleep(0.05)
    while thread.is_alive():
        rival.append(leases.claim(worker.engine, "rival", 60))
        time.sleep(0.2)
    thread.join()
    assert [one for one in rival if one is not None] == []
    assert (job(kept).state, job(kept).attempts) == ("done", 1)


def test_a_job_that_kills_its_workers_is_buried(worker, task):
    task(lambda progress: None, max_attempts=3)
    poison = put()
    for _ in range(3):
        assert leases.claim(worker.engine, "dies", 60)
        expire_leases()
    assert not worker.run_next()
    assert job(poison).state == "failed"
    assert "died" in job(poison).error


def test_a_parent_gives_back_what_its_dead_worker_held(worker, task):
    task(lambda progress: "done by another")
    held = put()
    leases.claim(worker.engine, "dead", 60)
    assert not worker.run_next()
    assert leases.release_of(worker.engine, "dead") == 1
    assert worker.run_next()
    assert job(held).message == "done by another"
