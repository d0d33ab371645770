"""Pages of events for everybody: states, forms, registrations that tell nothing about who is known (P31–P35, P38–P41, P43, P95)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.events import kinds, seats
from crm.modules.events.attendees import TABLE
from crm.ui import public_forms
from self_service_portal.web import public_registration
from surveys import answering
from surveys.design import load
from tests.self_service_portal.event_world import NOW, START, heading, main_of
from tests.surveys.conftest import AB, make_survey

THANKS = "We have received your registration"


def test_somebody_registers_and_a_contact_and_an_attendee_are_there(world):
    path = world.path(world.event())
    before = world.count("contacts")
    answer = world.register(path)
    assert answer.status_code == 200
    assert heading(answer) == THANKS
    assert "You have a seat." in answer.text
    assert "Set-Cookie" not in answer.headers
    table = modules["contacts"].table
    row = db.session.execute(select(table).where(table.c.email == "guest.1@example.com")).mappings().one()
    assert (row["first_name"], row["last_name"], row["account_id"], row["email_opt_out"]) == (
        "Guest",
        "Number 1",
        None,
        False,
    )
    assert world.count("contacts") == before + 1


def test_a_known_address_is_the_same_contact_and_its_card_stays_as_it_is(world):
    id = world.event()
    table = modules["contacts"].table
    known = lambda: db.session.execute(select(table).where(table.c.id == world.shop.ids["dora"])).one()  # noqa: E731
    before, count = known(), world.count("contacts")
    answer = world.register(world.path(id), first_name="Somebody", last_name="Else", email="DORA@acme.example ")
    assert heading(answer) == THANKS
    assert known() == before
    assert world.count("contacts") == count
    (row,) = world.attendees(id)
    assert row["contact_id"] == world.shop.ids["dora"]
    assert row["check_identity"]
    assert "Else" in row["differences"]


class Watch:
    """In place of the module `time`: the work of the n-th answer takes `takes[n]` seconds on it, waiting as long as was asked."""

    def __init__(self, *takes):
        self.now, self._takes, self._is_at_work = 0.0, iter(takes), False

    def monotonic(self):
        self.now += next(self._takes) if self._is_at_work else 0.0
        self._is_at_work = not self._is_at_work
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_new_known_and_registered_addresses_get_the_same_page_after_the_same_time(world, monkeypatch):
    watch = Watch(0.07, 0.02, 0.05, 0.03)
    monkeypatch.setattr(public_registration, "time", watch)
    monkeypatch.setattr(public_registration, "ANSWERS_TAKE", 0.1)
    id = world.event(seats=9)
    path, said = world.path(id), {"first_name": "Dora", "last_name": "Customer"}
    pages, took = [], []
    for email in ("new@example.com", "dora@acme.example", "dora@acme.example", "new@example.com"):
        form, began = world.form(path), watch.now
        pages.append(main_of(world.visitor.post(path, data=form | said | {"email": email})))
        took.append(watch.now - began)
    assert len(set(pages)) == 1
    assert took == pytest.approx([0.1] * 4)
    assert [row["status"] for row in world.attendees(id)] == ["joined", "joined"]


def test_the_page_says_what_was_given_not_what_was_promised(world):
    id = world.event(seats=1, spare_places=1)
    path = world.path(id)
    promised = world.form(path)
    world.register(path, 1)
    late = world.visitor.post(
        path, data=promised | {"first_name": "Late", "last_name": "Comer", "email": "late@example.com"}
    )
    assert "You are on a spare place" in late.text
    page = world.visitor.get(path)
    assert heading(page) == "Autumn evening"
    assert "The event is full" in page.text
    assert "<form" not in page.text
    full = world.visitor.post(path, data=promised | {"first_name": "A", "last_name": "B", "email": "c@example.com"})
    assert full.status_code == 200  # the same form once more: what came of it the first time
    assert "You are on a spare place" in full.text


def test_when_all_is_full_each_post_gets_the_full_page_and_who_is_registered_a_mail(world):
    world.mail("Joined", "Hello")
    id = world.event(seats=1, spare_places=0)
    path = world.path(id)
    forms = [world.form(path) for _n in range(3)]
    said = {"first_name": "A", "last_name": "B"}
    answers = [
        world.visitor.post(path, data=form | said | {"email": email})
        for form, email in zip(forms, ("one@example.com", "two@example.com", "one@example.com"), strict=True)
    ]
    assert [one.status_code for one in answers] == [200, 409, 409]
    assert main_of(answers[1]) == main_of(answers[2])
    assert [one for one in world.letters() if one[1] == "event_standing"] == [("one@example.com", "event_standing")]


def test_an_event_that_asks_before_a_spare_place_asks_again(world):
    id = world.event(seats=1, spare_places=1, ask_before_spare=True)
    path = world.path(id)
    promised = world.form(path)
    world.register(path, 1)
    typed = {"first_name": "Late", "last_name": "Comer", "email": "late@example.com"}
    asked = world.visitor.post(path, data=promised | typed)
    assert asked.status_code == 409
    assert "Only a spare place is left" in asked.text
    assert 'value="Comer"' in asked.text
    assert len(world.attendees(id)) == 1
    given = world.visitor.post(path, data=promised | typed | {"spare": "1"})
    assert "You are on a spare place" in given.text


@pytest.mark.parametrize(("change", "says"), [
    ({"last_registration_on": (NOW - timedelta(days=1)).date()}, "Registration is closed"),
    ({"status": "closed"}, "Registration is closed"),
    ({"status": "planned"}, "Registration has not opened yet"),
    ({"status": "cancelled"}, "This event is called off"),
])  # fmt: skip
def test_each_state_has_its_page_without_a_form_and_a_post_is_a_conflict(world, change, says):
    id = world.event()
    path = world.path(id)
    form = world.form(path)
    world.change("invitation_events", id, **change)
    page = world.visitor.get(path)
    assert page.status_code == 200
    assert says in page.text
    assert "<form" not in page.text
    sent = world.visitor.post(path, data=form | {"first_name": "A", "last_name": "B", "email": "a@example.com"})
    assert sent.status_code == 409
    assert says in sent.text
    assert world.attendees(id) == []


def test_without_public_visibility_and_for_names_that_are_none_there_is_no_page(world):
    id = world.event()
    path = world.path(id)
    world.change("invitation_events", id, public=False)
    for one in (
        path,
        "/portal/public/events/none",
        f"/portal/public/events/{id}",
        "/portal/public/events/" + "x" * 500,
    ):
        assert world.visitor.get(one).status_code == 404
        assert world.visitor.post(one, data={"form": "x"}).status_code == 404
    draft = world.mass_event(status="draft")
    assert world.visitor.get(world.path(draft)).status_code == 404


def test_the_id_of_an_event_leads_to_its_page_unless_its_name_is_a_secret(world):
    for id in (world.event(), world.mass_event()):
        answer = world.visitor.get(f"/portal/public/events/{id}?language=fi")
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith(f"{world.path(id)}?language=fi")
        framed = world.visitor.get(f"/portal/embed/events/{id}").headers["Location"]
        assert framed.endswith(world.path(id).replace("/public/", "/embed/"))
    hidden = (world.mass_event(event_type="invitation_only"), world.mass_event(listing_visible=False),
              world.mass_event(status="draft"), 10**17)  # fmt: skip
    for id in hidden:
        assert world.visitor.get(f"/portal/public/events/{id}").status_code == 404


def test_a_portal_that_is_closed_closes_its_public_pages(world):
    path = world.path(world.event())
    world.shop.set(active=False)
    for one in (path, "/portal/public/events", "/portal/public/events.json", "/portal/embed/events"):
        assert world.visitor.get(one).status_code == 503


def test_bad_values_come_back_at_their_fields_with_what_was_typed(world):
    id = world.event()
    answer = world.register(world.path(id), first_name="<b>Bo</b>", last_name="", email="no address")
    assert answer.status_code == 422
    assert "&lt;b&gt;Bo&lt;/b&gt;" in answer.text
    assert "<b>Bo" not in answer.text
    assert "“Last name” must be filled in." in answer.text
    assert 'value="no address"' in answer.text
    long = world.register(world.path(id), last_name="x" * 101, email="a" * 65 + "@example.com")
    assert "At most 80 characters." in long.text
    assert world.attendees(id) == []
    form = world.form(world.path(id))
    typed = {"first_name": "A", "last_name": "", "email": "a@example.com"}
    assert world.visitor.post(world.path(id), data=form | typed).status_code == 422
    assert (
        world.visitor.post(world.path(id), data=form | typed | {"last_name": "B"}).status_code == 200
    )  # the same form


def test_a_robot_is_thanked_and_nothing_is_stored(world):
    id = world.event()
    count = world.count("contacts")
    answer = world.register(world.path(id), fax_number="1234")
    real = world.register(world.path(id))
    assert (answer.status_code, main_of(answer)) == (200, main_of(real))
    assert world.count("contacts") == count + 1


def test_one_address_sends_120_forms_with_tokens_but_20_without(world, monkeypatch):
    for limiter in (public_forms.POSTS_AFTER_TOKEN, public_forms.POSTS):
        monkeypatch.setattr(limiter, "_clock", lambda: 0.0)  # a slow machine lets nobody send more
    path = world.path(world.event())
    trapped = world.form(path) | {"fax_number": "1"}  # stores nothing, but counts
    codes = [
        world.visitor.post(path, data=trapped, environ_base={"REMOTE_ADDR": "127.0.0.7"}).status_code
        for _n in range(121)
    ]
    assert codes == [200] * 120 + [429]
    bare = [
        world.visitor.post(path, data={"email": "x@example.com"}, environ_base={"REMOTE_ADDR": "127.0.0.8"}).status_code
        for _n in range(21)
    ]
    assert bare == [422] * 20 + [429]


def test_the_questions_of_the_event_are_asked_and_a_required_one_blocks(world):
    survey = make_survey([
        {"name": "diet", "kind": "radio", "title": "What do you eat?", "required": True, "options": AB},
        {"name": "email", "kind": "email", "title": "Address of the survey", "required": True},
        {"name": "fruit", "kind": "text", "title": "Which?", "visible_if": {"$eq": ["diet", "c"]}},
    ])  # fmt: skip
    id = world.event(survey_id=survey.id)
    path = world.path(id)
    page = world.visitor.get(path)
    assert "What do you eat?" in page.text
    assert "Address of the survey" not in page.text  # the form asks that by itself
    missing = world.register(path)
    assert missing.status_code == 422
    assert "Please answer this." in missing.text
    unknown = world.register(path, **{"q.diet": "z"})
    assert unknown.status_code == 422
    strange = world.register(path, **{"q.diet": "a", "q.none": "1"})
    assert strange.status_code == 422
    assert world.attendees(id) == []
    assert world.register(path, **{"q.diet": "a"}).status_code == 200
    (row,) = world.attendees(id)
    assert answering.values_of(load(survey.id), row["answers_response_id"]) == {
        "diet": {"choice": "a"},
        "email": "guest.1@example.com",
    }


def test_who_registers_again_changes_no_answers(world):
    survey = make_survey([{"name": "diet", "kind": "radio", "options": AB}])
    id = world.event(survey_id=survey.id)
    world.register(world.path(id), **{"q.diet": "a"})
    world.register(world.path(id), **{"q.diet": "b"})
    (row,) = world.attendees(id)
    assert answering.values_of(load(survey.id), row["answers_response_id"]) == {"diet": {"choice": "a"}}
    assert len(survey.responses()) == 1


def test_a_survey_that_takes_no_answers_keeps_nobody_out(world):
    survey = make_survey([{"name": "diet", "kind": "radio", "options": AB, "required": True}], status="active")
    id = world.event(survey_id=survey.id)
    survey.set(status="closed")
    assert heading(world.register(world.path(id))) == THANKS


def test_consent_is_asked_where_the_portal_names_what_to_read(world):
    world.shop.set(privacy_url="https://www.kaisla.example/privacy")
    path = world.path(world.event())
    assert "https://www.kaisla.example/privacy" in world.visitor.get(path).text
    assert world.register(path).status_code == 422
    assert world.register(path, agrees="1").status_code == 200


def test_the_page_speaks_the_language_that_is_chosen(world):
    path = world.path(world.event())
    answer = world.visitor.get(f"{path}?language=fi")
    assert answer.headers["Content-Language"] == "fi"
    assert '<html lang="fi">' in answer.text
    assert 'href="?language=en"' in answer.text


def test_types_of_mass_events_have_a_form_or_none_and_are_listed_or_not(world):
    needs, open_one, invited = (world.mass_event(name=name, event_type=type) for name, type in
                                (("Needs", "need_registration"), ("Open", "open"), ("Invited", "invitation_only")))  # fmt: skip
    page = world.visitor.get("/portal/public/events").text
    assert [name in page for name in ("Needs", "Open", "Invited")] == [True, True, False]
    has_form = ["<form" in world.visitor.get(world.path(id)).text for id in (needs, open_one, invited)]
    assert has_form == [True, False, True]
    assert world.register(world.path(invited)).status_code == 200
    form = world.form(world.path(needs))
    answer = world.visitor.post(world.path(open_one), data=form)
    assert answer.status_code in {409, 422}


def test_the_window_of_registration_opens_and_closes_form_and_listing(world):
    id = world.mass_event(registration_starts_at=NOW + timedelta(days=1), registration_ends_at=NOW + timedelta(days=2))
    seen = []
    for days in (0, 1.5, 2.5, 11):
        with clock.standing_at(NOW + timedelta(days=days)):
            page = world.visitor.get(world.path(id)).text
            seen.append(("<form" in page, "Fair" in world.visitor.get("/portal/public/events").text))
    assert seen == [(False, False), (True, True), (False, True), (False, False)]


def test_parts_are_chosen_with_the_event_and_a_full_part_gives_a_spare_place_there(world):
    main = world.mass_event(capacity=9)
    dinner, tour = (
        world.mass_event(name=name, parent_id=main, capacity=1, spare_capacity=spare, public_form=False)
        for name, spare in (("Dinner", 1), ("Tour", 0))
    )
    path = world.path(main)
    lines = []
    for number in (1, 2):
        told = world.register(path, number, part=[str(dinner)])
        assert told.status_code == 200
        lines += re.findall(r"<li>(.*?)</li>", told.text)
    assert lines == ["<b>Dinner</b>: You have a seat.", "<b>Dinner</b>: You are on a spare place."]
    assert [row["status"] for row in world.attendees(dinner)] == ["joined", "spare"]
    assert [row["status"] for row in world.attendees(main)] == ["joined", "joined"]
    other = world.mass_event(name="Other", capacity=1)
    wrong = world.register(path, 3, part=[str(other)])
    assert wrong.status_code == 422
    assert "This is no part of the event." in wrong.text
    world.change("mass_events", main, sub_event_rule="exactly_one")
    none = world.register(path, 4)
    assert "Choose one part of the event." in none.text
    assert none.status_code == 422
    seats.cancel(SYSTEM, world.attendees(main)[0]["id"])
    db.session.commit()
    assert [row["status"] for row in world.attendees(dinner)] == ["cancelled", "joined"]
    assert world.visitor.get(world.path(tour)).status_code == 404


def test_feeds_tell_what_the_list_tells(world):
    world.mass_event(name="Needs", category="Seminar", language="en", capacity=3)
    world.mass_event(name="Finnish", language="fi", category="Webinar")
    world.mass_event(name="Secret", event_type="invitation_only")
    world.mass_event(name="Hidden", listing_visible=False)
    world.mass_event(name="Over", starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))
    world.event(name="Invitation")
    answer = world.visitor.get("/portal/public/events.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    events = answer.json["events"]
    assert sorted(one["name"] for one in events) == ["Finnish", "Needs"]
    needs = next(one for one in events if one["name"] == "Needs")
    assert (needs["state"], needs["free_seats"], needs["starts_at"]) == ("open", 3, START.isoformat())
    assert "id" not in needs
    calendar = world.visitor.get("/portal/public/events.ics").text
    assert calendar.count("BEGIN:VEVENT") == 2
    assert [one["name"] for one in world.visitor.get("/portal/public/events.json?category=Webinar").json["events"]] == [
        "Finnish"
    ]
    assert [one["name"] for one in world.visitor.get("/portal/public/events.json?lang=en&limit=1").json["events"]] == [
        "Needs"
    ]
    framed = world.visitor.get("/portal/embed/events?lang=en&category=Seminar").text
    assert "Needs" in framed
    assert "Finnish" not in framed
    own = world.visitor.get(f"{needs['url'][needs['url'].index('/portal') :]}.ics")
    assert "BEGIN:VCALENDAR" in own.text
    world.shop.set(events_listing_enabled=False)
    assert world.visitor.get("/portal/public/events.json").status_code == 404


def test_only_sites_that_the_portal_names_may_frame_and_only_the_framed_pages(world):
    world.shop.set(embed_sites="https://www.kaisla.example\nhttps://*.partner.example/")
    id = world.mass_event()
    own, framed = world.path(id), world.path(id).replace("/public/", "/embed/")
    policy = lambda path: world.visitor.get(path).headers["Content-Security-Policy"]  # noqa: E731
    assert "frame-ancestors 'none'" in policy(own)
    for path in (framed, "/portal/embed/events"):
        assert "frame-ancestors 'self' https://www.kaisla.example https://*.partner.example;" in policy(path)
    answer = world.register(framed)
    assert heading(answer) == THANKS
    assert "frame-ancestors 'self' https://www.kaisla.example" in answer.headers["Content-Security-Policy"]
    with pytest.raises(Exception, match="no site"):
        world.shop.set(embed_sites="https://www.kaisla.example; script-src *")


def test_a_page_is_small_and_asks_the_database_little(world):
    id = world.mass_event(description="<p>Much to say.</p>")
    for n in range(20):
        world.mass_event(name=f"Event {n}")
    for path in (world.path(id), "/portal/public/events"):
        assert len(world.visitor.get(path).data) < 40_000


def test_a_held_seat_is_told_and_waits_for_the_mail(world):
    world.mail("Joined", "Hello")
    id = world.event(confirm_email=True)
    answer = world.register(world.path(id))
    assert "A seat is held for you for 30 minutes." in answer.text
    assert [row["status"] for row in world.attendees(id)] == ["held"]
    assert world.letters() == [("guest.1@example.com", "event_confirm")]
    assert kinds.load(id).confirm_email
    assert TABLE.name == "attendees"
