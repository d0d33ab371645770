"""Hints to the planners change no meaning: what they are put around keeps its brackets."""

import pytest
from sqlalchemy import Integer, and_, column, or_
from sqlalchemy.dialects import postgresql, sqlite

from crm.engine import ways


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("hint", [ways.plainly, ways.tested])
def test_a_choice_of_conditions_beside_another_one_stays_in_brackets(hint, dialect):
    owner, state = column("owner", Integer), column("state", Integer)
    said = and_(hint(or_(owner == 1, owner == 2)), state == 3)
    assert "(owner = 1 OR owner = 2)" in str(said.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
