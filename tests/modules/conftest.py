"""What tests of single modules start from."""

from collections.abc import Callable
from typing import Any

import pytest

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from tests.people import People, make_people


@pytest.fixture
def people(session: Any) -> People:
    return make_people(session)


@pytest.fixture
def make(session: Any) -> Callable[..., int]:
    """`make("accounts", name="Acme")`: a record made by the system; gives its id."""
    return lambda module, **values: records.create(SYSTEM, module, values, Channel.SYSTEM)


@pytest.fixture
def row(session: Any) -> Callable[..., Any]:
    """`row("accounts", id)`: a record as the system sees it."""
    return lambda module, id: search.one(SYSTEM, module, id)
