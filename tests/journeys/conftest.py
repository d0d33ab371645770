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
from tests.apps import build_template
from tests.journeys.house import House
from tests.journeys.letters import taken


@pytest.fixture
def make_house(own_database: str, tmp_path: Path) -> Callable[..., House]:
    """`make_house(**settings)`: an installation with administrator, sender and key, on each database; not yet running."""

    def make(**settings: object) -> House:
        house = House(own_database, tmp_path, **settings)
        house.set_up()
        return house

    return make


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """The same on SQLite only: what the browser sees does not depend on the database."""
    made: list[str] = []

    def make(**settings: object) -> House:
        made.append(databases.create("sqlite", build_template))
        house = House(made[-1], tmp_path, **settings)
        house.set_up()
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
