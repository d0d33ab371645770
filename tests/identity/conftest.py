"""Who lives in the tests of this room: the people, and quick hashes."""

import pytest

from crm.identity import passwords
from tests.people import QUICK, People, make_people


@pytest.fixture(autouse=True)
def quick_hashes(request, monkeypatch):
    """Passwords are hashed with little work, except where a test is about the real hashes."""
    if "real_hashes" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_hasher", QUICK)


@pytest.fixture
def real_hashes():
    """Asked for by tests that are about the hashes of the product."""


@pytest.fixture
def people(session) -> People:
    return make_people(session)
