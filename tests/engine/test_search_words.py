"""Search by the beginnings of words: what is found, what is not, under whose rights; kept with the change itself."""

import pytest

from crm import clock
from crm.db import Entity, db
from crm.engine import search, text_index
from crm.engine.outbox import TASKS
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM, ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, PLACES, THINGS, present, put


@pytest.fixture
def house(app):
    with present(), clock.standing_at(MOMENT):
        yield


def place(name: str, **values) -> int:
    id = put(PLACES, name=name, **values)
    text_index.index_many(PLACES, {id: {"name": name, **values}})
    return id


def labels(said: str, viewer: Viewer = SYSTEM, **more) -> list[str]:
    return [hit.label for hits in text_index.search(viewer, said, **more).values() for hit in hits]


def test_a_word_that_begins_with_what_was_typed_is_found_and_one_that_holds_it_is_not(house):
    place("Nordic Logistics", number="P7")
    place("Biologist")
    assert labels("log") == ["Nordic Logistics"]
    assert labels("LOG nor") == ["Nordic Logistics"]
    assert labels("log bio") == []
    assert labels("logistics") == ["Nordic Logistics"]
    assert labels("p7") == ["Nordic Logistics"]


def test_letters_of_all_alphabets_and_widths_are_found_as_people_type_them(house):
    place("Äänekoski Öljy", city="Ｔｕｒｋｕ")
    place("Aanekoski")
    assert labels("ään") == ["Äänekoski Öljy"]
    assert labels("aan") == ["Aanekoski"]
    assert labels("turk") == ["Äänekoski Öljy"]
    place("東京 事務所")
    place("Москва")
    assert labels("東京") == ["東京 事務所"]
    assert labels("МОСК") == ["Москва"]


def test_an_address_is_found_by_its_parts_and_as_it_is_written(house):
    id = put(THINGS, name="Anna", email="anna.smith@mail.example.com")
    text_index.index_many("t_things", {id: {"name": "Anna", "email": "anna.smith@mail.example.com"}})
    for said in ("anna.smith@mail.example.com", "smith", "exam", "anna.smith@", "@mail"):
        assert labels(said) == ["Anna"], said
    assert labels("nith") == []


@pytest.mark.parametrize("said", ["", "a", " a ", "%%", "**", '"', "' OR 1", "()", "-", "a*"])
def test_less_than_two_letters_are_refused_with_a_hint(house, said):
    place("a")
    if sum(map(str.isalnum, said)) < 2:
        with pytest.raises(Refused, match="two letters"):
            text_index.search(SYSTEM, said)
    else:
        assert labels(said) == []


@pytest.mark.parametrize(
    "said",
    ["ab*", "ab%", "a_b", '"ab', "ab'", "ab OR cd", "ab AND", "NOT ab", "ab:cd", "words : ab", "^ab", "ab\\", "ab&!cd"],
)
def test_characters_that_mean_something_to_a_database_mean_nothing(house, said):
    place("abacus cde")
    place("zebra")
    assert "zebra" not in labels(said)


def test_deleted_archived_and_unreadable_records_are_not_found(house):
    owner = place("Owner")
    place("Harbour one", owner_id=owner)
    place("Harbour two", archived=True)
    gone = place("Harbour three", deleted_at=MOMENT)
    place("Harbour four")
    assert sorted(labels("harb")) == ["Harbour four", "Harbour one"]
    bob = Viewer(kind="staff", id=owner, principals=frozenset({owner}), defaults={"t_places": "private"})
    assert labels("harb", bob) == ["Harbour one"]
    charlie = Viewer(kind="staff", id=3, rights=Rights({"t_places": ModuleRights(verbs=frozenset())}))
    assert labels("harb", charlie) == []
    question = text_index._match(["three"], PLACES)
    assert len(db.session.execute(text_index._matching(question)).all()) == 1
    text_index.forget([gone])
    assert db.session.execute(text_index._matching(question)).all() == []


def test_a_field_that_may_not_be_read_is_not_searched(house):
    place("Cellar", secret="treasure")
    place("Treasury")
    charlie = Viewer(kind="staff", id=3, rights=Rights({"t_places": ModuleRights(hidden=frozenset({"secret"}))}))
    assert sorted(labels("treas")) == ["Cellar", "Treasury"]
    assert labels("treas", charlie) == ["Treasury"]
    assert [row.label for row in search.find(charlie, "t_places", text="treas")] == ["Treasury"]
    assert search.count(SYSTEM, "t_places", text="treas") == 2


def test_hits_are_grouped_by_module_and_limited_in_each_newest_first(house):
    for n in range(8):
        place(f"Shared {n}")
        id = put(THINGS, name=f"Shared thing {n}")
        text_index.index_many("t_things", {id: {"name": f"Shared thing {n}"}})
    found = text_index.search(SYSTEM, "shar", limit=3)
    assert {key: [hit.label for hit in hits] for key, hits in found.items()} == {
        "t_places": ["Shared 7", "Shared 6", "Shared 5"],
        "t_things": ["Shared thing 7", "Shared thing 6", "Shared thing 5"],
    }
    assert list(text_index.search(SYSTEM, "shar", module="t_things")) == ["t_things"]


def test_a_change_is_found_by_its_new_words_only(house):
    id = place("Stale name")
    text_index.index_many(PLACES, {id: {"name": "Fresh name"}})
    db.session.execute(PLACES.table.update().where(PLACES.table.c.id == id).values(name="Fresh name"))
    assert labels("stale") == []
    assert len(labels("fresh")) == 1


def test_the_index_is_made_anew_from_the_records(house):
    put(PLACES, name="Forgotten harbour", city="Åbo")
    gone = place("Vanished")
    db.session.execute(PLACES.table.update().where(PLACES.table.c.id == gone).values(deleted_at=MOMENT))
    db.session.execute(Entity.__table__.update().where(Entity.__table__.c.id == gone).values(deleted_at=MOMENT))
    assert labels("forg") == []
    assert text_index.rebuild() >= 1
    assert labels("åbo") == ["Forgotten harbour"]
    assert db.session.execute(text_index._matching(text_index._match(["vanished"], PLACES))).all() == []
    assert "rebuild_text_index" in TASKS
