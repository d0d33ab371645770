"""Plans: what every installation begins with, and that a plan's number of list types is held."""

import pytest

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Forbidden
from crm.identity.viewer import SYSTEM


def test_an_installation_begins_with_four_plans_of_which_the_one_without_limits_is_in_force(app):
    rows = search.find(SYSTEM, "plans", columns=("key", "list_type_limit", "monthly_mail_limit", "current")).rows
    said = {row["key"]: (row["list_type_limit"], row["monthly_mail_limit"], row["current"]) for row in rows}
    assert said == {
        "basic": (2, 15_000, False),
        "basic_plus": (2, 50_000, False),
        "extensive": (5, 500_000, False),
        "unlimited": (None, None, True),
    }


def test_it_has_a_marketing_list(app):
    row = search.find(SYSTEM, "list_types", where={"name": "Marketing"}, columns=("kind", "active", "slug")).rows[0]
    assert (row["kind"], row["active"], row["slug"]) == ("marketing", True, "marketing")


def test_no_more_list_types_than_the_plan_has(make, people):
    basic = search.find(SYSTEM, "plans", where={"key": "basic"}).rows[0].id
    with pytest.raises(Forbidden):
        records.update(people["mary"], "plans", basic, {"current": True}, Channel.FORM)
    records.update(people["ada"], "plans", basic, {"current": True}, Channel.FORM)
    with pytest.raises(Conflict, match="limit 2 reached"):
        make("list_types", name="Third")
    extensive = search.find(SYSTEM, "plans", where={"key": "extensive"}).rows[0].id
    records.update(people["ada"], "plans", extensive, {"current": True}, Channel.FORM)
    assert make("list_types", name="Third")
    assert [row["key"] for row in search.find(SYSTEM, "plans", where={"current": True}, columns=("key",)).rows] == [
        "extensive"
    ]
