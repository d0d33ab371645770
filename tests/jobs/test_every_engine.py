"""What every engine does alike, with real worker processes on real brokers and on both databases."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db, reading
from crm.engine import outbox
from crm.engine.outbox import Job
from crm.jobs import leases
from crm.jobs.schedule import Leader
from hub import health
from hub.public import create_public_app
from tests.jobs.conftest import Works, combinations
from tests.jobs.worker_process import DEATHS, QUEUE

pytestmark = [pytest.mark.fault, pytest.mark.parametrize("shared", combinations(), indirect=True)]


def test_jobs_of_a_queue_begin_in_the_order_in_which_they_were_put(works: Works):
    jobs = [works.put("mark", label=f"order {n:02}", seconds=0.01) for n in range(20)]
    done = [str(works.wait(job, "done").message).split() for job in jobs]
    # Each worker takes what is due first; which of two is quicker to write down its moment says nothing.
    for worker in {worker for _, worker in done}:
        moments = [float(moment) for moment, who in done if who == worker]
        assert moments == sorted(moments)
    assert sorted(works.marks("order %")) == [f"order {n:02}" for n in range(20)]


def test_a_failure_is_tried_again_after_growing_pauses_and_leaves_nothing_half_done(works: Works):
    failing = works.put("stumble", label=f"tries {time.time()}")
    first, second, third = map(float, str(works.wait(failing, "done").message).split())
    assert second - first > 0.3
    assert third - second > 1.2  # four times the first pause, give or take a fifth
    assert works.job(failing).attempts == 3
    assert len(works.marks("half-way")) == 1  # of the try that succeeded


def test_a_job_put_for_later_is_not_begun_before_and_soon_after(works: Works):
    due = clock.now() + timedelta(seconds=1.5)
    later = works.put("mark", label="later", run_at=due)
    begun = float(str(works.wait(later, "done").message).split()[0])
    assert 0 <= begun - due.timestamp() < 60


def test_progress_is_seen_and_a_running_job_stops_when_it_is_asked_to(works: Works):
    counting = works.put("count", steps=2000)
    seen = works.until(lambda: found if (found := works.job(counting)).done_count else None)
    assert (seen.state, seen.total_count, seen.message) == ("leased", 2000, "counting")
    assert outbox.cancel(db.session, counting)
    db.session.commit()
    assert works.wait(counting, "cancelled").message.startswith("stopped at")


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(works: Works):
    waiting = works.put("mark", label="never", run_at=clock.now() + timedelta(seconds=1))
    assert outbox.cancel(db.session, waiting)
    db.session.commit()
    after = works.put("mark", label="after it", run_at=clock.now() + timedelta(seconds=1.2))
    works.wait(after, "done")
    assert works.job(waiting).state == "cancelled"
    assert works.marks("never") == []


def test_of_two_clocks_one_leads_and_nothing_periodic_runs_twice(works: Works):
    works.until(lambda: len(works.marks("tick %")) >= 2)
    with reading():
        leaders = db.session.scalars(select(Leader.holder)).all()
        put = db.session.scalars(select(Job.created_at).where(Job.task == "tests.often")).all()
        db.session.rollback()
    assert len(leaders) == 1
    seconds = [int(moment.timestamp()) for moment in put]
    assert len(seconds) == len(set(seconds))
    assert leaders[0] in {f"worker {n}" for n in range(1, works.count + 1)}


def test_a_job_whose_worker_was_killed_in_the_middle_is_done_once_by_another_after_its_lease(works: Works):
    job = works.put("mark", label="survives", seconds=1.5)
    begun = works.until(lambda: found if (found := works.job(job)).message else None)
    assert begun.state == "leased"
    works.kill(works.worker_of(begun))
    done = works.wait(job, "done")
    assert done.attempts == 2
    assert works.marks("survives") == ["survives"]


def test_a_job_that_kills_two_workers_is_given_up_and_the_others_go_on(works: Works):
    fell = set[str]()
    poison = works.put("die")
    harmless = works.put("mark", label="beside the poison")

    def is_over() -> bool:
        dead = [worker for worker in works.workers if worker.poll() is not None]  # asked once: start() forgets them
        fell.update(works.name_of(worker) for worker in dead)
        if len(dead) == len(works.workers):
            works.start(1)  # as a supervisor would
        return works.job(poison).state == "failed"

    works.until(is_over)
    assert (works.job(poison).attempts, "died" in str(works.job(poison).error)) == (DEATHS, True)
    assert len(fell) == DEATHS
    works.wait(harmless, "done")


def test_a_worker_that_is_told_to_end_gives_a_long_job_back_and_the_attempt_does_not_count(works: Works):
    long = works.put("count", steps=100_000)
    works.until(lambda: works.job(long).done_count)
    [worker] = [one for one in works.workers if works.name_of(one) == works.job(long).worker]
    worker.terminate()
    assert worker.wait(30) == 0  # which takes a second, but for a machine that is busy
    leases.release_of(db.engine, works.name_of(worker), counted=False)
    db.session.rollback()
    given_back = works.until(lambda: found if (found := works.job(long)).worker != works.name_of(worker) else None)
    assert given_back.attempts == (1 if given_back.state == "leased" else 0)
    assert outbox.cancel(db.session, long)
    db.session.commit()
    works.start(1)
    works.wait(long, "cancelled")


def test_the_doctor_and_the_figures_tell_of_the_engine_and_its_broker(works: Works):
    works.wait(works.put("mark", label="counted"), "done")
    config = works.app.config["CUSTOMERHUB"]
    told = [finding.sentence for finding in health.examine(config, with_dns=False) if finding.subject == "queue"]
    figures = create_public_app(config).test_client().get("/metrics").text
    assert f'customerhub_jobs{{queue="{QUEUE}",state="done"}}' in figures
    if works.engine == "embedded":
        assert "customerhub_broker" not in figures
    else:
        assert f"{works.engine}, 127.0.0.1 answers" in told
        assert "customerhub_broker_up 1.0" in figures
        assert 'customerhub_broker_words{queue="default"} 0.0' in figures
