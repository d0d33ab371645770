"""Staff pages of events, used as the organiser does it, without scripts."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from lxml import html
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.events import seats
from crm.modules.events.event_times import set_times

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=5)


def status_of(attendee_id):
    table = modules["attendees"].table
    return db.session.execute(select(table.c.status).where(table.c.id == attendee_id)).scalar()


def send(browser, path, said=None, status=303):
    """Post a form with the token of the session, as every page has it."""
    token = html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    return browser.post(path, {"csrf": token, **(said or {})}, status)


@pytest.fixture
def guests(make):
    return [make("contacts", last_name=f"Guest {n}", email=f"guest.{n}@example.com") for n in range(4)]


@pytest.fixture
def fair(make):
    return make(
        "mass_events",
        name="Fair",
        status="published",
        starts_at=START,
        ends_at=START + timedelta(hours=2),
        capacity=2,
        spare_capacity=1,
    )


def test_people_are_added_by_address_and_target_group_with_a_summary(browse, make, fair, guests):
    alice = browse("alice")
    page = alice.get(f"/mass_events/{fair}/add")
    assert "Capacity: 2" in page.text
    typed = "guest.0@example.com; guest.1@example.com\nguest.2@example.com,guest.3@example.com nobody@example.com"
    send(alice, f"/mass_events/{fair}/add", {"addresses": typed})
    told = alice.get(f"/mass_events/{fair}").text
    assert "Seats: 2. Spare places: 1. Full: 1. Already there: 0." in told
    assert "Not found: nobody@example.com" in told
    send(alice, f"/mass_events/{fair}/add", {"addresses": ""}, 422)


def test_the_numbers_lead_to_lists_with_as_many_rows(browse, fair, guests):
    seats.add_many(SYSTEM, fair, guests, Channel.FORM)
    db.session.commit()
    alice = browse("alice")
    page = alice.get(f"/mass_events/{fair}/kpi").text
    assert "Registrations a day" in page
    found = re.findall(
        r'<a class="figure" href="([^"]+)"><span class="big-number">(\d+)</span><span class="quiet small">([^<]+)', page
    )
    assert {label: int(number) for _href, number, label in found} == {
        "Joined": 2, "On spare places": 1, "Cancelled": 0, "Attended": 0, "Did not come": 0,
    }  # fmt: skip
    for href, number, _label in found:
        rows = len(set(re.findall(r'href="/crm/attendees/(\d+)"', alice.get(unescape(href).removeprefix("/crm")).text)))
        assert rows == int(number), href


def test_an_organiser_checks_in_by_code_and_by_name_gives_seats_and_cancels(browse, make, guests):
    event = make("invitation_events", name="Evening", seats=2, spare_places=2, spare_promotion="manual")
    today = datetime.now(UTC)
    set_times(
        SYSTEM,
        event,
        [{"starts_at": today + timedelta(minutes=1), "ends_at": today + timedelta(hours=2)}],
        Channel.SYSTEM,
    )
    given = [place.attendee_id for place in seats.add_many(SYSTEM, event, guests[:3], Channel.FORM)]
    table = modules["attendees"].table
    code = db.session.execute(select(table.c.code).where(table.c.id == given[0])).scalar()
    db.session.commit()
    alice, home = browse("alice"), f"/invitation_events/{event}"
    assert "camera=(self)" in alice.get(f"{home}/check-in").headers["Permissions-Policy"]
    send(alice, f"{home}/check-in", {"code": code.lower()})
    assert status_of(given[0]) == "attended"
    send(alice, f"{home}/check-in", {"code": "AAAAAAAA"})
    page = alice.get(f"{home}/check-in?q=Guest+1").text
    assert "This code is of nobody at this event." in page
    assert f'value="{given[1]}"' in page
    send(alice, f"{home}/check-in", {"attendee_id": str(given[2])})
    assert status_of(given[2]) == "spare"
    send(alice, f"{home}/attendees/{given[1]}", {"what": "cancel"})
    assert (status_of(given[1]), status_of(given[2])) == ("cancelled", "spare")
    assert "Give seat" in alice.get(f"/attendees/{given[2]}").text
    send(alice, f"{home}/attendees/{given[2]}", {"what": "seat"})
    assert status_of(given[2]) == "joined"
    assert alice.get(f"{home}/attendees/{given[2]}/code.svg").text.startswith("<svg")


def test_times_are_written_in_the_zone_of_the_event_and_faults_keep_what_was_typed(browse, make):
    event, alice = make("invitation_events", name="Course", seats=3, time_zone="Europe/Helsinki"), browse("alice")
    bad = {"subject": ["Day one"], "starts_at": ["2027-01-11T10:00"], "ends_at": ["2027-01-11T09:00"]}
    answer = send(alice, f"/invitation_events/{event}/times", bad, 422)
    assert "cannot end before it starts" in answer.text
    assert 'value="Day one"' in answer.text
    send(alice, f"/invitation_events/{event}/times", bad | {"ends_at": ["2027-01-11T12:00"]})
    assert "10:00" in alice.get(f"/invitation_events/{event}").text
    table = modules["invitation_events"].table
    starts = db.session.execute(select(table.c.starts_at).where(table.c.id == event)).scalar()
    assert starts == datetime(2027, 1, 11, 8, 0, tzinfo=UTC)


def test_a_trigger_is_made_step_by_step_and_each_fault_is_told_at_its_step(browse, make, fair):
    sender = make("sender_addresses", owner="ada", address="events@example.com", state="confirmed", is_default=True)
    mail = make(
        "email_templates", owner="ada", name="Soon", kind="email", status="active", subject="Soon", text="Soon", sender_name="We",
        sender_address_id=sender,
    )  # fmt: skip
    ada, path = browse("ada"), f"/mass_events/{fair}/triggers/new"
    answer = send(ada, path, {"step": "when", "name": "Reminder", "action": "scheduled"}, 422)
    assert "Choose the mail that is sent." in answer.text
    said = {"name": "Reminder", "action": "scheduled", "template_id": str(mail)}
    assert "2. To whom</strong>" in send(ada, path, said | {"step": "when"}, 200).text
    said["target"] = "attendees"
    built = {"node": ["open:a", "row:b", "close"], "a.match": "$and", "b.field": "company", "b.op": "$cts"}
    where = '{"$cts": ["company", "Oy"]}'
    wrong = {"conditions": '{"$eq": ["no_such_field", 1]}'}
    assert "2. To whom</strong>" in send(ada, path, said | {"step": "who"} | wrong, 422).text
    answer = send(ada, path, said | {"step": "who", "b.value": "Oy"} | built, 200)
    assert "3. Additional rules</strong>" in answer.text
    assert html.fromstring(answer.text).xpath("//input[@name='conditions']/@value") == [where]
    said["conditions"] = where
    assert 'name="b.value"' not in send(ada, path, said | {"step": "rules", "back": "1"}, 200).text
    answer = send(ada, path, said | {"step": "rules", "base": "moment", "active": "1"}, 422)
    assert "Say at which moment" in answer.text
    send(ada, path, said | {"step": "rules", "base": "event_start", "offset": "-2", "unit": "days", "active": "1"})
    page = ada.get(f"/mass_events/{fair}/triggers").text
    assert "Reminder" in page
    (made,) = set(re.findall(r"/crm/event_triggers/(\d+)", page))
    assert "“Oy”" in unescape(ada.get(f"/event_triggers/{made}").text)
    assert "Company as typed" in ada.get(f"/event_triggers/{made}/edit").text
    send(ada, f"/mass_events/{fair}/triggers/typical")
    assert "Thanks a day after" in ada.get(f"/mass_events/{fair}/triggers").text


def test_an_event_is_called_off_closed_and_copied_by_who_may_change_it(browse, fair):
    alice, rita = browse("alice"), browse("rita")
    for tail in ("add", "check-in", "call-off", "triggers/new"):
        rita.get(f"/mass_events/{fair}/{tail}", 403)
    send(rita, f"/mass_events/{fair}/call-off", {"reason": "No"}, 403)
    send(alice, f"/mass_events/{fair}/call-off", {"reason": ""}, 422)
    answer = send(alice, f"/mass_events/{fair}/copy", {"starts_on": "2027-05-01"})
    assert "Fair (copy)" in alice.get(answer.headers["Location"].removeprefix("/crm")).text
    send(alice, f"/mass_events/{fair}/close")
    send(alice, f"/mass_events/{fair}/call-off", {"reason": "Storm"})
    table = modules["mass_events"].table
    row = db.session.execute(select(table.c.status, table.c.cancel_reason).where(table.c.id == fair)).one()
    assert tuple(row) == ("cancelled", "Storm")


def test_who_opens_an_event_with_registrations_to_all_is_asked_once_more(browse, fair, guests):
    alice, table = browse("alice"), modules["mass_events"].table
    form = html.fromstring(alice.get(f"/mass_events/{fair}/edit").text).xpath("//form[@data-keep]")[0]
    said = {name: value for name, value in form.form_values() if name != "csrf"} | {"event_type": "open"}
    type_of = lambda: db.session.execute(select(table.c.event_type).where(table.c.id == fair)).scalar()  # noqa: E731
    seats.add_many(SYSTEM, fair, guests[:2], Channel.FORM)
    db.session.commit()
    for path, more in (
        (f"/mass_events/{fair}/edit", said),
        (f"/mass_events/{fair}/field/event_type", {"event_type": "open"}),
    ):
        asked = send(alice, path, more, 422)
        assert "2 people are registered and keep their places." in asked.text
        assert "Save anyway" in asked.text
        assert type_of() == "need_registration"
    (sure,) = html.fromstring(asked.text).xpath("//input[@name='anyway']/@value")
    send(alice, f"/mass_events/{fair}/edit", said | {"anyway": sure})
    assert type_of() == "open"


def test_what_looks_like_a_mistake_is_said_on_the_card_and_a_mail_is_sent_again(browse, make, fair, guests):
    alice = browse("alice")
    sender = {"address": "events@example.com", "state": "confirmed", "is_default": True}
    records.create(SYSTEM, "sender_addresses", sender, Channel.SYSTEM)
    day = timedelta(days=1)
    part = make("mass_events", name="Dinner", parent_id=fair, starts_at=START + day, ends_at=START + 2 * day)
    assert "“Dinner” is outside of the times" in alice.get(f"/mass_events/{fair}").text
    assert "is outside of the times of “Fair”" in alice.get(f"/mass_events/{part}").text
    event = make("invitation_events", name="Evening", seats=2, last_registration_on=(START + 9 * day).date())
    set_times(SYSTEM, event, [{"starts_at": START, "ends_at": START + timedelta(hours=2)}], Channel.SYSTEM)
    (place, _other) = seats.add_many(SYSTEM, fair, guests[:2], Channel.FORM)
    records.update(SYSTEM, "mass_events", fair, {"event_type": "open"}, Channel.FORM)
    db.session.commit()
    assert "last registration date is after the start" in alice.get(f"/invitation_events/{event}").text
    assert "2 people who have a place keep it" in alice.get(f"/mass_events/{fair}").text
    for _press in range(2):
        send(alice, f"/mass_events/{fair}/attendees/{place.attendee_id}", {"what": "again"})
    said = select(Delivery.email).where(Delivery.dedupe_key.startswith("event_standing:"))
    assert db.session.execute(said).scalars().all() == ["guest.0@example.com"]


def test_a_draft_gets_its_form_and_its_parts_and_is_published(browse, make):
    draft = make("mass_events", name="Fair", starts_at=START, ends_at=START + timedelta(hours=2))
    ada = browse("ada")
    card = ada.get(f"/mass_events/{draft}").text
    assert "Make a registration form" in card
    (href,) = re.findall(r'href="(/crm/mass_events/new\?parent_id=[^"]+)"', card)
    form = html.fromstring(ada.get(unescape(href).removeprefix("/crm")).text)
    assert form.xpath("//input[@name='starts_at']/@value")[0].startswith(f"{START:%Y-%m-}")
    part = make("mass_events", name="Dinner", parent_id=draft, starts_at=START, ends_at=START + timedelta(hours=2))
    to = send(ada, f"/mass_events/{draft}/form").headers["Location"]
    survey = int(re.findall(r"/crm/surveys/(\d+)/build", to)[0])
    assert "Add the questions" in ada.get(to.removeprefix("/crm")).text
    send(ada, f"/mass_events/{draft}/form")  # it has one
    assert "This event has a form already." in ada.get(f"/mass_events/{draft}").text
    card = ada.get(f"/mass_events/{draft}").text
    assert "whoever registers is not asked its questions" in card
    assert f"/crm/surveys/{survey}/build" in card
    send(ada, f"/mass_events/{draft}/publish")
    table = modules["mass_events"].table
    said = select(table.c.status, table.c.public_link).where(table.c.id.in_([draft, part])).order_by(table.c.id)
    assert [row.status for row in db.session.execute(said)] == ["published"] * 2
    (link,) = [row.public_link for row in db.session.execute(said) if row.public_link]
    assert f'href="{link}"' in ada.get(f"/mass_events/{draft}").text
    send(ada, f"/mass_events/{draft}/publish")
    assert "This event is no draft." in ada.get(f"/mass_events/{draft}").text


def test_nothing_goes_by_hand_for_a_draft_and_more_times_can_be_written(browse, make, fair):
    sender = {"address": "events@example.com", "state": "confirmed", "is_default": True}
    records.create(SYSTEM, "sender_addresses", sender, Channel.FORM)
    db.session.commit()
    ada = browse("ada")
    send(ada, f"/mass_events/{fair}/triggers/typical")
    table = modules["event_triggers"].table
    planned = db.session.execute(select(table.c.id).where(table.c.action == "scheduled").limit(1)).scalar_one()
    records.update(SYSTEM, "mass_events", fair, {"status": "draft"}, Channel.FORM)
    db.session.commit()
    send(ada, f"/mass_events/{fair}/triggers/{planned}/send")
    assert "Nothing is sent for a draft" in ada.get(f"/mass_events/{fair}/triggers").text
    assert db.session.execute(select(table.c.fired_for).where(table.c.id == planned)).scalar() is None
    event = make("invitation_events", name="Course", seats=3)
    typed = {"subject": ["One"], "starts_at": ["2027-01-05T09:00"], "ends_at": [""], "more": "1"}
    page = html.fromstring(send(ada, f"/invitation_events/{event}/times", typed, 200).text)
    assert page.xpath("//input[@name='subject']/@value") == ["One", "", ""]
