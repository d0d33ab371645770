"""SIGKILL at every boundary of the stages and at random, with every engine: nobody twice, nobody forgotten, few doubts.

Whole workers (jobs, clock, post office) as processes of their own, on a mail server that misbehaves. `make test` kills twice a
combination, `make test-long` two hundred times (TEST_KILLS says another number), with one worker and with four.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from crm.db import db, reading
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.jobs.leases import release_of
from crm.mail.sending import workers
from crm.mail.sending.deliveries import Delivery
from ecp import statistics
from ecp.pipeline import actions
from tests import databases, forked
from tests.apps import build_template, forget_engine, make_app
from tests.forked import Forked
from tests.jobs.conftest import ENGINES, broker_of  # noqa: F401 - a fixture
from tests.mail.smtp_server import chosen
from tests.pipeline.conftest import build_house
from tests.pipeline.fault_process import AGAIN

PLACES = (
    "before the audience", "audience not committed", "audience committed", "leased", "text begun", "reply read", "finishing",
    "finished",
)  # fmt: skip
REFUSED, POSTPONED, VANISHED = "3%", "5%", "2%"
# Ways of a server to misbehave. Who is hit is decided by the address; `doubts`: whom a lost reply leaves uncertain.
SERVERS = {
    "refuses some, postpones some": (f"refuse:rcpt:550 5.1.1 no such user:{REFUSED}", f"refuse-once:dot:451 4.3.0 later:{POSTPONED}"),
    "is hard to reach": (
        "close:banner:#5", "close:ehlo:#7", "close:mail:#41", "close:rcpt:#43", "close:data:#25", "limit:20", "starttls", "no-size",
        "no-8bitmime", "delay:dot:0.2:3%",
    ),
    "takes it and says nothing": (f"close:dot:{VANISHED}", f"refuse:rcpt:550 5.1.1 no such user:{REFUSED}"),
    "closes amid the text": (f"close:text:{VANISHED}", "no-pipelining"),
    "is slow and confused": (
        "reply-then-close:dot:20%", f"refuse-once:rcpt:450 4.2.1 busy:{POSTPONED}", "refuse:mail:451 4.3.0 busy:#29",
        "refuse:data:451 4.3.0 busy:#31", "garbage:rcpt:#37", "delay:rcpt:0.1:3%",
    ),
}  # fmt: skip
DOUBTS = {"takes it and says nothing": VANISHED, "closes amid the text": VANISHED}
LEASE_SECONDS = 3
CONNECTIONS = 2
PATIENCE_SECONDS = 300  # and a minute a kill: processes start slowly on a machine that is busy
LONG_KILLS = int(os.environ.get("TEST_KILLS", "200"))


@dataclass
class Trial:
    """One combination, and what happened in it."""

    engine: str
    database: str
    server: str
    workers: int
    kills: int
    places: tuple[str, ...]
    people: int
    broker: str = ""
    killed: Counter[str] = field(default_factory=Counter)


def trial(engine: str, broker: str, database: str, server: str, workers: int, *places: str, kills: int = 2) -> Any:
    people = 120 if kills == 2 else 60 * kills
    # Places before and after the sending come once; a long trial is killed in the midst of it again and again.
    anew = ("random", "leased", "random", "text begun", "random", "reply read") * (kills // 6 + 1)
    made = Trial(engine, database, server, workers, kills, places or (PLACES + anew)[:kills], people, broker)
    name = f"{engine}-{broker or 'none'}-{database}-{workers}"
    marks = [pytest.mark.xdist_group(f"jobs-{broker}")] + ([pytest.mark.long] if kills > 2 else [])
    return pytest.param(made, id=f"{name}-{kills}", marks=marks)


SHORT = [
    trial("embedded", "", "sqlite", "takes it and says nothing", 4, "text begun", "random"),
    trial("dramatiq", "redis", "postgresql", "refuses some, postpones some", 1, "reply read", "finishing"),
    trial("celery", "redis", "sqlite", "is hard to reach", 1, "audience not committed", "leased"),
    trial("dramatiq", "rabbitmq", "sqlite", "is slow and confused", 1, "audience committed", "random"),
    trial("celery", "rabbitmq", "postgresql", "closes amid the text", 4, "before the audience", "finished"),
]
LONG = [
    trial(engine, broker, database, list(SERVERS)[(n + m + count) % len(SERVERS)], count, kills=LONG_KILLS)
    for n, (engine, broker) in enumerate(ENGINES) for m, database in enumerate(databases.KINDS) for count in (1, 4)
]  # fmt: skip


@contextlib.contextmanager
def mail_server(folder: Path, modes: tuple[str, ...]) -> Iterator[tuple[int, Path]]:
    log = folder / "taken.jsonl"
    command = [sys.executable, "-m", "tests.mail.smtp_server", "--log", str(log), "--until-parent-ends"]
    process = subprocess.Popen(
        [*command, *(word for mode in modes for word in ("--mode", mode))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline().split()[0]), log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Crew:
    """The workers of a trial: killed, buried by their parent or left to their lease, and replaced."""

    def __init__(self, said: dict[str, Any], folder: Path, places: list[str], chance: random.Random) -> None:
        self.said, self.folder, self.chance = said, folder, chance
        self.running: dict[str, Forked] = {}
        # Where workers die by themselves, one at each place; "random" is some moment after some mails.
        self.planned = [(place, folder / f"killed {n}", *self.moment(place)) for n, place in enumerate(places)]
        self.count = 0

    def moment(self, place: str) -> list[float]:
        return [self.chance.randint(3, 12), self.chance.uniform(0, 0.05)] if place == "random" else []

    def killed(self) -> Counter[str]:
        """At which places somebody has died until now."""
        return Counter(place for place, marker, *_ in self.planned if marker.exists())

    def start(self) -> None:
        """One more worker."""
        self.count += 1
        name = f"worker {self.count}"
        file = self.folder / f"{name}.json"
        kills = [(place, str(marker), *when) for place, marker, *when in self.planned if not marker.exists()]
        first = self.chance.choice([place for place, *_ in kills if place in AGAIN] or [""])
        file.write_text(json.dumps(self.said | {"name": name, "kills": kills, "first": first}))
        self.running[name] = forked.start("tests.pipeline.fault_process", str(file), log=self.folder / "log")

    def fallen(self) -> list[str]:
        return [name for name, process in self.running.items() if process.poll() is not None]

    def bury(self, name: str, *, by_parent: bool) -> None:
        """Make sure it is dead; `by_parent`: give back at once what it held."""
        process = self.running.pop(name)
        assert process.poll() in (None, -signal.SIGKILL), self.log()  # it died of nothing else
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if by_parent:
            db.session.remove()
            workers.bury_named(db.engine, name)
            release_of(db.engine, name)

    def end(self) -> None:
        for name in list(self.running):
            self.bury(name, by_parent=False)

    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:] if (self.folder / "log").exists() else ""


@pytest.mark.fault
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("trial", [*SHORT, *LONG])
def test_whoever_is_killed_everybody_gets_one_mail_or_a_reason(trial: Trial, broker_of: Any, tmp_path: Path):  # noqa: F811
    chance = random.Random(37)
    url = databases.create(trial.database, build_template)
    broker = broker_of(trial.broker)
    with mail_server(tmp_path, SERVERS[trial.server]) as (port, log):
        said = {
            "url": url, "engine": trial.engine, "broker": broker, "smtp": f"smtp://127.0.0.1:{port}",
            "folder": str(tmp_path), "lease": LEASE_SECONDS, "connections": CONNECTIONS,
        }  # fmt: skip
        app = make_app(url, queue_engine=trial.engine, queue_url=broker, data_dir=str(tmp_path))
        crew = Crew(said, tmp_path, [trial.places[n % len(trial.places)] for n in range(trial.kills)], chance)
        try:
            with app.app_context():
                everybody, sendout = start_sendout(trial.people)
                disturb(crew, trial, sendout)
                check(trial, sendout, everybody, log)
        finally:
            with app.app_context():
                crew.end()
            forget_engine(app)
            databases.drop(url)


def start_sendout(people: int) -> tuple[set[str], int]:
    house = build_house()
    rows = [{"first_name": f"P{n}", "last_name": "Tester", "email": f"p{n}@d{n % 20}.example"} for n in range(people)]
    ids = [id for id in records.create_many(SYSTEM, "contacts", rows, Channel.SYSTEM).ids if id is not None]
    sendout = house.sendout(house.campaign(ids))
    assert actions.start(SYSTEM, sendout) == "preparing"
    db.session.commit()
    db.session.remove()
    return {str(row["email"]) for row in rows}, sendout


def disturb(crew: Crew, trial: Trial, sendout: int) -> None:
    """Have `trial.kills` workers die, each buried and replaced, until all are dead and the sendout is over."""
    end = time.monotonic() + PATIENCE_SECONDS + 60 * trial.kills
    while state_of(sendout) not in {"sent", "failed"} or crew.killed().total() < trial.kills or crew.fallen():
        assert time.monotonic() < end, f"{crew.killed()} {states(sendout)}\n{crew.log()}"
        for name in crew.fallen():
            crew.bury(name, by_parent=crew.chance.random() < 0.5)
        while len(crew.running) < trial.workers:
            crew.start()
        time.sleep(0.05)
    trial.killed = crew.killed()


def state_of(sendout: int) -> str:
    return str(ask(text("SELECT state FROM sendouts WHERE id = :id"), id=sendout)[0][0])


def states(sendout: int) -> Counter[str]:
    return Counter(row[0] for row in ask(select(Delivery.state).where(Delivery.sendout_id == sendout)))


def ask(query: Any, **values: Any) -> list[Any]:
    with reading():
        rows = list(db.session.execute(query, values).all())
        db.session.rollback()
    return rows


def check(trial: Trial, sendout: int, everybody: set[str], log: Path) -> None:
    """The invariants, on what the server has and on what the ledger says."""
    rows = ask(select(Delivery.email, Delivery.state).where(Delivery.sendout_id == sendout))
    by_state: dict[str, set[str]] = {}
    for email, state in rows:
        by_state.setdefault(state, set()).add(email)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    arrived = Counter(entry["recipient"] for entry in entries if entry["reply"][:1] not in ("4", "5"))
    sent, uncertain = by_state.get("sent", set()), by_state.get("uncertain", set())
    assert trial.killed.total() == trial.kills  # all of them happened
    assert max(arrived.values()) == 1  # nobody twice, the report among them
    assert len(rows) == len(everybody)
    assert set.union(*by_state.values()) == everybody  # nobody forgotten
    assert set(by_state) <= {"sent", "failed", "uncertain"}
    assert sent <= set(arrived)  # sent means seen
    assert set(arrived) & everybody <= sent | uncertain
    doubtful = {email for email in everybody if trial.server in DOUBTS and chosen(email, DOUBTS[trial.server])}
    assert doubtful <= uncertain | by_state.get("failed", set())
    assert len(uncertain - doubtful) <= trial.kills * CONNECTIONS
    refuses = any(mode.startswith("refuse:rcpt") for mode in SERVERS[trial.server])
    refused = {email for email in everybody if chosen(email, REFUSED)} if refuses else set()
    assert by_state.get("failed", set()) <= refused
    assert (
        refused <= by_state.get("failed", set()) | uncertain
    )  # who died with the reply in hand had not written it down
    figures = {
        "kills": trial.kills,
        "audience": len(rows),
        "taken": len(set(arrived) & everybody),
        "twice": 0,
        "forgotten": 0,
    }
    figures |= {state: len(found) for state, found in by_state.items()} | {
        "by doubtful replies": len(uncertain & doubtful)
    }
    sys.stderr.write(f"{trial.engine} {trial.broker} {trial.database} {trial.workers}: {json.dumps(figures)}\n")
    report = statistics.report(SYSTEM, sendout)
    assert report["audience"] == len(everybody)
    assert sum(report[name] for name in ("sent", "failed", "skipped", "uncertain", "waiting", "cancelled")) == len(
        everybody
    )
