"""Picklists: seeded once, grown by people, read from memory; values that were in no list are kept aside."""

import pytest

from crm import clock
from crm.db import db
from crm.engine import picklists
from crm.engine.refusals import Refused, UnknownName
from tests.engine.declared import MOMENT, present
from tests.engine.test_search import Statements


@pytest.fixture
def house(app):
    with present(), clock.standing_at(MOMENT):
        picklists.seed()
        yield


def keys() -> list[str]:
    return [choice.key for choice in picklists.choices("thing_stage")]


def test_lists_come_from_the_declarations_and_seeding_again_changes_nothing(house):
    assert keys() == ["New", "Open", "Won", "Lost"]
    db.session.execute(picklists.PicklistValue.__table__.update().values(label="Changed"))
    picklists.touch()
    picklists.seed()
    assert keys() == ["New", "Open", "Won", "Lost"]
    assert picklists.label("thing_stage", "Won") == "Changed"


def test_a_list_is_read_once_a_session(house):
    picklists.choices("thing_stage")
    with Statements() as said:
        picklists.choices("thing_stage")
        picklists.label("thing_colours", "Red")
        assert picklists.is_key("thing_stage", "Won")
        assert not picklists.is_key("thing_stage", "won")
    assert said.count == 0


def test_labels_of_unknown_keys_are_the_keys_and_unknown_lists_are_refused(house):
    assert picklists.label("thing_stage", "Old value") == "Old value"
    with pytest.raises(UnknownName, match="thing_stage"):
        picklists.choices("thing_stag")


def test_values_are_added_by_lines_and_what_cannot_be_is_told(house):
    assert picklists.add("thing_stage", ["Later", "", " Won ", "Later", "a|b", "x" * 81, "Two  words"]) == (
        ["Later", "Two words"], ["", "Won", "Later", "a|b", "x" * 81],
    )  # fmt: skip
    assert keys() == ["New", "Open", "Won", "Lost", "Later", "Two words"]


def test_values_that_were_in_no_list_are_counted_and_can_be_taken_in(house):
    picklists.keep_rejected("t_things", [("stage", "Maybe"), ("stage", "Maybe"), ("stage", "Never")])
    picklists.keep_rejected("t_things", [("stage", "Maybe")])
    assert [(one.raw, one.count) for one in picklists.rejected("t_things", "stage")] == [("Maybe", 3), ("Never", 1)]
    assert picklists.take_rejected("t_things", "stage", ["Maybe"]) == ["Maybe"]
    assert keys()[-1] == "Maybe"
    assert [one.raw for one in picklists.rejected("t_things", "stage")] == ["Never"]
    with pytest.raises(Refused, match="no list"):
        picklists.take_rejected("t_things", "name", ["x"])
