"""Conditions over linked records: by a link, over children and many-links, with the viewer's rights, in both databases."""

import pytest
from sqlalchemy import insert, select

from crm import clock
from crm.db import db
from crm.engine import conditions
from crm.engine.relations import EntityLink
from crm.identity.viewer import SYSTEM, Viewer
from tests.engine.declared import MOMENT, PARTS, PLACES, THINGS, present, put


@pytest.fixture
def stored(app):
    """Things a (in Turku, parts 5 and 50), b (in Oulu), c (nowhere, part 50), d (in a deleted place)."""
    with present(), clock.standing_at(MOMENT):
        turku, oulu = put(PLACES, name="Turku", city="Turku"), put(PLACES, name="Oulu", city="Oulu")
        gone = put(PLACES, name="Gone", city="Turku", deleted_at=MOMENT)
        made = {
            "a": put(THINGS, name="a", place_id=turku),
            "b": put(THINGS, name="b", place_id=oulu),
            "c": put(THINGS, name="c"),
            "d": put(THINGS, name="d", place_id=gone),
        }
        put(PARTS, name="p", thing_id=made["a"], cost=5)
        put(PARTS, name="q", thing_id=made["a"], cost=50)
        put(PARTS, name="r", thing_id=made["c"], cost=50)
        put(PARTS, name="s", thing_id=made["b"], cost=50, deleted_at=MOMENT)
        pairs = [(made["a"], oulu), (made["b"], oulu), (made["c"], gone)]
        rows = [{"relation": "t_things.friends", "a_id": a, "b_id": b, "created_at": MOMENT} for a, b in pairs]
        db.session.execute(insert(EntityLink.__table__), rows)
        yield made


def found(where, made, viewer=SYSTEM) -> str:
    said = select(THINGS.table.c.id).where(conditions.compile(where, THINGS, viewer))
    ids = set(db.session.execute(said).scalars())
    return "".join(sorted(name for name, id in made.items() if id in ids))


CASES = [
    ({"place.city": "turku"}, "a"),
    ({"$ne": ["place.city", "Turku"]}, "bcd"),
    ({"$is.null": ["place.city"]}, "cd"),
    ({"$not.null": ["place.city"]}, "ab"),
    ({"$not": {"place.city": "Turku"}}, "bcd"),
    ({"$has": ["place", {"city": "Oulu"}]}, "b"),
    ({"$has": ["place"]}, "ab"),
    ({"$hasnot": ["place"]}, "cd"),
    ({"$has": ["t_parts"]}, "ac"),
    ({"$has": ["t_parts", {"$lt": ["cost", 10]}]}, "a"),
    ({"$hasnot": ["t_parts", {"$lt": ["cost", 10]}]}, "bcd"),
    ({"$not": [{"$hasnot": ["t_parts", {"$lt": ["cost", 10]}]}]}, "a"),
    ({"$and": [{"$has": ["t_parts", {"cost": 5}]}, {"$has": ["t_parts", {"cost": 50}]}]}, "a"),
    ({"$has": ["t_parts", {"$and": [{"cost": 5}, {"name": "q"}]}]}, ""),
    ({"$has": ["friends"]}, "ab"),
    ({"$has": ["friends", {"city": "Oulu"}]}, "ab"),
    ({"$hasnot": ["friends", {"city": "Oulu"}]}, "cd"),
    ({"$has": ["friends", {"$has": ["t_things", {"name": "b"}]}]}, "ab"),
    ({"$has": ["place", {"$hasnot": ["things_here"]}]}, "a"),
]


@pytest.mark.parametrize(("where", "names"), CASES)
def test_linked_records_are_found_alike_in_the_database_and_for_one_in_memory(stored, where, names):
    assert found(where, stored) == names
    table = THINGS.table
    in_memory = ""
    for name, id in stored.items():
        row = db.session.execute(select(table).where(table.c.id == id)).mappings().one()
        in_memory += name * conditions.matches(where, THINGS, row)
    assert in_memory == names


def test_a_condition_never_looks_behind_the_rights_of_the_viewer(stored):
    bob = Viewer(kind="staff", id=9, principals=frozenset({9}), defaults={"t_places": "private"})
    assert found({"place.city": "Turku"}, stored, bob) == ""
    assert found({"$ne": ["place.city", "Turku"]}, stored, bob) == "abcd"
    assert found({"$has": ["friends"]}, stored, bob) == ""


def test_me_and_my_groups_stand_for_the_viewer(stored):
    table = THINGS.table
    cards = iter(stored.values())
    first, second = next(cards), next(cards)
    db.session.execute(table.update().where(table.c.id == first).values(owner_id=second))
    bob = Viewer(kind="staff", id=second, principals=frozenset({second, first}))
    assert found({"owner_id": "$me"}, stored, bob) == "a"
    assert found({"$eq": ["owner_id", "$my_groups"]}, stored, bob) == ""
    assert found({"$nin": ["owner_id", ["$me", "$my_groups"]]}, stored, bob) == "bcd"
    assert conditions.matches({"owner_id": "$me"}, THINGS, {"owner_id": second}, bob)
    assert not conditions.matches({"owner_id": "$me"}, THINGS, {"owner_id": second})
