"""People who call the API, and one of them who does."""

import pytest

from tests.api.calls import caller
from tests.people import make_people


@pytest.fixture
def folk(session):
    return make_people()


@pytest.fixture
def ada(app, folk):
    return caller(app, folk.ada)
