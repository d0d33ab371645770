"""SIGKILL while somebody pauses, cancels or schedules a sendout that is being sent: wholly done or not at all, nobody twice.

With whole workers of every engine; the kills of workers themselves are in test_faults_every_engine.
"""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from crm import clock
from crm.db import db
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.jobs.leases import release_of
from crm.mail.sending import workers
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp.automatic import joining
from ecp.pipeline import actions
from tests import databases, forked
from tests.apps import build_template, forget_engine, make_app
from tests.forked import Forked
from tests.jobs.conftest import ENGINES, broker_of  # noqa: F401 - a fixture
from tests.pipeline.conftest import build_house
from tests.pipeline.test_faults_every_engine import mail_server

KILLED = -signal.SIGKILL
PATIENCE_SECONDS = 240
CONNECTIONS, LEASE_SECONDS = 2, 3
SHORT = [("embedded", "", "sqlite"), ("celery", "redis", "postgresql"), ("dramatiq", "rabbitmq", "postgresql")]
PEOPLE = 400  # so many that the first is not sent to its end meanwhile, however slow the machine


def combinations() -> list[Any]:
    """Engine, broker, database: three in `make test`, all of them in `make test-long`."""
    return [
        pytest.param(
            (engine, kind, database), id=f"{engine}-{kind or 'none'}-{database}",
            marks=[pytest.mark.xdist_group(f"jobs-{kind}")] + ([] if (engine, kind, database) in SHORT else [pytest.mark.long]),
        )
        for engine, kind in ENGINES for database in databases.KINDS
    ]  # fmt: skip


class Deeds:
    """Deeds and workers, each in a process of its own."""

    def __init__(self, said: dict[str, str], port: int, folder: Path) -> None:
        self.said = said | {"smtp": f"smtp://127.0.0.1:{port}", "folder": str(folder)}
        self.folder, self.workers, self.count = folder, list[Forked](), 0

    def do(self, what: str, **said: Any) -> int:
        """How the process ended that did it."""
        db.session.remove()  # what the test has read must not hold the lock
        self.count += 1
        return self.start("tests.pipeline.deed_process", f"deed {self.count}", {"do": what, **said}).wait()

    def start(self, module: str, name: str, said: dict[str, Any]) -> Forked:
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(self.said | said))
        return forked.start(module, str(file), log=self.folder / "log")

    def start_worker(self) -> tuple[Forked, str]:
        """A whole worker: the engine's jobs, the clock, the post office."""
        name = f"worker {len(self.workers)}"
        said = {"name": name, "lease": LEASE_SECONDS, "connections": CONNECTIONS, "kills": []}
        self.workers.append(self.start("tests.pipeline.fault_process", name, said))
        return self.workers[-1], name

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@pytest.fixture
def deeds(request: pytest.FixtureRequest, broker_of: Any, tmp_path: Path) -> Iterator[tuple[Deeds, Path]]:  # noqa: F811
    engine, kind, database = request.param
    url, broker = databases.create(database, build_template), broker_of(kind)
    app = make_app(url, queue_engine=engine, queue_url=broker, data_dir=str(tmp_path))
    with mail_server(tmp_path, ("delay:dot:0.1",)) as (port, log), app.app_context():
        made = Deeds({"url": url, "engine": engine, "broker": broker}, port, tmp_path)
        try:
            yield made, log
        finally:
            made.end()
    forget_engine(app)
    databases.drop(url)


def until(so: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def ask(query: str, **values: Any) -> Any:
    found = db.session.execute(text(query), values).all()
    db.session.rollback()
    return found


def standing(sendout: int) -> tuple[str, str | None]:
    """The state of a sendout, and that of its run."""
    said = "SELECT s.state, r.state FROM sendouts s LEFT JOIN mail_runs r ON r.sendout_id = s.id WHERE s.id = :id"
    return tuple(ask(said, id=sendout)[0])


def by_state(sendout: int) -> dict[str, set[str]]:
    rows = db.session.execute(select(Delivery.email, Delivery.state).where(Delivery.sendout_id == sendout)).all()
    db.session.rollback()
    found: dict[str, set[str]] = {}
    for email, state in rows:
        found.setdefault(state, set()).add(email)
    return found


def arrived(log: Path) -> Counter[str]:
    return (
        Counter(json.loads(line)["recipient"] for line in log.read_text().splitlines()) if log.exists() else Counter()
    )


def kill(worker: tuple[Forked, str]) -> None:
    """A worker dies, and its parent buries it."""
    process, name = worker
    process.kill()
    process.wait()
    db.session.remove()
    workers.bury_named(db.engine, name)
    release_of(db.engine, name)


@pytest.mark.fault
@pytest.mark.timeout(900)
@pytest.mark.parametrize("deeds", combinations(), indirect=True)
def test_killed_amid_a_deed_it_is_wholly_done_or_not_and_the_cancelled_get_nothing(deeds: Any) -> None:
    process, log = deeds
    house = build_house()
    first, second = house.contacts(PEOPLE, "first.example"), house.contacts(12, "second.example")
    sendout, later = house.sendout(house.campaign(first)), house.sendout(house.campaign(second), name="Later")
    actions.start(SYSTEM, sendout)
    db.session.commit()
    worker = process.start_worker()
    until(lambda: len(arrived(log)) > 5)

    assert process.do("pause", sendout=sendout, die="amid") == KILLED
    assert standing(sendout) == ("sending", "open")
    before = len(arrived(log))
    until(lambda: len(arrived(log)) > before + CONNECTIONS)  # it goes on
    assert process.do("pause", sendout=sendout) == KILLED  # done, and nobody was answered
    assert standing(sendout) == ("paused", "paused")
    assert actions.pause(SYSTEM, sendout) == "paused"  # asked again it changes nothing
    db.session.rollback()

    assert process.do("cancel", sendout=sendout, die="amid") == KILLED
    assert standing(sendout) == ("paused", "paused")
    assert "cancelled" not in by_state(sendout)
    actions.resume(SYSTEM, sendout)
    db.session.commit()
    before = len(arrived(log))
    until(lambda: len(arrived(log)) > before + CONNECTIONS)
    assert process.do("cancel", sendout=sendout) == KILLED
    assert standing(sendout) == ("cancelled", "closed")
    cancelled = by_state(sendout)["cancelled"]
    assert cancelled
    until(lambda: not by_state(sendout).get("leased"))  # whose text had begun are sent to their end
    kill(worker)

    at = (clock.now() + timedelta(hours=1)).isoformat()
    assert process.do("schedule", sendout=later, at=at, die="amid") == KILLED
    assert standing(later) == ("draft", None)
    assert ask("SELECT count FROM quota_holds WHERE sendout_id = :id", id=later) == []
    assert process.do("schedule", sendout=later, at=at) == KILLED
    assert standing(later) == ("scheduled", None)
    assert ask("SELECT count FROM quota_holds WHERE sendout_id = :id", id=later) == [(12,)]
    db.session.execute(text("UPDATE sendouts SET scheduled_at = created_at WHERE id = :id"), {"id": later})
    db.session.commit()
    assert process.do("start_due", die="amid") == KILLED
    assert standing(later) == ("scheduled", None)
    assert process.do("start_due") == KILLED
    assert standing(later) == ("preparing", None)

    welcoming = house.make("campaigns", name="Welcome", auto_template_id=house.mail(folder="Campaign"))
    members.change(SYSTEM, welcoming, Choice(contact_ids=house.contacts(5, "third.example")), Channel.SYSTEM)
    db.session.commit()
    automatic = "SELECT id FROM sendouts WHERE source = 'auto_campaign'"
    assert process.do("join", campaign=welcoming, die="amid") == KILLED
    assert ask(automatic) == []
    assert process.do("join", campaign=welcoming) == KILLED
    assert joining.send_owed(welcoming) == []  # its job is told twice
    ((welcome,),) = ask(automatic)
    process.start_worker()
    until(lambda: standing(later)[0] == "sent" and standing(welcome)[0] == "sent")

    got, states = arrived(log), by_state(sendout)
    assert max(got.values()) == 1  # nobody twice
    assert not cancelled & set(got)  # nothing after the cancel
    assert states["cancelled"] == cancelled
    everybody = {f"n{n}@first.example" for n in range(PEOPLE)}
    assert set.union(*states.values()) == everybody  # nobody forgotten
    assert states["sent"] <= set(got)
    assert set(got) & everybody <= states["sent"] | states.get("uncertain", set())
    assert by_state(later) == {"sent": {f"n{n}@second.example" for n in range(12)}}
    assert {f"n{n}@second.example" for n in range(12)} <= set(got)
    assert by_state(welcome) == {"sent": {f"n{n}@third.example" for n in range(5)}}
