"""What comes after a refusal, what corrections move, who may have answered, and what the history keeps (P74, P76, P78, P79, P80)."""

import io
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import attachments, records, relations
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.outbox import TASKS
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import accepting, correcting, moving, note_files, notes, settings
from crm.modules.service_requests.steps import newest
from crm.modules.tickets.commenting import Author
from tests.modules.service_requests.test_service_requests import Job, code, letters, refusal

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def told(id):
    table = Change.__table__
    said = select(table.c.new, table.c.actor_id, table.c.contact_id).where(
        table.c.entity_id == id, table.c.field == "", table.c.new.in_(("accepted", "accepted by time", "not solved"))
    )
    return [tuple(row) for row in db.session.execute(said.order_by(table.c.id))]


def test_a_refused_response_is_followed_by_another_one_and_the_history_says_who_decided(desk):
    id, alice = desk.request(), desk.viewer("alice")
    first = desk.step(id, "response", "Proposal")
    answered = desk.row(id)["responded_at"]
    assert code(desk.step, id, "response", "Proposal") == "exists"
    accepting.decide(first, 1, desk.contact, "link", {"answer": "refuse", "reason": "Too dear"})
    assert code(desk.step, id, "final", "Answered") == "not_accepted"
    second = desk.step(id, "response", "Proposal")
    assert (desk.row(id)["rejected"], desk.row(id)["waits_for"]) == (False, True)
    assert desk.row(id)["responded_at"] == answered  # the customer was answered by the first
    assert code(accepting.decide, first, 1, desk.contact, "link", {"answer": "accept"}) == "newer_answer"
    assert refusal(accepting.decide, second, 1, desk.contact, "link", {"answer": "perhaps"}) == {"answer": "required"}
    accepting.decide(second, 1, desk.contact, "link", {"answer": "accept"})
    desk.step(id, "final", "Repaired")
    accepting.accept_for(alice, id, desk.colleague, Channel.FORM)
    moving.complete(alice, id, Channel.FORM)
    assert told(id) == [
        ("not solved", None, desk.contact), ("accepted", None, desk.contact), ("accepted", alice.id, None),
    ]  # fmt: skip


def test_silence_counts_from_when_the_customer_was_asked_not_from_the_day_that_was_typed(desk):
    settings.change(auto_accept_after_days=7)
    with clock.standing_at(MONDAY):
        id = desk.request()
    with clock.standing_at(MONDAY + timedelta(days=20)):
        desk.step(id, "response", "Proposal", at=MONDAY + timedelta(days=1))
        assert accepting.accept_by_time() == 0
    with clock.standing_at(MONDAY + timedelta(days=28)):
        assert accepting.accept_by_time() == 1
    assert newest(id)["accepted_how"] == "time"
    assert told(id) == [("accepted by time", None, None)]


def test_a_corrected_moment_moves_the_dates_of_the_request_and_only_users_have_answered(desk):
    desk.set("sr_types", desk.type, within=10, within_unit="hours", recalculates=True)
    settings.change(minutes={})
    alice = desk.viewer("alice")
    with clock.standing_at(MONDAY):
        id = desk.request()
    with clock.standing_at(MONDAY + timedelta(hours=3)):
        assert refusal(desk.step, id, "response", "Acknowledged", by_id=desk.contact) == {"by_id": "not_in_list"}
        assert refusal(desk.step, id, "response", "Acknowledged", by_id=10**12) == {"by_id": "not_in_list"}
        step = desk.step(id, "response", "Acknowledged")
        early = MONDAY + timedelta(hours=1)
        correcting.correct(alice, id, step, {"at": early}, "It was on the phone", Channel.FORM)
    assert (desk.row(id)["responded_at"], desk.row(id)["due_at"]) == (early, early + timedelta(hours=10))


def test_the_time_the_clock_stood_until_the_end_is_not_late(desk):
    desk.set("sr_types", desk.type, within=10, within_unit="hours")
    settings.change(minutes={})
    waiting = desk.make("sr_statuses", name="Asked the customer", state="final", pauses=True)
    with clock.standing_at(MONDAY):
        id = desk.request()
    with clock.standing_at(MONDAY + timedelta(hours=1)):
        desk.step(id, "response", "Acknowledged")
        desk.step(id, "final", "Answered", status_id=waiting)
    with clock.standing_at(MONDAY + timedelta(hours=30)):
        moving.complete(desk.viewer("alice"), id, Channel.FORM)
    row = desk.row(id)
    assert (row["minutes_late"], row["minutes_taken"], row["overdue"]) == (0, 60, False)


def test_a_priority_set_by_hand_is_changed_only_with_the_right(desk):
    id, alice = desk.request(), desk.viewer("alice")
    by_hand = {"priority": 1, "priority_reason": "The director asked"}
    records.update(desk.viewer("ada"), "service_requests", id, by_hand, Channel.FORM)
    assert refusal(records.update, alice, "service_requests", id, {"priority": 2}, Channel.FORM) == {
        "priority": "forbidden"
    }
    records.update(alice, "service_requests", id, {"title": "Other words"}, Channel.FORM)
    assert desk.row(id)["priority"] == 1


def test_a_type_may_name_the_categories_of_a_step(desk):
    repaired = desk.category("Repaired")
    relations.link(SYSTEM, "sr_types", desk.type, "categories", [repaired], Channel.SYSTEM)
    desk.set("sr_types", desk.type, final_category_id=None)
    id = desk.request()
    desk.step(id, "response", "Acknowledged")  # of responses it names none
    assert refusal(desk.step, id, "final", "Answered") == {"category_id": "not_in_list"}
    desk.step(id, "final", "Repaired")
    assert desk.row(id)["state"] == "final"


def test_mails_speak_the_language_of_the_customer_in_the_words_of_a_template_and_never_lose_the_link(desk):
    desk.set("contacts", desk.contact, language="fi", first_name="Anna")
    id = desk.request()
    mail = TASKS["service_requests.mail_step"]
    step = desk.step(id, "response", "Proposal", text="Hinta on {$user.name} 5 €")
    mail.run(Job(), step_id=step)
    number = desk.row(id)["number"]
    (letter,) = letters(f"sr:step:{step}")
    assert "Hinta on {$user.name} 5 €" in letter.payload["text"]  # what was typed is no tag
    assert "Please tell us" not in letter.payload["text"]
    assert "/portal/public/requests/" in letter.payload["text"]
    desk.make(
        "email_templates", name="Service request answer", kind="template", folder="System",
        subject="{$request.number} {$contact.first_name|Hei}", text="Dear {$contact.first_name},\n{$step.text}\nYours {$user.name}",
    )  # fmt: skip
    accepting.refuse(step, "Kallis", contact_id=desk.contact)
    other = desk.step(id, "response", "Proposal", text="Hinta on 4 €")
    mail.run(Job(), step_id=other)
    said = letters(f"sr:step:{other}")[0].payload
    assert said["subject"] == f"{number} Anna"
    assert said["text"].startswith("Dear Anna,\nHinta on 4 €\nYours Alice Tester")
    assert "/portal/public/requests/" in said["text"]  # the template forgot it


def test_a_link_ends_with_its_time_and_its_use_and_holds_for_its_purpose_and_person_only(desk, app):
    """P77."""
    from hub.public import create_public_app

    id = desk.request()
    step = desk.step(id, "response", "Proposal")
    accept = accepting.accept_link(step, desk.contact).rsplit("/", 1)[1]
    rate = accepting.feedback_link(id, desk.contact).rsplit("/", 1)[1]
    other = accepting.accept_link(step, desk.stranger).rsplit("/", 1)[1]
    db.session.commit()
    client, base = create_public_app(app.config["CUSTOMERHUB"]).test_client(), "/portal/public/requests/"
    assert client.post(base + accept, data={}).status_code == 422
    assert client.post(base + rate, data={"answer": "accept"}).status_code == 422  # feedback, not acceptance
    assert client.post(base + other, data={"answer": "accept"}).status_code == 422  # of nobody near the customer
    with clock.standing_at(clock.now() + accepting.LIFETIME + timedelta(minutes=1)):
        assert client.get(base + accept).status_code == 404
        assert client.post(base + accept, data={"answer": "accept"}).status_code == 404
    db.session.expire_all()
    assert newest(id)["accepted_at"] is None
    assert client.post(base + accept, data={"answer": "accept"}).status_code == 200
    assert client.post(base + accept, data={"answer": "accept"}).status_code == 404  # used


def test_with_a_person_go_the_files_of_what_the_person_wrote_and_no_others(desk):
    id, alice = desk.request(), desk.viewer("alice")
    theirs, ours = (
        attachments.store(SYSTEM, name, io.BytesIO(name.encode()), "") for name in ("theirs.txt", "ours.txt")
    )
    first = notes.put(id, Author("customer", "Anna", contact_id=desk.contact), "Look", False, [theirs.id])
    second = notes.say(alice, id, "Ours", is_internal=True, file_ids=[ours.id])
    assert note_files.forget([desk.contact]) == 1
    assert list(note_files.files_of([first, second])) == [second]
    table = attachments.StoredFile.__table__
    assert list(db.session.scalars(select(table.c.name).where(table.c.id.in_([theirs.id, ours.id])))) == ["ours.txt"]
