"""Events of customers who are logged in: seeing, registering, cancelling, colleagues (P29–P31, P26, spec 2.5)."""

from datetime import timedelta

from crm import clock
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.events import attendance, seats
from crm.modules.portals import matrix
from surveys import answering
from surveys.design import load
from tests.self_service_portal.event_world import NOW, START
from tests.surveys.conftest import AB, make_survey

WIDE = {"scope": "account", "fields": {"event_id": {"visible": True}}}


def statuses(world, event_id):
    return {row["contact_id"]: row["status"] for row in world.attendees(event_id)}


def test_an_event_shows_by_its_field_and_until_registration_ends_and_stays_in_ones_own_history(world):
    hidden, shown = world.event(name="Hidden", portal_visible=False), world.event(name="Shown")
    dora = world.shop.browse("dora")
    page = dora.get("/events").text
    assert ("Hidden" in page, "Shown" in page) == (False, True)
    dora.get(f"/events/{hidden}", 404)
    dora.post(f"/events/{shown}/register", dora.form(f"/events/{shown}"))
    world.change("invitation_events", shown, last_registration_on=(NOW - timedelta(days=1)).date())
    assert "Shown" not in dora.get("/events").text
    assert "Shown" in dora.get("/events/mine").text
    dora.get(f"/events/{shown}")
    world.shop.browse("bea").get(f"/events/{shown}", 404)
    with clock.standing_at(START + timedelta(days=1)):
        page = world.shop.browse("dora").get("/events/mine").text
    assert page.index("History") < page.index("Shown")


def test_the_search_finds_events_that_one_may_open(world):
    world.event(name="Hidden evening", portal_visible=False)
    over = world.event(name="Evening of yore")
    dora = world.shop.browse("dora")
    dora.post(f"/events/{over}/register", dora.form(f"/events/{over}"))
    world.change("invitation_events", over, last_registration_on=(NOW - timedelta(days=1)).date())
    ahead = world.event(name="Evening of wool")
    page = dora.get("/search?q=EVENING").text
    assert f'href="/portal/events/{ahead}">Evening of wool' in page
    assert f'href="/portal/events/{over}">Evening of yore' in page
    assert "Hidden evening" not in page
    assert "Evening of yore" not in world.shop.browse("bea").get("/search?q=evening").text
    assert "Evening of" not in dora.get("/search?q=evening+absent").text


def test_the_fields_of_an_event_show_and_counts_can_be_hidden(world):
    id = world.event(
        seats=9, spare_places=3, last_registration_on=(START - timedelta(days=3)).date(),
        last_cancellation_on=(START - timedelta(days=2)).date(), description="<p>Come and <b>see</b></p>",
    )  # fmt: skip
    page = world.shop.browse("dora").get(f"/events/{id}").text
    for said in (
        "Autumn evening",
        "EV",
        "9 free of 9",
        "0 taken of 3",
        "27 November 2026",
        "28 November 2026",
        "30 November 2026",
        "<b>see</b>",
    ):
        assert said in page, said
    world.change("invitation_events", id, show_counts=False)
    assert "9 free of 9" not in world.shop.browse("dora").get(f"/events/{id}").text


def test_a_customer_registers_and_cancels_until_the_day_that_is_set(world):
    id = world.event(last_cancellation_on=(NOW + timedelta(days=1)).date())
    dora = world.shop.browse("dora")
    path, me = f"/events/{id}", world.shop.ids["dora"]
    dora.post(f"{path}/register", dora.form(path))
    dora.post(f"{path}/register", dora.form(path))  # again: nothing more
    assert statuses(world, id) == {me: "joined"}
    dora.post(f"{path}/cancel", {"csrf": dora.form(path)["csrf"]})
    assert statuses(world, id) == {me: "cancelled"}
    dora.post(f"{path}/register", dora.form(path))
    with clock.standing_at(NOW + timedelta(days=2)):
        late = world.shop.browse("dora")
        answer = late.post(f"{path}/cancel", {"csrf": late.form(path)["csrf"]}, 409)
        assert "It is too late to cancel by yourself." in answer.text
        assert "alice@" in answer.text  # the organiser, to write to
    assert statuses(world, id) == {me: "joined"}
    seats.cancel(SYSTEM, world.attendees(id)[0]["id"], Channel.FORM)
    assert statuses(world, id) == {me: "cancelled"}


def test_a_page_that_was_opened_before_the_end_gets_a_conflict_with_the_reason(world):
    id = world.event()
    dora = world.shop.browse("dora")
    form = dora.form(f"/events/{id}")
    world.change("invitation_events", id, status="closed")
    world.change("invitation_events", id, portal_visible=True)
    dora.post(f"/events/{id}/register", form, 404)  # closed events are no longer shown to who is not in them
    seats.register(SYSTEM, id, world.shop.ids["dora"], "crm", Channel.FORM)
    seats.cancel(SYSTEM, world.attendees(id)[0]["id"], Channel.FORM)
    answer = dora.post(f"/events/{id}/register", form, 409)
    assert "Registration is closed." in answer.text


def test_the_questions_of_an_event_block_and_answers_are_changed_until_registration_ends(world):
    survey = make_survey([{"name": "diet", "kind": "radio", "title": "Food?", "required": True, "options": AB},
                          {"name": "last_name", "kind": "text", "title": "Your name?", "required": True}])  # fmt: skip
    id = world.event(survey_id=survey.id)
    dora, path = world.shop.browse("dora"), f"/events/{id}"
    assert "Your name?" not in dora.get(path).text
    dora.post(f"{path}/register", dora.form(path), 422)
    assert statuses(world, id) == {}
    dora.post(f"{path}/register", dora.form(path, "q.diet") | {"q.diet": "a"})
    said = lambda: answering.values_of(load(survey.id), world.attendees(id)[0]["answers_response_id"])  # noqa: E731
    assert said() == {"diet": {"choice": "a"}, "last_name": "Customer"}
    dora.post(f"{path}/answers", {"csrf": dora.form(path)["csrf"], "q.diet": "b"})
    assert said()["diet"] == {"choice": "b"}
    assert len(survey.responses()) == 1
    form = {"csrf": dora.form(path)["csrf"], "q.diet": "c"}
    world.change("invitation_events", id, status="closed")
    dora.post(f"{path}/answers", form, 409)
    assert said()["diet"] == {"choice": "b"}


def test_an_administrator_registers_colleagues_where_the_profile_shows_the_company_and_nobody_else(world):
    id = world.event(seats=5)
    path, ids = f"/events/{id}", world.shop.ids
    dora = world.shop.browse("dora")
    token = lambda who: {"csrf": who.form(path)["csrf"]}  # noqa: E731
    dora.post(f"{path}/register", token(dora) | {"contact_id": str(ids["dan"])}, 404)  # not by this profile
    world.shop.show(attendees=dict(WIDE))
    dan, bea = world.shop.browse("dan"), world.shop.browse("bea")
    dora.post(f"{path}/register", token(dora) | {"contact_id": str(ids["dan"])})
    assert statuses(world, id) == {ids["dan"]: "joined"}
    assert "Dan Customer" in dora.get(path).text
    for who, whom, deed in (
        (dora, "bea", "register"),
        (dan, "dora", "register"),
        (bea, "dan", "cancel"),
        (dora, "999999", "register"),
        (dora, "x", "cancel"),
    ):
        who.post(f"{path}/{deed}", token(who) | {"contact_id": str(ids.get(whom, whom))}, 404)
    assert statuses(world, id) == {ids["dan"]: "joined"}
    dora.post(f"{path}/cancel", token(dora) | {"contact_id": str(ids["dan"])})
    assert statuses(world, id) == {ids["dan"]: "cancelled"}


def test_mass_events_show_in_the_portal_by_type_with_their_parts(world):
    main = world.mass_event(name="Fair", capacity=5, public_form=False)
    dinner = world.mass_event(name="Dinner", parent_id=main, capacity=1, public_form=False)
    world.mass_event(name="Secret", event_type="invitation_only")
    world.mass_event(name="Open day", event_type="open")
    dora = world.shop.browse("dora")
    page = dora.get("/events").text
    assert [name in page for name in ("Fair", "Open day", "Secret", "Dinner")] == [True, True, False, False]
    dora.post(f"/events/{main}/register", dora.form(f"/events/{main}") | {"part": str(dinner)})
    assert statuses(world, dinner) == {world.shop.ids["dora"]: "joined"}
    dora.get(f"/events/{dinner}", 404)
    assert "Dinner" in dora.get("/events/mine").text
    assert "Registration is by invitation" not in dora.get(f"/events/{main}").text
    dora.post(f"/events/{main}/cancel", {"csrf": dora.form(f"/events/{main}")["csrf"], "part": str(dinner)})
    assert statuses(world, dinner) == {world.shop.ids["dora"]: "cancelled"}
    assert statuses(world, main) == {world.shop.ids["dora"]: "joined"}
    assert "The registration for “Fair” stays." in dora.get(f"/events/{main}").text


def test_filters_and_the_calendar_file(world):
    id = world.event(name="Autumn evening", location="Turku")
    world.mass_event(name="Fair", starts_at=START + timedelta(days=20), ends_at=START + timedelta(days=21))
    dora = world.shop.browse("dora")
    for query, found in (
        ("q=turku", {"Autumn evening"}),
        ("q=%25", set()),
        ("since=2026-12-10", {"Fair"}),
        ("q=fair&since=2026-11-01", {"Fair"}),
    ):
        page = dora.get(f"/events?{query}").text
        assert {name for name in ("Autumn evening", "Fair") if name in page} == found, query
    assert "Write a date" in dora.get("/events?since=31.12.").text
    answer = dora.get(f"/events/{id}/calendar.ics")
    assert answer.text.count("BEGIN:VEVENT") == 1
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_profile_without_events_has_no_pages_of_them_and_no_door_writes_them(world):
    id = world.event()
    world.shop.show(attendees={"scope": "own", "can_create": True, "can_edit": True,
                               "fields": {"event_id": {"visible": True, "editable": True}, "note": {"visible": True, "editable": True}}})  # fmt: skip
    dora = world.shop.browse("dora")
    dora.post(f"/events/{id}/register", dora.form(f"/events/{id}"))
    row = world.attendees(id)[0]["id"]
    assert dora.client.get(f"/portal/attendees/{row}").headers["Location"] == f"/portal/events/{id}"
    dora.get("/attendees/new", 404)
    dora.get(f"/attendees/{row}/edit", 404)
    token = dora.form("/settings")["csrf"]
    made = dora.client.post("/portal/api/attendees", json={"event_id": id}, headers={"X-CSRF-Token": token})
    assert made.status_code == 404
    changed = dora.client.patch(f"/portal/api/attendees/{row}", json={"note": "x"}, headers={"X-CSRF-Token": token})
    assert changed.status_code == 404
    held = matrix.read(world.shop.profile)["modules"]
    matrix.change(
        SYSTEM, world.shop.profile, Channel.SYSTEM, modules=held | {"attendees": held["attendees"] | {"enabled": False}}
    )
    dora.get("/events", 404)
    dora.get(f"/events/{id}", 404)
    assert "/portal/events" not in dora.get("/").text


def test_who_came_sees_that_and_the_home_page_tells_what_is_ahead(world):
    id = world.event()
    dora = world.shop.browse("dora")
    dora.post(f"/events/{id}/register", dora.form(f"/events/{id}"))
    matrix.change(SYSTEM, world.shop.profile, Channel.SYSTEM, boxes=["events"])
    assert "Autumn evening" in dora.get("/").text
    with clock.standing_at(START + timedelta(hours=1)):
        attendance.mark(SYSTEM, id, [world.attendees(id)[0]["id"]], "attended", Channel.FORM)
    with clock.standing_at(START + timedelta(days=1)):
        assert "Attended" in world.shop.browse("dora").get("/events/mine").text
