"""Conditions that cannot be used are refused with the place, the reason and, where there is one, what was meant."""

from datetime import UTC, datetime

import pytest

from crm import clock
from crm.engine import conditions
from crm.engine.conditions import BadCondition, where
from crm.identity.viewer import ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, THINGS, present, put


@pytest.fixture
def things(app):
    with present(), clock.standing_at(MOMENT):
        yield


def nested(levels: int) -> dict:
    said = {"name": "x"}
    for _ in range(levels):
        said = {"$not": [said]}
    return said


BAD = [
    ([], "", "object"),
    ({}, "", "empty"),
    ("name", "", "object"),
    ({"$and": []}, "$and", "not empty"),
    ({"$or": {}}, "$or", "not empty"),
    ({"$and": [{}]}, "$and[0]", "empty"),
    ({"$not": [{"name": "a"}, {"name": "b"}]}, "$not", "one condition"),
    ({"$eqq": ["name", "x"]}, "$eqq", "“$eq”"),
    ({"$eq": ["nmae", "x"]}, "$eq[0]", "“name”"),
    ({"nmae": "x"}, "nmae[0]", "“name”"),
    ({"$eq": []}, "$eq", "name of a field"),
    ({"$eq": ["name"]}, "$eq", "1 values after the field; there are 0"),
    ({"$eq": ["name", "a", "b"]}, "$eq", "there are 2"),
    ({"$between": ["amount", 1]}, "$between", "2 values"),
    ({"$is.null": ["name", 1]}, "$is.null", "0 values"),
    ({"$in": ["name", []]}, "$in", "1 to"),
    ({"$eq": ["name", None]}, "$eq[1]", "$is.null"),
    ({"$eq": ["name", {"a": 1}]}, "$eq[1]", "not an object"),
    ({"name": {"$gt": 1}}, "name", "operator first"),
    ({"$eq": ["amount", "much"]}, "$eq[1]", "number"),
    ({"$eq": ["due_on", "2026-02-30"]}, "$eq[1]", "date that exists"),
    ({"$eq": ["due_on", "$now -5 fortnights"]}, "$eq[1]", "unit of time"),
    ({"$gt": ["seen_at", "$now +99999 years"]}, "$gt[1]", "calendar"),
    ({"$window": ["due_on", "$this_weak"]}, "$window[1]", "$this_week"),
    ({"$window": ["name", "$today"]}, "$window", "cannot be used on “Name”"),
    ({"$cts": ["amount", "1"]}, "$cts", "cannot be used on “Amount”"),
    ({"$regex": ["name", "(a"]}, "$regex[1]", "cannot be used"),
    ({"$regex": ["name", "(?=a)"]}, "$regex[1]", "look-ahead"),
    ({"$regex": ["name", r"(a)\1"]}, "$regex[1]", "back-references"),
    ({"$regex": ["name", "a{1000}"]}, "$regex[1]", "255"),
    ({"$regex": ["name", "x" * 301]}, "$regex[1]", "300"),
    ({"$regex": ["name", "(((a{250}){250}){250})"]}, "$regex[1]", "too large"),
    ({"$eq": ["name", "a\x00b"]}, "$eq[1]", "NUL"),
    ({"$eq": ["owner_id", "$mee"]}, "$eq[1]", "$me"),
    ({"$eq": ["pieces", 2**70]}, "$eq[1]", "too large"),
    ({"$eq": ["place.town", "x"]}, "$eq[0]", "There is no field “town”"),
    ({"$eq": ["plaice.city", "x"]}, "$eq[0]", "“place”"),
    ({"$eq": ["owner.name", "x"]}, "$eq[0]", "several modules"),
    ({"$eq": ["place.owner.name", "x"]}, "$eq[0]", "one step"),
    ({"$has": ["part"]}, "$has[0]", "“t_parts”"),
    ({"$has": ["t_parts", {}]}, "$has[1]", "empty"),
    ({"$has": []}, "$has", "takes a relation"),
    ({"$has": ["place", {"$has": ["t_things", {"$has": ["place", {"$has": ["t_things"]}]}]}]},
     "$has[1].$has[1].$has[1].$has", "nested 3 times"),
    (nested(8), "$not[0].$not[0].$not[0].$not[0].$not[0].$not[0].$not[0].$not[0]", "8 levels"),
    ({"$or": [{"name": "x"}] * 201}, "$or[199]", "200"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "path", "reason"), BAD)
def test_what_cannot_be_used_is_refused_with_place_and_reason(things, bad, path, reason):
    with pytest.raises(BadCondition) as refusal:
        conditions.check(bad, THINGS)
    assert refusal.value.path == path
    assert reason in refusal.value.message


def test_what_lies_on_the_limits_is_taken(things):
    conditions.check(nested(7), THINGS)
    conditions.check({"$or": [{"name": "x"}] * 199}, THINGS)
    conditions.check({"$has": ["place", {"$has": ["t_things", {"$has": ["place"]}]}]}, THINGS)


def test_a_field_that_may_not_be_read_is_as_unknown_as_one_that_is_not_there(things):
    charlie = Viewer(kind="staff", id=7, rights=Rights({"t_things": ModuleRights(hidden=frozenset({"amount"}))}))
    with pytest.raises(BadCondition) as hidden:
        conditions.check({"$gt": ["amount", 1]}, THINGS, charlie)
    with pytest.raises(BadCondition) as absent:
        conditions.check({"$gt": ["amounx", 1]}, THINGS, charlie)
    assert hidden.value.message.replace("amount", "amounx") == absent.value.message
    conditions.check({"$gt": ["amount", 1]}, THINGS)


def test_fields_of_a_module_that_may_not_be_seen_are_unknown(things):
    charlie = Viewer(kind="staff", id=7, rights=Rights({"t_places": ModuleRights(verbs=frozenset())}))
    for bad in ({"$eq": ["place.city", "x"]}, {"$has": ["place"]}, {"$has": ["friends"]}):
        with pytest.raises(BadCondition, match="There is no relation"):
            conditions.check(bad, THINGS, charlie)


def test_a_slow_pattern_is_not_slow(things):
    put(THINGS, name="a" * 110)
    assert not conditions.matches({"$regex": ["note", "^(a+)+$"]}, THINGS, {"note": "a" * 5_000 + "!"})


def test_words_of_declarations_become_conditions():
    assert where("stage", "none of", ["Won"]) == {"$nin": ["stage", ["Won"]]}
    assert where("note", "is empty", None) == {"$is.null": ["note"]}
    assert where("due_on", "within", "$this_week") == {"$window": ["due_on", "$this_week"]}
    with pytest.raises(BadCondition, match="none of"):
        where("stage", "none off", ["Won"])


def test_conditions_say_in_words_what_they_show(things):
    def say(said):
        return conditions.sentence(said, THINGS)

    assert say({}) == ""
    assert say({"$and": [{"$ne": ["stage", "Won"]}, {"$gt": ["amount", 10000]}]}) == (
        "Stage is not Won and Amount is more than 10,000"
    )
    assert say({"$or": [{"name": "Acme"}, {"$and": [{"vip": True}, {"$is.null": ["note"]}]}]}) == (
        "Name is “Acme” or (VIP is ticked and Note is empty)"
    )
    assert say({"$window": ["due_on", "$last_7_days"]}) == "Due date is within last 7 days"
    assert say({"$gte": ["seen_at", "$now.date -7 days"]}) == "Seen at is at least today - 7 days"
    assert say({"$eq": ["owner_id", "$me"]}) == "Assigned to is me"
    assert say({"$beg": ["place.city", "Tu"]}) == "Place: City begins with “Tu”"
    assert say({"$between": ["pieces", 1, 5]}) == "Pieces is between 1 and 5"
    assert say({"$in": ["stage", ["New", "Open"]]}) == "Stage is one of New or Open"
    assert say({"$hasnot": ["t_parts", {"$gt": ["cost", 5]}]}) == "there are no Parts with: (Cost is more than 5)"
    assert say({"$nor": [{"name": "a"}, {"name": "b"}]}) == "not (Name is “a” or Name is “b”)"


def test_every_operator_has_its_word_and_every_word_one_operator():
    words = [word for one in conditions.OPERATORS.values() for word in one.words]
    assert len(words) == len(set(words))
    assert all("%(field)s" in one.sentence for one in conditions.OPERATORS.values())


def test_days_are_those_of_the_site(make_own_app):
    late = datetime(2026, 3, 15, 16, 0, tzinfo=UTC)  # the 16th in Tokyo
    with make_own_app(timezone="Asia/Tokyo").app_context(), clock.standing_at(MOMENT):
        assert not conditions.matches({"$window": ["seen_at", "$today"]}, THINGS, {"seen_at": late})
        assert conditions.matches({"$eq": ["seen_at", "2026-03-16"]}, THINGS, {"seen_at": late})
    with make_own_app(timezone="Europe/Helsinki").app_context(), clock.standing_at(MOMENT):
        assert conditions.matches({"$window": ["seen_at", "$today"]}, THINGS, {"seen_at": late})
