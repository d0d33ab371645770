"""Service requests by API: from the first answer to feedback, with the codes of what is refused (P74, P76, P81, P83)."""

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import categories, seeding, settings
from tests.api.calls import caller, made
from tests.people import make_people


@pytest.fixture
def folk(session):
    settings.forget()
    return make_people()


def told(answer, status):
    assert answer.status_code == status, answer.text
    if status >= 400:
        return [one["code"] for one in answer.json["errors"]]
    return answer.json["data"].get("attributes", answer.json["data"])


def test_a_request_is_worked_on_by_api_from_taking_to_feedback(app, folk):
    seeding.seed()
    contact, stranger = made("contacts", last_name="Virta"), made("contacts", last_name="Stranger")
    table = categories.TABLE
    proposal = db.session.execute(select(table.c.id).where(table.c.name == "Proposal")).scalar_one()
    alice = caller(app, folk.alice)
    id = made("service_requests", title="No light", contact_id=contact, owner_id=folk.team)
    path = f"/service_requests/{id}"
    assert told(alice("POST", f"{path}/steps", {"step": "response", "text": "x"}), 409) == ["nobody"]
    assert told(alice("POST", f"{path}/takes", {}), 200)["owner_id"] == folk.alice
    assert told(caller(app, folk.bob)("POST", f"{path}/takes", {}), 409) == ["taken"]
    assert told(alice("POST", f"{path}/steps", {"step": "answer"}), 422) == ["not_in_list"]
    assert told(alice("POST", f"{path}/steps", {"step": "response", "text": 5}), 422) == ["bad_value"]
    assert told(alice("POST", f"{path}/steps", {"step": "response", "text": "x", "at": "soon"}), 422) == ["bad_date"]
    said = {"step": "response", "text": "Shall we?", "category_id": proposal}
    assert told(alice("POST", f"{path}/steps", said), 201)["state"] == "responded"
    assert told(alice("POST", f"{path}/steps", {"step": "final", "text": "Done"}), 409) == ["not_accepted"]
    assert told(alice("POST", f"{path}/acceptances", {"contact_id": stranger}), 422) == ["unrelated"]
    assert told(alice("POST", f"{path}/refusals", {}), 422) == ["required"]
    assert told(alice("POST", f"{path}/refusals", {"reason": "Too dear"}), 200)["rejected"] is True
    assert told(alice("POST", f"{path}/corrections", {"text": "Cheaper", "correction": "x"}), 409) == ["decided"]
    told(alice("POST", f"{path}/steps", said | {"text": "Cheaper?"}), 201)
    assert told(alice("POST", f"{path}/corrections", {"text": "Cheaper"}), 422) == ["required"]
    told(alice("POST", f"{path}/corrections", {"text": "Half the price", "correction": "The price was missing"}), 200)
    assert told(alice("POST", f"{path}/acceptances", {"contact_id": contact}), 200)["waits_for"] is False
    assert told(alice("POST", f"{path}/statuses", {"status_id": 0}), 422) == ["not_in_list"]
    assert told(alice("POST", f"{path}/activities", {"activity_type": ["Party"]}), 422) == ["not_in_list"]
    task = told(alice("POST", f"{path}/activities", {"activity_type": "Task", "due_on": "2027-01-04"}), 201)
    assert task["subject"].endswith(": No light")
    assert told(alice("POST", f"{path}/cancellations", {"reason": "Duplicate"}), 409) == ["illegal_move"]
    told(alice("POST", f"{path}/notes", {"text": "On the way", "visibility": "internal"}), 201)
    answered = db.session.execute(select(table.c.id).where(table.c.name == "Answered")).scalar_one()
    told(alice("POST", f"{path}/steps", {"step": "final", "text": "Done", "category_id": answered}), 201)
    rated = {"contact_id": contact, "rate": 10, "classification": "Praise"}
    assert told(alice("POST", f"{path}/feedback", rated), 409) == ["not_completed"]
    assert told(alice("POST", f"{path}/completions", {}), 409) == ["open_activities"]
    records.update(
        SYSTEM, "activities", search.find(SYSTEM, "activities").rows[0].id, {"status": "Completed"}, Channel.SYSTEM
    )
    db.session.commit()
    assert told(alice("POST", f"{path}/completions", {}), 200)["state"] == "completed"
    assert told(alice("POST", f"{path}/feedback", rated | {"rate": 11}), 422) == ["out_of_range"]
    assert told(alice("POST", f"{path}/feedback", rated | {"contact_id": stranger}), 422) == ["unrelated"]
    assert told(alice("POST", f"{path}/feedback", rated), 201)["rating"] == 10
    assert told(alice("POST", f"{path}/feedback", rated), 409) == ["answered"]
    assert told(alice("POST", "/service_requests/999999999/takes", {}), 404) == ["no_such_record"]
    assert "/service_requests/{id}/steps" in alice("GET", "/openapi.json").json["paths"]
