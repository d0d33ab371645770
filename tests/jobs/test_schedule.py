"""The timetable: occurrences, one leader, nothing twice, what was missed once."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Job, Task
from crm.jobs import schedule

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ZONE = "Europe/Helsinki"


@pytest.fixture
def timetable(app, monkeypatch):
    """No periodic tasks but those the test registers."""
    tasks: dict[str, Task] = {}
    monkeypatch.setattr("crm.engine.outbox.TASKS", tasks)
    monkeypatch.setattr("crm.jobs.schedule.TASKS", tasks)


def put_at(moment: datetime) -> list[str]:
    with clock.standing_at(moment):
        put = schedule.put_due(ZONE)
    db.session.execute(update(Job).values(state="done"))
    db.session.commit()
    return put


def nothing(progress) -> None:
    """Does nothing."""


def test_an_interval_is_due_once_an_interval(timetable):
    outbox.task("tests.often", every=60)(nothing)
    assert put_at(NOON) == ["tests.often"]
    assert put_at(NOON + timedelta(seconds=59)) == []
    assert put_at(NOON + timedelta(seconds=60)) == ["tests.often"]


def test_a_day_s_time_is_one_of_the_site_s_zone(timetable):
    outbox.task("tests.nightly", daily=time(3, 30))(nothing)
    assert put_at(NOON) == []  # first seen at noon: it waits for the night
    assert put_at(datetime(2026, 11, 22, 1, 29, tzinfo=UTC)) == []
    assert put_at(datetime(2026, 11, 22, 1, 30, tzinfo=UTC)) == ["tests.nightly"]
    assert put_at(datetime(2026, 11, 22, 9, 0, tzinfo=UTC)) == []


def test_what_was_missed_is_made_up_for_once(timetable):
    outbox.task("tests.often", every=60)(nothing)
    put_at(NOON)
    assert put_at(NOON + timedelta(days=3)) == ["tests.often"]
    assert put_at(NOON + timedelta(days=3, seconds=1)) == []


def test_a_clock_that_jumps_back_repeats_nothing(timetable):
    outbox.task("tests.often", every=60)(nothing)
    put_at(NOON)
    assert put_at(NOON - timedelta(hours=1)) == []


def test_a_task_is_not_put_while_its_last_job_is_open(timetable):
    outbox.task("tests.often", every=60)(nothing)
    with clock.standing_at(NOON):
        schedule.put_due(ZONE)
    with clock.standing_at(NOON + timedelta(minutes=5)):
        assert schedule.put_due(ZONE) == []
    assert len(db.session.scalars(select(Job)).all()) == 1


def test_one_clock_leads_until_it_steps_down_or_falls_silent(own_app):
    assert schedule.lead("first")
    assert not schedule.lead("second")
    assert schedule.lead("first")
    schedule.step_down("first")
    assert schedule.lead("second", seconds=-1)  # its time is over at once
    assert schedule.lead("third")


def test_jobs_that_nobody_took_are_told_again(app):
    with clock.standing_at(NOON):
        lost = outbox.put(db.session, "tests.nothing")
        db.session.commit()
    with clock.standing_at(NOON + timedelta(seconds=9)):
        assert ("default", lost) not in schedule.lost_jobs()
    with clock.standing_at(NOON + timedelta(seconds=11)):
        assert ("default", lost) in schedule.lost_jobs()


def test_jobs_whose_worker_fell_silent_are_told_again(app):
    held = outbox.put(db.session, "tests.nothing")
    db.session.execute(update(Job).where(Job.id == held).values(state="leased", lease_until=1.0))
    db.session.commit()
    assert ("default", held) in schedule.lost_jobs()


def test_jobs_put_for_later_are_told_once_when_they_become_due(app):
    with clock.standing_at(NOON):
        later = outbox.put(db.session, "tests.nothing", run_at=NOON + timedelta(seconds=5))
        at_once = outbox.put(db.session, "tests.nothing")
        db.session.commit()
    due = schedule.become_due(NOON, NOON + timedelta(seconds=5))
    assert ("default", later) in due
    assert ("default", at_once) not in due
    assert schedule.become_due(NOON + timedelta(seconds=5), NOON + timedelta(seconds=9)) == []
    assert schedule.become_due(NOON, NOON + timedelta(seconds=4)) == []


def test_old_jobs_are_cleared_and_keys_are_kept_longer(app):
    with clock.standing_at(NOON):
        plain = outbox.put(db.session, "tests.nothing")
        keyed = outbox.put(db.session, "tests.nothing", dedupe_key="tests: a key")
        waiting = outbox.put(db.session, "tests.nothing")
        db.session.execute(update(Job).where(Job.id != waiting).values(state="done", finished_at=NOON))
    with clock.standing_at(NOON + timedelta(days=2)):
        schedule.clear(None)
    assert set(db.session.scalars(select(Job.id).where(Job.id.in_([plain, keyed, waiting])))) == {keyed, waiting}
    with clock.standing_at(NOON + timedelta(days=31)):
        schedule.clear(None)
    assert db.session.scalars(select(Job.id).where(Job.id.in_([keyed, waiting]))).all() == [waiting]
