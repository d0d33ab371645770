"""Tickets: defaults, the clock in office hours, who gets them, how they close and open again, merging, splitting, FAQs."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from crm import clock
from crm.db import db
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.engine.history import of_record
from crm.engine.outbox import Job
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.tickets import closing, commenting, faq_making, merging, settings, statuses
from crm.modules.tickets.commenting import Author
from crm.modules.tickets.hours import Hours, later, minutes_between
from tests.modules.tickets.support import MONDAY

OFFICE = Hours(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("08:00", "16:00")), zone="Europe/Helsinki")
ANNA = Author("customer", "Anna Virta")


def moment(day, hour, minute=0):
    return datetime(2026, 3, day, hour - 2, minute, tzinfo=UTC)  # Helsinki in March before the 29th


def test_minutes_are_counted_in_office_hours_over_nights_weekends_and_holidays():
    assert later(moment(2, 10), 60, OFFICE) == moment(2, 11)
    assert later(moment(2, 15, 30), 60, OFFICE) == moment(3, 8, 30)
    assert later(moment(6, 15, 30), 60, OFFICE) == moment(9, 8, 30)  # Friday → Monday
    assert later(moment(7, 12), 30, OFFICE) == moment(9, 8, 30)  # begun on a Saturday
    closed = Hours(OFFICE.days, frozenset([date(2026, 3, 3)]), OFFICE.zone)
    assert later(moment(2, 15, 30), 60, closed) == moment(4, 8, 30)
    assert minutes_between(moment(6, 15), moment(9, 9), OFFICE) == 120
    assert minutes_between(moment(9, 9), moment(6, 15), OFFICE) == 0
    assert later(moment(2, 10), 90, Hours({})) == moment(2, 11, 30)


def test_office_hours_follow_the_clocks_of_the_zone_when_summer_begins():
    friday = datetime(2026, 3, 27, 13, 0, tzinfo=UTC)  # 15:00, winter time
    assert later(friday, 120, OFFICE) == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)  # Monday 09:00, summer time


def test_a_new_ticket_has_the_defaults_its_account_and_its_due_times(support):
    with clock.standing_at(MONDAY):
        row = support.row(support.ticket())
    assert (row["status"], row["priority"], row["state"], row["source"]) == ("Open", "Normal", "open", "crm")
    assert row["number"].startswith("TT")
    assert row["account_id"] == support.account
    assert row["respond_by_at"] == moment(3, 10)  # 480 minutes of eight-hour days
    assert row["due_at"] == moment(9, 10)


def test_the_clock_follows_the_priority_and_a_time_set_by_hand_stays(support):
    with clock.standing_at(MONDAY):
        id = support.ticket()
        support.update(id, priority="Urgent")
        assert support.row(id)["due_at"] == moment(2, 14)
        support.update(id, due_at=moment(5, 12))
        support.update(id, priority="Low")
        assert support.row(id)["due_at"] == moment(5, 12)
        support.update(id, due_at=None)
        support.update(id, priority="Urgent")
        assert support.row(id)["due_at"] == moment(2, 14)


def test_the_clock_stands_while_the_customer_is_waited_for(support):
    with clock.standing_at(MONDAY):
        id = support.ticket(priority="Urgent")
    with clock.standing_at(moment(2, 11)):
        support.update(id, status="Wait For Response")
    with clock.standing_at(moment(2, 15)):
        support.update(id, status="In Progress")
    row = support.row(id)
    assert row["paused_minutes"] == 240
    assert row["paused_at"] is None
    assert row["due_at"] == moment(3, 10)  # 14:00 and four office hours


def test_what_is_overdue_is_marked_and_told_once_and_a_waiting_ticket_is_not(support, people):
    with clock.standing_at(MONDAY):
        late, waits = (
            support.ticket(priority="Urgent", owner_id=people.alice),
            support.ticket(priority="Urgent", owner_id=people.alice),
        )
        support.update(waits, status="Wait For Response")
        support.run_jobs()
    before = len(support.sent("alice@example.com"))
    for _again in range(2):
        with clock.standing_at(MONDAY + timedelta(days=1)):
            from crm.modules.tickets.telling import run_clock

            run_clock(None)
    assert support.row(late)["overdue"]
    assert not support.row(waits)["overdue"]
    told = [row.payload["subject"] for row in support.sent("alice@example.com")[before:]]
    assert sum("is overdue" in one for one in told) == 1
    assert sum("first answer" in one for one in told) == 1
    support.update(late, due_at=clock.now() + timedelta(days=3))
    assert not support.row(late)["overdue"]


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"title": ""}, "title", "required"),
        ({"title": "x" * 256}, "title", "too_long"),
        ({"status": "Nearly done"}, "status", "not_in_list"),
        ({"priority": "Extreme"}, "priority", "not_in_list"),
        ({"hours": -1}, "hours", "too_small"),
    ],
)
def test_bad_values_are_refused_at_the_field(support, values, field, code):
    with pytest.raises(Refused) as refused:
        support.ticket(**values)
    assert field in refused.value.faults
    assert refused.value.faults[field][0].code in {code, "out_of_range", "too_low"}


def test_a_contact_of_another_account_is_refused_with_what_to_do(support):
    other = support.make("accounts", name="Other Oy")
    with pytest.raises(Refused) as refused:
        support.ticket(account_id=other)
    assert refused.value.faults["contact_id"][0].code == "other_account"
    assert "Leave the account empty" in refused.value.faults["contact_id"][0].message
    assert support.row(support.ticket(account_id=support.account))["account_id"] == support.account


def test_changes_of_a_ticket_are_in_its_history(support, people):
    id = support.ticket()
    records.update(people["alice"], "tickets", id, {"status": "In Progress", "priority": "High"}, Channel.QUICK_EDIT)
    changes = {(one.field, one.old, one.new) for one in of_record(SYSTEM, modules["tickets"], id)}
    assert ("status", "Open", "In Progress") in changes
    assert ("priority", "Normal", "High") in changes


def test_a_solution_is_asked_for_when_an_agent_closes_and_not_of_the_customer(support):
    settings.change(needs_solution=True)
    id = support.ticket()
    with pytest.raises(Refused) as refused:
        support.update(id, status="Closed")
    assert "solution" in refused.value.faults
    closing.close(SYSTEM, id, Channel.PORTAL)
    row = support.row(id)
    assert row["state"] == "closed"
    assert row["closed_by_customer"]
    assert row["closed_at"] is not None
    with pytest.raises(Conflict):
        closing.close(SYSTEM, id, Channel.PORTAL)


def test_a_reply_wakes_a_waiting_ticket_reopens_a_young_one_and_follows_on_an_old_one(support):
    with clock.standing_at(MONDAY):
        id = support.ticket()
        support.update(id, status="Wait For Response")
        commenting.reply(support.stored(id), ANNA, {"text": "Here you are"}, (), Channel.PORTAL)
        assert support.row(id)["status"] == "In Progress"
        support.update(id, status="Closed")
    with clock.standing_at(MONDAY + timedelta(days=13)):
        said = commenting.reply(support.stored(id), ANNA, {"text": "Again"}, (), Channel.PORTAL)
        assert said.ticket_id == id
        assert support.row(id)["state"] == "open"
        assert support.row(id)["reopened_count"] == 1
        support.update(id, status="Closed")
    with clock.standing_at(MONDAY + timedelta(days=40)):
        said = commenting.reply(support.stored(id), ANNA, {"text": "And again"}, (), Channel.PORTAL)
        assert said.ticket_id != id
        assert support.row(id)["state"] == "closed"
        assert support.row(said.ticket_id)["parent_id"] == id
        assert support.row(said.ticket_id)["contact_id"] == support.contact
        with pytest.raises(Conflict):
            closing.reopen(SYSTEM, id, Channel.PORTAL)


def test_tickets_without_owner_go_round_the_members_of_a_group(support, people):
    settings.change(assigning="round_robin", group_id=people.team)
    owners = [support.row(support.ticket())["owner_id"] for _one in range(4)]
    assert owners == [people.alice, people.bob, people.alice, people.bob]
    assert support.row(support.ticket(owner_id=people.charlie))["owner_id"] == people.charlie
    settings.change(assigning="one", assignee_id=people.team)
    assert support.row(support.ticket())["owner_id"] == people.team


def test_a_status_follows_the_state_that_an_administrator_maps_it_to(support):
    id = support.ticket(status="In Progress")
    mapped = {
        one: (statuses.state_of(one), statuses.tells_customer(one))
        for one in ("Open", "In Progress", "Wait For Response", "Closed")
    }
    statuses.change(mapped | {"In Progress": ("waiting", True)}, ("Parked", "waiting", False))
    assert support.stored(id)["state"] == "waiting"
    assert statuses.tells_customer("In Progress")
    assert support.row(support.ticket(status="Parked"))["state"] == "waiting"
    with pytest.raises(Refused):
        statuses.change(mapped | {"Closed": ("open", True)})
    with pytest.raises(Refused):
        statuses.change(mapped, ("parked", "open", False))


def test_merged_tickets_give_their_comments_and_point_at_the_one_that_stays(support, people):
    keep, other = support.ticket(), support.ticket(title="Printer burns", description="It burns")
    commenting.put(other, ANNA, {"text": "It still burns", "visibility": "public"})
    merging.merge(people["alice"], keep, [other], Channel.FORM)
    texts = [one["text"] for one in support.comments(keep)]
    assert "It still burns" in texts
    assert any("It burns" in text for text in texts)
    row = support.row(other)
    assert (row["state"], row["merged_into_id"]) == ("closed", keep)
    assert commenting.reply(support.stored(other), ANNA, {"text": "Hello?"}, (), Channel.PORTAL).ticket_id == keep
    with pytest.raises(Refused):
        merging.merge(people["alice"], keep, [other], Channel.FORM)
    with pytest.raises(Refused):
        merging.merge(people["alice"], keep, [keep], Channel.FORM)


def test_a_comment_becomes_a_ticket_of_its_own(support, people):
    id = support.ticket()
    photo = attachments.store(SYSTEM, "smoke.txt", io.BytesIO(b"a photo"), "text/plain").id
    comment = commenting.put(id, ANNA, {"text": "The scanner smokes too", "visibility": "public"}, [photo])
    made = merging.split(people["alice"], comment, "Scanner smokes", Channel.FORM)
    row = support.row(made)
    assert (row["title"], row["description"], row["parent_id"], row["contact_id"]) == (
        "Scanner smokes", "The scanner smokes too", id, support.contact,
    )  # fmt: skip
    assert commenting.file_of(people["alice"], made, photo).name == "smoke.txt"
    assert commenting.file_of(people["alice"], id, photo).name == "smoke.txt", "the first ticket keeps what was said"
    note = commenting.put(id, ANNA, {"text": "Anna is difficult", "visibility": "internal"})
    secret = merging.split(people["alice"], note, "Talk to Anna", Channel.FORM)
    assert support.row(secret)["description"] is None, "customers read descriptions"
    assert [(one["text"], one["visibility"]) for one in support.comments(secret)] == [("Anna is difficult", "internal")]


def test_a_ticket_becomes_a_draft_of_a_faq_with_personal_data_marked(support, people):
    id = support.ticket(
        title="How do I stop the fire",
        solution="Anna Virta calls 040 555 1234 or writes to anna@virta.example, 131052-308T.",
    )
    draft = faq_making.draft_of(people["alice"], id)
    assert draft.question == "How do I stop the fire"
    kinds = {(one.kind, one.text) for one in draft.found}
    assert {
        ("name", "Anna"),
        ("name", "Virta"),
        ("email", "anna@virta.example"),
        ("identity", "131052-308T"),
        ("phone", "040 555 1234"),
    } <= kinds
    made = faq_making.make(people["alice"], id, {"question": draft.question, "answer": "Call somebody."}, Channel.FORM)
    table = modules["faqs"].table
    row = db.session.execute(table.select().where(table.c.id == made)).mappings().one()
    assert (row["status"], row["source_ticket_id"]) == ("Draft", id)
    without = support.ticket()
    commenting.put(without, Author("staff", "Bob"), {"text": "Use water.", "visibility": "public"})
    commenting.put(without, Author("staff", "Bob"), {"text": "He will not.", "visibility": "internal"})
    assert faq_making.draft_of(people["alice"], without).answer == "Use water."


def test_a_survey_is_asked_for_once_a_closing_of_a_ticket_with_a_contact(support):
    settings.change(survey_id=1)
    id = support.ticket()
    support.run_jobs()
    for status in ("Closed", "Open", "Closed"):
        support.update(id, status=status)
        support.run_jobs()
    jobs = list(db.session.query(Job).filter(Job.task == "surveys.invite"))
    assert len(jobs) == 2
    assert jobs[0].arguments == {"survey_id": 1, "contact_id": support.contact, "source": "ticket", "subject_id": id}


def test_somebody_without_right_to_the_ticket_comments_nothing(support, people):
    id = support.ticket(owner_id=people.alice)
    support.keep_private("tickets")
    with pytest.raises(Missing):
        commenting.say(people["charlie"], id, "May I?", "internal")
    comment = commenting.say(people["alice"], id, "I may.", "internal")
    with pytest.raises(Missing):
        commenting.of_id(people["charlie"], comment)
    assert commenting.of_id(people["alice"], comment)["text"] == "I may."
