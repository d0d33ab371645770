"""Tests of the post office bring kinds of mail of their own; the house has its own back afterwards."""

from collections.abc import Iterator

import pytest

from crm.mail.sending.kinds import KINDS


@pytest.fixture(autouse=True)
def kinds_of_the_house() -> Iterator[None]:
    before = dict(KINDS)
    yield
    KINDS.clear()
    KINDS.update(before)
