"""Forms of other sites by API: what a key may hand in, once each for good, and what else comes of it (M119, M123)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from crm import clock
from crm.db import db
from crm.engine.outbox import Job
from crm.engine.registry import modules
from crm.engine.stored_answers import StoredAnswer
from crm.modules.intakes.tables import sweep
from crm.modules.privacy import erasing, person
from tests.api.calls import caller, made

COOKIE = "AbCdEfGhIjKlMnOpQrStUv"
ONLY_CREATE = {"leads": ["create"]}


def form(name="form-0001", module="leads", **more):
    values = {"last_name": "Virta", "company": "Virta Oy", "email": "veera@virta.example"} | more.pop("values", {})
    return {"submission": name, "module": module, "values": values} | more


def leads():
    table = modules["leads"].table
    return [dict(row) for row in db.session.execute(select(table).order_by(table.c.id)).mappings()]


def faults(answer, status=422):
    assert answer.status_code == status, answer.text
    return {(one.get("source", {}).get("pointer", "").rpartition("/")[2], one["code"]) for one in answer.json["errors"]}


def test_a_key_that_may_only_create_learns_modules_and_fields_and_reads_no_record(app, folk):
    made("leads", last_name="Secret", company="Hidden Oy", email="veera@virta.example")
    site = caller(app, folk.ada, ONLY_CREATE)
    found = site("GET", "/intakes/modules").json["data"]
    assert [(one["id"], one["attributes"]["updates"]) for one in found] == [("leads", False)]
    fields = {one["id"]: one["attributes"] for one in site("GET", "/intakes/modules/leads").json["data"]}
    assert (
        fields["last_name"] | {"label": "Last name", "kind": "text", "required": True, "max": 80} == fields["last_name"]
    )
    assert {"key": "Hot", "label": "Hot"} in fields["rating"]["values"]
    assert not fields["lead_status"]["required"]  # it has a value of its own
    assert "email_key" not in fields
    assert list(fields) == sorted(fields, key=lambda name: fields[name]["label"].casefold())
    assert site("GET", "/leads").status_code == 404
    assert site("GET", "/intakes/modules/contacts").status_code == 404
    answer = site("POST", "/intakes", form(fills=True))  # it may not change: so the known one is left alone
    assert answer.status_code == 201
    assert answer.json["data"]["type"] == "leads"
    assert len(leads()) == 2


def test_the_same_submission_is_one_record_however_often_and_whenever_it_comes(app, folk, monkeypatch):
    site = caller(app, folk.ada, ONLY_CREATE)
    first = site("POST", "/intakes", form())
    assert (first.status_code, first.json["meta"]) == (201, {"is_new": True, "is_again": False})
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    for values in ({}, {}, {"last_name": "Other"}):
        again = caller(app, folk.ada, ONLY_CREATE)("POST", "/intakes", form(values=values))  # a new key goes on
        assert (again.status_code, again.json["data"], again.json["meta"]["is_again"]) == (
            200,
            first.json["data"],
            True,
        )
    assert [one["last_name"] for one in leads()] == ["Virta"]
    stranger = caller(app, folk.alice, ONLY_CREATE)("POST", "/intakes", form(values={"last_name": "Third"}))
    assert stranger.status_code == 201  # names are a caller's own
    names = site("POST", "/intakes/checks", {"submissions": ["form-0001", "form-0002"]}).json["meta"]["found"]
    assert names == {"form-0001": first.json["data"]["id"]}
    after = later + timedelta(days=500)
    monkeypatch.setattr(clock, "now", lambda: after)
    assert sweep(None) == "2 forgotten"


def test_what_is_wrong_is_named_by_field_and_nothing_is_kept_of_it(app, folk):
    site = caller(app, folk.ada, ONLY_CREATE)
    assert faults(site("POST", "/intakes", form(values={"last_name": "", "rating": "Boiling", "annual_revenue": "much"}))) == {
        ("last_name", "required"), ("rating", "not_in_list"), ("annual_revenue", "not_a_number"),
    }  # fmt: skip
    assert faults(site("POST", "/intakes", form(values={"cf_9": "x", "email_key": "x"}))) == {
        ("cf_9", "unknown"), ("email_key", "read_only"),
    }  # fmt: skip
    assert faults(site("POST", "/intakes", form(module="contacts")), 403) == {("", "forbidden_action")}
    assert faults(site("POST", "/intakes", form(module="nothing"))) == {("module", "unknown")}
    assert faults(site("POST", "/intakes", form(name="short"))) == {("submission", "bad_value")}
    for wrong in ({"campaign_id": "7"}, {"sent_at": "soon"}, {"consent": "yes"}, {"visitor": 5}, {"values": []}):
        assert site("POST", "/intakes", form() | wrong).status_code == 422
    assert site("POST", "/intakes", form(colour="red")).status_code == 422
    assert leads() == []
    assert site("POST", "/intakes", form()).status_code == 201  # the name is still free


def test_a_known_person_is_filled_up_but_never_overwritten(app, folk):
    known = made("leads", last_name="Old", company="Old Oy", email="Veera@virta.example", email_opt_in="out_contact")
    site = caller(app, folk.ada, {"leads": ["create", "edit"]})
    consent = {"wording": "Send me letters", "source": "virta.example: Contact"}
    answer = site("POST", "/intakes", form(fills=True, consent=consent, values={"phone": "+358 40 1234567"}))
    assert answer.json == {"data": {"type": "leads", "id": str(known)}, "meta": {"is_new": False, "is_again": False}}
    lead = leads()[-1]
    assert (lead["last_name"], lead["phone"], lead["email_opt_in"]) == ("Old", "+358 40 1234567", "out_contact")
    fresh = form("form-0002", fills=True, consent=consent, values={"email": "new@virta.example"})
    site("POST", "/intakes", fresh)
    lead = leads()[-1]
    assert (lead["email_opt_in"], lead["email_opt_in_source"]) == ("single_webform", "virta.example: Contact")


def test_a_confirmed_agreement_is_asked_for_by_mail(app, folk):
    site = caller(app, folk.ada, ONLY_CREATE)
    consent = {"wording": "Send me letters", "source": "virta.example", "double": True}
    assert site("POST", "/intakes", form(consent=consent)).status_code == 201
    assert leads()[-1]["email_opt_in"] == "none"
    table = modules["opt_ins"].table
    asked = db.session.execute(select(table.c.email, table.c.wording)).one()
    assert tuple(asked) == ("veera@virta.example", "Send me letters")


@pytest.mark.parametrize("module", ["leads", "potentials"])
def test_the_campaign_and_the_browser_go_with_it(app, folk, module):
    campaign = made("campaigns", name="Spring")
    scopes = {module: ["create"], "campaigns": ["view", "edit"], "leads": ["create", "view"]}
    site = caller(app, folk.ada, scopes)
    values = {} if module == "leads" else {"name": "Boat"}
    said = form(module=module, campaign_id=campaign, visitor=COOKIE)
    said["values"] = said["values"] if module == "leads" else values
    answer = site("POST", "/intakes", said)
    assert answer.status_code == 201, answer.text
    table = modules[module].table
    id = int(answer.json["data"]["id"])
    assert db.session.execute(select(table.c.campaign_id).where(table.c.id == id)).scalar_one() == campaign
    inside = modules["campaign_members"].table
    people = db.session.execute(select(inside.c.person_id)).scalars().all()
    jobs = db.session.execute(select(func.count()).where(Job.task == "web.introduce")).scalar()
    assert (people, jobs) == (([id], 1) if module == "leads" else ([], 0))
    refused = caller(app, folk.ada, {"leads": ["create"]})("POST", "/intakes", form("form-0009", campaign_id=campaign))
    assert refused.status_code in (403, 422)


def test_a_form_of_an_erased_person_makes_nobody_anew(app, folk):
    site = caller(app, folk.ada, ONLY_CREATE)
    id = int(site("POST", "/intakes", form()).json["data"]["id"])
    erasing.erase(person.find("leads", id))
    db.session.commit()
    db.session.execute(delete(StoredAnswer))
    again = site("POST", "/intakes", form(values={"city": "Turku"}))
    assert (again.status_code, again.json["data"], again.json["meta"]["is_again"]) == (200, None, True)
    assert [one for one in leads() if one["email"]] == []
