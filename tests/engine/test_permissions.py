"""Who may do what with which record: every level × rule × role × group × verb, against a plain reading of the rules."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from crm import clock
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.permissions import demand, has_area, may, readable, scope, writable
from crm.engine.refusals import Forbidden
from crm.engine.registry import modules
from crm.identity import roles, sharing
from crm.identity.tables import Profile
from crm.identity.viewer import NOTHING, SYSTEM, VERBS, ModuleRights, Rights, Viewer
from tests.people import DORA, make_people, make_user, viewer

LEVELS = ("private", "read", "write", "delete")
NEEDS = {"view": "read", "export": "read", "edit": "write", "mass_edit": "write", "delete": "delete"}
RULES = (  # owned by, shared with, level
    None,
    ("user alice", "user charlie", "read"),
    ("user alice", "user charlie", "write"),
    ("role sales", "role marketer", "read"),
    ("branch chief", "role marketer", "write"),
    ("group team", "user charlie", "read"),
    ("user chief", "group team", "write"),
    ("role sales", "branch chief", "read"),
)


@pytest.fixture
def people(session):
    return make_people(session)


@pytest.fixture
def company(people, session):
    """A chief above sales, and one account of each owner: name → id, under the owner's name."""
    profile = session.scalar(select(Profile.id).where(Profile.key == "sales"))
    chief_role = roles.add_role("Chief", roles.role_by_key("administrator"), [profile])
    roles.change_role(roles.role_by_key("sales"), parent_id=chief_role)
    company = Company(people, make_user("Chief", role_id=chief_role, with_password=False), chief_role)
    for owner in ("alice", "bob", "charlie", "chief", "mary", "team"):
        values = {"name": f"Of {owner}", "owner_id": company.id_of(owner)}
        company.accounts[owner] = records.create(SYSTEM, "accounts", values, Channel.SYSTEM)
    return company


class Company:
    def __init__(self, people, chief, chief_role):
        self.people, self.chief, self.chief_role = people, chief, chief_role
        self.accounts = {}

    def id_of(self, name):
        return self.chief if name == "chief" else getattr(self.people, name)

    def viewer(self, name):
        return viewer(self.id_of(name))

    def party(self, said):
        kind, name = said.split()
        if kind in {"role", "branch"}:
            return kind, self.chief_role if name == "chief" else roles.role_by_key(name)
        return kind, self.id_of(name)

    def reached(self, who, verb, module="accounts"):
        """The owners' names whose record `who` reaches, by the SQL condition."""
        table = modules[module].table
        narrowing = scope(who, module, verb)
        query = select(table.c.id) if narrowing is None else select(table.c.id).where(narrowing)
        from crm.db import db

        found = set(db.session.execute(query).scalars())
        return {name for name, id in getattr(self, module).items() if id in found}


MEMBERS = {
    "user": lambda name: {name},
    "group": lambda name: {"team"},
    "role": lambda name: {"sales": {"alice", "bob", "charlie"}, "marketer": {"mary"}, "chief": {"chief"}}[name],
    "branch": lambda name: {"alice", "bob", "charlie", "chief"},
}
INSIDE = {"team": {"alice", "bob"}}


def expected(who, verb, level, rule):
    """The same in plain words: whose records does `who` reach?"""
    everybody = {"alice", "bob", "charlie", "chief", "mary", "team"}
    if who == "ada" or LEVELS.index(level) >= LEVELS.index(NEEDS[verb]):
        return everybody
    reached = {who} & everybody
    if who in INSIDE["team"]:
        reached |= {"team"}
    if who == "chief":
        reached |= {"alice", "bob", "charlie"}
    if rule:
        (from_kind, from_name), (to_kind, to_name), opened = rule[0].split(), rule[1].split(), rule[2]
        receivers = INSIDE[to_name] if to_kind == "group" else MEMBERS[to_kind](to_name)
        opens = NEEDS[verb] == "read" or (NEEDS[verb] == "write" and opened == "write")
        if who in receivers and opens:
            reached |= MEMBERS[from_kind](from_name)
    return reached


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(rule) if rule else "no rule")
def test_every_level_rule_role_group_and_verb(company, level, rule):
    sharing.set_level("accounts", level)
    if rule:
        sharing.add_rule("accounts", company.party(rule[0]), company.party(rule[1]), rule[2])
    for who in ("ada", "alice", "bob", "charlie", "chief", "mary"):
        asking = company.viewer(who)
        for verb in NEEDS:
            assert company.reached(asking, verb) == expected(who, verb, level, rule), (who, verb)


def test_everybody_sees_everything_at_first_and_pays_no_condition(people):
    for name in ("alice", "charlie", "rita", "ada"):
        assert scope(people[name], "accounts") is None


def test_view_all_and_edit_all_reach_beyond_sharing(company):
    sharing.set_level("accounts", "private")
    rita = company.viewer("rita")
    assert company.reached(rita, "view") == set()
    seeing = replace(rita, rights=replace(rita.rights, view_all=True))
    assert company.reached(seeing, "view") == set(company.accounts)
    assert company.reached(seeing, "edit") == set()  # the profile grants no editing
    charlie = company.viewer("charlie")
    seeing = replace(charlie, rights=replace(charlie.rights, view_all=True))
    assert company.reached(seeing, "edit") == {"charlie"}
    changing = replace(charlie, rights=replace(charlie.rights, edit_all=True))
    assert company.reached(changing, "edit") == company.reached(changing, "delete") == set(company.accounts)


def test_a_denial_by_the_profile_beats_every_grant(company):
    sharing.add_rule("accounts", ("user", company.people.alice), ("user", company.people.rita), "write")
    rita = company.viewer("rita")
    assert company.reached(rita, "view") == set(company.accounts)
    assert company.reached(rita, "edit") == set()
    with pytest.raises(Forbidden, match="change accounts"):
        demand(rita, "edit", "accounts")


def test_customers_and_strangers_reach_nothing(company):
    for kind in ("customer", "link"):
        dora = replace(DORA, kind=kind)
        assert company.reached(dora, "view") == set()
        assert not may(dora, "view", "accounts")
        assert readable(dora, "accounts") == writable(dora, "accounts") == frozenset()


def test_the_condition_speaks_of_an_alias_when_one_is_given(company, session):
    sharing.set_level("accounts", "private")
    other = modules["accounts"].table.alias("other")
    narrowing = scope(company.viewer("charlie"), "accounts", "view", other)
    assert set(session.execute(select(other.c.id).where(narrowing)).scalars()) == {company.accounts["charlie"]}


# what hangs on another record


@pytest.fixture
def potentials(company):
    """A potential of Charlie, Bob and Mary on the account of each owner: owner of the account + " " + own owner → id."""
    company.potentials = {}
    for owner, account in company.accounts.items():
        for own in ("bob", "charlie"):
            values = {
                "name": f"Deal {owner} {own}", "account_id": account, "owner_id": company.id_of(own),
                "stage": "Prospecting", "closes_on": "2026-12-01", "amount": "10",
            }  # fmt: skip
            company.potentials[f"{owner} {own}"] = records.create(SYSTEM, "potentials", values, Channel.SYSTEM)
    values = {"name": "Alone", "owner_id": company.chief, "stage": "Prospecting", "closes_on": "2026-12-01"}
    company.potentials["no account"] = records.create(SYSTEM, "potentials", values, Channel.SYSTEM)
    return company


def test_what_belongs_to_a_private_account_is_private_too(potentials):
    company = potentials
    everything = set(company.potentials)
    assert company.reached(company.viewer("mary"), "view", "potentials") == everything
    sharing.set_level("accounts", "private")
    of_mary = {"mary bob", "mary charlie", "no account"}
    assert company.reached(company.viewer("mary"), "view", "potentials") == of_mary
    assert company.reached(company.viewer("mary"), "edit", "potentials") == of_mary
    of_charlie = {name for name in everything if "charlie" in name} | {"no account"}
    assert company.reached(company.viewer("charlie"), "view", "potentials") == of_charlie
    assert company.reached(company.viewer("ada"), "view", "potentials") == everything


def test_a_shared_account_brings_what_belongs_to_it(potentials):
    company = potentials
    sharing.set_level("accounts", "private")
    sharing.add_rule("accounts", ("user", company.people.alice), ("user", company.people.mary), "read")
    assert "alice bob" in company.reached(company.viewer("mary"), "view", "potentials")
    assert "alice bob" not in company.reached(company.viewer("mary"), "edit", "potentials")


def test_accounts_that_all_may_read_but_not_change_narrow_editing_only(potentials):
    company = potentials
    sharing.set_level("accounts", "read")
    mary = company.viewer("mary")
    assert company.reached(mary, "view", "potentials") == set(company.potentials)
    assert company.reached(mary, "edit", "potentials") == {"mary bob", "mary charlie", "no account"}


def test_private_potentials_stay_private_on_open_accounts(potentials):
    company = potentials
    sharing.set_level("potentials", "private")
    assert company.reached(company.viewer("mary"), "view", "potentials") == set()
    assert company.reached(company.viewer("chief"), "view", "potentials") == set(company.potentials)


def test_rows_of_a_ledger_have_the_rights_of_their_parent(people, session):
    campaign = records.create(SYSTEM, "campaigns", {"name": "Spring", "owner_id": people.alice}, Channel.SYSTEM)
    other = records.create(SYSTEM, "campaigns", {"name": "Autumn", "owner_id": people.charlie}, Channel.SYSTEM)
    assert may(people["rita"], "view", "campaign_members")
    assert may(people["eve"], "view", "campaign_members"), "she sees campaigns, so she sees who is in them"
    assert not may(people["ada"], "edit", "campaign_members"), "rows of a ledger are not edited by people"
    sharing.set_level("campaigns", "private")
    table = modules["campaign_members"].table
    contact = records.create(SYSTEM, "contacts", {"last_name": "Guest"}, Channel.SYSTEM)
    for id in (campaign, other):
        member = {"campaign_id": id, "person_module": "contacts", "person_id": contact, "added_at": clock.now()}
        session.execute(insert(table).values(member))
    query = select(table.c.campaign_id).where(scope(people["charlie"], "campaign_members"))
    assert session.execute(query).scalars().all() == [other]


def test_rows_of_a_ledger_hide_when_the_profile_shuts_the_parent(people):
    rita = people["rita"]
    shut = replace(rita, rights=replace(rita.rights, view_all=True, modules={"campaigns": NOTHING}))
    assert not may(shut, "view", "campaign_members")
    assert scope(shut, "campaign_members") is not None


def test_a_target_group_is_open_as_far_as_its_owner_says(people, session):
    made = {}
    for opened in ("no", "read", "write"):
        values = {"name": f"Opened {opened}", "public": opened, "owner_id": people.alice}
        made[opened] = records.create(SYSTEM, "target_groups", values, Channel.SYSTEM)

    def reached(name, verb):
        narrowing = scope(people[name], "target_groups", verb)
        table = modules["target_groups"].table
        query = select(table.c.id) if narrowing is None else select(table.c.id).where(narrowing)
        found = set(session.execute(query).scalars())
        return {opened for opened, id in made.items() if id in found}

    assert reached("alice", "view") == {"no", "read", "write"}
    assert reached("mary", "view") == {"read", "write"}
    assert reached("mary", "edit") == {"write"}
    assert reached("mary", "delete") == set()
    assert reached("ada", "delete") == {"no", "read", "write"}


# verbs, areas, keys


def with_verbs(*verbs, **more):
    rights = Rights(otherwise=ModuleRights(verbs=frozenset(verbs)))
    return Viewer(kind="staff", id=1, rights=rights, **more)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_needs_its_right_and_what_it_rests_on(app, verb):
    assert not may(with_verbs(), verb, "accounts")
    assert may(with_verbs(*VERBS), verb, "accounts")
    if verb != "view":
        assert not may(with_verbs(*(set(VERBS) - {"view"})), verb, "accounts")
        assert not may(with_verbs(*(set(VERBS) - {verb})), verb, "accounts")


def test_merging_needs_editing_and_deleting(app):
    assert not may(with_verbs("view", "merge"), "merge", "accounts")
    assert may(with_verbs("view", "edit", "delete", "merge"), "merge", "accounts")


def test_the_scopes_of_a_key_narrow_and_never_widen(app):
    key = replace(with_verbs("view", "edit"), kind="api_key", scopes={"accounts": frozenset({"view", "delete"})})
    assert may(key, "view", "accounts")
    assert not may(key, "edit", "accounts")  # not in its scopes
    assert not may(key, "delete", "accounts")  # not a right of its user
    assert not may(key, "view", "contacts")
    anything = replace(key, scopes={"*": frozenset({"view"}), "contacts": frozenset()})
    assert may(anything, "view", "accounts")
    assert not may(anything, "view", "contacts")
    unlimited = replace(key, scopes=None)
    assert may(unlimited, "edit", "accounts")
    admin = replace(key, is_admin=True)
    assert not may(admin, "edit", "accounts"), "a key of an administrator is narrowed as well"


def test_verbs_made_of_others_follow_from_the_scopes_of_a_key(app):
    key = replace(with_verbs(*VERBS), kind="api_key", scopes={"accounts": frozenset({"view", "create", "edit"})})
    assert may(key, "export", "accounts")
    assert may(key, "import", "accounts")
    assert may(key, "mass_edit", "accounts")
    assert not may(key, "merge", "accounts")


def test_flags_are_held_by_the_user_alone(people):
    admin_of_crm_only = replace(people["ada"], flags=frozenset({"crm_access", "crm_admin"}))
    assert has_area(admin_of_crm_only, "settings")
    assert not has_area(admin_of_crm_only, "ecp_admin")
    assert has_area(people["ada"], "ecp_admin")
    assert has_area(people["eve"], "send")
    assert not has_area(people["alice"], "send")
    assert has_area(SYSTEM, "ecp_admin")


def test_a_module_may_ask_for_an_area_beside_the_right(people, monkeypatch):
    monkeypatch.setattr(modules["accounts"], "areas", {"delete": "studio", "edit": "ecp_admin"})
    assert may(people["alice"], "view", "accounts")
    assert not may(people["alice"], "edit", "accounts")
    assert not may(people["alice"], "delete", "accounts")
    assert may(people["ada"], "delete", "accounts")
    admin_of_crm_only = replace(people["ada"], flags=frozenset({"crm_access", "crm_admin"}))
    assert not may(admin_of_crm_only, "edit", "accounts")
    assert not may(admin_of_crm_only, "mass_edit", "accounts"), "mass edit rests on edit"


def test_what_only_the_system_writes_nobody_else_does(people):
    for verb in ("create", "edit", "delete", "import", "mass_edit", "merge"):
        assert not may(people["ada"], verb, "users")
    assert may(SYSTEM, "create", "users")
    assert may(people["charlie"], "view", "users")


# fields


def test_hidden_fields_are_neither_read_nor_written_and_read_only_ones_not_written(people):
    said = ModuleRights(hidden=frozenset({"phone"}), read_only=frozenset({"website"}))
    alice = replace(people["alice"], rights=Rights(modules={"accounts": said}))
    everything = frozenset(modules["accounts"].fields)
    assert everything - readable(alice, "accounts") == {"phone"}
    assert not {"phone", "website"} & writable(alice, "accounts")
    assert "name" in writable(alice, "accounts")
    assert {"phone", "website"} <= writable(replace(alice, is_admin=True), "accounts")


def test_fields_of_the_system_are_written_by_the_system_only(people):
    kept = {"number", "creator_id", "updater_id", "created_at", "updated_at", "archived"}
    assert not kept & writable(people["ada"], "accounts")
    assert kept <= readable(people["ada"], "accounts")
    assert kept <= writable(SYSTEM, "accounts")


def test_who_may_neither_make_nor_change_writes_no_field(people):
    assert writable(people["rita"], "accounts") == frozenset()
    assert readable(people["eve"], "accounts") == frozenset()


def test_no_password_is_a_field(app):
    assert not {"password", "password_hash"} & set(modules["users"].fields)
