"""Pages of the portal and of mass mail in the CRM, asked as people: `browse("mary")` gives a signed-in browser without scripts."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask

from crm.db import db
from crm.identity import passwords
from tests.apps import Browser as Client
from tests.every_module.browsing import Browser, browser
from tests.people import QUICK, People, make_people, make_user
from tests.pipeline.conftest import House, build_house


@cache
def _portal(url: str, settled: Any) -> Flask:
    from ecp import create_app

    made = create_app(settled)
    made.testing = True
    made.test_client_class = Client
    return made


@pytest.fixture
def portal(app: Flask) -> Flask:
    """The portal on the database of `app`."""
    return _portal(app.config["SQLALCHEMY_DATABASE_URI"], app.config["CUSTOMERHUB"])


@pytest.fixture
def people(app: Flask, monkeypatch: pytest.MonkeyPatch) -> People:
    """The people of the tests, and Carl, who administers the CRM and merely uses the portal."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)
    made = make_people()
    make_user("Carl", "administrator", crm_admin=True, ecp_access=True)
    db.session.commit()
    return made


@pytest.fixture
def browse(app: Flask, portal: Flask, people: People) -> Callable[..., Browser]:
    """`browse("ada")` on the portal, `browse("ada", "crm")` on the CRM."""

    def open_as(name: str, face: str = "ecp") -> Browser:
        return browser(portal if face == "ecp" else app, f"{name}@example.com", face)

    return open_as


@pytest.fixture
def house(people: People) -> House:
    """A confirmed sender, a list type, an active mail."""
    made = build_house()
    db.session.commit()
    return made


def part(page: str, begin: str, end: str = "<") -> str:
    """What stands in a page between two marks."""
    return page.split(begin, 1)[1].split(end, 1)[0]
