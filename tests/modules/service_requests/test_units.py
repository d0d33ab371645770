"""Which unit gets a request, and what happens while people are away (P81)."""

from datetime import UTC, datetime, timedelta

import pytest

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.modules.groups.writing import create_group
from crm.modules.service_requests import taking
from tests.modules.service_requests.test_service_requests import Job, letters, refusal

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def test_the_area_of_the_customer_decides_before_the_type_and_the_first_rule_that_fits_holds(desk):
    north, south = (create_group(SYSTEM, {"name": name}, [("user", desk.people.bob)]) for name in ("North", "South"))
    desk.set("sr_types", desk.type, unit_id=desk.people.team)
    other_type = desk.make("sr_types", name="Invoices", unit_id=desk.people.team)
    desk.make("sr_areas", name="North", postal_codes="90-99, 8", country="Suomi, FINLAND", unit_id=north, place=2)
    desk.make("sr_areas", name="Oulu", city="oulu", type_id=other_type, unit_id=south, place=1)
    desk.make("sr_areas", name="Off", city="Oulu", unit_id=south, place=0, active=False)

    def unit(type_id=desk.type, account=None, **address):
        contact = desk.make("contacts", last_name="Somebody", account_id=account, **address)
        return desk.row(desk.request(contact_id=contact, owner_id=None, type_id=type_id))["unit_id"]

    oulu = {"mailing_city": "OULU", "mailing_postal_code": "90 100", "mailing_country": "Finland"}
    assert unit(**oulu) == north
    assert unit(other_type, **oulu) == south
    assert unit(**oulu | {"mailing_country": "Sweden"}) == desk.people.team
    assert unit(**oulu | {"mailing_postal_code": "00100"}) == desk.people.team
    assert unit() == desk.people.team
    account = desk.make("accounts", name="Oulun Oy", billing_country="Suomi", billing_postal_code="80100")
    assert unit(account=account) == north  # the address of the company, where the person has none
    contact = desk.make("contacts", last_name="Routed", **oulu)
    assert desk.row(desk.request(contact_id=contact))["accepted_by_id"] == desk.people.alice  # named: hers
    by_rule = desk.request(contact_id=contact, routed=True)
    assert (desk.row(by_rule)["owner_id"], desk.row(by_rule)["accepted_by_id"]) == (north, None)
    for bad in ("9-10", "99-90", "?", "90100-"):
        assert refusal(desk.make, "sr_areas", name="Bad", postal_codes=bad, unit_id=north) == {
            "postal_codes": "bad_value"
        }
    desk.make("sr_areas", name="All others", unit_id=south, place=9)
    assert unit() == south  # what a rule leaves empty fits all, also who has no address


def test_who_is_away_gets_no_requests_and_what_was_held_goes_back_to_its_unit(desk):
    alice, bob = desk.viewer("alice"), desk.viewer("bob")
    with clock.standing_at(NOON):
        held = desk.request(owner_id=desk.people.team)
        taking.take(alice, held, Channel.FORM)
        own = desk.request()  # hers without a unit
        days = {"from_on": NOON.date() + timedelta(days=1), "until_on": NOON.date() + timedelta(days=3)}
        records.create(alice, "sr_absences", days, Channel.FORM)
        assert refusal(records.create, bob, "sr_absences", days | {"user_id": alice.id}, Channel.FORM) == {
            "user_id": "forbidden"
        }
        assert refusal(
            records.create, alice, "sr_absences", days | {"until_on": NOON.date()}, Channel.FORM
        ) == {"until_on": "bad_order"}  # fmt: skip
        TASKS["service_requests.clock"].run(Job())
        assert desk.row(held)["owner_id"] == alice.id  # not yet
    with clock.standing_at(NOON + timedelta(days=1)):
        TASKS["service_requests.clock"].run(Job())
        assert (desk.row(held)["owner_id"], desk.row(held)["accepted_by_id"]) == (desk.people.team, None)
        assert desk.row(own)["owner_id"] == alice.id  # there is no unit that could take it
        taking.take(alice, held, Channel.FORM)  # she may do it all the same
        TASKS["service_requests.clock"].run(Job())
        assert desk.row(held)["owner_id"] == alice.id
        said = {"title": "x", "contact_id": desk.contact, "owner_id": alice.id}
        with pytest.raises(Refused, match="is away until"):
            records.create(bob, "service_requests", said, Channel.FORM)
        desk.set("sr_types", desk.type, unit_id=desk.people.team)
        made = records.create(bob, "service_requests", said, Channel.FORM)
        assert (desk.row(made)["owner_id"], desk.row(made)["accepted_by_id"]) == (desk.people.team, None)
    with clock.standing_at(NOON + timedelta(days=4)):
        back = records.create(bob, "service_requests", said, Channel.FORM)
        assert desk.row(back)["accepted_by_id"] == alice.id


def test_who_takes_a_request_is_not_told_of_it_and_who_is_given_one_is(desk):
    id, tell = desk.request(owner_id=desk.people.team), TASKS["service_requests.tell"]
    taking.take(desk.viewer("alice"), id, Channel.FORM)
    tell.run(Job(), "service_requests", "updated", [id], "system", None)
    assert letters("sr:updated:") == []
    records.update(desk.viewer("alice"), "service_requests", id, {"owner_id": desk.people.bob}, Channel.FORM)
    tell.run(Job(), "service_requests", "updated", [id], "form", desk.people.alice)
    db.session.flush()
    assert [one.email for one in letters("sr:updated:")] == ["bob@example.com"]
