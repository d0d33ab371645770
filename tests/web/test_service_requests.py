"""Pages of service requests as staff and administrators use them: the card's forms, the dashboard, the settings."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import search, text_index
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import categories, notes, numbers, seeding, settings, steps
from tests.web.test_tickets import csrf


@pytest.fixture
def request_id(make, people):
    settings.forget()
    seeding.seed()
    contact = make("contacts", last_name="Virta")
    return make("service_requests", title="No light", contact_id=contact, owner_id=people.alice)


def row(id):
    table = modules["service_requests"].table
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


def category(name):
    table = categories.TABLE
    return db.session.execute(select(table.c.id).where(table.c.name == name)).scalar_one()


def test_the_card_keeps_what_was_typed_and_says_at_the_field_what_is_wrong(browse, request_id):
    alice, base = browse("alice"), f"/service_requests/{request_id}"
    said = {"csrf": csrf(alice)}
    late = f"{clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    wrong = alice.post(
        f"{base}/response", said | {"text": "Words to keep", "at": late, "category_id": ""}, status=422
    ).text
    assert "Words to keep" in wrong
    assert f'value="{late}"' in wrong
    assert "between the beginning of the request and now" in wrong
    assert "Write something first." in alice.post(f"{base}/response", said | {"text": " "}, status=422).text
    assert "date and time" in alice.post(f"{base}/response", said | {"text": "x", "at": "soon"}, status=422).text
    alice.post(f"{base}/response", said | {"text": "We come", "category_id": str(category("Acknowledged"))})
    assert row(request_id)["state"] == "responded"
    step = steps.newest(request_id)
    fix = said | {"step_id": str(step["id"]), "text": "We come on Monday", "category_id": str(category("Proposal"))}
    assert "why it is corrected" in alice.post(f"{base}/corrections", fix, status=422).text
    bob = browse("bob")
    bob.post(
        f"{base}/corrections", fix | {"csrf": csrf(bob), "correction": "x"}, status=409
    )  # he neither holds nor wrote it
    alice.post(f"{base}/corrections", fix | {"correction": "The day was missing"})
    step = steps.newest(request_id)
    assert (step["text"], step["edition"], step["correction"]) == ("We come on Monday", 2, "The day was missing")
    assert step["needs_acceptance"]
    assert "Corrected: The day was missing" in alice.get(base).text
    assert "It goes on when the customer" in alice.get(base).text
    assert f'action="/crm{base}/final"' not in alice.get(base).text  # not before the customer has decided
    wrong = alice.post(f"{base}/refusals", said | {"reason": " "}, status=422).text
    assert "what is still wrong" in wrong
    alice.post(f"{base}/refusals", said | {"reason": "Monday is too late"})
    page = alice.get(base).text
    assert f'action="/crm{base}/response"' in page
    assert f'action="/crm{base}/final"' not in page
    alice.post(f"{base}/response", said | {"text": "Today, then", "category_id": str(category("Acknowledged"))})
    page = alice.get(base).text
    assert f'action="/crm{base}/final"' in page
    assert f'action="/crm{base}/complete"' not in page
    alice.post(f"{base}/status", said | {"status_id": "0"}, status=422)
    alice.post(f"{base}/complete", said, status=409)
    alice.post(f"{base}/cancel", said | {"cancel_reason": "Duplicate"}, status=409)
    assert "belong to it" in alice.post(f"{base}/delete", said, status=422).text


def test_notes_and_activities_are_made_on_the_card(browse, request_id):
    alice, base = browse("alice"), f"/service_requests/{request_id}"
    said = {"csrf": csrf(alice)}
    alice.post(f"{base}/notes", said | {"text": " "}, status=422)
    sent = {"text": "<i>Mind</i> the cable", "visibility": "internal", "file": (io.BytesIO(b"Plan"), "plan.txt")}
    alice.post(f"{base}/notes", said | sent)
    page = alice.get(base).text
    assert "&lt;i&gt;Mind&lt;/i&gt; the cable" in page
    assert [one["is_internal"] for one in notes.of_request(request_id)] == [True]
    place = re.search(rf'href="/crm({base}/attachments/\d+)"', page)[1]
    with alice.get(place) as answer:
        assert answer.data == b"Plan"
    program = said | {"text": "Run this", "file": (io.BytesIO(b"MZ"), "tool.txt")}
    assert "is a program" in alice.post(f"{base}/notes", program, status=422).text
    assert "Choose the day." in alice.post(f"{base}/activities", said | {"activity_type": "Task"}, status=422).text
    alice.post(f"{base}/activities", said | {"activity_type": "Task", "day": "someday"}, status=422)
    alice.post(f"{base}/activities", said | {"activity_type": "Party", "day": "2027-01-04"}, status=422)
    alice.post(f"{base}/activities", said | {"activity_type": "Call", "day": "2027-01-04", "time": "13:30"})
    made = search.find(SYSTEM, "activities", columns=("subject", "starts_at")).rows
    assert [(one["subject"], f"{one['starts_at']:%d %H:%M}") for one in made] == [
        (f"{row(request_id)['number']}: No light", "04 11:30")
    ]


def test_the_dashboard_is_in_the_menu_and_settings_are_reached_and_checked(browse, request_id, people):
    ada, alice = browse("ada"), browse("alice")
    assert 'href="/crm/service_requests/dashboard"' in alice.get("/").text
    assert "Open requests by state" in alice.get("/service_requests/dashboard").text
    assert numbers.count_of(people["alice"], numbers.MINE) == 1
    page = ada.get("/admin/service-requests").text
    for key in ("sr_types", "sr_statuses", "sr_categories", "sr_rules"):
        assert f'href="/crm/{key}"' in page
    assert "sr_statuses" not in text_index.search(SYSTEM, "respond")  # what is set up is no hit among records
    alice.get("/admin/service-requests", status=403)
    sent = ada.form("/admin/service-requests", has="alerts")
    bad = {
        "cell.1-1": ["11"],
        "minutes.1": ["soon"],
        "alerts": ["50, 200"],
        "auto_accept_after_days": ["x"],
        "impact.1.label": [" "],
    }
    wrong = ada.post("/admin/service-requests", sent | bad, status=422).text
    for sentence in ("from 1 to 10", "such as 4 or 1.5", "percents from 1 to 100", "whole number", "a name of at most"):
        assert sentence in wrong, sentence
    used = {name: value for name, value in sent.items() if name != "impact.3.on"}
    assert "must be one that is used" in ada.post("/admin/service-requests", used, status=422).text
    off = used | {"impact": ["2"]}
    assert "not finished have this level" in ada.post("/admin/service-requests", off, status=422).text
    good = {
        "cell.1-1": ["2"],
        "label.1": ["Burning"],
        "minutes.1": ["1,5"],
        "alerts": ["80 100"],
        "auto_accept_after_days": ["14"],
        "impact.1.label": ["Whole house"],
    }
    ada.post("/admin/service-requests", sent | good)
    settings.forget()
    kept = settings.current()
    assert (kept.cells, kept.labels, kept.minutes["1"], kept.alerts, kept.auto_accept_after_days) == (
        {"1-1": 2},
        {"1": "Burning"},
        90,
        [80, 100],
        14,
    )
    assert settings.name_of(1) == "1 Burning"
    db.session().info.pop("picklists", None)
    assert 'value="Whole house"' in ada.get("/admin/service-requests").text
    unit = f"/admin/service-requests/units/{people.team}"
    said = {"csrf": csrf(ada)}
    assert (
        "begin before they end" in ada.post(unit, said | {"mon.from": "17:00", "mon.until": "08:00"}, status=422).text
    )
    ada.post(unit, said | {"mon.from": "08:00", "mon.until": "12:00"})
    settings.forget()
    assert settings.current().hours == {str(people.team): {"mon": ["08:00", "12:00"]}}
    ada.post(unit, said)
    settings.forget()
    assert settings.current().hours == {}
    ada.get("/admin/service-requests/units/999999999", status=404)
