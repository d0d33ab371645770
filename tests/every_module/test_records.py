"""Create, read, list, change, delete, restore, history, numbers, stale saves, refusals: for every module."""

from datetime import date, datetime

import pytest
from sqlalchemy import select

from crm.db import Entity
from crm.engine import history, numbering, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused, Stale
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.every_module import values


def stored(key, id):
    return search.one(SYSTEM, key, id)


def test_what_is_written_is_what_is_read(app, key):
    said = values.complete(key)
    id = records.create(SYSTEM, key, said, Channel.SYSTEM)
    row = stored(key, id)
    for name, value in said.items():
        assert row[name] == value, name
    card = search.db.session.execute(select(Entity).where(Entity.id == id)).scalar_one()
    assert (card.module, card.number) == (key, row["number"])
    assert card.label == modules[key].label_of(row)
    assert row["created_at"]
    assert row.version == 1


def test_required_fields_are_demanded_all_at_once(app, key):
    module = modules[key]
    needed = {said.name for said in module.fields.values() if said.required and said.default is None}
    if not needed:
        pytest.fail(f"{key} requires nothing")
    with pytest.raises(Refused) as refused:
        records.create(SYSTEM, key, {}, Channel.FORM)
    assert {name: faults[0].code for name, faults in refused.value.faults.items()} == dict.fromkeys(needed, "required")


def test_bad_values_are_refused_all_at_once_and_nothing_is_written(app, key):
    module, good = modules[key], values.complete(key)
    before = search.count(SYSTEM, key)
    bad = {
        said.name: values.BAD[said.kind.name]
        for said in values.written_by_people(module)
        if said.kind.name in values.BAD
    }
    too_long = {
        said.name: "x" * (said.max + 1) for said in values.written_by_people(module) if said.kind.name == "text"
    }
    given = good | {name: raw for name, (raw, _) in bad.items()} | too_long
    with pytest.raises(Refused) as refused:
        records.create(SYSTEM, key, given, Channel.FORM)
    codes = {name: faults[0].code for name, faults in refused.value.faults.items()}
    assert codes == {name: code for name, (_, code) in bad.items()} | dict.fromkeys(too_long, "too_long")
    assert search.count(SYSTEM, key) == before


def test_an_unknown_field_and_one_that_only_the_system_writes_are_refused(app, key, people):
    with pytest.raises(Refused) as refused:
        records.create(people["ada"], key, values.complete(key) | {"no_such_field": "1", "number": "X1"}, Channel.API)
    codes = {name: faults[0].code for name, faults in refused.value.faults.items()}
    assert codes == {"no_such_field": "unknown", "number": "forbidden"}


def test_a_list_has_every_column_in_every_order(app, key):
    module = modules[key]
    ids = [values.make(key, n) for n in (1, 2, 3)]
    names = [said.name for said in module.fields.values() if said.in_lists and said.kind.name != "conditions"]
    page = search.find(SYSTEM, key, columns=names, limit=200)
    assert set(ids) <= {row.id for row in page.rows}
    for name in names:
        for direction in ("", "-"):
            ordered = search.find(SYSTEM, key, columns=(name,), sort=(direction + name,), limit=200)
            assert set(ids) <= {row.id for row in ordered.rows}, name
            assert set(ordered.rows[0]) == {"id", name}


def test_pages_by_cursor_show_each_record_once(app, key):
    before = search.count(SYSTEM, key)
    for n in range(1, 8):
        values.make(key, n)
    seen, after = [], None
    while True:
        page = search.find(SYSTEM, key, limit=3, after=after)
        seen += [row.id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == before + search.count(SYSTEM, key) - before


def test_a_change_is_written_with_its_history(app, key, people):
    module = modules[key]
    id = values.make(key)
    old = stored(key, id)
    changes = {name: value for name, value in values.complete(key, 2).items() if changeable(key, name)}
    change = records.update(people["ada"], key, id, changes, Channel.FORM, version=1)
    row = stored(key, id)
    for name in changes:
        assert row[name] == changes[name], name
    assert row.version == 2
    assert row["updater_id"] == people.ada
    noted = {one.field: (one.old, one.new) for one in history.of_record(SYSTEM, module, id, limit=500) if one.field}
    for name in change.changed:
        kind = module.fields[name].kind
        new = kind.text(row[name])
        assert noted[name][1] in {new, new[:254] + "…"} or row[name] is None, name
        assert name in changes or name in noted
    assert old["number"] == row["number"]


def changeable(key: str, name: str) -> bool:
    """Not the few fields that a rule fixes once and for all."""
    fixed = {
        "service_requests": {"type_id", "contact_id", "account_id"},
        "suppressions": {"email", "active"}, "sender_addresses": {"address"}, "activities": {"kind"},
        "attendees": {"event_id"}, "portal_users": {"contact_id", "portal_id", "profile_id"}, "portal_profiles": {"portal_id"},
    }  # fmt: skip
    return name not in fixed.get(key, set())


def test_a_stale_save_is_refused_and_writes_nothing(app, key):
    module = modules[key]
    id = values.make(key)
    name = next(said.name for said in module.fields.values() if said.kind.name in {"text", "long_text", "checkbox"}
                and not said.read_only and changeable(key, said.name) and not said.unique)  # fmt: skip
    first, second = values.value(module, module.fields[name], 8), values.value(module, module.fields[name], 9)
    if first == second:
        second = not first
    if stored(key, id)[name] == first:
        first, second = second, first
    records.update(SYSTEM, key, id, {name: first}, Channel.FORM, version=1)
    with pytest.raises(Stale) as stale:
        records.update(SYSTEM, key, id, {name: second}, Channel.FORM, version=1)
    assert stale.value.current == 2
    assert stored(key, id)[name] == first


def test_deleting_and_restoring_keeps_everything(app, key):
    module = modules[key]
    said = values.complete(key, 3)
    id = records.create(SYSTEM, key, said, Channel.SYSTEM)
    before = dict(stored(key, id))
    records.delete(SYSTEM, key, id, Channel.FORM)
    with pytest.raises(Missing):
        stored(key, id)
    assert not search.exists(SYSTEM, key, id)
    assert id not in {row.id for row in search.find(SYSTEM, key, limit=500).rows}
    assert id in {row.id for row in search.find(SYSTEM, key, bin=True, limit=500).rows}
    records.restore(SYSTEM, key, [id], Channel.FORM)
    lost = values.LOST_BY_DELETION.get(key, set())
    assert {n: v for n, v in stored(key, id).items() if n not in lost} == {
        n: v for n, v in before.items() if n not in lost
    }
    events = [one.new or one.old for one in history.of_record(SYSTEM, module, id, limit=500) if not one.field]
    assert sorted(events)[-3:] == sorted(["created", "deleted", "restored"]), events


def test_only_an_administrator_empties_the_bin(app, key, people):
    id = values.make(key)
    records.delete(SYSTEM, key, id, Channel.FORM)
    with pytest.raises(Exception, match="administrator"):
        records.purge(people["alice"], key, [id])
    assert records.purge(people["ada"], key, [id]) == 1
    assert search.db.session.execute(select(Entity.id).where(Entity.id == id)).first() is None


def test_numbers_run_on_and_are_unique(app, numbered):
    module = modules[numbered]
    made = [stored(numbered, values.make(numbered, n))["number"] for n in (1, 2, 3)]
    assert len(set(made)) == 3
    assert all(number.startswith(module.prefix) for number in made)
    steps = [int(number.removeprefix(module.prefix)) for number in made]
    assert steps == sorted(steps)
    numbering.change(module, "NEW-", 5)
    assert stored(numbered, values.make(numbered, 4))["number"] == "NEW-5"
    assert stored(numbered, search.find(SYSTEM, numbered, where={"number": made[0]}).rows[0].id)["number"] == made[0]


def test_every_action_is_offered_when_its_condition_says_so(app, key):
    module = modules[key]
    for action in module.actions:
        id = records.create(SYSTEM, key, values.complete(key, 5 + module.actions.index(action)), Channel.SYSTEM)
        values.make_ready(key, id)
        row = stored(key, id)
        if records.is_offered(action, module, row):
            wanted = action.changes(row)
            records.act(SYSTEM, key, id, action.key, Channel.FORM)
            after = stored(key, id)
            assert {name: after[name] for name in wanted} == wanted
        else:
            with pytest.raises(Refused):
                records.act(SYSTEM, key, id, action.key, Channel.FORM)


def test_values_go_through_text_and_back(app, key):
    """What an export writes, an import reads as the same value."""
    module = modules[key]
    id = records.create(SYSTEM, key, values.complete(key, 4), Channel.SYSTEM)
    row = stored(key, id)
    for name, said in module.fields.items():
        if name in row and row[name] is not None:
            assert said.kind.clean(said.kind.text(row[name]), said) == row[name], name
            json = said.kind.json(row[name])
            assert not isinstance(json, date | datetime), name
            if not said.picklist:
                assert said.kind.clean(json, said) == row[name], name
