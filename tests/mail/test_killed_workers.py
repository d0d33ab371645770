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
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from crm.mail.sending import runs, workers
from crm.mail.sending.deliveries import MailWorker
from tests.forked import Forked
from tests.mail.ledgers import a_kind, a_sendout, open_engine, rows, start_process, states

CONNECTIONS = 2
RECIPIENTS = 900
PATIENCE_SECONDS = 400  # processes start slowly on a machine that is busy


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


def kill(process: Forked) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def freeze(process: Forked, engine: Engine) -> None:
    """Stop the process where it stands, but not in the middle of a write: on SQLite it would hold the one lock of the database."""
    while True:
        process.send_signal(signal.SIGSTOP)
        # A thread that waits for the disk stops only when it has its answer.
        while any(state_of_thread(stat) != "T" for stat in Path(f"/proc/{process.pid}/task").glob("*/stat")):
            time.sleep(0.01)
        if not is_writing(engine):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def state_of_thread(stat: Path) -> str:
    return stat.read_text().rpartition(")")[2].split()[0]


def is_writing(engine: Engine) -> bool:
    """Whether anybody is in a transaction."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(engine.url.database), timeout=0.5, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return True
            return False
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
    with engine.connect() as connection:
        return bool(connection.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}")))


def is_listed(engine: Engine, name: str) -> bool:
    with engine.connect() as connection:
        return connection.scalar(select(MailWorker.id).where(MailWorker.name == name)) is not None


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
    deadline = time.monotonic() + PATIENCE_SECONDS
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
    # Long enough that a worker which only gets too little of a busy machine keeps its lease.
    frozen = start_process(url, port, "frozen", CONNECTIONS, lease=5.0)
    other = None
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while states(engine, sendout)["sent"] < 100:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        freeze(frozen, engine)
        other = start_process(url, port, "other", CONNECTIONS, lease=5.0)
        while is_listed(engine, "frozen") or states(engine, sendout)["sent"] < 400:
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
    process.wait(60)
    assert set(states(engine, sendout)) == {"sent", "waiting"}
    assert states(engine, sendout)["sent"] == len(taken(log))
