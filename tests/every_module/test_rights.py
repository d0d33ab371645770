"""Charlie sees nothing he may not: not in lists, cards, counts, searches, related lists; nor does he write. Every module."""

from dataclasses import replace

import pytest

from crm.engine import records, search, text_index
from crm.engine.channels import Channel
from crm.engine.conditions import BadCondition
from crm.engine.permissions import may, readable
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity import sharing
from crm.identity.viewer import NOTHING, SYSTEM, ModuleRights, Rights, Viewer
from tests.every_module import values


@pytest.fixture
def secret(people, key):
    """A record of Alice's in a house where nothing is shared."""
    sharing.set_levels(values.RECORDS, "private")
    said = values.complete(key) | {"owner_id": people.alice}
    return records.create(SYSTEM, key, said, Channel.SYSTEM)


def a_word(key, id):
    """A word by which the text index finds the record, when it finds it at all."""
    row = search.one(SYSTEM, key, id)
    for name in text_index.indexed_fields(modules[key]):
        for word in text_index.words_of(str(row.get(name) or "")):
            if len(word) > 3:
                return word
    return None


def test_charlie_sees_no_private_record_of_alice(people, key, secret):
    charlie = people["charlie"]
    assert secret not in {row.id for row in search.find(charlie, key, limit=500).rows}
    assert search.find(charlie, key, where={"id": secret}).total == 0
    assert search.count(charlie, key, where={"id": secret}) == 0
    assert not search.exists(charlie, key, secret)
    with pytest.raises(Missing):
        search.one(charlie, key, secret)
    word = a_word(key, secret)
    if word:
        assert secret in {row.id for row in search.find(people["ada"], key, text=word, limit=500).rows}
        assert secret not in {row.id for row in search.find(charlie, key, text=word, limit=500).rows}
        hits = text_index.search(charlie, word, limit=100)
        assert secret not in {hit.id for found in hits.values() for hit in found}


def test_charlie_cannot_change_delete_or_restore_it(people, key, secret):
    charlie = people["charlie"]
    name = modules[key].titles[-1]
    for attempt in (
        lambda: records.update(charlie, key, secret, {name: "Mine now"}, Channel.API),
        lambda: records.delete(charlie, key, secret, Channel.API),
        lambda: records.restore(charlie, key, [secret], Channel.API),
        lambda: records.purge(charlie, key, [secret]),
        *(
            lambda one=action.key: records.act(charlie, key, secret, one, Channel.API)
            for action in modules[key].actions
        ),
    ):
        with pytest.raises((Missing, Forbidden)):
            attempt()
    assert search.one(SYSTEM, key, secret).version == 1


def test_alice_sees_her_own_and_bob_what_belongs_to_their_team(people, key, secret):
    if not may(people["alice"], "view", key):
        pytest.fail(f"a seller cannot see {key} at all")
    assert search.one(people["alice"], key, secret)
    assert not search.exists(people["bob"], key, secret)
    shared = values.make(key, 9, owner_id=people.team)
    assert search.one(people["bob"], key, shared)
    assert not search.exists(people["charlie"], key, shared)


def test_a_reader_changes_nothing(people, key):
    id = values.make(key, 3, owner_id=people.rita)
    rita = people["rita"]
    assert search.exists(rita, key, id)
    with pytest.raises(Forbidden):
        records.create(rita, key, values.minimal(key, 4), Channel.API)
    with pytest.raises((Forbidden, Missing)):
        records.update(rita, key, id, {modules[key].titles[-1]: "x"}, Channel.API)
    with pytest.raises((Forbidden, Missing)):
        records.delete(rita, key, id, Channel.API)


def test_whoever_has_no_right_to_a_module_learns_nothing_of_it(app, key):
    values.make(key, 3)
    nobody = Viewer(kind="staff", id=None, rights=Rights(otherwise=NOTHING))
    with pytest.raises(Forbidden):
        search.find(nobody, key)
    assert search.count(nobody, key) == 0
    assert readable(nobody, key) == frozenset()
    for kind in ("customer", "link"):
        assert not may(replace(nobody, kind=kind), "view", key)


def test_a_hidden_field_is_absent_from_columns_sorts_conditions_and_the_card(app, key):
    module = modules[key]
    id = records.create(SYSTEM, key, values.complete(key, 6), Channel.SYSTEM)
    for said in module.declared.values():
        if said.name in {*module.titles, "number"} or not said.in_lists or said.kind.name == "conditions":
            continue
        rights = Rights(modules={key: ModuleRights(hidden=frozenset({said.name}))}, view_all=True, edit_all=True)
        blind = Viewer(kind="staff", id=None, rights=rights)
        page = search.find(blind, key, columns=(said.name,), where={"id": id})
        assert page.rows[0].get(said.name) is None
        assert search.one(blind, key, id).get(said.name) is None
        with pytest.raises(UnknownName):
            search.find(blind, key, sort=(said.name,))
        with pytest.raises((UnknownName, BadCondition)):
            search.find(blind, key, where={"$not.null": [said.name]})


def test_a_field_that_is_read_only_to_somebody_is_not_written(app, key):
    module = modules[key]
    name = module.titles[-1]
    rights = Rights(modules={key: ModuleRights(read_only=frozenset({name}))}, view_all=True, edit_all=True)
    viewer = Viewer(kind="staff", id=None, rights=rights, flags=frozenset({"ecp_admin"}))
    id = values.make(key, 6)
    said = values.value(module, module.fields[name], 7)
    if may(viewer, "edit", key):
        with pytest.raises(Refused) as refused:
            records.update(viewer, key, id, {name: said}, Channel.FORM)
        assert refused.value.faults[name][0].code == "forbidden"


def test_links_to_records_that_one_may_not_see_show_no_name_and_cannot_be_made(people, key):
    module = modules[key]
    sharing.set_levels(values.RECORDS, "private")
    links = [said for said in values.written_by_people(module) if said.kind.name == "link"]
    fixed = {
        "attendees": {"event_id"},
        "service_requests": {"type_id", "contact_id", "account_id"},
    }  # stay once and for all
    links = [said for said in links if said.name not in fixed.get(key, ()) and "users" not in said.to]  # all know users
    charlie = people["charlie"]
    for said in links:
        number = 31 + links.index(said)
        is_ruled = key in {"invitation_events", "event_triggers"} and said.name in values.SPECIAL[key]
        target = values.value(module, said, number) if is_ruled else values.minimal_id(said.to[0], number)
        if target is not None and may(charlie, "edit", key):
            own = values.make(key, 40 + links.index(said), owner_id=people.charlie)
            with pytest.raises(Refused) as refused:
                records.update(charlie, key, own, {said.name: target}, Channel.FORM)
            assert refused.value.faults[said.name][0].code == "no_such_record"
            records.update(SYSTEM, key, own, {said.name: value_for(key, said, target)}, Channel.SYSTEM)
            row = search.find(charlie, key, columns=(said.name,), where={"id": own}).rows[0]
            assert row.label_of(said.name) is None


def value_for(key, said, target):
    return target


def test_rows_of_a_ledger_are_seen_by_who_sees_its_record_and_its_person(people, ledger):
    from sqlalchemy import insert

    module = modules[ledger]
    sharing.set_levels(values.RECORDS, "private")
    parents = {said.name: said.to[0] for said in module.fields.values() if said.name == module.parent}
    ((parent_field, parent_key),) = parents.items()
    parent = values.make(parent_key, 3, owner_id=people.alice)
    persons = [values.make("contacts", n, owner_id=owner, email=f"p{n}@example.com")
               for n, owner in ((1, people.alice), (2, people.charlie))]  # fmt: skip
    rows = []
    makers = {"surveys": values.question_of, "tracked_sites": values.visit_of}
    needed = makers[parent_key](parent) if parent_key in makers else {}
    before = {row.id for row in search.find(SYSTEM, ledger).rows}
    for n, person in enumerate(persons):
        said = {
            column.key: filler(column, n)
            for column in module.table.columns
            if not column.nullable and column.key != "id"
        }
        given = {parent_field: parent, "person_id": person, "contact_id": person, "person_module": "contacts"}
        given |= (
            {"email": f"p{n}@example.com", "email_key": f"p{n}@example.com"}
            | needed
            | ({"place": n + 9, "nonce": n + 9, "cookie": f"{n:022d}"} if needed else {})
        )
        said |= {name: value for name, value in given.items() if name in module.table.c}
        said = {name: value for name, value in said.items() if value is not None}
        made = search.db.session.execute(insert(module.table).values(said))
        rows.append(made.inserted_primary_key[0])
    charlie, alice = people["charlie"], people["alice"]
    is_of_person = module.parent == "person_id"  # the person is the record that the rows hang on
    assert [row.id for row in search.find(charlie, ledger).rows] == ([rows[1]] if is_of_person else [])
    rows += sorted(before)
    seen = [rows[0], *before] if module.about or is_of_person else rows  # rows about nobody: by who sees the record
    assert {row.id for row in search.find(alice, ledger).rows} == set(seen)
    assert {row.id for row in search.find(people["ada"], ledger).rows} == set(rows)
    for verb in ("create", "edit", "delete", "import", "mass_edit"):
        assert not may(people["ada"], verb, ledger), verb


def filler(column, n):
    """Something for a column that must have a value."""
    if column.default is not None or column.server_default is not None:
        return None
    if column.type.python_type is str:
        return f"row{n}@example.com"
    return {int: n + 1, bool: False}.get(column.type.python_type, values.MOMENT)
