"""Every test here runs for every declared module: ask for `key` (records), `ledger`, `numbered` or `importable`."""

from typing import Any

import pytest

from crm.identity import passwords
from tests.every_module import values
from tests.people import QUICK, People, make_people

KINDS = {
    "key": values.RECORDS,
    "ledger": values.LEDGERS,
    "numbered": values.NUMBERED,
    "importable": values.IMPORTABLE,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, keys in KINDS.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, keys)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing in is not what these tests are about."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)


@pytest.fixture
def people(session: Any) -> People:
    return make_people(session)
