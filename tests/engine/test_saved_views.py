"""Saved views: who has them, what they may hold, favourites, the one that opens first, and what becomes of a lost field."""

import pytest
from sqlalchemy import insert

from crm import clock
from crm.db import Entity, db
from crm.engine import overlay, saved_views
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity import tables
from crm.identity.viewer import ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, THINGS, present, put


def user(name: str) -> int:
    id = db.session.execute(insert(Entity.__table__).values(module="users", label=name)).inserted_primary_key[0]
    role = db.session.execute(tables.Role.__table__.select().limit(1)).first()
    if role is None:
        role = db.session.execute(
            insert(tables.Role.__table__).values(name="All").returning(tables.Role.__table__)
        ).first()
    db.session.execute(
        insert(tables.User.__table__).values(
            id=id, email=f"{name}@example.com", last_name=name, role_id=role.id, created_at=MOMENT, updated_at=MOMENT
        )
    )
    return id


@pytest.fixture
def staff(app):
    with present(), clock.standing_at(MOMENT):
        alice, bob, boss = user("alice"), user("bob"), user("boss")
        yield {
            "alice": Viewer(kind="staff", id=alice, principals=frozenset({alice})),
            "bob": Viewer(kind="staff", id=bob, principals=frozenset({bob})),
            "boss": Viewer(kind="staff", id=boss, subordinates=frozenset({alice})),
            "admin": Viewer(kind="staff", id=boss, is_admin=True),
        }


def names(viewer) -> list[str]:
    return [view.name for view in saved_views.views(viewer, "t_things")]


def make(viewer, name="Mine", **values):
    return saved_views.create(viewer, "t_things", {"name": name, **values})


def test_all_and_the_declared_views_are_there_for_everybody_and_for_nobody_to_change(staff):
    alice = staff["alice"]
    assert names(alice) == ["All", "Open ones"]
    assert saved_views.opening(alice, "t_things").key == "all"
    for key in ("all", "open"):
        with pytest.raises(Forbidden):
            saved_views.change(staff["admin"], "t_things", key, {"name": "x"})
        with pytest.raises(Forbidden):
            saved_views.remove(staff["admin"], "t_things", key)


def test_a_private_view_is_seen_by_its_owner_superiors_and_administrators(staff):
    made = make(staff["alice"], where={"stage": "Won"}, columns=["name", "place.city"], sort=["-amount"])
    assert (made.where, made.columns, made.sort, made.is_mine) == (
        {"stage": "Won"},
        ("name", "place.city"),
        ("-amount",),
        True,
    )
    assert "Mine" in names(staff["alice"])
    assert "Mine" in names(staff["boss"])
    assert "Mine" in names(staff["admin"])
    assert "Mine" not in names(staff["bob"])
    with pytest.raises(Missing):
        saved_views.change(staff["bob"], "t_things", made.key, {"name": "x"})
    with pytest.raises(Forbidden):
        saved_views.change(staff["boss"], "t_things", made.key, {"name": "x"})
    assert saved_views.change(staff["admin"], "t_things", made.key, {"name": "Better"}).name == "Better"


def test_a_public_view_is_seen_by_others_once_it_is_approved(staff):
    made = make(staff["alice"], visibility="public")
    assert "Mine" not in names(staff["bob"])
    with pytest.raises(Forbidden):
        saved_views.approve(staff["alice"], "t_things", made.key)
    saved_views.approve(staff["admin"], "t_things", made.key)
    assert "Mine" in names(staff["bob"])
    make(staff["admin"], "At once", visibility="public")
    assert "At once" in names(staff["bob"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 81}, "name"), ({"name": "taken"}, "name"), ({"kind": "map"}, "kind"),
        ({"visibility": "all"}, "visibility"), ({"columns": ["nmae"]}, "columns"), ({"columns": ["name"] * 26}, "columns"),
        ({"sort": ["-nmae"]}, "sort"), ({"where": {"$eqq": ["name", "x"]}}, "where"), ({"kind": "kanban"}, "kanban_field"),
        ({"kind": "kanban", "kanban_field": "name"}, "kanban_field"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_a_view_that_cannot_be_is_refused_at_its_field(staff, values, field):
    make(staff["alice"], "Taken")
    with pytest.raises(Refused) as refusal:
        make(staff["alice"], **values) if "name" not in values else saved_views.create(
            staff["alice"], "t_things", values
        )
    assert list(refusal.value.faults) == [field]


def test_a_kanban_view_goes_by_a_list_of_choices(staff):
    assert make(staff["alice"], kind="kanban", kanban_field="stage").kanban_field == "stage"


def test_the_chosen_view_opens_first_and_cannot_be_deleted_meanwhile(staff):
    alice, boss = staff["alice"], staff["boss"]
    made = make(alice)
    saved_views.set_default(alice, "t_things", made.key)
    assert saved_views.opening(alice, "t_things").key == made.key
    assert saved_views.opening(boss, "t_things").key == "all"
    saved_views.set_default(boss, "t_things", made.key)
    with pytest.raises(Refused, match="2 people"):
        saved_views.remove(alice, "t_things", made.key)
    saved_views.set_default(boss, "t_things", "open")
    with pytest.raises(Refused, match="somebody"):
        saved_views.remove(alice, "t_things", made.key)
    saved_views.set_default(alice, "t_things", "all")
    saved_views.remove(alice, "t_things", made.key)
    assert names(alice) == ["All", "Open ones"]


def test_there_are_ten_favourites_and_no_eleventh(staff):
    alice = staff["alice"]
    keys = [make(alice, f"View {n}").key for n in range(11)]
    for key in keys[:10]:
        saved_views.set_favourite(alice, "t_things", key)
    saved_views.set_favourite(alice, "t_things", keys[0])
    with pytest.raises(Refused, match="10 favourites"):
        saved_views.set_favourite(alice, "t_things", keys[10])
    saved_views.set_favourite(alice, "t_things", keys[0], wanted=False)
    saved_views.set_favourite(alice, "t_things", keys[10])
    assert [view.key for view in saved_views.favourites(alice, "t_things")] == keys[1:]
    assert saved_views.favourites(staff["bob"], "t_things") == []


def test_a_view_whose_field_was_lost_warns_and_shows_nothing(staff):
    alice = staff["alice"]
    name = overlay.add_field("t_things", "text", "Nick")
    put(THINGS, name="a", extra={name: "x"})
    made = make(alice, where={name: "x"}, columns=["name", name])
    assert len(saved_views.rows(alice, made)) == 1
    table = overlay.CustomField.__table__
    db.session.execute(table.update().values(is_active=False))
    overlay.touch()
    lost = saved_views.get(alice, "t_things", made.key)
    assert "There is no field" in lost.warning
    assert len(saved_views.rows(alice, lost)) == 0


def test_a_shared_view_widens_no_right(staff):
    put(THINGS, name="a", note="secret")
    made = make(staff["admin"], "Noted", visibility="public", where={"$not.null": ["note"]}, columns=["name", "note"])
    hidden = Rights({"t_things": ModuleRights(hidden=frozenset({"note"}))})
    charlie = Viewer(kind="staff", id=staff["bob"].id, rights=hidden)
    seen = saved_views.get(charlie, "t_things", made.key)
    assert seen.warning
    assert len(saved_views.rows(charlie, seen)) == 0
