"""Personal links of events: join, decline, cancel, confirm, change answers (P25, P26, P28, P96, spec 0.3)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from crm import clock
from crm.db import db
from crm.engine.channels import Channel
from crm.identity.sealing import sealer
from crm.identity.tokens import Token
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.events import links, seats
from self_service_portal.web.acting import BAD_LINKS
from surveys import answering
from surveys.design import load
from tests.self_service_portal.event_world import NOW, START, heading
from tests.surveys.conftest import AB, make_survey

DEAD = "This link is no longer valid"


@pytest.fixture
def invite(world):
    """`invite(event, "dora")`: paths to join and to decline, as a mail to that contact has them."""

    def invite(event_id, name):
        contact = world.shop.ids[name]
        values = {"email": f"{name}@example.com", "email_key": f"{name}@example.com", "contact_id": contact, "person_id": contact,
                  "person_module": "contacts", "state": "sent", "created_at": NOW, "dedupe_key": f"test:{event_id}:{name}"}  # fmt: skip
        known = {name: value for name, value in values.items() if name in Delivery.__table__.c}
        id = db.session.execute(
            insert(Delivery.__table__).values(**known).returning(Delivery.__table__.c.id)
        ).scalar_one()
        db.session.commit()
        return [
            maker(id, str(event_id), sealer=sealer(), base_url="")
            for maker in (links.join_link, links.decline_link)
        ]  # fmt: skip

    return invite


def own_link(world, event_id, number=0):
    """The link to cancel, as the mail of the attendee has it."""
    path = links.cancel_link(links.kinds.load(event_id), world.attendees(event_id)[number]["id"])
    db.session.commit()
    return path[path.index("/act/") :]


def say(world, path, **said):
    return world.visitor.post(path, data=said)


def test_a_personal_link_joins_the_person_it_was_sent_to_without_typing_and_only_by_its_button(world, invite):
    id = world.event(public=False)
    join, _decline = invite(id, "dora")
    page = world.visitor.get(join)
    assert "This invitation is for Dora Customer." in page.text
    assert "Register with your own name" not in page.text
    world.visitor.head(join)
    assert world.attendees(id) == []
    assert heading(say(world, join, deed="join")) == "We have received your registration"
    again = say(world, join, deed="join")
    assert (again.status_code, "You are registered." in again.text) == (200, True)
    (row,) = world.attendees(id)
    assert (row["contact_id"], row["status"], row["source"]) == (world.shop.ids["dora"], "joined", "invitation_link")
    world.change("invitation_events", id, public=True)
    forwarded = world.visitor.get(invite(id, "dan")[0]).text
    assert "This invitation is for Dan Customer." in forwarded
    assert world.path(id) in forwarded


def test_declining_says_no_once_and_one_may_still_join(world, invite):
    id = world.event()
    join, decline = invite(id, "dora")
    assert "You have declined the invitation." in say(world, decline, deed="decline").text
    assert [row["status"] for row in world.attendees(id)] == ["declined"]
    assert say(world, decline, deed="decline").status_code == 200
    assert say(world, join, deed="join").status_code == 200
    assert [row["status"] for row in world.attendees(id)] == ["joined"]
    assert say(world, decline, deed="decline").status_code == 200  # who had joined cancels by it
    assert [row["status"] for row in world.attendees(id)] == ["cancelled"]


def test_a_full_event_and_one_that_is_closed_refuse_by_link_as_everywhere(world, invite):
    id = world.event(seats=0, spare_places=1)
    join = invite(id, "dora")[0]
    assert "Only spare places are left" in world.visitor.get(join).text
    assert "You are on a spare place" in say(world, join, deed="join").text
    other = invite(id, "dan")[0]
    assert "The event is full" in world.visitor.get(other).text
    assert say(world, other, deed="join").status_code == 409
    world.change("invitation_events", id, seats=5, status="closed")
    answer = say(world, invite(id, "bea")[0], deed="join")
    assert (answer.status_code, "Registration is closed" in answer.text) == (409, True)


def test_cancelling_gives_the_seat_to_who_waits_longest_and_the_same_once_more_changes_nothing(world):
    join, spare, cancel = (world.mail(name, f"{name} {{$links.cancel}}") for name in ("Join", "Spare", "Cancel"))
    id = world.event(seats=1, join_template_id=join, spare_template_id=spare, cancel_template_id=cancel)
    for number in (1, 2, 3):
        world.register(world.path(id), number)
    path = own_link(world, id)
    page = world.visitor.get(path)
    assert "You are registered." in page.text
    assert [row["status"] for row in world.attendees(id)] == ["joined", "spare", "spare"]
    assert heading(say(world, path, deed="cancel")) == "Your registration is cancelled"
    assert say(world, path, deed="cancel").status_code == 200
    assert [row["status"] for row in world.attendees(id)] == ["cancelled", "joined", "spare"]
    assert world.letters()[-2:] == [("guest.1@example.com", "event_cancel"), ("guest.2@example.com", "event_join")]
    assert len(world.letters()) == 5


def test_the_parts_stand_on_ones_own_page_and_one_can_be_given_up_alone(world):
    main = world.mass_event(capacity=5)
    parts = [world.mass_event(name=name, parent_id=main, capacity=1, public_form=False) for name in ("Dinner", "Tour")]
    for number in (1, 2):
        world.register(world.path(main), number, part=[str(id) for id in parts])
    path = own_link(world, main, 1)
    page = world.visitor.get(path).text
    assert page.count("You are on a spare place.") == 2
    assert "Cancel only Tour" in page
    assert heading(say(world, path, deed="leave", part=str(parts[1]))) == "Your place at this part is cancelled"
    assert say(world, path, deed="leave", part=str(parts[1])).status_code == 200  # once more changes nothing
    assert say(world, path, deed="leave", part=str(main)).status_code == 200
    assert [world.attendees(id)[1]["status"] for id in (main, *parts)] == ["joined", "spare", "cancelled"]
    world.change("mass_events", main, sub_event_rule="at_least_one")
    assert "Cancel only Dinner" not in world.visitor.get(path).text
    say(world, path, deed="leave", part=str(parts[0]))
    assert world.attendees(parts[0])[1]["status"] == "spare"


def test_after_the_last_day_a_link_says_it_is_too_late(world):
    id = world.event(last_cancellation_on=(NOW + timedelta(days=1)).date())
    world.register(world.path(id))
    path = own_link(world, id)
    with clock.standing_at(NOW + timedelta(days=2)):
        page = world.visitor.get(path).text
        assert "It is too late to cancel by yourself." in page
        assert re.search(r"Organiser: .*Alice.*@", page)
        assert say(world, path, deed="cancel").status_code == 409
    assert [row["status"] for row in world.attendees(id)] == ["joined"]


def test_answers_are_changed_until_registration_ends_and_never_lost_by_a_fault(world):
    survey = make_survey([{"name": "diet", "kind": "radio", "title": "Food?", "required": True, "options": AB}])
    id = world.event(survey_id=survey.id, last_registration_on=(NOW + timedelta(days=3)).date())
    world.register(world.path(id), **{"q.diet": "a"})
    path = own_link(world, id)
    assert re.search(r'value="a" checked', world.visitor.get(path).text)
    said = lambda: answering.values_of(load(survey.id), world.attendees(id)[0]["answers_response_id"])  # noqa: E731
    assert heading(say(world, path, deed="answers", **{"q.diet": "b"})) == "Your answers are saved"
    assert say(world, path, deed="answers").status_code == 422
    assert say(world, path, deed="answers", **{"q.diet": "z"}).status_code == 422
    assert said() == {"diet": {"choice": "b"}}
    with clock.standing_at(NOW + timedelta(days=5)):
        assert "Save my answers" not in world.visitor.get(path).text
        assert say(world, path, deed="answers", **{"q.diet": "c"}).status_code == 409
    assert said() == {"diet": {"choice": "b"}}
    assert len(survey.responses()) == 1


def test_a_held_seat_is_taken_by_the_button_in_time_and_is_gone_after_that(world):
    id = world.event(seats=1, spare_places=0, confirm_email=True)
    world.register(world.path(id))
    link = links.confirm_link(world.attendees(id)[0]["id"])
    db.session.commit()
    path = link[link.index("/act/") :]
    world.visitor.get(path)
    assert [row["status"] for row in world.attendees(id)] == ["held"]
    with clock.standing_at(NOW + timedelta(minutes=31)):
        late = say(world, path, deed="confirm")
        assert (late.status_code, "given on" in late.text) == (409, True)
    assert heading(say(world, path, deed="confirm")) == "Your registration is confirmed"
    assert [row["status"] for row in world.attendees(id)] == ["joined"]
    assert say(world, path, deed="confirm").status_code == 200


def test_all_links_that_do_not_hold_get_one_page_and_nothing_happens(world, invite):
    id, other = world.event(), world.event(name="Other")
    world.register(world.path(id))
    path, (join, decline) = own_link(world, id), invite(id, "dora")
    good = world.visitor.get(path).status_code
    assert good == 200

    def changed(link, place):
        return link[:place] + ("A" if link[place] != "A" else "B") + link[place + 1 :]

    moved = join.replace(f"/act/j{id}.", f"/act/j{other}.")
    swapped = join.replace("/act/j", "/act/d")
    wrong = [changed(path, n) for n in (5, 12, len(path) - 1)] + [changed(join, n) for n in (10, 20, len(join) - 1)]
    wrong += [
        moved,
        swapped,
        "/act/x",
        "/act/j.",
        "/act/" + "x" * 900,
        "/act/j999999999999999999999.abc",
        decline + "A",
    ]
    pages = set()
    for one in wrong:
        BAD_LINKS.forget()
        for answer in (world.visitor.get(one), say(world, one, deed="join"), say(world, one, deed="cancel")):
            assert answer.status_code == 410, one
            assert heading(answer) == DEAD
            pages.add(answer.text)
    assert len(pages) == 1
    assert [row["status"] for row in world.attendees(id)] == ["joined"]
    assert world.attendees(other) == []


def test_links_die_with_the_event_with_its_calling_off_and_when_they_are_old(world, invite):
    id = world.event()
    world.register(world.path(id))
    path, join = own_link(world, id), invite(id, "dora")[0]
    with clock.standing_at(START + timedelta(hours=4)):
        assert [world.visitor.get(one).status_code for one in (path, join)] == [410, 410]
    db.session.execute(update(Token).values(expires_at=NOW - timedelta(minutes=1)))
    db.session.commit()
    assert [world.visitor.get(one).status_code for one in (path, join)] == [410, 200]
    world.change("invitation_events", id, status="cancelled")
    assert [world.visitor.get(one).status_code for one in (path, join)] == [410, 410]


def test_who_tries_thirty_links_is_told_to_wait(world):
    codes = [
        world.visitor.get(f"/act/none{n}", environ_base={"REMOTE_ADDR": "127.0.0.6"}).status_code for n in range(31)
    ]
    assert codes == [410] * 30 + [429]


def test_a_page_that_knows_a_person_leads_to_the_own_registration_and_to_no_other(world):
    id = world.event()
    seats.register(SYSTEM, id, world.shop.ids["dora"], "crm", Channel.FORM)
    db.session.commit()
    own, strange = links.own_path(id, world.shop.ids["dora"]), links.own_path(id, world.shop.ids["dan"])
    assert "This page is for the registration of Dora Customer." in world.visitor.get(own).text
    assert world.visitor.get(strange).status_code == 410
    assert heading(say(world, own, deed="cancel")) == "Your registration is cancelled"
    table = Delivery.__table__
    assert db.session.execute(select(table.c.id).where(table.c.dedupe_key.like("event_%"))).first() is None
