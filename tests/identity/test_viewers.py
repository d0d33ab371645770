"""From users, roles, profiles, groups and rules to what a viewer carries."""

import pytest
from sqlalchemy import event, select

from crm.db import db
from crm.identity import api_keys, roles, sharing, viewers
from crm.identity.refused import Unfit
from crm.identity.seed import seed
from crm.identity.tables import Profile, Role
from crm.identity.viewer import SYSTEM, VERBS
from crm.modules.groups.writing import create_group
from crm.modules.users.writing import archive_user, change_user
from tests.people import make_user, viewer


def profile(key):
    return db.session.scalar(select(Profile.id).where(Profile.key == key))


def test_seeding_again_changes_nothing(session):
    def seeded():
        return [tuple(row) for row in session.execute(select(Role.__table__).order_by(Role.id))]

    before = seeded()
    seed()
    assert seeded() == before


def test_ada_is_administrator_and_alice_is_not(people):
    assert people["ada"].is_admin
    assert people["ada"].flags == {"crm_access", "crm_admin", "ecp_access", "ecp_admin"}
    assert not people["alice"].is_admin
    assert people["alice"].name == "Alice Tester"


def test_rita_may_only_view(people):
    assert people["rita"].rights.of("contacts").verbs == {"view"}
    assert people["mary"].rights.of("contacts").verbs == set(VERBS)


def test_eve_has_the_portal_alone(people):
    assert viewers.of_user(people.eve, "ecp") is not None
    assert viewers.of_user(people.eve, "crm") is None
    assert people["eve"].rights.of("contacts").verbs == frozenset()
    assert "send" in people["eve"].rights.areas


def test_an_archived_user_is_no_viewer(people):
    archive_user(SYSTEM, people.bob)
    assert viewers.of_user(people.bob) is None


def test_an_administrator_flag_without_access_makes_no_administrator(people, session):
    from sqlalchemy import update

    from crm.identity import stamp
    from crm.identity.tables import User

    session.execute(update(User).where(User.id == people.ada).values(crm_access=False))
    stamp.renew()
    assert not people["ada"].is_admin


def test_groups_count_also_by_role_by_branch_and_inside_groups(people):
    by_role = create_group(SYSTEM, {"name": "By role"}, [("role", roles.role_by_key("sales"))])
    by_branch = create_group(SYSTEM, {"name": "By branch"}, [("branch", roles.role_by_key("administrator"))])
    outer = create_group(SYSTEM, {"name": "Outer"}, [("group", people.team)])
    outermost = create_group(SYSTEM, {"name": "Outermost"}, [("group", outer)])
    assert people["alice"].principals == {people.alice, people.team, by_role, by_branch, outer, outermost}
    assert people["charlie"].principals == {people.charlie, by_role, by_branch}
    assert people["rita"].principals == {people.rita, by_branch}


def test_superiors_know_everybody_below_on_their_branch(people):
    chief_role = roles.add_role("Sales chief", roles.role_by_key("administrator"), [profile("sales")])
    roles.change_role(roles.role_by_key("sales"), parent_id=chief_role)
    chief = make_user("Chief", role_id=chief_role)
    below = {people.alice, people.bob, people.charlie}
    assert viewer(chief).subordinates == below
    assert people["alice"].subordinates == frozenset()
    assert people["mary"].subordinates == frozenset()
    assert below | {chief, people.mary} <= people["ada"].subordinates


def test_a_role_cannot_stand_under_itself(people):
    sales = roles.role_by_key("sales")
    under = roles.add_role("Junior sales", sales, [profile("sales")])
    with pytest.raises(Unfit, match="under itself"):
        roles.change_role(sales, parent_id=under)
    with pytest.raises(Unfit, match="under itself"):
        roles.change_role(sales, parent_id=sales)


def test_deleting_a_role_moves_its_users_rules_and_roles(people, session):
    sales, marketer = roles.role_by_key("sales"), roles.role_by_key("marketer")
    under = roles.add_role("Junior sales", sales, [profile("sales")])
    group = create_group(SYSTEM, {"name": "Both"}, [("role", sales), ("role", marketer)])
    sharing.add_rule("contacts", ("role", sales), ("user", people.rita), "read")
    roles.remove_role(sales, marketer)
    assert people["alice"].rights.of("contacts").verbs == set(VERBS)
    assert group in people["alice"].principals
    assert session.scalar(select(Role.parent_id).where(Role.id == under)) == marketer
    assert people["rita"].shared_read["contacts"] == {people.alice, people.bob, people.charlie, people.mary}


def test_a_role_can_be_replaced_by_one_that_stood_under_it(people, session):
    sales = roles.role_by_key("sales")
    under = roles.add_role("Junior sales", sales, [profile("sales")])
    roles.remove_role(sales, under)
    assert session.scalar(select(Role.parent_id).where(Role.id == under)) == roles.role_by_key("administrator")
    assert people["alice"].rights.of("contacts").verbs == set(VERBS)


def test_sharing_rules_open_the_records_of_users_roles_branches_and_groups(people):
    sales = roles.role_by_key("sales")
    sharing.add_rule("contacts", ("user", people.alice), ("user", people.charlie), "read")
    sharing.add_rule("contacts", ("group", people.team), ("role", roles.role_by_key("read_only")), "write")
    sharing.add_rule("leads", ("branch", sales), ("group", people.team), "write")
    assert people["charlie"].shared_read == {"contacts": {people.alice}}
    assert people["rita"].shared_write == {"contacts": {people.team}}
    assert people["alice"].shared_write == {"leads": {people.alice, people.bob, people.charlie}}
    assert people["mary"].shared_read == {}


def test_a_rule_taken_back_holds_no_more(people):
    rule = sharing.add_rule("contacts", ("user", people.alice), ("user", people.charlie))
    assert people["charlie"].shared_read
    sharing.remove_rule(rule)
    assert not people["charlie"].shared_read


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("contacts", ("user", 10**9), ("role", 1)), "owned_by"),
        (("contacts", ("planet", 1), ("role", 1)), "owned_by"),
        (("contacts", ("role", 1), ("role", 1), "delete"), "level"),
    ],
)
def test_a_rule_about_nobody_is_refused(people, arguments, field):
    with pytest.raises(Unfit) as refused:
        sharing.add_rule(*arguments)
    assert refused.value.field == field


def test_an_unknown_level_is_refused(session):
    with pytest.raises(Unfit, match="private, read, write, delete"):
        sharing.set_level("contacts", "secret")


def test_profiles_of_one_role_add_up(people):
    base = profile("read_only")
    narrow = roles.copy_profile(base, "Narrow")
    roles.change_profile(
        narrow, modules={"contacts": {"verbs": ["view", "edit"], "hidden": ["phone"], "read_only": ["email", "city"]}}
    )
    other = roles.copy_profile(base, "Other")
    roles.change_profile(
        other, areas=["send"], modules={"contacts": {"verbs": ["view", "create"], "read_only": ["phone", "city"]}}
    )
    role = roles.add_role("Both", None, [narrow, other])
    rights = viewer(make_user("Betty", role_id=role)).rights
    said = rights.of("contacts")
    assert said.verbs == {"view", "edit", "create"}
    assert said.hidden == frozenset()  # the other one sees the phone
    assert said.read_only == {"phone", "city"}
    assert rights.of("accounts").verbs == {"view"}
    assert rights.areas == {"send"}


def test_a_role_without_a_profile_may_nothing(people):
    role = roles.add_role("Empty", None)
    assert viewer(make_user("Nina", role_id=role)).rights.of("contacts").verbs == frozenset()


def test_a_profile_that_a_role_has_cannot_be_deleted(people):
    with pytest.raises(Unfit, match="Sales"):
        roles.remove_profile(profile("sales"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"otherwise": ["view", "fly"]}, "otherwise"),
        ({"areas": ["moon"]}, "areas"),
        ({"modules": {"contacts": {"verbs": ["fly"]}}}, "modules"),
        ({"name": "  "}, "name"),
        ({"name": "sALES"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_profile_takes_only_what_there_is(session, values, field):
    with pytest.raises(Unfit) as refused:
        roles.change_profile(profile("read_only"), **values)
    assert refused.value.field == field


def test_a_changed_profile_holds_at_once(people):
    assert "delete" in people["alice"].rights.of("contacts").verbs
    roles.change_profile(profile("sales"), modules={"contacts": {"verbs": ["view"]}})
    assert people["alice"].rights.of("contacts").verbs == {"view"}


def test_a_viewer_costs_one_query_when_nothing_changed_and_a_dozen_at_most_else(people):
    for number in range(20):
        make_user(f"Extra{number}", with_password=False)
        sharing.add_rule("contacts", ("user", people.alice), ("branch", roles.role_by_key("sales")))
    said = []
    db.session.flush()

    def note(*args):
        said.append(args[2])

    event.listen(db.engine.engine, "before_cursor_execute", note)
    try:
        viewer(people.charlie)
        first = len(said)
        viewer(people.charlie)
    finally:
        event.remove(db.engine.engine, "before_cursor_execute", note)
    assert first <= 12
    assert len(said) - first == 1


def test_an_api_key_acts_as_its_user_narrowed_by_scopes(people):
    _id, text = api_keys.add("Shop", people.alice, scopes={"contacts": ["view", "edit"]})
    found = viewers.of_key(api_keys.find(text))
    assert (found.kind, found.id) == ("api_key", people.alice)
    assert found.scopes == {"contacts": {"view", "edit"}}
    assert found.principals == people["alice"].principals
    archive_user(SYSTEM, people.alice)
    assert viewers.of_key(api_keys.find(text)) is None


def test_taking_a_flag_away_shows_at_once(people):
    assert viewers.of_user(people.mary, "ecp") is not None
    change_user(SYSTEM, people.mary, {"ecp_access": False})
    assert viewers.of_user(people.mary, "ecp") is None
