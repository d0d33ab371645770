"""Target groups imported from the CRM, list types with their page, and the addresses that left."""

import io

import pytest

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp import list_addresses
from ecp.modules import plans


@pytest.fixture
def campaign(house):
    return house.campaign([*house.contacts(3), house.contact(None)])


def test_a_campaign_is_imported_into_one_list_with_its_counts(browse, house, campaign):
    idle = house.make("campaigns", name="Asleep", active=False)
    db.session.commit()
    eve = browse("eve")
    page = eve.get("/portal_target_groups/new").text
    assert f'value="{campaign}"' in page
    assert f'value="{idle}"' not in page
    said = eve.form("/portal_target_groups/new") | {"campaign_id": campaign, "name": "Spring people"}
    assert "Choose the list type" in eve.post("/portal_target_groups/new", said | {"list_type_id": ""}, 422).text
    refused = eve.post("/portal_target_groups/new", said | {"list_type_id": house.list_id, "campaign_id": idle}, 422)
    assert "not active" in refused.text
    place = eve.post("/portal_target_groups/new", said | {"list_type_id": house.list_id}).location
    card = eve.get(place.removeprefix("/ecp")).text
    assert "3 people were imported" in card
    assert "Refresh from CRM" in card


def test_a_refresh_tells_who_came_and_who_went(browse, house, campaign):
    db.session.commit()
    mary = browse("mary")
    said = mary.form("/portal_target_groups/new") | {
        "campaign_id": campaign,
        "name": "Spring people",
        "list_type_id": house.list_id,
    }
    place = mary.post("/portal_target_groups/new", said).location.removeprefix("/ecp")
    members.change(SYSTEM, campaign, Choice(contact_ids=[house.contact("late@example.com")]), Channel.SYSTEM)
    db.session.commit()
    mary.post(f"{place}/refresh", {"csrf": said["csrf"]})
    assert "1 came, 0 went, 4 people now" in mary.get(place).text


def test_good_addresses_leave_a_list_and_bad_lines_are_told_by_number(browse, house):
    mary = browse("mary")
    here = f"/list_types/{house.list_id}/addresses"
    file = (
        io.BytesIO(b"email;why\na@example.com;x\nnot an address;y\nb@example.com;\nA@example.com;\n"),
        "left.csv",
    )
    answer = mary.client.post(
        f"/ecp{here}", data={"csrf": mary.form(here)["csrf"], "addresses": "", "note": "From paper", "file": file}
    )
    assert "2 addresses were added" in answer.text
    assert "Line 3: not an address" in answer.text
    assert "1 had left already" in answer.text
    assert search.count(SYSTEM, "suppressions", {"scope_id": house.list_id}) == 2
    assert "a@example.com" in mary.get(f"{here}?q=a@ex").text
    assert "b@example.com" not in mary.get(f"{here}?q=a@ex").text


def test_an_address_is_taken_out_with_a_reason_by_an_administrator(browse, house):
    list_addresses.add(SYSTEM, house.list_id, [(1, "a@example.com")], "", Channel.FORM)
    db.session.commit()
    id = search.find(SYSTEM, "suppressions", where={"scope_id": house.list_id}, columns=("email",)).rows[0].id
    here = f"/list_types/{house.list_id}/addresses"
    mary, ada = browse("mary"), browse("ada")
    said = {"csrf": mary.form(here)["csrf"], "reason": "She asked"}
    mary.post(f"{here}/{id}/remove", said, 403)  # marketers may add, not take out
    ada.post(f"{here}/{id}/remove", {"csrf": ada.form(here)["csrf"], "reason": ""})
    assert search.one(SYSTEM, "suppressions", id)["active"]
    ada.post(f"{here}/{id}/remove", {"csrf": ada.form(here)["csrf"], "reason": "She asked by phone"})
    assert not search.one(SYSTEM, "suppressions", id)["active"]
    assert "She asked by phone" in ada.get(f"{here}?show=ended").text


def test_no_new_list_type_is_offered_where_the_plan_has_no_room(browse, house):
    ada = browse("ada")
    assert 'href="/ecp/list_types/new"' in ada.get("/list_types").text
    basic = search.find(SYSTEM, "plans", where={"key": "basic"}, columns=("name",)).rows[0].id
    plans.choose(SYSTEM, basic)
    db.session.commit()
    assert 'href="/ecp/list_types/new"' not in ada.get("/list_types").text
    said = ada.form("/list_types/new") | {"name": "One too many"}
    assert "limit 2 reached" in ada.post("/list_types/new", said, 409).text


def test_a_subscription_page_needs_both_buttons_and_is_shown_as_people_see_it(browse, house):
    ada = browse("ada")
    place = f"/list_types/{house.list_id}/edit"
    said = ada.form(place) | {"page_html": "<h1>Stay</h1><script>x</script>{$button.subscribe}"}
    assert "{$button.unsubscribe}" in ada.post(place, said, 422).text
    ada.post(place, said | {"page_html": "<h1>Our mail</h1>{$button.subscribe} {$button.unsubscribe}"})
    page = ada.get(f"/list_types/{house.list_id}/page").text
    assert "Our mail" in page
    assert "End the subscription" in page
    records.update(
        SYSTEM,
        "list_types",
        house.list_id,
        {"page_html": "<script>x</script>{$button.subscribe}{$button.unsubscribe}"},
        Channel.SYSTEM,
    )
    db.session.commit()
    assert "<script" not in ada.get(f"/list_types/{house.list_id}/page").text


def test_pasted_lines_and_files_are_read_alike():
    assert list_addresses.lines_of("a@example.com\n\nb@example.com\n") == [(1, "a@example.com"), (3, "b@example.com")]
    assert list_addresses.lines_of("\ufeffE-mail,Name\na@example.com,A\n") == [(2, "a@example.com")]
