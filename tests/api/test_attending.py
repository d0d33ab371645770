"""Events by API: places given, taken, moved on; attendance; rights, conflicts by code, and the document that names the calls."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.api.calls import caller, made

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def still_clock():
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def fair(folk):
    said = {"starts_at": NOW + timedelta(hours=2), "ends_at": NOW + timedelta(hours=5), "owner_id": folk.alice}
    return made(
        "mass_events", name="Fair", status="published", capacity=1, spare_capacity=1, promotion_cutoff_hours=0, **said
    )


@pytest.fixture
def guests(folk):
    return [made("contacts", last_name=f"Guest {n}", owner_id=folk.alice) for n in range(4)]


def status_of(attendee):
    table = modules["attendees"].table
    db.session.expire_all()
    return db.session.execute(select(table.c.status).where(table.c.id == int(attendee))).scalar()


def code_of(answer):
    return answer.status_code, answer.json["errors"][0]["code"]


def test_places_are_given_confirmed_moved_on_and_marked_by_the_rules_of_the_screens(ada, fair, guests):
    key = str(uuid.uuid4())
    first = ada(
        "POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[:1], "role": "VIP"}, Idempotency_Key=key
    )
    assert (first.status_code, first.json["data"][0]["attributes"]["status"]) == (201, "joined")
    again = ada(
        "POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[:1], "role": "VIP"}, Idempotency_Key=key
    )
    assert again.json == first.json
    one = first.json["data"][0]["id"]
    more = ada("POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[:3]})
    assert more.json["meta"] == {"joined": 0, "held": 0, "spare": 1, "full": 1, "already_there": 1}
    two = more.json["data"][1]["id"]
    assert code_of(ada("POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[3:]})) == (409, "event_full")
    assert code_of(ada("POST", f"/attendees/{two}/seats", {})) == (409, "event_full")
    gone = ada("POST", f"/mass_event_registrations/{one}/cancellations", {"reason": "Ill"})
    assert (
        gone.json["data"]["attributes"] | {"status": "cancelled", "cancel_reason": "Ill"}
        == gone.json["data"]["attributes"]
    )
    assert status_of(two) == "joined"  # who waited moved up
    assert ada("POST", f"/attendees/{two}/spare_places", {}).json["data"]["attributes"]["status"] == "spare"
    assert ada("POST", f"/attendees/{two}/seats", {"tells": False}).json["data"]["attributes"]["status"] == "joined"
    table = modules["attendees"].table
    code = db.session.execute(select(table.c.code).where(table.c.id == int(two))).scalar()
    came = ada("POST", f"/mass_events/{fair}/check_ins", {"code": code.lower()})
    assert came.json["data"]["attributes"]["status"] == "attended"
    assert (
        ada("POST", f"/attendees/{two}/attendances", {"status": "joined"}).json["data"]["attributes"]["status"]
        == "joined"
    )
    assert code_of(ada("POST", f"/attendees/{two}/attendances", {"status": "no_show"})) == (409, "too_early")
    assert code_of(ada("POST", f"/attendees/{one}/attendances", {})) == (409, "not_joined")


def test_a_held_seat_is_confirmed_and_an_event_is_closed_and_called_off(ada, fair, guests):
    given = ada("POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[:1]}).json["data"][0]["id"]
    held = {"status": "held", "held_until": NOW + timedelta(minutes=5)}
    records.update(SYSTEM, "attendees", int(given), held, Channel.SYSTEM)
    db.session.commit()
    assert ada("POST", f"/attendees/{given}/confirmations", {}).json["data"]["attributes"]["status"] == "joined"
    assert ada("POST", f"/mass_events/{fair}/closings", {}).status_code == 204
    assert (
        ada("POST", f"/mass_events/{fair}/cancellations", {}).json["errors"][0]["source"]["pointer"].endswith("/reason")
    )
    assert ada("POST", f"/mass_events/{fair}/cancellations", {"reason": "Storm"}).status_code == 204
    assert ada("GET", f"/mass_events/{fair}").json["data"]["attributes"]["status"] == "cancelled"
    assert code_of(ada("POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[1:2]})) == (
        409,
        "event_cancelled",
    )


def test_only_organisers_call_and_bad_calls_are_told_by_field(app, folk, ada, fair, guests):
    given = ada("POST", f"/mass_events/{fair}/attendees", {"contact_ids": guests[:1]}).json["data"][0]["id"]
    reads = {"mass_events": ["view"], "attendees": ["view"], "contacts": ["view"]}
    looker = caller(app, folk.alice, scopes=reads)
    assert looker("GET", f"/attendees/{given}").status_code == 200
    for path in (f"/mass_events/{fair}/attendees", f"/attendees/{given}/cancellations", f"/mass_events/{fair}/check_ins",
                 f"/attendees/{given}/attendances", f"/mass_events/{fair}/closings"):  # fmt: skip
        assert looker("POST", path, {}).status_code == 403, path
    assert status_of(given) == "joined"
    for path, body, status, code in (
        (f"/mass_events/{fair}/attendees", {}, 422, "required"),
        (f"/mass_events/{fair}/attendees", {"contact_ids": [99_999_999]}, 404, "no_such_record"),
        (f"/mass_events/{fair}/attendees", {"contact_ids": guests[:2], "sub_event_ids": [fair]}, 422, "bad_value"),
        (f"/mass_events/{fair}/attendees", {"contact_ids": guests[:1], "seat": 1}, 422, "unknown"),
        (f"/invitation_events/{fair}/attendees", {"contact_ids": guests[:1]}, 404, "no_such_record"),
        (f"/mass_events/{fair}/check_ins", {"code": "AAAAAAAA"}, 422, "no_such_record"),
        (f"/attendees/{given}/attendances", {"status": "here"}, 422, "not_in_list"),
        (f"/attendees/{given}/seats", {}, 409, "not_waiting"),
    ):
        assert code_of(ada("POST", path, body)) == (status, code), (path, body)


def test_the_document_names_the_verbs_with_what_they_take(ada):
    paths = ada("GET", "/openapi.json").json["paths"]
    added = paths["/mass_events/{id}/attendees"]["post"]
    assert "contact_ids" in added["summary"]
    assert added["tags"] == ["Mass events"]
    assert {"/attendees/{id}/cancellations", "/attendees/{id}/attendances", "/invitation_events/{slug}/registrations",
            "/sendouts/{id}/starts", "/campaigns/{id}/members"} <= set(paths)  # fmt: skip
    assert [one["name"] for one in paths["/attendees/{id}/seats"]["parameters"]] == ["id"]
