"""Service requests: states, categories, acceptance, priorities, rules, dates, units, feedback, numbers (P74–P84, P86)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from crm import clock
from crm.db import db
from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.service_requests import (
    accepting,
    categories,
    correcting,
    feedback,
    moving,
    numbers,
    planning,
    settings,
    taking,
    transitions,
)
from crm.modules.service_requests.steps import newest

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def code(deed, *rest, **named):
    with pytest.raises(Conflict) as conflict:
        deed(*rest, **named)
    return conflict.value.code


def refusal(deed, *rest, **named):
    with pytest.raises(Refused) as refused:
        deed(*rest, **named)
    return {name: found[0].code for name, found in refused.value.faults.items()}


def letters(prefix):
    table = Delivery.__table__
    return list(db.session.execute(table.select().where(table.c.dedupe_key.startswith(prefix)).order_by(table.c.id)))


class Job:
    job_id = 1


def test_statuses_are_mapped_to_states_and_only_legal_moves_are_made(desk):
    """P74."""
    id, alice = desk.request(), desk.viewer("alice")
    assert (desk.row(id)["state"], desk.row(id)["status"]) == ("pending", "New")
    assert desk.row(id)["account_id"] == desk.account
    assert code(desk.step, id, "final", "Answered") == "illegal_move"
    assert code(moving.complete, alice, id, Channel.FORM) == "illegal_move"
    own = desk.make("sr_statuses", name="Waiting for parts", state="pending")
    moving.set_status(alice, id, own, Channel.FORM)
    assert (desk.row(id)["status"], desk.row(id)["state"]) == ("Waiting for parts", "pending")
    assert code(moving.set_status, alice, id, desk.status("Solved"), Channel.FORM) == "illegal_move"
    assert refusal(records.delete, SYSTEM, "sr_statuses", own, Channel.FORM)
    desk.step(id, "response", "Acknowledged")
    assert code(moving.cancel, alice, id, Channel.FORM, "Duplicate") == "illegal_move"
    other = desk.request()
    assert refusal(moving.cancel, alice, other, Channel.FORM) == {"cancel_reason": "required"}
    moving.cancel(alice, other, Channel.FORM, "Duplicate", "See the first")
    assert desk.row(other)["state"] == "cancelled"
    assert code(moving.cancel, alice, other, Channel.FORM, "Duplicate") == "ended"
    assert refusal(records.update, alice, "service_requests", other, {"title": "x"}, Channel.FORM)
    third = desk.request()
    relations.link(SYSTEM, "sr_types", desk.type, "statuses", [own], Channel.SYSTEM)
    assert refusal(records.delete, SYSTEM, "sr_statuses", own, Channel.FORM)  # a type lists it
    assert refusal(moving.set_status, alice, third, desk.status("New"), Channel.FORM) == {"status_id": "not_in_list"}
    relations.unlink(SYSTEM, "sr_types", desk.type, "statuses", [own], Channel.SYSTEM)
    records.delete(SYSTEM, "sr_statuses", own, Channel.FORM)  # nothing has it any more
    assert refusal(
        records.delete, SYSTEM, "sr_statuses", desk.status("Completed"), Channel.FORM
    )  # the only one of its state
    with pytest.raises(Refused):
        records.update(desk.viewer("ada"), "service_requests", id, {"status_id": own}, Channel.FORM)


def test_categories_are_trees_with_a_classification_and_no_circle(desk):
    """P75."""
    assert len(categories.CLASSIFICATIONS.choices) == 6
    fault = desk.category("Fault")
    below = desk.make("sr_categories", name="Light", tree="request", parent_id=fault)
    assert categories.one(below).classification == "Report an incident"
    assert categories.one(below).path == "Fault › Light"
    assert refusal(desk.set, "sr_categories", fault, parent_id=below) == {"parent_id": "cycle"}
    assert refusal(desk.make, "sr_categories", name="Odd", tree="final", parent_id=fault) == {"parent_id": "other_tree"}
    assert refusal(desk.make, "sr_categories", name="Bare", tree="request") == {"classification": "required"}
    assert refusal(desk.request, category_id=fault) == {"category_id": "not_in_list"}  # it has nodes below it
    id = desk.request(category_id=below)
    assert (desk.row(id)["classification"], desk.row(id)["category_path"]) == ("Report an incident", "Fault › Light")
    assert refusal(records.delete, SYSTEM, "sr_categories", below, Channel.FORM)
    under = desk.make("sr_categories", name="Lamp", tree="request", parent_id=below)
    desk.set("sr_categories", below, parent_id=desk.category("Change"), hidden=True)
    TASKS["service_requests.paths"].run(Job(), "sr_categories", "updated", [below], "system", None)
    assert categories.one(under).path == "Change › Light › Lamp"
    assert desk.row(id)["category_path"] == "Fault › Light"
    assert refusal(desk.request, category_id=below) == {"category_id": "not_in_list"}


def test_resolutions_wait_for_acceptance_by_the_customer_or_a_colleague(desk):
    """P76."""
    id, alice = desk.request(), desk.viewer("alice")
    assert refusal(desk.step, id, "response", "Repaired") == {"category_id": "not_in_list"}
    assert refusal(desk.step, id, "response", "Acknowledged", at=clock.now() + timedelta(hours=1)) == {
        "at": "bad_moment"
    }
    assert refusal(desk.step, id, "response", "Acknowledged", at=clock.now() - timedelta(days=9)) == {
        "at": "bad_moment"
    }
    desk.step(id, "response", "Proposal")
    assert code(desk.step, id, "temporary", "Workaround") == "not_accepted"
    assert refusal(accepting.accept_for, alice, id, desk.stranger, Channel.FORM) == {"accepted_by_id": "unrelated"}
    accepting.accept_for(alice, id, desk.colleague, Channel.FORM)
    first = desk.step(id, "temporary", "Workaround")
    assert desk.row(id)["waits_for"]
    assert code(desk.step, id, "final", "Answered") == "not_accepted"
    assert code(desk.step, id, "temporary", "Workaround") == "exists"
    correcting.correct(alice, id, first, {"text": "Better words"}, "A slip", Channel.FORM)
    assert newest(id)["text"] == "Better words"
    accepting.refuse(first, "It fell down again")
    assert desk.row(id)["rejected"]
    assert desk.row(id)["state"] == "temporary"
    second = desk.step(id, "temporary", "Workaround", accepted_by_id=desk.contact)
    assert code(accepting.accept, first, desk.contact, "link") == "newer_answer"
    desk.step(id, "final", "Repaired")
    assert code(correcting.correct, alice, id, second, {"text": "x"}, "A slip", Channel.FORM) == "too_late"
    assert code(moving.complete, alice, id, Channel.FORM) == "not_accepted"
    accepting.accept_for(alice, id, desk.contact, Channel.FORM)
    moving.complete(alice, id, Channel.FORM)
    assert desk.row(id)["state"] == "completed"
    assert desk.row(id)["ended_at"] is not None


def test_a_link_accepts_by_post_only_and_an_old_one_says_that_a_newer_answer_exists(desk, app):
    """P77."""
    from hub.public import create_public_app

    id = desk.request()
    step = desk.step(id, "response", "Proposal")
    TASKS["service_requests.mail_step"].run(Job(), step_id=step)
    db.session.commit()
    letter = letters(f"sr:step:{step}")[0]
    assert letter.email == "anna@virta.example"
    path = "/portal/public/requests/" + letter.payload["text"].rsplit("/", 1)[1].strip()
    client = create_public_app(app.config["CUSTOMERHUB"]).test_client()
    for _time in (1, 2):
        page = client.get(path)
        assert page.status_code == 200
        assert "Words" in page.text
    assert newest(id)["accepted_at"] is None
    assert client.post(path, data={"answer": "refuse", "reason": " "}).status_code == 422
    assert client.post(path[:-1] + ("A" if path[-1] != "A" else "B"), data={"answer": "accept"}).status_code == 404
    assert client.post(path, data={"answer": "refuse", "reason": "Too dear"}).status_code == 200
    db.session.expire_all()
    assert newest(id)["rejection"] == "Too dear"
    assert client.get(path).status_code == 404  # used up
    old = accepting.accept_link(step, desk.contact).rsplit("/", 1)[1]
    db.session.execute(update(modules["service_requests"].table).values(state="pending"))
    newer = desk.step(id, "response", "Proposal")
    good = accepting.accept_link(newer, desk.contact).rsplit("/", 1)[1]
    db.session.commit()
    assert "newer answer" in client.get(f"/portal/public/requests/{old}").text
    assert client.post(f"/portal/public/requests/{old}", data={"answer": "accept"}).status_code == 409
    assert client.post(f"/portal/public/requests/{good}", data={"answer": "accept"}).status_code == 200
    db.session.expire_all()
    assert (newest(id)["accepted_by_id"], newest(id)["accepted_how"]) == (desk.contact, "link")
    other = desk.request()
    corrected = desk.step(other, "response", "Proposal")
    before = accepting.accept_link(corrected, desk.contact).rsplit("/", 1)[1]
    correcting.correct(desk.viewer("alice"), other, corrected, {"text": "Dearer"}, "The price was wrong", Channel.FORM)
    db.session.commit()
    assert "newer answer" in client.get(f"/portal/public/requests/{before}").text
    assert client.post(f"/portal/public/requests/{before}", data={"answer": "accept"}).status_code == 409


def test_impact_and_urgency_make_the_priority_and_the_due_time(desk):
    """P78."""
    settings.change(cells={"1-1": 1, "5-5": 10, "2-2": 4}, minutes={"1": 60, "4": 600})
    with clock.standing_at(MONDAY):
        id = desk.request(impact="2", urgency="2")
        assert (desk.row(id)["priority"], desk.row(id)["due_at"]) == (4, MONDAY + timedelta(hours=10))
        desk.set("service_requests", id, impact="1", urgency="1")
        assert (desk.row(id)["priority"], desk.row(id)["due_at"]) == (1, MONDAY + timedelta(hours=1))
        desk.set("service_requests", id, urgency="3")
        assert desk.row(id)["priority"] == 3  # an empty cell is filled: 1 + 3 − 1
    assert [settings.priority_of(settings.current(), a, b) for a, b in (("1", "2"), ("4", "5"), ("5", "5"))] == [
        2,
        8,
        10,
    ]
    alice = desk.viewer("alice")
    assert "priority_reason" in refusal(records.update, alice, "service_requests", id, {"priority": 1}, Channel.FORM)
    by_hand = {"priority": 1, "priority_reason": "The director asked"}
    with pytest.raises(Refused):
        records.update(alice, "service_requests", id, by_hand, Channel.FORM)
    records.update(desk.viewer("ada"), "service_requests", id, by_hand, Channel.FORM)
    desk.set("service_requests", id, urgency="5")
    assert desk.row(id)["priority"] == 1
    assert refusal(settings.change, impacts_off=["1"]) == {"impacts_off": "in_use"}
    settings.change(impacts_off=["4"])
    assert refusal(desk.request, impact="4") == {"impact": "not_in_list"}


def test_rules_of_a_type_say_who_makes_which_move_and_the_type_stays(desk):
    """P79."""
    rules = [("New", "Responded", desk.people.bob), ("Responded", "Solved", None), ("Solved", "Completed", None)]
    made = [
        desk.make(
            "sr_rules",
            type_id=desk.type,
            from_status_id=desk.status(first),
            to_status_id=desk.status(last),
            allowed_id=who,
        )
        for first, last, who in rules
    ]
    assert refusal(
        desk.make,
        "sr_rules",
        type_id=desk.type,
        from_status_id=desk.status("Completed"),
        to_status_id=desk.status("New"),
    ) == {"to_status_id": "illegal_move"}
    desk.set("sr_types", desk.type, rules_count=True)
    assert refusal(records.delete, SYSTEM, "sr_rules", made[1], Channel.FORM)
    id = desk.request()
    assert code(desk.step, id, "response", "Acknowledged") == "not_allowed"
    desk.step(id, "response", "Acknowledged", who="bob")
    desk.step(id, "final", "Answered")
    assert code(desk.step, desk.request(), "response", "Acknowledged", who="alice") == "not_allowed"
    assert not transitions.reaches_the_end({"id": 0, "pending_status_id": None})
    other = desk.make("sr_types", name="Faulty item", code="")
    for name, value in (("type_id", other), ("contact_id", desk.colleague)):
        assert refusal(desk.set, "service_requests", id, **{name: value}) == {name: "fixed"}
    relations.link(SYSTEM, "sr_types", other, "units", [desk.people.team], Channel.SYSTEM)
    said = {"title": "x", "contact_id": desk.contact, "type_id": other}
    assert refusal(records.create, desk.viewer("charlie"), "service_requests", said, Channel.FORM) == {
        "type_id": "not_your_unit"
    }
    records.create(desk.viewer("alice"), "service_requests", said, Channel.FORM)


def test_responding_moves_the_dates_where_the_type_says_so_and_lateness_is_told(desk):
    """P80."""
    desk.set("sr_types", desk.type, within=10, within_unit="hours", recalculates=True)
    settings.change(minutes={})
    with clock.standing_at(MONDAY):
        id = desk.request()
        assert desk.row(id)["due_at"] == MONDAY + timedelta(hours=10)
    with clock.standing_at(MONDAY + timedelta(hours=2)):
        desk.step(id, "response", "Acknowledged")
        assert desk.row(id)["due_at"] == MONDAY + timedelta(hours=12)
    for hours, alerted, is_late in ((6, 0, False), (7.5, 50, False), (10.5, 80, False), (13, 100, True)):
        with clock.standing_at(MONDAY + timedelta(hours=hours)):
            TASKS["service_requests.clock"].run(Job())
        assert (desk.row(id)["alerted"] or 0, desk.row(id)["overdue"]) == (alerted, is_late), hours
    told = letters(f"sr:alert:{id}:")
    assert [one.email for one in told] == ["alice@example.com"] * 3
    assert told[-1].payload["subject"].startswith("Overdue")
    with clock.standing_at(MONDAY + timedelta(hours=15)):
        desk.step(id, "final", "Answered")
        moving.complete(desk.viewer("alice"), id, Channel.FORM)
    assert (desk.row(id)["minutes_late"], desk.row(id)["overdue"]) == (180, False)
    pausing = desk.make("sr_statuses", name="Asked back", state="pending", pauses=True)
    with clock.standing_at(MONDAY):
        other = desk.request()
        moving.set_status(desk.viewer("alice"), other, pausing, Channel.FORM)
    with clock.standing_at(MONDAY + timedelta(hours=4)):
        moving.set_status(desk.viewer("alice"), other, desk.status("New"), Channel.FORM)
    assert desk.row(other)["due_at"] == MONDAY + timedelta(hours=14)


def test_a_unit_gives_a_request_to_the_member_who_takes_it(desk):
    """P81: nothing goes on before somebody has taken it; outsiders cannot; the second is told who was faster."""
    desk.set("sr_types", desk.type, unit_id=desk.people.team)
    id = desk.request(owner_id=None)  # the unit of its type
    assert (desk.row(id)["unit_id"], desk.row(id)["accepted_by_id"]) == (desk.people.team, None)
    assert code(desk.step, id, "response", "Acknowledged") == "nobody"
    assert code(taking.take, desk.viewer("charlie"), id, Channel.FORM) == "not_your_unit"
    taking.take(desk.viewer("alice"), id, Channel.FORM)
    assert (desk.row(id)["owner_id"], desk.row(id)["accepted_by_id"]) == (desk.people.alice, desk.people.alice)
    with pytest.raises(Conflict, match="Alice Tester has taken"):
        taking.take(desk.viewer("bob"), id, Channel.FORM)
    assert code(taking.release, desk.viewer("bob"), id, Channel.FORM) == "not_yours"
    taking.release(desk.viewer("alice"), id, Channel.FORM)
    assert (desk.row(id)["owner_id"], desk.row(id)["accepted_by_id"]) == (desk.people.team, None)
    taking.take(desk.viewer("bob"), id, Channel.FORM)
    assert search.one(SYSTEM, "service_requests", id)["owner_id"] == desk.people.bob


def test_it_is_completed_only_when_its_activities_are_done_and_they_carry_number_and_contact(desk):
    """P82, P84."""
    id, alice = desk.request(), desk.viewer("alice")
    desk.set("sr_types", desk.type, activity_types=["Task"])
    assert refusal(planning.plan, alice, id, {"activity_type": "Call", "subject": "x"}, Channel.FORM) == {
        "activity_type": "not_in_list"
    }
    task = planning.plan(
        alice,
        id,
        {"kind": "task", "activity_type": "Task", "subject": "Buy a lamp", "due_on": "2027-01-01"},
        Channel.FORM,
    )
    assert search.one(SYSTEM, "activities", task)["subject"].startswith(desk.row(id)["number"])
    assert desk.contact in {one for (one,) in db.session.execute(relations.linked("activities", task, "contacts"))}
    desk.step(id, "response", "Acknowledged")
    desk.step(id, "final", "Answered")
    assert code(moving.complete, alice, id, Channel.FORM) == "open_activities"
    desk.set("activities", task, status="Completed")
    moving.complete(alice, id, Channel.FORM)
    other = desk.request()
    records.delete(SYSTEM, "service_requests", desk.request(), Channel.FORM)  # nothing belongs to it
    relations.link(SYSTEM, "service_requests", other, "related", [id], Channel.FORM)
    assert refusal(records.delete, SYSTEM, "service_requests", other, Channel.FORM) == {"": "in_use"}
    assert id in {one for (one,) in db.session.execute(relations.linked("service_requests", other, "related"))}
    assert other in {one for (one,) in db.session.execute(relations.linked("service_requests", id, "related_from"))}


def test_feedback_is_a_number_from_0_to_10_once_after_completion(desk):
    """P83."""
    id = desk.request()
    good = {"rate": "10", "classification": "Praise", "comment": "Quick"}
    assert code(feedback.give, id, desk.contact, good) == "not_completed"
    desk.step(id, "response", "Acknowledged")
    desk.step(id, "final", "Answered")
    moving.complete(desk.viewer("alice"), id, Channel.FORM)
    for rate in ("11", "-1", "", "5.5", "ten"):
        assert refusal(feedback.give, id, desk.contact, good | {"rate": rate}) == {"rate": "out_of_range"}
    assert refusal(feedback.give, id, None, {"rate": "0"}) == {"classification": "required", "contact_id": "required"}
    feedback.give(id, desk.contact, good | {"rate": "0"})
    assert code(feedback.give, id, desk.contact, good) == "answered"
    assert desk.row(id)["rating"] == 0
    (rated,) = numbers.ratings(desk.viewer("ada"), numbers.RATED[0])
    assert (rated.label, rated.count, rated.mean, rated.score) == ("Alice Tester", 1, 0.0, -100)


def test_numbers_of_the_dashboard_are_the_lengths_of_their_lists_for_each_reader(desk):
    """P86."""
    for number in range(5):
        desk.request(
            owner_id=(desk.people.alice, desk.people.team, desk.people.charlie)[number % 3], urgency=str(number + 1)
        )
    late = desk.request()
    desk.set("service_requests", late, title="Late")
    db.session.execute(
        update(modules["service_requests"].table)
        .where(modules["service_requests"].table.c.id == late)
        .values(overdue=True)
    )
    for name in ("alice", "bob", "ada"):
        who = desk.viewer(name)
        for box in numbers.BOXES:
            rows = search.find(who, "service_requests", where=box.where, limit=100).rows
            assert numbers.count_of(who, box.where) == len(rows), (name, box.label)
        for chart in numbers.CHARTS:
            for label, count, where in numbers.groups(who, chart):
                assert len(search.find(who, "service_requests", where=where, limit=100).rows) == count, (
                    chart.title,
                    label,
                )
    assert numbers.count_of(desk.viewer("ada"), numbers.BOXES[0].where) == 6
    assert numbers.count_of(desk.viewer("alice"), numbers.BOXES[1].where) == 3
    with pytest.raises(Missing):
        moving.locked(desk.viewer("alice"), 10**9)
