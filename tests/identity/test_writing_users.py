"""Users and groups are made, changed, archived, deleted: by whom, and what is refused."""

import pytest
from sqlalchemy import func, select

from crm.db import Entity
from crm.engine import history, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused, Stale
from crm.engine.registry import modules
from crm.identity import api_keys, logins, passwords, roles, sessions, sharing
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.modules.groups.writing import change_group, create_group, delete_group, members, set_members
from crm.modules.users.leaving import delete_user
from crm.modules.users.writing import (
    archive_user,
    change_own_password,
    change_user,
    create_user,
    set_password,
    unarchive_user,
)  # fmt: skip
from tests.people import PASSWORD, make_user, viewer

GOOD = "seven rusty bicycles"


def values(**more):
    return {"email": "new@example.com", "last_name": "New", "role_id": roles.role_by_key("sales")} | more


def of(session, id):
    return session.execute(select(User.__table__).where(User.id == id)).one()


def refused(call, *arguments, **more):
    with pytest.raises(Refused) as found:
        call(*arguments, **more)
    return {name: [fault.code for fault in faults] for name, faults in found.value.faults.items()}


def test_a_user_is_made_with_a_card_and_must_change_the_first_password(people, session):
    id = create_user(people["ada"], values(first_name="Nell"), GOOD)
    user = of(session, id)
    assert user.must_change_password
    assert (user.crm_access, user.crm_admin, user.ecp_access, user.ecp_admin) == (True, False, False, False)
    assert passwords.is_right(GOOD, user.password_hash)
    card = session.execute(select(Entity.module, Entity.label).where(Entity.id == id)).one()
    assert tuple(card) == ("users", "Nell New")
    assert history.of_record(people["ada"], modules["users"], id)[0].new == "created"


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"email": "no address"}, "email", "bad_email"),
        ({"email": ""}, "email", "required"),
        ({"email": "ALICE@example.COM"}, "email", "not_unique"),
        ({"last_name": "  "}, "last_name", "required"),
        ({"last_name": "x" * 81}, "last_name", "too_long"),
        ({"role_id": 10**9}, "role_id", "no_such_record"),
        ({"timezone": "Mars/Olympus"}, "timezone", "not_in_list"),
        ({"locale": "xx"}, "locale", "not_in_list"),
        ({"crm_access": False, "crm_admin": True}, "crm_admin", "no_access"),
        ({"works_from": "17:00", "works_until": "08:00"}, "works_until", "out_of_range"),
        ({"reports_to_id": 10**9}, "reports_to_id", "no_such_record"),
        ({"password_hash": "x"}, "password_hash", "unknown_field"),
        ({"created_at": "2020-01-01"}, "created_at", "read_only"),
        ({"crm_admin": "maybe"}, "crm_admin", "not_a_checkbox"),
    ],
)
def test_bad_values_are_refused_by_field(people, more, field, code):
    assert refused(create_user, people["ada"], values(**more))[field] == [code]


def test_all_faults_are_told_at_once_and_nothing_is_written(people, session):
    before = session.scalar(select(func.count()).select_from(User))
    found = refused(create_user, people["ada"], {"email": "x", "timezone": "Mars"}, "short")
    assert set(found) == {"email", "last_name", "timezone", "password"}
    assert session.scalar(select(func.count()).select_from(User)) == before


def test_only_administrators_make_users(people):
    for name in ("alice", "mary", "rita", "eve"):
        with pytest.raises(Forbidden):
            create_user(people[name], values())


@pytest.fixture
def chiefs(people):
    """An administrator of each app alone."""
    crm = make_user("Carl", "administrator", crm_admin=True, with_password=False)
    ecp = make_user("Erna", "ecp_only", crm_access=False, ecp_access=True, ecp_admin=True, with_password=False)
    return {"crm": viewer(crm), "ecp": viewer(ecp)}


def test_each_app_is_given_by_its_own_administrator(people, chiefs):
    with pytest.raises(Forbidden, match="Email Contact Portal"):
        create_user(chiefs["crm"], values(ecp_access=True))
    with pytest.raises(Forbidden, match="Email Contact Portal"):
        change_user(chiefs["crm"], people.alice, {"ecp_access": True})
    with pytest.raises(Forbidden, match="of the CRM"):
        create_user(chiefs["ecp"], values(ecp_access=True))
    with pytest.raises(Forbidden, match="of the CRM"):
        change_user(chiefs["ecp"], people.eve, {"crm_access": True})
    only = {"email": "only@example.com", "last_name": "Only", "crm_access": False, "ecp_access": True}
    made = create_user(chiefs["ecp"], only)
    assert viewer(made).flags == {"ecp_access"}
    change_user(chiefs["ecp"], people.alice, {"ecp_access": True})
    assert "ecp_access" in people["alice"].flags


def test_the_administrator_of_the_portal_has_no_hand_in_users_of_the_crm(people, chiefs):
    for attempt in (
        lambda: change_user(chiefs["ecp"], people.alice, {"email": "taken@example.com"}),
        lambda: set_password(chiefs["ecp"], people.alice, GOOD),
        lambda: archive_user(chiefs["ecp"], people.alice),
        lambda: delete_user(chiefs["ecp"], people.alice, people.bob),
        lambda: change_user(chiefs["ecp"], people.eve, {"role_id": roles.role_by_key("administrator")}),
    ):
        with pytest.raises(Forbidden):
            attempt()
    set_password(chiefs["ecp"], people.eve, GOOD)
    assert logins.sign_in("ecp", "eve@example.com", GOOD)


def test_the_administrator_of_the_crm_does_not_take_over_one_of_the_portal(people, chiefs):
    with pytest.raises(Forbidden):
        set_password(chiefs["crm"], chiefs["ecp"].id, GOOD)


def test_everybody_changes_what_is_their_own_and_no_more(people, session):
    change_user(people["alice"], people.alice, {"phone": "+358 40 1234567", "timezone": "Europe/Oslo", "locale": "fi"})
    assert of(session, people.alice).timezone == "Europe/Oslo"
    assert people["alice"].timezone == "Europe/Oslo"
    for changes in ({"crm_admin": True}, {"role_id": roles.role_by_key("administrator")}, {"email": "x@example.com"}):
        with pytest.raises(Forbidden):
            change_user(people["alice"], people.alice, changes)
    with pytest.raises(Forbidden):
        change_user(people["alice"], people.bob, {"phone": "+358 40 1234567"})


def test_a_change_is_logged_and_counts_the_version(people, session):
    change_user(people["ada"], people.alice, {"first_name": "Alicia", "crm_admin": True})
    logged = {one.field: (one.old, one.new) for one in history.of_record(people["ada"], modules["users"], people.alice)}
    assert logged["crm_admin"] == ("0", "1")
    assert of(session, people.alice).version == 2
    assert session.scalar(select(Entity.label).where(Entity.id == people.alice)) == "Alicia Tester"
    with pytest.raises(Stale):
        change_user(people["ada"], people.alice, {"first_name": "Al"}, version=1)


def test_own_password_is_changed_with_the_old_one_and_ends_the_other_sessions(people):
    here, other = (logins.sign_in("crm", "alice@example.com", PASSWORD) for _ in range(2))
    row = sessions.find("crm", here.token)
    assert refused(change_own_password, people["alice"], "wrong", GOOD) == {"old": ["wrong_password"]}
    assert refused(change_own_password, people["alice"], PASSWORD, "password1234") == {"password": ["too_common"]}
    assert refused(change_own_password, people["alice"], PASSWORD, PASSWORD) == {"password": ["not_changed"]}
    change_own_password(people["alice"], PASSWORD, GOOD, row.id)
    assert sessions.find("crm", here.token)
    assert sessions.find("crm", other.token) is None
    assert not logins.sign_in("crm", "alice@example.com", PASSWORD)
    said = logins.sign_in("crm", "alice@example.com", GOOD)
    assert said
    assert not said.must_change_password


def test_a_password_set_by_an_administrator_ends_all_sessions_and_must_be_changed(people):
    before = logins.sign_in("crm", "alice@example.com", PASSWORD)
    set_password(people["ada"], people.alice, GOOD)
    assert sessions.find("crm", before.token) is None
    assert logins.sign_in("crm", "alice@example.com", GOOD).must_change_password


def test_the_last_administrator_of_an_app_stays(people):
    for changes in ({"crm_admin": False}, {"crm_access": False, "crm_admin": False}, {"ecp_admin": False}):
        assert refused(change_user, people["ada"], people.ada, changes) == {"": ["last_administrator"]}
    assert refused(archive_user, SYSTEM, people.ada) == {"": ["last_administrator"]}
    assert refused(delete_user, SYSTEM, people.ada, people.alice) == {"": ["last_administrator"]}
    second = make_user("Second", "administrator", crm_admin=True, ecp_access=True, ecp_admin=True)
    archive_user(people["ada"], second)
    assert refused(change_user, people["ada"], people.ada, {"crm_admin": False}) == {"": ["last_administrator"]}
    unarchive_user(people["ada"], second)
    change_user(people["ada"], people.ada, {"crm_admin": False})


def test_nobody_archives_or_deletes_themselves(people):
    make_user("Second", "administrator", crm_admin=True, ecp_access=True, ecp_admin=True)
    assert refused(archive_user, people["ada"], people.ada) == {"": ["not_oneself"]}
    assert refused(delete_user, people["ada"], people.ada, people.alice) == {"": ["not_oneself"]}


def test_an_archived_user_keeps_the_records_and_loses_the_sessions(people):
    account = records.create(SYSTEM, "accounts", {"name": "Acme", "owner_id": people.bob}, Channel.SYSTEM)
    token = logins.sign_in("crm", "bob@example.com", PASSWORD).token
    archive_user(people["ada"], people.bob)
    assert sessions.find("crm", token) is None
    assert search.one(people["ada"], "accounts", account)["owner_id"] == people.bob


def test_who_is_deleted_hands_everything_over(people, session):
    made = [
        records.create(SYSTEM, "accounts", {"name": f"Acme {n}", "owner_id": people.bob}, Channel.SYSTEM)
        for n in (1, 2)
    ]
    records.delete(SYSTEM, "accounts", made[1], Channel.SYSTEM)
    lead = records.create(
        SYSTEM, "leads", {"last_name": "Lead", "company": "Acme", "owner_id": people.bob}, Channel.SYSTEM
    )
    _, key = api_keys.add("Of Bob", people.bob)
    sharing.add_rule("accounts", ("user", people.bob), ("user", people.rita))
    for heir in (people.bob, 10**9, lead):
        assert refused(delete_user, people["ada"], people.bob, heir) == {"heir": ["no_such_record"]}
    assert delete_user(people["ada"], people.bob, people.team) == 3
    for module, id in (("accounts", made[0]), ("accounts", made[1]), ("leads", lead)):
        table = modules[module].table
        assert session.scalar(select(table.c.owner_id).where(table.c.id == id)) == people.team
    changed = history.of_record(people["ada"], modules["accounts"], made[0])[0]
    assert (changed.field, changed.new, changed.actor_id) == ("owner_id", str(people.team), people.ada)
    assert not logins.sign_in("crm", "bob@example.com", PASSWORD)
    assert api_keys.find(key) is None
    assert sharing.rules() == []
    assert [row.member_id for row in members(people.team)] == [people.alice]
    with pytest.raises(Missing):
        change_user(people["ada"], people.bob, {"title": "Ghost"})
    assert create_user(people["ada"], values(email="bob@example.com")), "the address is free again"


def test_users_and_groups_are_read_through_the_door_without_secrets(people):
    row = search.one(people["charlie"], "users", people.alice)
    assert row["email"] == "alice@example.com"
    assert not {"password_hash", "must_change_password", "preferences"} & set(row)
    assert people.team in {row.id for row in search.find(people["charlie"], "groups").rows}


def test_the_general_door_does_not_write_users_and_groups(people):
    for module, id in (("users", people.alice), ("groups", people.team)):
        with pytest.raises(Forbidden):
            records.update(people["ada"], module, id, {"crm_admin": True}, Channel.API)
        with pytest.raises(Forbidden):
            records.delete(people["ada"], module, id, Channel.API)
        with pytest.raises(Forbidden):
            records.create(people["ada"], module, {"name": "x"}, Channel.API)


# groups


def test_groups_are_written_by_administrators_of_the_crm(people, chiefs):
    id = create_group(people["ada"], {"name": "Board"}, [("user", people.mary)])
    change_group(people["ada"], id, {"name": "The board", "description": "Meets on Mondays."})
    set_members(people["ada"], id, [("user", people.mary), ("role", roles.role_by_key("sales"))])
    assert id in people["alice"].principals
    for who in (people["alice"], chiefs["ecp"]):
        for attempt in (
            lambda who=who: create_group(who, {"name": "Mine"}),
            lambda who=who: change_group(who, id, {"name": "Mine"}),
            lambda who=who: set_members(who, id, []),
            lambda who=who: delete_group(who, id, people.alice),
        ):
            with pytest.raises(Forbidden):
                attempt()


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "TEAM of Alice and Bob"}, "name", "not_unique"),
        ({"name": "x" * 121}, "name", "too_long"),
        ({"name": "x", "colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_bad_values_of_a_group_are_refused_by_field(people, given, field, code):
    assert refused(create_group, people["ada"], given)[field] == [code]


def test_a_group_is_not_inside_itself_and_holds_nobody_unknown(people):
    inner = create_group(SYSTEM, {"name": "Inner"})
    outer = create_group(SYSTEM, {"name": "Outer"}, [("group", inner)])
    outermost = create_group(SYSTEM, {"name": "Outermost"}, [("group", outer)])
    for circle in (inner, outer, outermost):
        assert refused(set_members, SYSTEM, inner, [("group", circle)]) == {"members": ["circle"]}
    assert refused(set_members, SYSTEM, inner, [("user", 10**9)]) == {"members": ["no_such_record"]}
    assert refused(set_members, SYSTEM, inner, [("planet", 1)]) == {"members": ["not_in_list"]}


def test_a_deleted_group_hands_over_and_opens_nothing_more(people, session):
    account = records.create(SYSTEM, "accounts", {"name": "Acme", "owner_id": people.team}, Channel.SYSTEM)
    outer = create_group(SYSTEM, {"name": "Outer"}, [("group", people.team)])
    assert outer in people["alice"].principals
    assert delete_group(people["ada"], people.team, people.charlie) == 1
    assert people["alice"].principals == {people.alice}
    assert search.one(people["ada"], "accounts", account)["owner_id"] == people.charlie


def test_a_member_changes_what_the_group_owns_though_it_is_private(people):
    account = records.create(SYSTEM, "accounts", {"name": "Acme", "owner_id": people.team}, Channel.SYSTEM)
    sharing.set_level("accounts", "private")
    records.update(people["bob"], "accounts", account, {"name": "Acme Oy"}, Channel.FORM)
    with pytest.raises(Missing):
        records.update(people["charlie"], "accounts", account, {"name": "Mine"}, Channel.FORM)
