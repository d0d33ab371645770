"""Jobs as rows: written with the change, once a key, cancelled and retried by one statement."""

import pytest

from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Job


def test_a_job_is_part_of_the_transaction_that_asked_for_it(session):
    put = outbox.put(session, "tests.nothing", count=3)
    assert session.get(Job, put).arguments == {"count": 3}
    session.rollback()
    assert session.get(Job, put) is None


def test_a_dedupe_key_gives_the_first_job_again(session):
    first = outbox.put(session, "tests.nothing", dedupe_key="letter 7")
    assert outbox.put(session, "tests.nothing", dedupe_key="letter 7") == first
    assert outbox.put(session, "tests.nothing", dedupe_key="letter 8") != first


def test_arguments_must_be_plain_json(session):
    with pytest.raises(TypeError):
        outbox.put(session, "tests.nothing", what=object())


def test_a_task_brings_its_queue(session, monkeypatch):
    monkeypatch.setattr(outbox, "TASKS", dict(outbox.TASKS))
    outbox.task("tests.filing", queue="files")(lambda progress: None)
    assert session.get(Job, outbox.put(session, "tests.filing")).queue == "files"


def test_two_tasks_of_one_name_stop_the_start(monkeypatch):
    monkeypatch.setattr(outbox, "TASKS", dict(outbox.TASKS))
    outbox.task("tests.same")(lambda progress: None)
    with pytest.raises(ValueError, match=r"two tasks are called “tests\.same”"):
        outbox.task("tests.same")(outbox.put)


def test_a_waiting_job_is_cancelled_at_once_and_can_be_retried(session):
    job = outbox.put(session, "tests.nothing")
    assert outbox.cancel(session, job)
    assert outbox.standing(session, job).state == "cancelled"
    assert not outbox.cancel(session, job)
    assert outbox.retry(session, job)
    assert outbox.standing(session, job).state == "waiting"
    assert not outbox.retry(session, job)


def test_standing_says_how_far_a_job_is(session):
    job = outbox.put(session, "tests.nothing", total=200)
    session.get(Job, job).done_count = 50
    session.flush()
    standing = outbox.standing(session, job)
    assert (standing.percent, standing.is_open) == (25, True)
    assert outbox.standing(db.session, 10**9) is None
