"""The writing door: stages, channels, batches, history, numbers, bin."""

import pytest
from sqlalchemy import select

from crm.db import Entity
from crm.engine import history, numbering, records, search
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.refusals import Forbidden, Missing, Refused, Stale
from crm.engine.registry import modules
from crm.identity.viewer import NOTHING, SYSTEM, Rights, Viewer

ALL = Viewer(kind="staff", name="All", is_admin=True)
NOBODY = Viewer(kind="staff", name="Nobody", rights=Rights(otherwise=NOTHING))


def contact(**more):
    return {"last_name": "Virtanen", "first_name": "Aino", "email": "aino@example.com"} | more


def test_one_id_space_holds_records_of_all_modules(session):
    account = records.create(SYSTEM, "accounts", {"name": "Kaarna Oy"}, Channel.SYSTEM)
    person = records.create(SYSTEM, "contacts", contact(account_id=account), Channel.SYSTEM)
    said = select(Entity.id, Entity.label).where(Entity.id.in_([account, person]))
    cards = {row.id: row.label for row in session.execute(said)}
    assert cards == {account: "Kaarna Oy", person: "Aino Virtanen"}


def test_all_faults_of_one_save_come_together_and_nothing_is_written(session):
    with pytest.raises(Refused) as refused:
        records.create(
            SYSTEM, "contacts", {"email": "no address", "born_on": "31.2.2020", "lead_source": "Moon"}, Channel.FORM
        )
    codes = {name: found[0].code for name, found in refused.value.faults.items()}
    assert codes == {"last_name": "required", "email": "bad_email", "born_on": "bad_date", "lead_source": "not_in_list"}
    assert search.count(ALL, "contacts") == 0


def test_an_alias_and_the_canonical_name_hit_the_same_data(app):
    id = records.create(SYSTEM, "accounts", {"name": "A", "bill_street": "Kauppakatu 1"}, Channel.API)
    assert search.one(ALL, "accounts", id)["billing_street"] == "Kauppakatu 1"


def test_an_unknown_field_is_refused_with_the_nearest_name(app):
    with pytest.raises(Refused, match="last_name"):
        records.create(SYSTEM, "contacts", {"lastt_name": "X", "last_name": "Y"}, Channel.API)


def test_only_the_form_runs_formulas(app):
    values = {"name": "A", "billing_street": "Torikatu 2"}
    made = {
        channel: records.create(SYSTEM, "accounts", values, channel)
        for channel in (Channel.FORM, Channel.API, Channel.IMPORT)
    }
    shipped = {channel: search.one(ALL, "accounts", id)["shipping_street"] for channel, id in made.items()}
    assert shipped == {Channel.FORM: "Torikatu 2", Channel.API: None, Channel.IMPORT: None}


def test_too_long_a_text_is_refused_by_the_form_and_cut_by_an_import(app):
    long = contact(title="x" * 81)
    with pytest.raises(Refused, match="at most 80"):
        records.create(SYSTEM, "contacts", long, Channel.FORM)
    id = records.create(SYSTEM, "contacts", long, Channel.IMPORT)
    assert len(search.one(ALL, "contacts", id)["title"]) == 80


def test_a_stale_save_is_refused_and_writes_nothing(app):
    id = records.create(SYSTEM, "contacts", contact(), Channel.SYSTEM)
    records.update(SYSTEM, "contacts", id, {"title": "First"}, Channel.FORM, version=1)
    with pytest.raises(Stale) as stale:
        records.update(SYSTEM, "contacts", id, {"title": "Second"}, Channel.FORM, version=1)
    assert stale.value.current == 2
    assert search.one(ALL, "contacts", id)["title"] == "First"


def test_a_batch_goes_on_past_refused_rows_when_asked_to(app):
    rows = [contact(), {"first_name": "No last name"}, contact(email="x")]
    outcome = records.create_many(SYSTEM, "contacts", rows, Channel.IMPORT, keep_going=True)
    assert [id is not None for id in outcome.ids] == [True, False, False]
    assert sorted(outcome.refused) == [1, 2]
    with pytest.raises(Refused):
        records.create_many(SYSTEM, "contacts", rows, Channel.IMPORT)


def test_history_tells_field_old_new_and_channel(session):
    id = records.create(SYSTEM, "contacts", contact(), Channel.SYSTEM)
    change = records.update(ALL, "contacts", id, {"title": "CEO", "email": "aino@example.com"}, Channel.API)
    assert change.changed == {"title": (None, "CEO")}
    logged = session.execute(select(Change).where(Change.entity_id == id).order_by(Change.id)).scalars().all()
    assert [(one.field, one.old, one.new, one.channel) for one in logged] == [
        ("", None, "created", "system"),
        ("title", None, "CEO", "api"),
    ]
    assert [one.field for one in history.of_record(ALL, modules["contacts"], id)] == ["title", ""]


def test_numbers_follow_each_other_and_a_new_prefix_counts_for_new_records_only(app):
    first = records.create(SYSTEM, "potentials", {"name": "A"}, Channel.SYSTEM)
    numbering.change(modules["potentials"], "DEAL-", 100, width=5)
    second = records.create(SYSTEM, "potentials", {"name": "B"}, Channel.SYSTEM)
    numbers = [search.one(ALL, "potentials", id)["number"] for id in (first, second)]
    assert numbers == ["POT1", "DEAL-00100"]
    with pytest.raises(Refused, match="101 or more"):
        numbering.change(modules["potentials"], "DEAL-", 50, width=5)


def test_missing_numbers_are_filled_oldest_first(session):
    table = modules["potentials"].table
    ids = [records.create(SYSTEM, "potentials", {"name": name}, Channel.SYSTEM) for name in "AB"]
    session.execute(table.update().values(number=None))
    assert numbering.fill_missing(modules["potentials"]) == 2
    assert [search.one(ALL, "potentials", id)["number"] for id in ids] == ["POT3", "POT4"]


def test_the_bin_keeps_links_and_gives_them_back(app):
    account = records.create(SYSTEM, "accounts", {"name": "Kaarna Oy"}, Channel.SYSTEM)
    person = records.create(SYSTEM, "contacts", contact(account_id=account), Channel.SYSTEM)
    records.delete(ALL, "contacts", person, Channel.FORM)
    with pytest.raises(Missing):
        search.one(ALL, "contacts", person)
    assert [row.id for row in search.find(ALL, "contacts", bin=True).rows] == [person]
    records.restore(ALL, "contacts", [person], Channel.FORM)
    assert search.one(ALL, "contacts", person)["account_id"] == account


def test_a_restore_that_collides_is_refused_and_names_the_rival(app):
    old = records.create(SYSTEM, "products", {"name": "Old chair", "code": "CHR"}, Channel.SYSTEM)
    records.delete(SYSTEM, "products", old, Channel.SYSTEM)
    records.create(SYSTEM, "products", {"name": "New chair", "code": "chr"}, Channel.SYSTEM)
    with pytest.raises(Refused, match="New chair"):
        records.restore(SYSTEM, "products", [old], Channel.SYSTEM)


def test_a_value_that_must_be_unique_is_refused_twice_in_one_batch_too(app):
    rows = [{"name": "A", "code": "X1"}, {"name": "B", "code": "x1"}]
    outcome = records.create_many(SYSTEM, "products", rows, Channel.IMPORT, keep_going=True)
    assert list(outcome.refused) == [1]


def test_only_an_administrator_deletes_for_good(session):
    id = records.create(SYSTEM, "contacts", contact(), Channel.SYSTEM)
    records.delete(SYSTEM, "contacts", id, Channel.SYSTEM)
    staff = Viewer(kind="staff", name="Staff", rights=Rights(view_all=True, edit_all=True))
    with pytest.raises(Forbidden):
        records.purge(staff, "contacts", [id])
    assert records.purge(ALL, "contacts", [id]) == 1
    assert session.get(Entity, id) is None


def test_who_may_nothing_is_told_nothing(app):
    id = records.create(SYSTEM, "contacts", contact(), Channel.SYSTEM)
    with pytest.raises(Forbidden):
        records.create(NOBODY, "contacts", contact(), Channel.API)
    with pytest.raises((Forbidden, Missing)):
        records.update(NOBODY, "contacts", id, {"title": "x"}, Channel.API)


def test_a_link_to_a_record_of_another_module_or_to_nothing_is_refused(app):
    person = records.create(SYSTEM, "contacts", contact(), Channel.SYSTEM)
    for wrong in (person, 999_999_999, "x", True):
        with pytest.raises(Refused, match="no such record"):
            records.create(SYSTEM, "contacts", contact(account_id=wrong), Channel.API)


def test_a_field_of_the_system_is_refused_from_outside(app):
    with pytest.raises(Refused, match="cannot be changed"):
        records.create(ALL, "contacts", contact(created_at="2020-01-01"), Channel.API)


def test_an_action_writes_what_it_declares_and_only_when_it_is_offered(app):
    id = records.create(SYSTEM, "potentials", {"name": "Desks", "amount": "1000"}, Channel.SYSTEM)
    records.act(ALL, "potentials", id, "win", Channel.FORM)
    row = search.one(ALL, "potentials", id)
    assert (row["stage"], row["probability"]) == ("Closed Won", 100)
    with pytest.raises(Refused, match="not possible"):
        records.act(ALL, "potentials", id, "win", Channel.FORM)
