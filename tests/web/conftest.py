"""Pages of the CRM, asked as people: `people`, and `browse("alice")` gives a signed-in browser without scripts."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from crm.db import db
from crm.identity import passwords
from tests.every_module.browsing import Browser, browser
from tests.people import QUICK, People, make_people


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a hash is not what these tests are about."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)


@pytest.fixture
def people(app: Flask) -> People:
    return make_people()


@pytest.fixture
def browse(app: Flask, people: People) -> Callable[[str], Browser]:
    return lambda name: browser(app, f"{name}@example.com")


@pytest.fixture
def make(people: People) -> Callable[..., int]:
    """`make("contacts", owner="alice", last_name="Virta")`: the id of a new record."""
    from crm.engine import records
    from crm.engine.channels import Channel

    def make(module: str, owner: str = "alice", **values: Any) -> int:
        id = records.create(people[owner], module, values, Channel.SYSTEM)
        db.session.commit()
        return id

    return make
