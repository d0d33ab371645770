"""Mails of events: once a step and seat, never in the way of a registration; triggers and their moments."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending import kinds as post_kinds
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed
from crm.modules.events import changing, firing, links, seats, standings, typical
from tests.modules.events.conftest import ANYBODY, NOW, START, change


def rendered(session, delivery_id):
    """The finished mail of a delivery, as the post office makes it."""
    from email import message_from_bytes
    from email.policy import default

    from ecp.pipeline import sending

    sending.register()
    row = session.execute(select(Delivery).where(Delivery.id == delivery_id)).scalar_one()
    claimed = Claimed(row.id, 0, row.kind, None, row.email, row.person_module, row.person_id, 0, 0, row.payload)
    kind = post_kinds.KINDS[row.kind]
    return message_from_bytes(bytes(kind.render(claimed, kind.load([claimed])).data), policy=default)


def test_each_step_sends_the_mail_of_its_template_once_and_none_without(session, event, mail, contacts, mails):
    guests = contacts(3)
    id = event(
        seats=1, location="Rantakatu 1",
        join_template_id=mail("In", text="Hello {$contact.first_name}: {$event.times} {$event.location} {$attendee.code} {$links.cancel}"),
        spare_template_id=mail("Waiting", text="Number {$attendee.queue_no}"),
    )  # fmt: skip
    given = [seats.register(ANYBODY, id, one, "public") for one in guests]
    seats.register(ANYBODY, id, guests[0], "public")
    assert mails() == [
        ("guest.0@example.com", "event_join"),
        ("guest.1@example.com", "event_spare"),
        ("guest.2@example.com", "event_spare"),
    ]
    seats.cancel(ANYBODY, given[0].attendee_id)  # no template for this step: no mail; who waited learns of the seat
    assert mails()[3:] == [("guest.1@example.com", "event_join")]
    letter = rendered(session, session.execute(select(Delivery.id).order_by(Delivery.id)).scalars().first())
    assert letter["Subject"] == "In: Autumn evening"
    text = letter.get_body(("plain",)).get_content()
    assert "Hello Guest: Monday 30 November 2026" in text
    assert "Rantakatu 1" in text
    assert "/act/" in text
    files = {part.get_filename(): part.get_payload(decode=True) for part in letter.iter_attachments()}
    assert set(files) == {"event.ics", "check-in.png"}
    assert b"DTSTART:20261130T090000Z" in files["event.ics"]
    (calendar,) = [part for part in letter.iter_attachments() if part.get_content_type() == "text/calendar"]
    assert calendar.get_content_charset() == "utf-8"
    waiting = rendered(session, session.execute(select(Delivery.id).order_by(Delivery.id)).scalars().all()[2])
    assert "Number 2" in waiting.get_body(("plain",)).get_content()


def test_the_mail_tells_of_the_parts_too(session, mass_event, make, mail, contacts):
    main, guests = mass_event(capacity=5), contacts(2)
    dinner = mass_event(name="Dinner", parent_id=main, capacity=1)
    said = mail("In", text="Hello{if $attendee.parts}: {$attendee.parts}{/if}")
    make("event_triggers", name="In", event_id=main, action="with_registration", template_id=said)
    for guest in guests:
        seats.register(ANYBODY, main, guest, "public", sub_event_ids=[dinner])
    seats.register(ANYBODY, main, *contacts(1), "public")
    ids = session.execute(select(Delivery.id).order_by(Delivery.id)).scalars().all()
    told = [rendered(session, id).get_body(("plain",)).get_content().strip() for id in ids]
    assert told == ["Hello: Dinner: Joined", "Hello: Dinner: On a spare place", "Hello"]


def test_a_missing_template_or_address_never_stops_a_registration(event, mail, make, attendee, row):
    guest, lost = make("contacts", last_name="Nobody"), mail("Lost")
    id = event(join_template_id=lost)
    assert seats.register(ANYBODY, id, guest, "portal").status == "joined"
    assert "no e-mail address" in attendee(id, guest)["warning"]
    change("email_templates", lost, status="inactive")
    assert (
        seats.register(ANYBODY, id, make("contacts", last_name="Somebody", email="a@example.com"), "portal").status
        == "joined"
    )
    assert "template is missing" in row("invitation_events", id)["mail_warning"]


def test_templates_of_events_lie_in_their_folder_and_products_are_on_sale(event, mail, make):
    with pytest.raises(Refused, match="folder “Event”"):
        event(join_template_id=make("email_templates", name="News"))
    with pytest.raises(Refused, match="not active"):
        event(product_id=make("products", name="Old", active=False))
    with pytest.raises(Refused, match="no time zone"):
        event(time_zone="Europe/Nowhere")


def test_who_is_told_that_an_event_is_called_off_is_told_once(session, event, mail, contacts, mails, attendee):
    mail("Any")  # brings the sender address
    guests, id = contacts(3), event(seats=1, spare_places=1)
    given = [seats.register(ANYBODY, id, one, "public") for one in guests]
    link = links.cancel_link(__import__("crm.modules.events.kinds", fromlist=["load"]).load(id), given[0].attendee_id)
    token = link.rpartition("/")[2]
    assert links.read(token).purpose == "cancel"
    with pytest.raises(Refused, match="Say why"):
        changing.call_off(SYSTEM, id, " ", Channel.FORM)
    changing.call_off(SYSTEM, id, "The hall is flooded.", Channel.FORM)
    session.commit()
    for _again in range(2):
        changing.tell_called_off(None, [id])
    assert mails() == [("guest.0@example.com", "event_called_off"), ("guest.1@example.com", "event_called_off")]
    assert attendee(id, guests[0])["status"] == "joined"
    assert links.read(token) is None


@pytest.fixture
def trigger(make, mail):
    def trigger(event_id, action, **values):
        return make(
            "event_triggers",
            **{"name": action, "event_id": event_id, "action": action, "template_id": mail(f"{action} {event_id}")}
            | values,
        )

    return trigger


def sent_of(trigger_id):
    said = select(Delivery.email).where(Delivery.dedupe_key.like(f"trigger:{trigger_id}:%")).order_by(Delivery.id)
    return [address.partition("@")[0] for address in db.session.execute(said).scalars()]


def test_triggers_of_a_step_send_once_to_the_roles_and_sub_events_they_name(mass_event, trigger, contacts):
    main, guests = mass_event(capacity=1), contacts(3)
    dinner = mass_event(name="Dinner", parent_id=main, capacity=9)
    joins, waits, leaves = (
        trigger(main, one) for one in ("with_registration", "with_spare_registration", "after_cancellation")
    )
    vips = trigger(main, "with_registration", attendee_roles=["VIP"])
    dines = trigger(main, "with_registration", sub_event_id=dinner)
    off = trigger(main, "with_registration", active=False)
    first = seats.register(SYSTEM, main, guests[0], "crm", role="VIP")
    second = seats.register(SYSTEM, main, guests[1], "crm", sub_event_ids=[dinner])
    assert (sent_of(joins), sent_of(waits), sent_of(vips), sent_of(dines)) == (
        ["guest.0"],
        ["guest.1"],
        ["guest.0"],
        ["guest.1"],
    )
    seats.cancel(SYSTEM, first.attendee_id)
    assert (sent_of(joins), sent_of(leaves), sent_of(off)) == (["guest.0", "guest.1"], ["guest.0"], [])
    seats.cancel(SYSTEM, first.attendee_id)
    assert sent_of(leaves) == ["guest.0"]
    assert second.status == "spare"


def test_a_seat_that_comes_free_at_a_part_is_told_by_the_main_events_mail_when_the_part_has_none(
    mass_event, trigger, contacts
):
    main, guests = mass_event(capacity=9), contacts(2)
    dinner = mass_event(name="Dinner", parent_id=main, capacity=1, spare_capacity=1)
    joins, leaves = trigger(main, "with_registration"), trigger(main, "after_cancellation")
    first = seats.register(SYSTEM, main, guests[0], "crm", sub_event_ids=[dinner])
    seats.register(SYSTEM, main, guests[1], "crm", sub_event_ids=[dinner])
    assert sent_of(joins) == ["guest.0", "guest.1"]
    table = modules["attendees"].table
    seats.cancel(SYSTEM, db.session.execute(
        select(table.c.id).where(table.c.event_id == dinner, table.c.contact_id == guests[0])
    ).scalar_one())  # fmt: skip
    assert sent_of(joins) == ["guest.0", "guest.1", "guest.1"]
    assert sent_of(leaves) == []
    assert first.status == "joined"


def test_a_planned_mail_is_sent_once_moves_with_the_event_and_misses_late_comers(
    session, mass_event, trigger, contacts, row
):
    id, guests = mass_event(capacity=9), contacts(3)
    reminder = trigger(id, "scheduled", base="event_start", offset=-2, unit="days")
    seats.register(ANYBODY, id, guests[0], "public")
    session.commit()

    def at(moment):
        with clock.standing_at(moment):
            firing.fire_planned(None)

    at(START - timedelta(days=2, minutes=1))
    assert sent_of(reminder) == []
    change("mass_events", id, starts_at=START + timedelta(days=5), ends_at=START + timedelta(days=5, hours=8))
    session.commit()
    at(START - timedelta(days=1))
    assert sent_of(reminder) == [], "the event has moved, and its reminder with it"
    due = START + timedelta(days=3)
    with clock.standing_at(due + timedelta(minutes=5)):
        seats.register(ANYBODY, id, guests[1], "public")  # after the moment, before the worker looked
        session.commit()
    at(due + timedelta(minutes=10))
    at(due + timedelta(minutes=11))
    assert sent_of(reminder) == ["guest.0"]
    assert row("event_triggers", reminder)["fired_for"] == due


def test_what_was_due_before_it_was_switched_on_waits_for_send_now(session, mass_event, trigger, contacts):
    id, (guest,) = mass_event(), contacts(1)
    seats.register(ANYBODY, id, guest, "public")
    late = trigger(id, "scheduled", base="event_start", offset=-20, unit="days")
    session.commit()
    firing.fire_planned(None)
    assert sent_of(late) == []
    firing.send_planned(late, clock.now())
    firing.send_planned(late, clock.now())
    assert sent_of(late) == ["guest.0"]


def test_a_planned_mail_reaches_personnel_in_its_role_who_take_no_seat(
    session, mass_event, trigger, contacts, make, row
):
    id, guests = mass_event(), contacts(2)
    person = make("event_personnel", event_id=id, contact_id=guests[0], role="Helper")
    make("event_personnel", event_id=id, contact_id=guests[1], role="Host")
    brief = trigger(
        id, "scheduled", target="personnel", personnel_roles=["Speaker"], base="event_start", offset=-1, unit="hours"
    )
    change("event_personnel", person, role="Speaker")
    gone = make("contacts", last_name="Gone", email="gone@example.com")
    make("event_personnel", event_id=id, contact_id=gone, role="Speaker")
    make("suppressions", email="gone@example.com", scope="bounce")  # mails to there come back
    session.commit()
    with clock.standing_at(START - timedelta(minutes=59)):
        firing.fire_planned(None)
    assert sent_of(brief) == ["guest.0"]
    assert standings.standing_of([id])[id].taken == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"template_id": None}, "template_id"),
        ({"action": "scheduled", "base": "moment"}, "moment"),
        ({"action": "scheduled", "offset": None}, "offset"),
        ({"attendee_roles": ["Nobody"]}, "attendee_roles"),
        ({"action": "after_cancellation", "target": "personnel"}, "target"),
    ],
)
def test_a_trigger_that_cannot_work_is_refused_at_its_field(mass_event, trigger, values, field):
    id = mass_event()
    with pytest.raises(Refused) as refused:
        trigger(id, **{"action": "with_registration"} | values)
    assert field in refused.value.faults


def test_a_trigger_whose_mail_was_deleted_says_so_and_sends_nothing(mass_event, trigger, contacts, row):
    id, (guest,) = mass_event(), contacts(1)
    joins = trigger(id, "with_registration")
    mails = modules[
        "email_templates"
    ].table  # refused by the door: a mail in use stays; older data may lack it all the same
    lost = row("event_triggers", joins)["template_id"]
    db.session.execute(update(mails).where(mails.c.id == lost).values(deleted_at=NOW))
    assert seats.register(ANYBODY, id, guest, "public").status == "joined"
    assert sent_of(joins) == []
    assert "Nothing is sent" in row("event_triggers", joins)["problem"]


def test_the_typical_set_is_made_with_one_click_and_not_twice(mass_event, mail):
    id = mass_event()
    mail("Any")
    assert typical.make_set(SYSTEM, id, Channel.FORM) == 5
    assert typical.make_set(SYSTEM, id, Channel.FORM) == 0
    assert search.count(SYSTEM, "event_triggers", {"$eq": ["event_id", id]}) == 5
    assert NOW < START


def test_the_card_names_the_mail_as_its_reader_sees_it(session, event, mail, contacts):
    id = event(join_template_id=mail("How was it, {$contact.first_name|you}?"))
    seats.register(ANYBODY, id, contacts(1)[0], "public")
    row = session.execute(select(Delivery.id, Delivery.subject)).one()
    assert row.subject == rendered(session, row.id)["Subject"] == "How was it, Guest?: Autumn evening"
