"""Real processes, a real server, real SIGKILL: a sendout with pause, resume, leaving and refusals, killed twice."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.mail.sending import workers
from crm.mail.sending.deliveries import Delivery
from ecp import statistics
from ecp.pipeline import actions
from tests import forked
from tests.forked import Forked
from tests.mail.smtp_server import chosen
from tests.pipeline.conftest import build_house

PEOPLE = 240
REFUSED = "3%"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    log = tmp_path / "taken.jsonl"
    modes = ["--mode", "delay:dot:0.02", "--mode", f"refuse:rcpt:550 5.1.1 no such user:{REFUSED}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mail.smtp_server", "--log", str(log), "--until-parent-ends", *modes],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline().split()[0]), log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def working(url: str, port: int, name: str, folder: Path) -> Iterator[Forked]:
    """A sending process; killed without warning at the end of the block, and buried as its parent would."""
    process = forked.start("tests.pipeline.sending_process", url, str(port), name, str(folder))
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        db.session.remove()  # what the test has read last must not hold the lock
        workers.bury_named(db.engine, name)


def counts(sendout: int) -> Counter[str]:
    db.session.rollback()
    rows = db.session.execute(select(Delivery.state).where(Delivery.sendout_id == sendout)).scalars().all()
    db.session.rollback()
    return Counter(rows)


def wait(sendout: int, until, seconds: float = 60) -> Counter[str]:
    end = time.monotonic() + seconds
    while not until(found := counts(sendout)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.mark.fault
def test_killed_twice_with_pause_leaving_and_refusals_everybody_gets_one_mail_or_a_reason(
    own_app, own_database, server, tmp_path
):
    port, log = server
    house = build_house()
    ids = []
    for n in range(PEOPLE):
        ids.append({"first_name": f"P{n}", "last_name": "Tester", "email": f"p{n}@d{n % 20}.example"})
    people = records.create_many(SYSTEM, "contacts", ids, Channel.SYSTEM).ids
    sendout = house.sendout(house.campaign(people))
    assert actions.start(SYSTEM, sendout) == "preparing"
    db.session.commit()
    db.session.remove()

    with working(own_database, port, "first", tmp_path):
        wait(sendout, lambda found: found["sent"] > 40)
    with working(own_database, port, "second", tmp_path):
        wait(sendout, lambda found: found["sent"] > 80)
        actions.pause(SYSTEM, sendout)
        db.session.commit()
        time.sleep(1.0)
        before = counts(sendout)
        left = db.session.execute(
            select(Delivery.email).where(Delivery.sendout_id == sendout, Delivery.state.in_(("waiting", "leased"))).limit(3)
        ).scalars().all()  # fmt: skip
        assert len(left) == 3
        for email in left:
            said = {"email": email, "scope": "list_type", "scope_id": house.list_id}
            records.create(SYSTEM, "suppressions", said, Channel.SYSTEM)
        db.session.commit()
        time.sleep(0.5)
        assert counts(sendout)["sent"] == before["sent"]
        actions.resume(SYSTEM, sendout)
        db.session.commit()
        db.session.remove()
        wait(sendout, lambda found: found["sent"] > 150)
    with working(own_database, port, "third", tmp_path):
        wait(sendout, lambda found: not found["waiting"] + found["leased"] + found["retry"])
        state = "SELECT state FROM sendouts WHERE id = :s"
        end = time.monotonic() + 20
        while db.session.execute(text(state), {"s": sendout}).scalar() != "sent":
            db.session.rollback()
            assert time.monotonic() < end
            time.sleep(0.1)

    rows = db.session.execute(select(Delivery).where(Delivery.sendout_id == sendout)).scalars().all()
    by_state: dict[str, set[str]] = {}
    for row in rows:
        by_state.setdefault(row.state, set()).add(row.email)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    ours = Counter(entry["recipient"] for entry in entries if entry["recipient"].endswith(".example"))
    everybody = {f"p{n}@d{n % 20}.example" for n in range(PEOPLE)}
    assert max(ours.values()) == 1  # once
    assert set.union(*by_state.values()) == everybody  # nobody forgotten
    assert by_state["sent"] <= set(ours)  # sent means seen
    assert set(ours) <= by_state["sent"] | by_state.get("uncertain", set())
    assert len(by_state.get("uncertain", set())) <= 2 * 2  # kills x connections
    refused = {email for email in everybody if chosen(email, REFUSED)}
    assert by_state["failed"] == refused - set(left)
    assert {row.email: row.skip_reason for row in rows if row.state == "skipped"} == dict.fromkeys(
        left, "list_unsubscribed"
    )
    report = statistics.report(SYSTEM, sendout)
    assert report["audience"] == PEOPLE
    assert report["sent"] + report["uncertain"] >= len(ours)
    assert sum(report[name] for name in ("sent", "failed", "skipped", "uncertain", "waiting", "cancelled")) == PEOPLE
