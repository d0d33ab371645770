"""API keys: shown once, found by their text, narrowed, locked, marked as used."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.identity import api_keys
from crm.identity.api_keys import BadKey
from crm.identity.tables import ApiKey

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_a_key_is_found_by_its_text_and_only_a_hash_is_kept(people, session):
    id, text = api_keys.add("Shop", people.alice)
    assert api_keys.find(text).id == id
    kept = session.execute(select(ApiKey.__table__)).one()
    assert text not in str(tuple(kept))
    assert text.startswith(kept.prefix)
    assert all("key_hash" not in row._mapping for row in api_keys.listed())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text[:11],
        lambda text: "",
        lambda text: "ch_\x00\ud800",
        lambda text: text.upper(),
    ],
)
def test_a_text_that_is_not_quite_the_key_finds_nothing(people, change):
    _, text = api_keys.add("Shop", people.alice)
    assert api_keys.find(change(text)) is None


def test_a_key_expires(people):
    _, text = api_keys.add("Shop", people.alice, expires_at=NOON)
    with clock.standing_at(NOON - timedelta(seconds=1)):
        assert api_keys.find(text)
    with clock.standing_at(NOON):
        assert api_keys.find(text) is None


def test_a_key_holds_from_the_allowed_addresses_only(people):
    _, text = api_keys.add("Shop", people.alice, allowed_addresses=["192.0.2.0/28", "2001:db8::1"])
    for address, holds in (
        ("192.0.2.3", True),
        ("2001:db8::1", True),
        ("192.0.2.16", False),
        ("", False),
        ("x", False),
    ):
        assert bool(api_keys.find(text, address)) is holds


def test_last_used_is_noted_at_most_once_a_minute(people):
    _, text = api_keys.add("Shop", people.alice)
    db.session.commit()
    assert api_keys.find(text).last_used_at is None
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        with clock.standing_at(NOON + timedelta(seconds=seconds)):
            api_keys.touch(api_keys.find(text))
            assert api_keys.find(text).last_used_at == NOON + timedelta(seconds=noted)


def test_the_rights_of_a_fixed_type_cannot_be_changed_those_of_a_custom_key_can(people):
    outlook, _ = api_keys.add("Mail program", people.alice, "outlook")
    with pytest.raises(BadKey, match="fixed"):
        api_keys.change(outlook, people.ada, scopes={"contacts": ["view"]})
    with pytest.raises(BadKey, match="custom"):
        api_keys.add("Mail program", people.alice, "outlook", scopes={"contacts": ["view"]})
    custom, text = api_keys.add("Shop", people.alice, scopes={"contacts": ["view"]})
    api_keys.change(custom, people.ada, scopes={"contacts": ["view", "edit"], "leads": ["create"]})
    assert api_keys.find(text).scopes == {"contacts": ["edit", "view"], "leads": ["create"]}


def test_only_who_locked_a_key_changes_unlocks_or_deletes_it(people):
    id, text = api_keys.add("Shop", people.alice)
    api_keys.lock(id, people.ada)
    for attempt in (
        lambda: api_keys.change(id, people.mary, name="Mine"),
        lambda: api_keys.unlock(id, people.mary),
        lambda: api_keys.lock(id, people.mary),
        lambda: api_keys.remove(id, people.mary),
    ):
        with pytest.raises(BadKey, match="locked"):
            attempt()
    api_keys.change(id, people.ada, name="Shop of Ada")
    api_keys.unlock(id, people.ada)
    api_keys.remove(id, people.mary)
    assert api_keys.find(text) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"kind": "other"}, "kind"),
        ({"scopes": {"contacts": ["fly"]}}, "scopes"),
        ({"allowed_addresses": ["192.0.2.0/33"]}, "allowed_addresses"),
    ],
)
def test_bad_values_of_a_key_are_refused_by_name(people, values, field):
    with pytest.raises(BadKey) as refused:
        api_keys.add(**({"name": "Shop", "user_id": people.alice} | values))
    assert refused.value.field == field


def test_the_key_of_the_api_page_lives_ten_minutes_and_is_not_listed(people):
    with clock.standing_at(NOON):
        text = api_keys.for_docs(people.alice)
        assert api_keys.find(text)
        assert api_keys.listed() == []
    with clock.standing_at(NOON + timedelta(minutes=10)):
        assert api_keys.find(text) is None


def test_what_is_no_key_cannot_be_changed(people):
    with pytest.raises(BadKey, match="no such key"):
        api_keys.change(10**9, people.ada, name="x")
    id, _ = api_keys.add("Shop", people.alice)
    with pytest.raises(BadKey, match="cannot be changed"):
        api_keys.change(id, people.ada, user_id=people.ada)
