"""Real sending processes, real SIGKILL: nobody gets a mail twice, nobody is forgotten, doubts are few and named."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crm.mail.sending import runs, workers
from tests.mail.ledgers import a_kind, a_sendout, open_engine, rows, start_process, states

CONNECTIONS = 2
RECIPIENTS = 900


@pytest.fixture
def engine(own_database: str) -> Iterator[Engine]:
    engine = open_engine(own_database)
    a_kind()
    yield engine
    engine.dispose()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    log = tmp_path / "taken.jsonl"
    command = [sys.executable, "-m", "tests.mail.smtp_server", "--log", str(log), "--until-parent-ends"]
    # A little slow, so that kills hit all stages.
    process = subprocess.Popen([*command, "--mode", "delay:dot:0.004:30%"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def taken(log: Path) -> list[str]:
    return [json.loads(line)["recipient"] for line in log.read_text().splitlines()]


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def freeze(process: "subprocess.Popen[bytes]", engine: Engine) -> None:
    """Stop the process where it stands. On SQLite not in the middle of a write: it would hold the one lock of the database."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if engine.dialect.name != "sqlite":
            return
        try:
            with sqlite3.connect(str(engine.url.database), timeout=0.5, isolation_level=None) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.mark.fault
@pytest.mark.parametrize("is_reaped_by_parent", [True, False], ids=["its parent buries it", "its lease ends"])
def test_killed_again_and_again_everybody_gets_one_mail(
    engine: Engine, server: tuple[int, Path], is_reaped_by_parent: bool
) -> None:
    port, log = server
    url = engine.url.render_as_string(hide_password=False)
    sendout = a_sendout(engine, RECIPIENTS)
    chance, kills = random.Random(7), 0
    process = start_process(url, port, "w0", CONNECTIONS)
    deadline = time.monotonic() + 150
    try:
        while True:
            time.sleep(chance.uniform(0.05, 0.4) if kills < 4 else 0.2)
            with engine.connect() as connection:
                if not runs.has_open_rows(connection, sendout):
                    break
            assert time.monotonic() < deadline
            if kills < 4 and states(engine, sendout)["sent"] > 120 * (kills + 1):
                kill(process)
                if is_reaped_by_parent:
                    workers.bury_named(engine, f"w{kills}")
                kills += 1
                process = start_process(url, port, f"w{kills}", CONNECTIONS)
    finally:
        kill(process)
    assert kills == 4
    had = Counter(taken(log))
    assert max(had.values()) == 1
    found = {
        state: {row.email for row in rows(engine, sendout) if row.state == state} for state in ("sent", "uncertain")
    }
    assert len(found["sent"]) + len(found["uncertain"]) == RECIPIENTS  # nobody forgotten, nothing else
    assert found["sent"] <= set(had)  # sent means seen
    assert set(had) <= found["sent"] | found["uncertain"]
    assert len(found["uncertain"]) <= kills * CONNECTIONS


@pytest.mark.fault
def test_a_frozen_worker_that_wakes_after_its_lease_sends_nothing_twice(
    engine: Engine, server: tuple[int, Path]
) -> None:
    port, log = server
    url = engine.url.render_as_string(hide_password=False)
    sendout = a_sendout(engine, RECIPIENTS)
    frozen = start_process(url, port, "frozen", CONNECTIONS, lease=1.0)
    other = None
    try:
        while states(engine, sendout)["sent"] < 100:
            time.sleep(0.05)
        freeze(frozen, engine)
        time.sleep(1.3)
        other = start_process(url, port, "other", CONNECTIONS, lease=1.0)
        deadline = time.monotonic() + 90
        while states(engine, sendout)["sent"] < 400:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        frozen.send_signal(signal.SIGCONT)
        while set(states(engine, sendout)) - {"sent", "uncertain"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        for process in filter(None, (frozen, other)):
            kill(process)
    had = Counter(taken(log))
    assert max(had.values()) == 1
    assert states(engine, sendout)["uncertain"] <= CONNECTIONS
    assert states(engine, sendout)["sent"] >= RECIPIENTS - CONNECTIONS


@pytest.mark.fault
def test_a_worker_that_is_told_to_end_finishes_what_it_began(engine: Engine, server: tuple[int, Path]) -> None:
    port, log = server
    sendout = a_sendout(engine, RECIPIENTS)
    process = start_process(engine.url.render_as_string(hide_password=False), port, "w", CONNECTIONS)
    while states(engine, sendout)["sent"] < 50:
        time.sleep(0.05)
    process.terminate()
    process.wait(15)
    assert set(states(engine, sendout)) == {"sent", "waiting"}
    assert states(engine, sendout)["sent"] == len(taken(log))
