"""The timeline of a card: every source told once, newest first, paged by a cursor, under the viewer's rights."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import history, timeline
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused
from crm.engine.timeline import Entry, Source
from crm.identity.viewer import SYSTEM, ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, PARTS, THINGS, TOUCHES, present, put
from tests.engine.test_search import Statements

HOUR = timedelta(hours=1)


@pytest.fixture
def thing(app):
    with present(), clock.standing_at(MOMENT):
        id = put(THINGS, name="thing")
        other = put(THINGS, name="other")
        for n in range(3):
            put(TOUCHES, thing_id=id, at=MOMENT + n * HOUR, said=f"touch {n}")
            put(TOUCHES, thing_id=other, at=MOMENT, said="not mine")
        put(PARTS, name="wheel", thing_id=id, created_at=MOMENT + HOUR)
        put(PARTS, name="gone", thing_id=id, created_at=MOMENT, deleted_at=MOMENT)
        history.note_events(SYSTEM, THINGS, [id], "created", Channel.FORM, MOMENT - HOUR)
        fields = THINGS.fields
        history.note_changes(
            SYSTEM,
            THINGS,
            {id: {"stage": ("New", "Won"), "vip": (False, True)}},
            fields,
            Channel.API,
            MOMENT + 5 * HOUR,
        )
        yield id


def said(page) -> list[str]:
    return [entry.sentence for entry in page.entries]


ALL = [
    "VIP: no → yes",
    "Stage: New → Won",
    "Touched: touch 2",
    "Touched: touch 1",
    "Part wheel was made",
    "Touched: touch 0",
    "Created",
]


def test_everything_that_happened_is_told_newest_first(thing):
    page = timeline.page(SYSTEM, "t_things", thing)
    assert said(page) == ALL
    assert page.next is None
    touch = page.entries[2]
    assert (touch.module, touch.category, touch.icon, touch.row["said"]) == (
        "t_touches",
        "visit",
        "hand-stop",
        "touch 2",
    )
    assert page.entries[0].who == "The system"


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
def test_pages_put_together_are_the_whole_timeline(thing, size):
    found, after = [], None
    while True:
        page = timeline.page(SYSTEM, "t_things", thing, after=after, limit=size)
        found += said(page)
        after = page.next
        if after is None:
            break
    assert found == ALL


def test_moments_that_are_equal_are_neither_lost_nor_told_twice(app):
    with present(), clock.standing_at(MOMENT):
        id = put(THINGS, name="thing")
        for n in range(5):
            put(TOUCHES, thing_id=id, at=MOMENT, said=str(n))
            put(PARTS, name=str(n), thing_id=id, created_at=MOMENT)
        history.note_events(SYSTEM, THINGS, [id] * 4, "created", Channel.FORM, MOMENT)
        found, after = [], None
        while True:
            page = timeline.page(SYSTEM, "t_things", id, after=after, limit=3)
            found += [(entry.source, entry.id) for entry in page.entries]
            after = page.next
            if after is None:
                break
        assert len(found) == len(set(found)) == 14


def test_filters_choose_by_category(thing):
    assert timeline.categories(SYSTEM, "t_things") == ["note", "visit", "change"]
    assert said(timeline.page(SYSTEM, "t_things", thing, wanted=["note"])) == ["Part wheel was made"]
    assert len(said(timeline.page(SYSTEM, "t_things", thing, wanted=["note", "visit"]))) == 4
    assert said(timeline.page(SYSTEM, "t_things", thing, wanted=["survey"])) == []


def test_what_may_not_be_seen_is_not_told(thing):
    hidden = {"t_things": ModuleRights(hidden=frozenset({"stage"})), "t_parts": ModuleRights(verbs=frozenset()),
              "t_touches": ModuleRights(hidden=frozenset({"said"}))}  # fmt: skip
    charlie = Viewer(kind="staff", id=5, rights=Rights(hidden))
    assert said(timeline.page(charlie, "t_things", thing)) == [
        "VIP: no → yes",
        "Touched: ",
        "Touched: ",
        "Touched: ",
        "Created",
    ]
    stranger = Viewer(kind="staff", id=5, defaults={"t_things": "private"})
    with pytest.raises(Missing):
        timeline.page(stranger, "t_things", thing)
    assert "t_parts" not in {source.key.split(".")[0] for source in timeline.sources(charlie, "t_things")}


def test_the_number_of_queries_is_of_the_sources_that_have_some_not_of_their_rows(thing):
    counts = []
    for more in range(2):
        for n in range(more * 20):
            put(TOUCHES, thing_id=thing, at=MOMENT + n * HOUR / 30, said="more")
        timeline.page(SYSTEM, "t_things", thing)
        with Statements() as statements:
            timeline.page(SYSTEM, "t_things", thing)
        counts.append(statements.count)
    assert counts == [5, 5]  # the record, the newest moments, and one each of touches, parts and changes
    silent = put(THINGS, name="silent")
    with Statements() as statements:
        assert timeline.page(SYSTEM, "t_things", silent).entries == []
    assert statements.count == 2


def test_no_two_sources_of_a_card_are_taken_for_each_other(app):
    for module in timeline.modules:
        keys = [source.key for source in timeline.sources(SYSTEM, module)]
        assert len(keys) == len(set(keys)), module.key


def test_an_outer_room_may_tell_more(thing, monkeypatch):
    monkeypatch.setattr(timeline, "_registered", [])

    hits = TOUCHES.table.alias("hits")

    def find(viewer, module, id):
        return select(hits.c.id).where(hits.c.thing_id == id, hits.c.said == "touch 2"), (hits.c.at, hits.c.id)

    def read(viewer, module, ids):
        return [Entry(MOMENT + 2 * HOUR, "hits", id, f"Hit {module.key}", category="visit") for id in ids]

    timeline.register_source("t_things", Source("hits", "visit", find, read))
    told = said(timeline.page(SYSTEM, "t_things", thing))
    assert told.index("Touched: touch 2") == told.index("Hit t_things") - 1
    assert timeline.categories(SYSTEM, "t_things") == ["note", "visit", "change"]


def test_links_in_the_change_log_are_told_by_name_where_they_may_be_read(thing):
    place = put(timeline.modules["t_places"], name="Harbour")
    history.note_changes(
        SYSTEM, THINGS, {thing: {"place_id": (None, place)}}, THINGS.fields, Channel.FORM, MOMENT + 9 * HOUR
    )
    assert said(timeline.page(SYSTEM, "t_things", thing))[0] == "Place: – → Harbour"
    charlie = Viewer(kind="staff", id=5, defaults={"t_places": "private"})
    assert said(timeline.page(charlie, "t_things", thing))[0] == "Place: – → (hidden)"


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIyMDI2LTAxLTAxIiwgImEiLCAxXQ", "é"])
def test_a_cursor_that_is_none_is_refused(thing, cursor):
    with pytest.raises(Refused, match="Start from the beginning"):
        timeline.page(SYSTEM, "t_things", thing, after=cursor)
    assert db.session.is_active
