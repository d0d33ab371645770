"""Public registration without hints, personal links, merged and deleted contacts, attendance, and rows made through the door."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select

from crm import clock
from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.events import (
    attendance,
    doubtful,
    figures,
    inviting,
    kinds,
    links,
    merging,
    public,
    row_places,
    seats,
    standings,
)
from crm.modules.events.event_times import set_times
from crm.modules.people import Choice
from tests.modules.events.conftest import ANYBODY, NOW, START, change
from tests.people import viewer

TYPED = {"first_name": "Guest", "last_name": "Number 0", "email": "Guest.0@example.com"}


def count(module):
    return search.count(SYSTEM, module)


def test_start_and_end_follow_from_the_times_and_an_end_before_its_start_is_refused(make, row):
    id = make("invitation_events", name="Course", seats=5)
    days = [{"starts_at": START + timedelta(days=n), "ends_at": START + timedelta(days=n, hours=2)} for n in (1, 0)]
    assert set_times(SYSTEM, id, days, Channel.FORM) == []
    assert (row("invitation_events", id)["starts_at"], row("invitation_events", id)["ends_at"]) == (
        START,
        START + timedelta(days=1, hours=2),
    )
    with pytest.raises(Refused) as refused:
        set_times(SYSTEM, id, [{"starts_at": START, "ends_at": START - timedelta(hours=1)}], Channel.FORM)
    assert set(refused.value.faults) == {"ends_at.0"}
    overlapping = [{"starts_at": START, "ends_at": START + timedelta(hours=n)} for n in (1, 2)]
    assert set_times(SYSTEM, id, overlapping, Channel.FORM) == ["Two of the times overlap."]


def test_the_public_link_is_there_after_the_first_save_and_goes_with_the_tick(make, row):
    id = make("invitation_events", name="Open day", seats=5, public=True)
    link = row("invitation_events", id)["public_link"]
    slug = row("invitation_events", id)["slug"]
    assert link.endswith(f"/portal/public/events/{slug}")
    assert str(id) not in slug
    change("invitation_events", id, public=False)
    assert row("invitation_events", id)["public_link"] is None
    assert kinds.by_slug(slug).is_public is False


def test_a_known_address_is_its_contact_and_a_new_one_makes_one_without_touching_the_card(
    event, contacts, row, attendee, mails
):
    id, (known,) = event(seats=9), contacts(1)
    before, contacts_before = dict(row("contacts", known)), count("contacts")
    public.register(ANYBODY, id, TYPED | {"first_name": "Gustav", "company": "Other Oy", "phone": "+358 40 1"})
    assert count("contacts") == contacts_before
    assert dict(row("contacts", known)) == before
    mine = attendee(id, known)
    assert (mine["check_identity"], mine["company"]) == (True, "Other Oy")
    assert "Gustav" in mine["differences"]
    answer = public.register(ANYBODY, id, {"first_name": "New", "last_name": "Person", "email": "new@example.com"})
    assert count("contacts") == contacts_before + 1
    fresh = row("contacts", attendee(id, row("attendees", answer.attendee_id)["contact_id"])["contact_id"])
    assert (fresh["last_name"], fresh["account_id"], fresh["email_opt_in"]) == ("Person", None, "none")


def test_the_page_says_the_same_to_new_known_and_registered_addresses(event, contacts, mail):
    mail("Any")
    contacts(2)
    id = event(seats=2, spare_places=2)
    assert public.register(ANYBODY, id, TYPED).status == "joined"
    assert public.register(ANYBODY, id, TYPED).status == "joined"  # there already, while a new one would join
    public.register(ANYBODY, id, TYPED | {"email": "second@example.com"})
    assert public.register(ANYBODY, id, TYPED).status == "spare"  # joined in truth: the mail says so
    assert standings.standing_of([id])[id].taken == 2
    for n in range(2):
        public.register(ANYBODY, id, TYPED | {"email": f"more{n}@example.com"})
    assert [
        public.register(ANYBODY, id, TYPED | {"email": one}).status
        for one in ("guest.0@example.com", "unknown@example.com")
    ] == ["full", "full"]


def test_addresses_of_nobody_in_particular_are_taken_and_shown_to_be_checked(event, row):
    id = event(seats=9)
    for email, is_checked in (
        ("info@kaisla.example", True), ("Toimisto+events@kaisla.example", True), (f"anna@{min(doubtful.FLEETING)}", True), ("anna@kaisla.example", False),
    ):  # fmt: skip
        given = public.register(ANYBODY, id, {"first_name": "Anna", "last_name": "Ahonen", "email": email})
        assert (given.status, bool(row("attendees", given.attendee_id)["check_identity"])) == ("joined", is_checked), (
            email
        )


def test_of_several_contacts_with_an_address_the_name_decides_and_somebody_checks(event, make, attendee):
    others = [
        make("contacts", last_name=name, email="family@example.com") for name in ("Virtanen", "Korhonen", "Virtanen")
    ]
    change("contacts", others[0], passive=True)
    id = event()
    answer = public.register(
        ANYBODY, id, {"first_name": "Liisa", "last_name": "virtanen", "email": "family@example.com"}
    )
    assert attendee(id, others[2])["id"] == answer.attendee_id
    assert attendee(id, others[2])["check_identity"] is True


@pytest.mark.parametrize(("typed", "field"), [({"email": "nobody"}, "email"), ({"first_name": " "}, "first_name"), ({"last_name": "x" * 101}, "last_name"), ({"email": "a" * 250 + "@example.com"}, "email")])  # fmt: skip
def test_bad_input_is_told_at_its_field(event, typed, field):
    id, before = event(), count("contacts")
    with pytest.raises(Refused) as refused:
        public.register(ANYBODY, id, TYPED | typed)
    assert field in refused.value.faults
    assert count("contacts") == before


def test_the_page_knows_its_state(event, mass_event, contacts):
    def state(id):
        return public.state_of(kinds.load(id))

    id, guests = event(seats=1, spare_places=1), contacts(2)
    assert (state(id), public.free_seats(kinds.load(id))) == ("open", 1)
    seats.register(ANYBODY, id, guests[0], "public")
    assert state(id) == "spare"
    seats.register(ANYBODY, id, guests[1], "public")
    assert state(id) == "full"
    assert state(mass_event(registration_starts_at=NOW + timedelta(days=1))) == "not_open"
    assert state(event(last_registration_on=(NOW - timedelta(days=1)).date())) == "closed"
    assert state(event(starts=NOW - timedelta(days=1))) == "past"
    assert state(event(status="cancelled")) == "called_off"


# invitations


def test_personal_links_join_the_right_contact_and_the_reminder_goes_to_those_without_an_answer(
    session, people, event, contacts, make, mail, attendee
):
    guests = contacts(4)
    campaign = make("campaigns", name="Autumn", type="Email", owner_id=people.alice)
    members.change(SYSTEM, campaign, Choice(contact_ids=guests), Channel.FORM)
    id, other = event(campaign_id=campaign, seats=9), event()
    template = mail("Come")
    sendout = make("sendouts", name="Invitation", campaign_id=campaign, email_template_id=template)
    deliveries = [
        session.execute(insert(Delivery).values(
            sendout_id=sendout, email=f"guest.{n}@example.com", email_key=f"guest.{n}@example.com", person_module="contacts", person_id=one,
            contact_id=one, state="sent", sent_at=NOW, created_at=NOW, first_read_at=NOW if n == 2 else None,
        ).returning(Delivery.id)).scalar_one() for n, one in enumerate(guests[:3])
    ]  # fmt: skip
    tokens = [
        links.join_link(one, str(id), sealer=sealer(), base_url="https://hub.example.com").rpartition("/")[2]
        for one in deliveries
    ]
    found = links.read(tokens[0])
    assert (found.purpose, found.event.id, found.contact_id) == ("join", id, guests[0])
    swapped = [
        tokens[0].replace(f"j{id}.", f"j{other}."),
        tokens[0].replace("j", "d", 1),
        tokens[0][:-1] + ("A" if tokens[0][-1] != "A" else "B"),
        "j.x",
        "x" * 22,
    ]
    assert [links.read(one) for one in swapped] == [None] * 5
    seats.register(ANYBODY, id, found.contact_id, "invitation_link")
    seats.decline(ANYBODY, id, guests[1], "invitation_link")
    assert attendee(id, guests[1])["status"] == "declined"
    assert {one.contact_id: one.state for one in inviting.invited(SYSTEM, kinds.load(id))} == dict(
        zip(guests, ("joined", "declined", "opened", "not_sent"), strict=True)
    )
    # the same when the portal sent to people that it took in from the campaign
    records.update(SYSTEM, "sendouts", sendout, {"campaign_id": None}, Channel.SYSTEM)
    assert inviting.counts(SYSTEM, kinds.load(id))["opened"] == 0
    list_type = make("list_types", name="Invitations")
    imported = make("portal_target_groups", name="Guests", campaign_id=campaign, list_type_id=list_type)
    relations.link(SYSTEM, "sendouts", sendout, "portal_target_groups", [imported], Channel.SYSTEM)
    counts = inviting.counts(SYSTEM, kinds.load(id))
    assert {state: count for state, count in counts.items() if count} == {
        "joined": 1,
        "declined": 1,
        "opened": 1,
        "not_sent": 1,
    }
    group = inviting.without_answer(viewer(people.ada), kinds.load(id), Channel.FORM)
    table = modules["target_group_members"].table
    said = select(table.c.contact_id).where(table.c.target_group_id == group)
    assert set(session.execute(said).scalars()) == set(guests[2:])


# merged, deleted, made through the door


def test_merged_contacts_keep_one_row_with_the_better_state_and_the_earliest_registration(event, contacts, attendee):
    kept, gone, third = contacts(3)
    both, only = event(seats=1, spare_places=3), event()
    seats.register(ANYBODY, both, gone, "public")
    with clock.standing_at(NOW + timedelta(hours=1)):
        seats.register(ANYBODY, both, kept, "public")
        seats.register(ANYBODY, both, third, "public")
    seats.register(ANYBODY, only, gone, "public")
    assert merging.merge_contacts(SYSTEM, kept, gone, Channel.FORM) == 2
    mine = attendee(both, kept)
    assert (mine["status"], mine["registered_at"], mine["queue_no"]) == ("joined", NOW, None)
    assert attendee(both, gone) is None
    assert attendee(both, third)["status"] == "spare"
    assert attendee(only, kept)["status"] == "joined"


def test_merged_contacts_who_both_wait_keep_the_earlier_place_in_the_queue(event, contacts, attendee):
    first, early, late = contacts(3)
    id = event(seats=1, spare_places=3)
    for one in (first, early, late):
        seats.register(ANYBODY, id, one, "public")
    early_no = attendee(id, early)["queue_no"]
    assert early_no < attendee(id, late)["queue_no"]
    merging.merge_contacts(SYSTEM, late, early, Channel.FORM)
    assert (attendee(id, late)["status"], attendee(id, late)["queue_no"]) == ("spare", early_no)


def test_the_name_of_a_deleted_contact_stays_on_the_row(session, event, contacts, row):
    id, (guest,) = event(), contacts(1)
    place = seats.register(ANYBODY, id, guest, "public")
    records.delete(SYSTEM, "contacts", guest, Channel.FORM)
    records.purge(SYSTEM, "contacts", [guest])
    session.expire_all()
    mine = row("attendees", place.attendee_id)
    assert (mine["name"], mine["contact_id"], mine["status"]) == ("Guest Number 0", None, "joined")


def test_rows_made_by_forms_and_imports_get_places_like_everybody(event, contacts, attendee):
    id, guests = event(seats=1, spare_places=1), contacts(3)
    done = records.create_many(
        SYSTEM, "attendees", [{"event_id": id, "contact_id": one} for one in guests], Channel.IMPORT, keep_going=True
    )
    assert done.refused[2].faults["event_id"][0].code == "event_full"
    assert [attendee(id, one)["status"] for one in guests[:2]] == ["joined", "spare"]
    with pytest.raises(Refused, match="among the attendees"):
        records.create(SYSTEM, "attendees", {"event_id": id, "contact_id": guests[0]}, Channel.FORM)
    first = attendee(id, guests[0])["id"]
    records.delete(SYSTEM, "attendees", first, Channel.FORM)
    row_places.after_deletion(None, [first])
    assert attendee(id, guests[1])["status"] == "joined"
    records.restore(SYSTEM, "attendees", [first], Channel.FORM)
    assert attendee(id, guests[0])["status"] == "cancelled"


def test_attendance_is_marked_from_the_day_of_the_event_and_only_for_seats(event, contacts, attendee):
    id, guests = event(seats=2, spare_places=1), contacts(3)
    given = [seats.register(ANYBODY, id, one, "public").attendee_id for one in guests]
    with pytest.raises(Conflict, match="from the day of the event"):
        attendance.mark(SYSTEM, id, given[:1], "attended", Channel.FORM)
    with clock.standing_at(START - timedelta(hours=1)):
        code = attendee(id, guests[0])["code"]
        assert attendance.by_code(id, f" {code.lower()[:4]} {code[4:]} ") == given[0]
        assert attendance.by_code(event(), code) is None
        assert attendance.mark(SYSTEM, id, given[:1], "attended", Channel.FORM) == 1
        assert attendance.mark(SYSTEM, id, given[:1], "attended", Channel.FORM) == 0
        with pytest.raises(Conflict, match="has no seat"):
            attendance.mark(SYSTEM, id, given[2:], "attended", Channel.FORM)
    with clock.standing_at(START + timedelta(hours=1)):
        assert attendance.missing(SYSTEM, id, Channel.FORM) == 1
    assert [attendee(id, one)["status"] for one in guests] == ["attended", "no_show", "spare"]


def test_the_numbers_equal_the_lists_behind_them(people, event, contacts):
    id, guests = event(seats=2, spare_places=2), contacts(5)
    given = seats.add_many(SYSTEM, id, guests, Channel.FORM)
    seats.cancel(SYSTEM, given[1].attendee_id, Channel.FORM)
    asks = viewer(people.alice)
    numbers = {one.key: one for one in figures.figures_of(asks, kinds.load(id))}
    for key in ("joined", "spare", "cancelled", "attended", "no_show"):
        assert numbers[key].value == search.count(asks, "attendees", numbers[key].where), key
    assert {key: numbers[key].value for key in ("capacity", "joined", "spare", "cancelled", "free", "fill")} == {
        "capacity": 2, "joined": 2, "spare": 1, "cancelled": 1, "free": 0, "fill": 100,
    }  # fmt: skip
    assert [(group.key, group.count) for group in figures.a_day(asks, id)] == [(date(2026, 11, 20), 4)]


def test_mass_events_hold_together(mass_event):
    for values, field in (
        ({"ends_at": START - timedelta(hours=1)}, "ends_at"),
        ({"registration_starts_at": NOW, "registration_ends_at": NOW}, "registration_ends_at"),
        ({"registration_ends_at": START + timedelta(days=1)}, "registration_ends_at"),
        ({"event_type": "secret"}, "event_type"),
        ({"capacity": -1}, "capacity"),
    ):
        with pytest.raises(Refused) as refused:
            mass_event(**values)
        assert field in refused.value.faults
    part = mass_event(parent_id=mass_event())
    with pytest.raises(Refused, match="one level deep"):
        mass_event(parent_id=part)
