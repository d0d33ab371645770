"""Registering by another site's program: the rules of the public form, told in JSON."""

import uuid
from datetime import timedelta

import pytest

from crm.db import db
from tests.api.calls import caller
from tests.self_service_portal.event_world import NOW, START
from tests.surveys.conftest import make_survey

ANNA = {"first_name": "Anna", "last_name": "Ahonen", "email": "Anna@Example.com"}


@pytest.fixture
def site(app, world):
    """A caller with the key of somebody who may make attendees: `site(event, body, **headers)`."""
    key = caller(app, world.shop.people.alice)

    def register(event, body, module="mass_events", **headers):
        return key("POST", f"/{module}/{world.path(event).rpartition('/')[2]}/registrations", body, **headers)

    return register


def code_of(answer):
    return answer.status_code, answer.json["errors"][0]["code"]


def faults_of(answer):
    assert answer.status_code == 422, answer.text
    return {one["source"]["pointer"].removeprefix("/data/attributes/"): one["code"] for one in answer.json["errors"]}


def test_a_program_registers_people_once_with_their_answers_until_all_is_full(world, site):
    options = [{"value": "fish", "label": "Fish"}, {"value": "veg", "label": "Vegetables"}]
    asked = [
        {"name": "diet", "kind": "radio", "title": "Food", "required": True, "options": options},
        {"name": "company", "kind": "text", "title": "Company"},
        {"name": "email", "kind": "email", "title": "Your e-mail"},
    ]
    event = world.mass_event(capacity=1, spare_capacity=1, survey_id=make_survey(asked).id)
    part = world.mass_event(name="Dinner", parent_id=event, public_form=False, capacity=5)
    said = ANNA | {"answers": {"diet": "fish", "company": "Kaisla"}, "sub_event_ids": [part]}
    key = str(uuid.uuid4())
    first = site(event, said, Idempotency_Key=key)
    assert (first.status_code, first.json["data"]["attributes"]) == (201, {"status": "joined"})
    assert site(event, said, Idempotency_Key=key).json == first.json
    (row,) = world.attendees(event)
    assert (row["status"], row["source"], row["company"]) == ("joined", "api", "Kaisla")
    assert row["answers_response_id"] is not None
    assert [one["status"] for one in world.attendees(part)] == ["joined"]
    bert = {"first_name": "Bert", "last_name": "Berg", "email": "bert@example.com", "answers": {"diet": "veg"}}
    assert site(event, bert).json["data"]["attributes"] == {"status": "spare"}
    # who is registered already hears what anybody would
    assert code_of(site(event, said)) == (409, "event_full")
    assert code_of(site(event, bert | {"email": "carl@example.com"})) == (409, "event_full")
    assert len(world.attendees(event)) == 2


def test_what_is_wrong_is_told_by_name_and_nothing_is_stored(world, site):
    event = world.mass_event(
        survey_id=make_survey([{"name": "age", "kind": "number", "title": "Age", "required": True}]).id
    )
    contacts = world.count("contacts")
    assert faults_of(site(event, {"first_name": "A" * 61, "email": "nobody"})) == {
        "first_name": "too_long", "last_name": "required", "email": "bad_email", "answers/age": "required",
    }  # fmt: skip
    assert faults_of(site(event, ANNA | {"answers": {"age": "old", "shoe": 43}, "sub_event_ids": [event]})) == {
        "answers/age": "bad_value", "answers/shoe": "unknown", "sub_event_ids": "bad_value",
    }  # fmt: skip
    assert code_of(site(event, ANNA | {"answers": {"age": [[1]]}})) == (422, "bad_value")
    assert code_of(site(event, ANNA | {"age": 5})) == (422, "unknown")
    assert code_of(site(event, ANNA | {"language": "tlh"})) == (422, "not_in_list")
    world.change("portals", world.shop.portal, privacy_url="https://example.com/privacy")
    assert faults_of(site(event, ANNA | {"answers": {"age": 40}})) == {"agrees": "required"}
    assert site(event, ANNA | {"answers": {"age": 40}, "agrees": True}).status_code == 201
    assert world.count("contacts") == contacts + 1


def test_the_window_and_the_state_are_obeyed_and_names_that_are_none_are_not_found(app, world, site):
    people = world.shop.people
    event = world.mass_event(registration_starts_at=NOW + timedelta(days=1), registration_ends_at=START)
    assert code_of(site(event, ANNA)) == (409, "registration_not_open")
    world.change(
        "mass_events",
        event,
        registration_starts_at=NOW - timedelta(days=2),
        registration_ends_at=NOW - timedelta(days=1),
    )
    assert code_of(site(event, ANNA)) == (409, "registration_closed")
    world.change("mass_events", event, status="cancelled")
    assert code_of(site(event, ANNA)) == (409, "event_cancelled")
    asking = world.event(seats=0, ask_before_spare=True)
    assert code_of(site(asking, ANNA, "invitation_events")) == (409, "only_spare")
    taken = site(asking, ANNA | {"takes_spare": True}, "invitation_events")
    assert taken.json["data"]["attributes"] == {"status": "spare"}
    held = world.event(confirm_email=True)
    assert site(held, ANNA, "invitation_events").json["data"]["attributes"] == {"status": "held"}
    private = world.mass_event(public_form=False)
    assert code_of(site(private, ANNA)) == (409, "registration_closed")
    assert code_of(site(world.event(public=False), ANNA, "invitation_events")) == (404, "no_such_record")
    assert code_of(site(asking, ANNA)) == (404, "no_such_record")  # another kind of event
    nobody = caller(app, people.charlie, scopes={"contacts": ["view"]})
    assert (
        nobody("POST", f"/mass_events/{world.path(private).rpartition('/')[2]}/registrations", ANNA).status_code == 403
    )
    world.change("portals", world.shop.portal, active=False)
    assert code_of(site(held, ANNA, "invitation_events")) == (503, "portal_closed")
    db.session.rollback()
