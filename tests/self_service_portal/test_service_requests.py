"""Service requests as customers use them: whose they see, making one, accepting and refusing, messages, feedback (P1, P76, P77, P83)."""

import io
from typing import Any

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, records, relations
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.modules.portals import usual
from crm.modules.service_requests import categories, moving, note_files, notes, seeding, settings, steps, types
from tests.self_service_portal.conftest import csrf, mails
from tests.self_service_portal.test_requests import FORM, body_of

OPEN = {
    name: {"visible": True, "editable": True} for name in ("title", "description", "category_id", "type_id", "impact")
}


@pytest.fixture
def desk(shop: Any) -> Any:
    """Service requests are shown, own ones only, and may be made and commented; the seeded type goes to Alice's team."""
    settings.forget()
    seeding.seed()
    records.update(SYSTEM, "sr_types", types.default()["id"], {"unit_id": shop.people.team}, Channel.SYSTEM)
    shop.make("sender_addresses", address="support@kaisla.example", state="confirmed", is_default=True)
    said = usual.matrix_of("service_requests")["service_requests"]
    shop.show(service_requests=said | {"fields": said["fields"] | OPEN | {"urgency": {"visible": True}}})
    shop.requests = {
        name: shop.make(
            "service_requests", title=f"Trouble of {name}", contact_id=shop.ids[name], owner_id=shop.people.alice
        )
        for name in ("dora", "dan", "bea")
    }
    db.session.commit()
    return shop


def category(name: str) -> int:
    table = categories.TABLE
    return int(db.session.execute(select(table.c.id).where(table.c.name == name)).scalar_one())


def step(desk: Any, id: int, kind: str, name: str, text: str = "Words") -> int:
    made = moving.take_step(
        viewers.of_user(desk.people.alice), id, kind, {"text": text, "category_id": category(name)}, Channel.FORM
    )
    db.session.commit()
    return made


def row(id: int) -> Any:
    table = modules["service_requests"].table
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


def run(task: str) -> None:
    for job in db.session.execute(select(Job.__table__).where(Job.task == task, Job.state == "waiting")).all():
        TASKS[task].run(type("P", (), {"job_id": job.id})(), **job.arguments)
    db.session.commit()


def test_statuses_are_said_in_the_readers_language_in_the_words_of_the_house_or_ours(desk, crm):
    """P11, P74."""
    dan, ada = desk.browse("dan"), crm("ada")
    step(desk, desk.requests["dan"], "response", "Proposal")
    dan.post("/language", {"csrf": csrf(dan.get("/").text), "language": "fi", "next": "/portal/"})
    card = f"/service_requests/{desk.requests['dan']}"
    for page in (dan.get("/service_requests"), dan.get(card), dan.get("/")):
        assert "Vastattu" in page.text
        assert "Responded" not in page.text
    of = ada.form("/admin/translations?of=name:sr_statuses")
    ada.post("/admin/translations", of | {"fi name:sr_statuses.Responded": ["Luettu ja vastattu"]})
    for page in (dan.get("/service_requests"), dan.get(card)):
        assert "Luettu ja vastattu" in page.text


def test_a_customer_sees_own_requests_and_makes_one_that_goes_to_the_unit_of_its_type(desk):
    dan, dora, bea = (desk.browse(name) for name in ("dan", "dora", "bea"))
    page = dan.get("/service_requests").text
    assert "Trouble of dan" in page
    assert "Trouble of dora" not in page
    assert "Trouble of dan" in dora.get("/service_requests").text  # she administers the company
    assert "Trouble of dan" not in dora.get("/service_requests?whose=mine").text
    bea.get(f"/service_requests/{desk.requests['dan']}", 404)
    kept = desk.make("sr_types", name="For the team alone")
    relations.link(SYSTEM, "sr_types", kept, "units", [desk.people.team], Channel.SYSTEM)
    form = {
        "csrf": csrf(dan.get("/service_requests/new").text),
        "title": "No light",
        "impact": "1",
        "contact_id": str(desk.ids["bea"]),
    }
    wrong = dan.post(
        "/service_requests/new", form | {"description": " ", "category_id": "1", "type_id": str(kept)}, 422
    ).text
    assert "This must be filled in." in wrong
    assert wrong.count("Choose a value of the list.") >= 2
    assert 'value="No light"' in wrong
    good = form | {"description": "Since Monday", "category_id": str(category("Fault")), "urgency": "5"}
    id = int(dan.post("/service_requests/new", good, 303).headers["Location"].rsplit("/", 1)[1])
    made = row(id)
    assert (made["contact_id"], made["account_id"], made["owner_id"]) == (
        desk.ids["dan"],
        desk.ids["acme"],
        desk.people.team,
    )
    assert (made["impact"], made["urgency"], made["state"]) == (
        "1",
        "3",
        "pending",
    )  # urgency is not opened by the profile
    page = dan.get(f"/service_requests/{id}").text
    assert "Since Monday" in page
    assert "Fault" in page
    assert "No light" in dan.get("/").text
    desk.show(service_requests={"can_create": False})
    dan.get("/service_requests/new", 404)
    dan.post("/service_requests/new", good, 404)


def test_an_answer_is_accepted_or_refused_by_post_and_only_as_it_was_seen(desk):
    id, other = desk.requests["dan"], desk.requests["bea"]
    dan = desk.browse("dan")
    first = step(desk, id, "response", "Proposal", "Shall we come?")
    page = dan.get(f"/service_requests/{id}").text
    assert "Shall we come?" in page
    assert steps.newest(id)["accepted_at"] is None
    form = {"csrf": csrf(page), "step_id": str(first), "edition": "1"}
    strange = step(desk, other, "response", "Proposal")
    dan.post(f"/service_requests/{other}/decision", form | {"answer": "accept"}, 404)
    dan.post(f"/service_requests/{id}/decision", form | {"answer": "accept", "step_id": str(strange)}, 404)
    assert (
        "newer answer"
        in dan.post(f"/service_requests/{id}/decision", form | {"answer": "accept", "edition": "2"}, 409).text
    )
    assert (
        "what is still wrong"
        in dan.post(f"/service_requests/{id}/decision", form | {"answer": "refuse", "reason": " "}, 422).text
    )
    dan.post(f"/service_requests/{id}/decision", form | {"answer": "accept"}, 303)
    assert (steps.newest(id)["accepted_by_id"], steps.newest(id)["accepted_how"]) == (desk.ids["dan"], "portal")
    assert "decided already" in dan.post(f"/service_requests/{id}/decision", form | {"answer": "accept"}, 409).text
    final = step(desk, id, "final", "Repaired")
    again = form | {"step_id": str(final), "answer": "refuse", "reason": "Still dark"}
    dan.post(f"/service_requests/{id}/decision", again, 303)
    assert row(id)["rejected"]
    run("service_requests.tell_refused")
    assert "Still dark" in mails("sr:refused:")[0].payload["text"]


def test_messages_go_both_ways_notes_of_staff_stay_inside_and_feedback_comes_once_at_the_end(desk):
    id, alice = desk.requests["dan"], viewers.of_user(desk.people.alice)
    dan = desk.browse("dan")
    notes.say(alice, id, "Handle with care", is_internal=True)
    notes.say(alice, id, "Which floor is it?")
    db.session.commit()
    page = dan.get(f"/service_requests/{id}").text
    assert "Which floor is it?" in page
    assert "Handle with care" not in page
    form = {"csrf": csrf(page)}
    assert "Write something first." in dan.post(f"/service_requests/{id}/notes", form | {"text": "  "}, 422).text
    dan.post(f"/service_requests/{id}/notes", form | {"text": "The third <b>floor</b>"}, 303)
    assert "The third &lt;b&gt;floor&lt;/b&gt;" in dan.get(f"/service_requests/{id}").text
    run("service_requests.mail_note")
    assert [one.email for one in mails("sr:note:")] == ["dan@acme.example", "alice@example.com"]
    rated = form | {"rate": "9", "classification": "Praise"}
    dan.post(f"/service_requests/{id}/feedback", rated, 409)
    step(desk, id, "response", "Acknowledged")
    step(desk, id, "final", "Answered")
    moving.complete(alice, id, Channel.FORM)
    db.session.commit()
    dan.post(f"/service_requests/{id}/notes", form | {"text": "One more"}, 409)
    wrong = dan.post(f"/service_requests/{id}/feedback", rated | {"rate": "11", "comment": "Kept words"}, 422).text
    assert "from 0 to 10" in wrong
    assert "Kept words" in wrong
    dan.post(f"/service_requests/{id}/feedback", rated, 303)
    dan.post(f"/service_requests/{id}/feedback", rated, 409)
    assert row(id)["rating"] == 9
    desk.show(service_requests={"can_comment": False})
    dan.post(f"/service_requests/{desk.requests['dan']}/notes", form | {"text": "x"}, 404)


def test_files_come_with_requests_and_messages_and_are_downloads_of_those_who_see_them(desk):
    dan, id = desk.browse("dan"), desk.requests["dan"]
    form = {"csrf": csrf(dan.get(f"/service_requests/{id}").text), "text": "Look"}
    html = b"<script>alert(1)</script>"
    dan.post(f"/service_requests/{id}/notes", form | {"file": (io.BytesIO(html), "page.html")}, 303)
    (kept,) = note_files.files_of([one["id"] for one in notes.of_request(id)]).popitem()[1]
    path = f"/service_requests/{id}/files/{kept.id}"
    assert path in dan.get(f"/service_requests/{id}").text
    answer = dan.get(path)
    assert (answer.data, answer.mimetype) == (html, "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    answer.close()
    desk.browse("bea").get(path, 404)
    desk.browse("bea").get(f"/service_requests/{desk.requests['bea']}/files/{kept.id}", 404)
    alice = viewers.of_user(desk.people.alice)
    inside = attachments.store(alice, "inside.txt", io.BytesIO(b"x"), "text/plain")
    notes.say(alice, id, "Among us", is_internal=True, file_ids=[inside.id])
    db.session.commit()
    dan.get(f"/service_requests/{id}/files/{inside.id}", 404)
    run("service_requests.mail_note")
    assert "page.html" in mails("sr:note:")[0].payload["text"]
    count = len(notes.of_request(id))
    program = dan.post(f"/service_requests/{id}/notes", form | {"file": (io.BytesIO(b"MZ\x90"), "photo.png")}, 422).text
    assert "is a program" in program
    assert "Look" in program
    large = dan.client.post(
        f"/portal/service_requests/{id}/notes", data=body_of(form, "film.mp4", b"x" * (26 * 1024 * 1024)), content_type=FORM
    )  # fmt: skip
    assert large.status_code == 413
    assert "larger than 25 MB" in large.text
    assert len(notes.of_request(id)) == count
    new = {"csrf": form["csrf"], "title": "Dark again", "description": "Since noon"}
    assert "is a program" in dan.post(
        "/service_requests/new", new | {"file": (io.BytesIO(b"\x7fELF"), "tool.txt")}, 422
    ).text  # fmt: skip
    table = modules["service_requests"].table
    assert db.session.execute(select(table.c.id).where(table.c.title == "Dark again")).first() is None
    made = dan.post("/service_requests/new", new | {"file": (io.BytesIO(b"A picture"), "lamp.png")}, 303)
    assert "lamp.png" in dan.client.get(made.headers["Location"]).text
    desk.show(service_requests={"can_attach": False})
    assert 'type="file"' not in dan.get(f"/service_requests/{id}").text
    dan.post(f"/service_requests/{id}/notes", form | {"file": (io.BytesIO(b"x"), "a.txt")}, 404)
    dan.post("/service_requests/new", new | {"file": (io.BytesIO(b"x"), "a.txt")}, 404)
