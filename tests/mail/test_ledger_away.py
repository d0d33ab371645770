"""The ledger cannot be written for a while: no text begins meanwhile, no reply is lost, and sending goes on by itself."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from tests import databases
from tests.apps import build_template
from tests.mail.ledgers import a_kind, a_sendout, open_engine, start_process, states

CONNECTIONS = 2
RECIPIENTS = 400
PATIENCE_SECONDS = 400


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    log = tmp_path / "taken.jsonl"
    command = [sys.executable, "-m", "tests.mail.smtp_server", "--log", str(log), "--until-parent-ends"]
    process = subprocess.Popen([*command, "--mode", "delay:dot:0.01"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        databases.absent("the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def taken(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


@contextlib.contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Nobody else can write."""
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        if engine.dialect.name == "sqlite":
            with contextlib.closing(
                sqlite3.connect(str(engine.url.database), isolation_level=None, timeout=60)
            ) as other:
                other.execute("BEGIN IMMEDIATE")
                yield
        else:
            assert raw is not None
            connection.execute(text("LOCK TABLE deliveries, mail_workers IN EXCLUSIVE MODE"))
            yield
            connection.rollback()


def stands_still(log: Path, before: int, seconds: float) -> None:
    """For `seconds` no text begins: what comes had begun."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert taken(log) <= before + CONNECTIONS
        time.sleep(0.1)


def check_that_all_went_out_once(engine: Engine, sendout: int, log: Path) -> None:
    until(lambda: set(states(engine, sendout)) <= {"sent", "uncertain"})
    assert states(engine, sendout) == {"sent": RECIPIENTS}  # no doubt: every reply was kept until it could be written
    assert taken(log) == RECIPIENTS


@pytest.mark.fault
@pytest.mark.parametrize("seconds", [3, pytest.param(40, marks=pytest.mark.long)])
def test_a_locked_ledger_lets_no_text_begin_and_keeps_every_reply(
    own_database: str, server: tuple[int, Path], seconds: float
) -> None:
    port, log = server
    engine = open_engine(own_database)
    a_kind()
    sendout = a_sendout(engine, RECIPIENTS)
    process = start_process(own_database, port, "w", CONNECTIONS, lease=60.0)
    try:
        until(lambda: taken(log) >= 50)
        with locked(engine):
            stands_still(log, taken(log), seconds)
        check_that_all_went_out_once(engine, sendout, log)
    finally:
        process.kill()
        process.wait()
        engine.dispose()


@pytest.mark.fault
def test_a_full_disk_lets_no_text_begin_and_sending_goes_on_when_there_is_room(
    small_disk: Path, server: tuple[int, Path]
) -> None:
    port, log = server
    made = databases.create("sqlite", build_template)
    url = f"sqlite:///{small_disk / 'ledger.sqlite3'}"
    shutil.copy(str(make_url(made).database), small_disk / "ledger.sqlite3")
    databases.drop(made)
    engine = open_engine(url)
    a_kind()
    sendout = a_sendout(engine, RECIPIENTS)
    process = start_process(url, port, "w", CONNECTIONS, lease=60.0)
    try:
        until(lambda: taken(log) >= 50)
        fill(small_disk / "filler")
        until(lambda: stood_still(log))
        assert taken(log) < RECIPIENTS
        assert process.poll() is None
        (small_disk / "filler").unlink()
        check_that_all_went_out_once(engine, sendout, log)
    finally:
        process.kill()
        process.wait()
        engine.dispose()


def fill(filler: Path) -> None:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def stood_still(log: Path) -> bool:
    before = taken(log)
    time.sleep(2)
    return taken(log) == before
