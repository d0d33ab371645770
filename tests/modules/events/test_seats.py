"""Seats, spare places and the queue (spec 2.2), on both kinds of events."""

from datetime import timedelta

import pytest

from crm import clock
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.events import changing, kinds, seats, standings, waiting
from tests.modules.events.conftest import ANYBODY, NOW, START, change
from tests.people import viewer


def statuses(places):
    return [place.status for place in places]


@pytest.fixture(params=["invitation", "mass"])
def small(request, event, mass_event):
    """An event of either kind with one seat and two spare places."""
    return event(seats=1) if request.param == "invitation" else mass_event(capacity=1)


def test_seats_then_spare_places_then_full_and_the_first_in_the_queue_moves_up(small, contacts, attendee):
    people = contacts(5)
    given = [seats.register(ANYBODY, small, id, "public") for id in people]
    assert statuses(given) == ["joined", "spare", "spare", "full", "full"]
    assert [place.queue_no for place in given[1:3]] == [1, 2]
    assert attendee(small, people[3]) is None
    again = seats.register(ANYBODY, small, people[1], "public")
    assert (again.status, again.queue_no, again.is_new) == ("spare", 1, False)
    seats.cancel(ANYBODY, given[0].attendee_id)
    assert attendee(small, people[0])["status"] == "cancelled"
    moved = attendee(small, people[1])
    assert (moved["status"], moved["queue_no"], moved["seat_version"], moved["promoted_at"]) == ("joined", None, 2, NOW)
    assert attendee(small, people[2])["status"] == "spare"
    assert not seats.cancel(ANYBODY, given[0].attendee_id).is_new
    back = seats.register(ANYBODY, small, people[0], "public")
    assert (back.status, back.attendee_id, back.queue_no) == ("spare", given[0].attendee_id, 3)


def test_lists_know_which_events_are_full(small, contacts):
    def is_full():
        module = kinds.load(small).module
        (said,) = [one.where for one in modules[module].filters if one.key == "full"]
        return [row.id for row in search.find(SYSTEM, module, where=said).rows] == [small]

    people = contacts(4)
    given = [seats.register(ANYBODY, small, id, "public") for id in people[:3]]
    assert is_full()
    seats.cancel(ANYBODY, given[2].attendee_id)
    assert not is_full()
    seats.add_many(SYSTEM, small, people[3:], Channel.FORM)
    assert is_full()
    seats.cancel(ANYBODY, given[0].attendee_id)  # the first who waits moves up, and a spare place is free
    assert not is_full()
    seats.register(ANYBODY, small, people[0], "public")
    more = {"seats": 2} if kinds.load(small).module == "invitation_events" else {"capacity": 2}
    change(kinds.load(small).module, small, **more)
    waiting.promote_later(None, [small])
    assert not is_full()


def test_all_are_spare_when_there_are_spare_places_only(event, contacts):
    id = event(seats=0, spare_places=2)
    assert statuses(seats.add_many(SYSTEM, id, contacts(3), Channel.FORM)) == ["spare", "spare", "full"]


def test_many_are_added_by_hand_and_the_rest_is_told_full(event, contacts, attendee):
    id, people = event(seats=2, spare_places=1), contacts(5)
    assert statuses(seats.add_many(SYSTEM, id, people, Channel.FORM)) == ["joined", "joined", "spare", "full", "full"]
    assert standings.standing_of([id])[id] == standings.Standing(2, 1, 1)


def test_raising_seats_promotes_and_lowering_below_those_taken_is_refused(event, contacts, attendee):
    id, people = event(seats=2), contacts(4)
    seats.add_many(SYSTEM, id, people, Channel.FORM)
    with pytest.raises(Refused, match="2 seats are taken"):
        change("invitation_events", id, seats=1)
    change("invitation_events", id, seats=3)
    waiting.promote_later(None, [id])
    assert [attendee(id, one)["status"] for one in people] == ["joined", "joined", "joined", "spare"]


def test_cancelling_has_a_deadline_for_customers_and_none_for_the_house(people, event, contacts, attendee):
    id, guests = event(last_cancellation_on=NOW.date()), contacts(2)
    first = seats.register(ANYBODY, id, guests[0], "public").attendee_id
    with clock.standing_at(NOW + timedelta(hours=12)):  # still the same day in Helsinki
        seats.cancel(ANYBODY, seats.register(ANYBODY, id, guests[1], "public").attendee_id)
    with clock.standing_at(NOW + timedelta(days=1)):
        with pytest.raises(Conflict) as told:
            seats.cancel(ANYBODY, first)
        assert told.value.code == "cancel_deadline_passed"
        seats.cancel(viewer(people.alice), first, Channel.FORM)
    assert attendee(id, guests[0])["status"] == "cancelled"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"status": "cancelled"}, "event_cancelled"),
        ({"status": "closed"}, "registration_closed"),
        ({"status": "planned"}, "registration_not_open"),
        ({"last_registration_on": (NOW - timedelta(days=1)).date()}, "registration_closed"),
        ({"starts": NOW - timedelta(minutes=1)}, "registration_closed"),
        ({"public": False}, "registration_closed"),
    ],
)
def test_registration_is_refused_with_a_code(event, contacts, values, code):
    id, (guest,) = event(**values), contacts(1)
    with pytest.raises(Conflict) as told:
        seats.register(ANYBODY, id, guest, "public")
    assert told.value.code == code


def test_a_mass_event_has_a_window_and_an_open_one_no_form(mass_event, contacts):
    (guest,) = contacts(1)
    opens, closes = NOW + timedelta(days=1), NOW + timedelta(days=2)
    id = mass_event(registration_starts_at=opens, registration_ends_at=closes)
    for moment, code in ((NOW, "registration_not_open"), (closes, "registration_closed")):
        with clock.standing_at(moment), pytest.raises(Conflict) as told:
            seats.register(ANYBODY, id, guest, "portal")
        assert told.value.code == code
    with clock.standing_at(opens):
        assert seats.register(ANYBODY, id, guest, "portal").status == "joined"
    bare = mass_event(event_type="open")
    with pytest.raises(Conflict):
        seats.register(ANYBODY, bare, guest, "public")
    assert seats.register(SYSTEM, bare, guest, "crm").status == "joined"


def test_a_seat_that_is_held_is_taken_by_the_click_or_given_on(session, event, contacts, attendee):
    id, people = event(seats=1, confirm_email=True), contacts(3)
    given = [seats.register(ANYBODY, id, one, "public") for one in people]
    assert statuses(given) == ["held", "spare", "spare"]
    session.commit()
    with clock.standing_at(NOW + timedelta(minutes=31)):
        waiting.release_holds(None)
        assert attendee(id, people[0])["status"] == "cancelled"
        assert attendee(id, people[1])["status"] == "joined"  # who waits for a seat has confirmed nothing twice
        with pytest.raises(Conflict) as told:
            seats.confirm(ANYBODY, given[0].attendee_id)
        assert told.value.code == "hold_ended"
    other = event(seats=1, confirm_email=True)
    place = seats.register(ANYBODY, other, people[0], "public")
    assert seats.confirm(ANYBODY, place.attendee_id).status == "joined"
    assert not seats.confirm(ANYBODY, place.attendee_id).is_new


def test_nobody_moves_up_by_himself_shortly_before_the_start_or_when_seats_are_given_by_hand(
    people, event, contacts, attendee, mails
):
    for values, moment in (({}, START - timedelta(hours=23)), ({"spare_promotion": "manual"}, NOW)):
        id, guests = event(seats=1, spare_places=3, owner_id=people.alice, **values), contacts(3)
        given = [seats.register(ANYBODY, id, one, "public") for one in guests]
        with clock.standing_at(moment):
            seats.cancel(SYSTEM, given[0].attendee_id, Channel.FORM)
            assert attendee(id, guests[1])["status"] == "spare"
            assert seats.register(SYSTEM, id, guests[0], "crm").status == "spare", (
                "a newcomer takes the seat of who waits"
            )
            assert seats.give_seat(SYSTEM, given[2].attendee_id, Channel.FORM).status == "joined"
            with pytest.raises(Conflict):
                seats.give_seat(SYSTEM, given[1].attendee_id, Channel.FORM)


def test_sub_events_have_seats_of_their_own_and_go_with_the_main_event(mass_event, contacts, attendee):
    main, guests = mass_event(capacity=10), contacts(3)
    dinner = mass_event(name="Dinner", parent_id=main, capacity=1, spare_capacity=1)
    talk = mass_event(name="Talk", parent_id=main, capacity=10)
    given = [seats.register(ANYBODY, main, one, "portal", sub_event_ids=[talk, dinner]) for one in guests]
    assert statuses(given) == ["joined"] * 3
    assert [part.status for place in given for part in place.parts] == [
        "joined",
        "joined",
        "spare",
        "joined",
        "full",
        "joined",
    ]
    seats.cancel(ANYBODY, given[1].parts[1].attendee_id)  # a part leaves the main event
    assert attendee(main, guests[1])["status"] == "joined"
    seats.cancel(ANYBODY, given[0].attendee_id)
    assert [attendee(id, guests[0])["status"] for id in (main, dinner, talk)] == ["cancelled"] * 3
    assert attendee(dinner, guests[1])["status"] == "joined"
    with pytest.raises(Conflict) as told:
        seats.register(ANYBODY, dinner, guests[0], "portal")
    assert told.value.code == "main_event_first"


def test_who_does_not_confirm_in_time_loses_the_parts_too(mass_event, contacts, attendee):
    main, guests = mass_event(capacity=5, confirm_email=True), contacts(2)
    dinner = mass_event(name="Dinner", parent_id=main, capacity=1, spare_capacity=1)
    for one in guests:
        seats.register(ANYBODY, main, one, "public", sub_event_ids=[dinner])
    seats.confirm(ANYBODY, attendee(main, guests[1])["id"])
    with clock.standing_at(NOW + timedelta(minutes=31)):
        waiting.release(standings.lock_family(main, ())[main])
    assert [attendee(id, guests[0])["status"] for id in (main, dinner)] == ["cancelled", "cancelled"]
    assert [attendee(id, guests[1])["status"] for id in (main, dinner)] == ["joined", "joined"]


def test_the_rule_of_a_group_of_sub_events_holds(mass_event, contacts):
    main, (guest,) = mass_event(sub_event_rule="exactly_one"), contacts(1)
    parts = [mass_event(name=name, parent_id=main) for name in ("Morning", "Evening")]
    for chosen in ([], parts):
        with pytest.raises(Refused, match="Choose one part"):
            seats.register(ANYBODY, main, guest, "portal", sub_event_ids=chosen)
    with pytest.raises(Refused, match="no sub-event"):
        seats.register(ANYBODY, main, guest, "portal", sub_event_ids=[mass_event(name="Another fair")])
    assert seats.register(ANYBODY, main, guest, "portal", sub_event_ids=parts[:1]).parts[0].status == "joined"


def test_a_company_gets_no_more_seats_than_the_event_allows(event, make):
    account = make("accounts", name="Acme")
    guests = [make("contacts", last_name=f"Acme {n}", account_id=account) for n in range(3)]
    id = event(seats=9, max_per_account=2)
    for guest in guests[:2]:
        seats.register(ANYBODY, id, guest, "portal")
    with pytest.raises(Conflict) as told:
        seats.register(ANYBODY, id, guests[2], "portal")
    assert told.value.code == "account_full"


def test_who_changed_a_place_stands_in_the_log(people, event, contacts, session):
    from sqlalchemy import select

    from crm.engine.history import Change

    id, (guest,) = event(), contacts(1)
    place = seats.register(viewer(people.alice), id, guest, "crm", Channel.FORM)
    seats.cancel(viewer(people.bob), place.attendee_id, Channel.FORM)
    said = select(Change.actor_id, Change.new).where(Change.entity_id == place.attendee_id, Change.field == "status")
    assert [tuple(row) for row in session.execute(said)] == [(people.bob, "cancelled")]


def test_an_event_is_closed_and_copied_to_another_day(event, mass_event, row, contacts):
    id = event(last_cancellation_on=START.date())
    seats.add_many(SYSTEM, id, contacts(1), Channel.FORM)
    changing.close(SYSTEM, id, Channel.FORM)
    assert row("invitation_events", id)["status"] == "closed"
    copy = row("invitation_events", changing.duplicate(SYSTEM, id, (START + timedelta(days=7)).date(), Channel.FORM))
    assert copy["starts_at"] == START + timedelta(days=7)
    assert copy["last_cancellation_on"] == (START + timedelta(days=7)).date()
    assert copy["status"] == "open"
    assert standings.standing_of([copy.id])[copy.id].taken == 0
    assert copy["slug"] != row("invitation_events", id)["slug"]
    main = mass_event()
    mass_event(name="Dinner", parent_id=main)
    made = changing.duplicate(SYSTEM, main, (START + timedelta(days=1)).date(), Channel.FORM)
    assert row("mass_events", made)["starts_at"] == START + timedelta(days=1)
    assert row("mass_events", made)["status"] == "draft"
