"""Houses that run as processes, mail servers as processes, a real Chromium."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import databases
from tests.journeys.house import House, installed
from tests.journeys.letters import taken


@pytest.fixture
def make_house(database_kind: str, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """`make_house(**settings)`: an installation with administrator, sender and key, on each database; not yet running."""
    yield from houses(database_kind, tmp_path)


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """The same on SQLite only: what the browser sees does not depend on the database."""
    yield from houses("sqlite", tmp_path)


def houses(kind: str, folder: Path) -> Iterator[Callable[..., House]]:
    made: list[str] = []

    def make(**settings: object) -> House:
        url, key = installed(kind)
        made.append(url)
        house = House(url, folder, **settings)
        house.key = key
        return house

    yield make
    for url in made:
        databases.drop(url)


@dataclass
class MailServer:
    """A mail server in another process, and what it has written down."""

    port: int
    log: Path

    def taken(self) -> list[dict[str, Any]]:
        """Every mail whose final dot it took."""
        return taken(self.log)


@contextmanager
def serving_mail(folder: Path, *modes: str) -> Iterator[MailServer]:
    log = folder / "taken.jsonl"
    line = [sys.executable, "-m", "tests.mail.smtp_server", "--log", str(log), "--until-parent-ends"]
    for mode in modes:
        line += ["--mode", mode]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield MailServer(int(process.stdout.readline().split()[0]), log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
