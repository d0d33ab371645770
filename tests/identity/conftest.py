import pytest

from tests.people import People, make_people


@pytest.fixture
def people(session) -> People:
    return make_people(session)
