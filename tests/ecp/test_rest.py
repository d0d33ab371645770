"""Sendouts by REST: at both of their names, and with the source that says where they came from."""

from datetime import timedelta

import pytest

from crm import clock
from crm.engine import search
from crm.identity.viewer import SYSTEM
from ecp.modules.sendouts import MODULE as SENDOUTS
from tests.api.calls import caller


@pytest.fixture
def ask(app, people, house):
    return caller(app, people.ada)


def test_every_address_of_sendouts_is_there_under_their_other_name_too(ask, app):
    rules = {(rule.rule, *sorted(rule.methods)) for rule in app.url_map.iter_rules()}
    verbs = {one for one in rules if one[0].startswith("/api/v1/sendouts/<int:id>/")}
    assert len(verbs) >= 8
    assert SENDOUTS.also == ("mass_mailings",)
    assert {(rule.replace("sendouts", "mass_mailings", 1), *methods) for rule, *methods in verbs} <= rules


def test_a_sendout_made_by_rest_says_so_and_is_driven_by_either_name(ask, house):
    said = {"name": "Spring", "campaign_id": house.campaign(house.contacts(2)), "email_template_id": house.mail_id}
    document = {"data": {"type": "mass_mailings", "attributes": said | {"list_type_id": house.list_id}}}
    made = ask("POST", "/mass_mailings", document)
    assert made.status_code == 201, made.text
    assert made.json["data"]["type"] == "sendouts"
    assert made.json["data"]["attributes"]["source"] == "api"
    here = f"/mass_mailings/{made.json['data']['id']}"
    at = (clock.now() + timedelta(hours=1)).isoformat()
    for method, path, body, state in (
        ("POST", "/schedules", {"at": at}, "scheduled"), ("DELETE", "/schedules", None, "draft"),
        ("POST", "/starts", {}, "preparing"), ("POST", "/pauses", {}, "paused"), ("POST", "/resumes", {}, "preparing"),
        ("POST", "/cancellations", {}, "cancelled"),
    ):  # fmt: skip
        answer = ask(method, here + path, body)
        assert answer.status_code == 200, (path, answer.text)
        assert search.one(SYSTEM, "sendouts", int(made.json["data"]["id"]))["state"] == state
    assert ask("GET", f"{here}/report").status_code == 200
    assert ask("GET", f"{here}/deliveries").status_code == 200
    assert ask("PATCH", here, {"data": {"type": "contacts", "attributes": {}}}).status_code == 409


def test_many_at_once_have_their_source_too_and_one_may_be_named(ask, house):
    said = {"name": "Spring", "campaign_id": house.campaign(house.contacts(1)), "email_template_id": house.mail_id}
    rows = [{"type": "sendouts", "attributes": said | more} for more in ({}, {"source": "mail_merge"})]
    made = ask("POST", "/sendouts", {"data": rows})
    assert [one["attributes"]["source"] for one in made.json["data"]] == ["api", "mail_merge"]
