"""Support as the tests of tickets see it."""

from typing import Any

import pytest

from crm.db import db
from crm.modules.tickets import settings as ticket_settings
from tests.modules.tickets.support import Support
from tests.people import People, make_people


@pytest.fixture
def people(session: Any) -> People:
    return make_people(session)


@pytest.fixture
def support(people: People) -> Support:
    ticket_settings.forget()
    made = Support()
    db.session.commit()
    return made
