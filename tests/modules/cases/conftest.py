"""People and a way to make records, for the tests of cases."""

from typing import Any

import pytest

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from tests.people import People, make_people


@pytest.fixture
def people(session: Any) -> People:
    made = make_people(session)
    db.session.commit()
    return made


@pytest.fixture
def make() -> Any:
    return lambda module, **values: records.create(SYSTEM, module, values, Channel.SYSTEM)


@pytest.fixture
def viewer(people: People) -> Any:
    return lambda name: viewers.of_user(getattr(people, name))
