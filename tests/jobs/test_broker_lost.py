"""The broker goes away and comes back empty: pages go on and say so, and work begins again by itself."""

import time
from pathlib import Path

import pytest

from crm.db import db
from crm.jobs import telling
from hub import health
from hub.public import create_public_app
from tests import databases
from tests.apps import build_template, forget_engine
from tests.brokers import KINDS, PrivateBroker
from tests.jobs.conftest import Works

START_SECONDS = 180  # 60 after the broker's return, and patience with a machine that is busy


@pytest.mark.fault
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.xdist_group(f"jobs-{kind}")) for kind in KINDS])
def test_what_was_put_while_the_broker_was_away_is_done_after_its_return_though_it_forgot_everything(
    kind: str, tmp_path: Path
):
    broker = PrivateBroker(kind)
    broker.start()
    url = databases.create("postgresql", build_template)
    # Both engines lose the same broker, each with a database of its own.
    both = []
    try:
        for engine in ("dramatiq", "celery"):
            own = url if not both else databases.create("postgresql", build_template)
            folder = tmp_path / engine
            folder.mkdir()
            both.append(Works(own, engine, broker.url, folder))
        for works in both:
            works.start(1)
            with works.app.app_context():
                works.wait(works.put("mark", label="before"), "done")
        broker.stop()
        put = [put_without_broker(works) for works in both]
        broker.start()
        returned = time.monotonic()
        for works, jobs in zip(both, put, strict=True):
            with works.app.app_context():
                for job in jobs:
                    works.wait(job, "done", seconds=START_SECONDS - (time.monotonic() - returned))
                assert sorted(works.marks("%during")) == [f"{n} during" for n in range(len(jobs))]
                again = works.put("mark", label="after")
                works.wait(again, "done")
                works.until(lambda works=works: is_ready(works))
    finally:
        for works in both:
            with works.app.app_context():
                works.end()
                own = db.engine.url.render_as_string(hide_password=False)
            forget_engine(works.app)
            databases.drop(own)
        broker.remove()


def put_without_broker(works: Works) -> list[int]:
    """Jobs put while the broker is away: nobody waits for it, and the house says that it is away."""
    with works.app.app_context():
        begun = time.monotonic()
        jobs = [works.put("mark", label=f"{n} during") for n in range(5)]
        assert time.monotonic() - begun < 8  # five that waited for the broker would take ten
        works.until(lambda: not is_ready(works))
        teller = telling.teller_of(works.app.config["CUSTOMERHUB"])
        works.until(lambda: teller.trouble)
        assert [works.job(job).state for job in jobs] == ["waiting"] * 5
    return jobs


def is_ready(works: Works) -> bool:
    """What /readyz says; pages are served either way."""
    client = create_public_app(works.app.config["CUSTOMERHUB"]).test_client()
    answer = client.get("/readyz")
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 200
    assert set(answer.json["troubles"]) <= {"queue"}
    assert answer.status_code == (503 if answer.json["troubles"] else 200)
    assert f"customerhub_broker_up {int(answer.status_code == 200)}.0" in client.get("/metrics").text
    told = [
        (one.level, one.sentence)
        for one in health.examine(works.app.config["CUSTOMERHUB"], False)
        if one.subject == "queue"
    ]
    silent = ("problem", f"The broker of {works.engine} does not answer")
    assert any(level == silent[0] and said.startswith(silent[1]) for level, said in told) == (answer.status_code == 503)
    return answer.status_code == 200
