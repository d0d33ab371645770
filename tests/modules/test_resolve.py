"""The one way from an address to a person."""

import pytest

from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.modules.contacts.resolve import Person, people_of, resolve


def test_contacts_come_before_leads_and_older_before_newer(make):
    lead = make("leads", last_name="L", company="C", email="a@example.com")
    first = make("contacts", last_name="A", email="A@EXAMPLE.com")
    second = make("contacts", last_name="B", email="a@example.com")
    assert people_of("a@Example.COM") == [Person("contacts", first), Person("contacts", second), Person("leads", lead)]
    assert people_of("nobody@example.com") == []
    assert people_of("no address") == []


def test_a_stranger_is_made_once(make, row):
    made = resolve(SYSTEM, "New@example.com", Channel.API, {"first_name": "Noa"})
    assert made.is_new
    assert (row("contacts", made.person.id)["first_name"], row("contacts", made.person.id)["last_name"]) == (
        "Noa",
        "New",
    )
    again = resolve(SYSTEM, "new@example.com", Channel.API, {"first_name": "Other"})
    assert (again.person, again.is_new) == (made.person, False)
    assert row("contacts", made.person.id)["first_name"] == "Noa"


def test_input_from_outside_fills_nothing_unless_told_and_never_overwrites(make, row):
    id = make("contacts", last_name="Virtanen", email="a@example.com")
    resolve(SYSTEM, "a@example.com", Channel.API, {"last_name": "Evil", "title": "Boss"})
    assert (row("contacts", id)["last_name"], row("contacts", id)["title"]) == ("Virtanen", None)
    resolve(SYSTEM, "a@example.com", Channel.API, {"last_name": "Evil", "title": "Boss"}, fill=True)
    assert (row("contacts", id)["last_name"], row("contacts", id)["title"]) == ("Virtanen", "Boss")


def test_a_lead_can_be_made_and_nobody_when_not_wanted(make, row):
    made = resolve(SYSTEM, "x@firm.example", Channel.API, make="leads")
    assert row("leads", made.person.id)["company"] == "firm.example"
    assert resolve(SYSTEM, "y@firm.example", Channel.API, make="") is None


def test_an_unusable_address_is_refused(app):
    with pytest.raises(Refused):
        resolve(SYSTEM, "no address", Channel.API)
