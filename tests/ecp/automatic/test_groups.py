"""M48, M49: at the mail's time a target group is collected anew, becomes a campaign, and gets the mail."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.target_groups import TargetGroup
from ecp.automatic import groups
from tests.ecp.automatic.conftest import NOW, mailed, template, work
from tests.people import People

SUNDAY = NOW - timedelta(days=1)
TABLE = TargetGroup.__table__


@pytest.fixture
def weekly(house, people: People, at):
    """A group of Mary's of everybody in Turku, mailed on Mondays at ten (NOW is a Monday, 9.30): (house, make a person, set)."""
    at(SUNDAY)
    mail = template(house, sending_time="weekly", sending_weekday="monday", sending_at="10:00")
    group = house.make(
        "target_groups", name="Turku", conditions={"mailing_city": "Turku"}, owner_id=people.mary, send_template_id=mail,
        auto_campaigns=True, leave_out_unmailable=False,
    )  # fmt: skip
    db.session.commit()
    at(NOW)

    def person(email: str, **values):
        return house.contact(email, mailing_city="Turku", owner_id=people.mary, **values)

    def change(**values):
        records.update(SYSTEM, "target_groups", group, values, Channel.FORM)
        db.session.commit()

    return house, person, change


def problem():
    db.session.expire_all()
    return db.session.execute(select(TABLE.c.auto_problem)).scalar()


def test_it_goes_at_its_time_to_the_people_of_then_and_later_only_to_new_ones(weekly, at):
    _house, person, change = weekly
    first, out = person("a@example.com"), person("b@example.com", email_opt_out=True)
    work()
    assert mailed("auto_target_group") == []
    at(NOW + timedelta(minutes=30))
    for _again in range(2):
        work()
    assert mailed("auto_target_group") == [{first: "waiting", out: "opt_out"}]
    made = search.find(SYSTEM, "campaigns", columns=("name", "type", "active")).rows
    assert [(one["name"], one["type"], one["active"]) for one in made] == [("Turku 2026-11-23 10:00", "Email", True)]
    fresh = person("c@example.com")
    at(NOW + timedelta(days=7, minutes=30))
    work()
    assert mailed("auto_target_group")[1:] == [{fresh: "waiting"}]
    at(NOW + timedelta(days=14, minutes=31))
    work()  # nobody new: no campaign of nobody
    assert len(mailed("auto_target_group")) == 2
    change(only_new_members=False)
    at(NOW + timedelta(days=21, minutes=30))
    work()
    assert mailed("auto_target_group")[2:] == [{first: "waiting", fresh: "waiting", out: "opt_out"}]


def test_what_was_due_before_it_was_switched_on_or_long_ago_is_let_go(weekly, at):
    _house, person, change = weekly
    person("a@example.com")
    change(auto_campaigns=False)
    at(NOW + timedelta(hours=1))
    change(auto_campaigns=True)
    work()
    assert mailed("auto_target_group") == []
    at(NOW + timedelta(days=8, hours=1))  # nothing ran at ten on the next Monday, and now it is late
    work()
    assert mailed("auto_target_group") == []


def test_two_workers_send_one_moment_once(weekly, at):
    _house, person, _change = weekly
    person("a@example.com")
    at(NOW + timedelta(minutes=30))
    assert groups.send_due(), problem()
    row = db.session.execute(select(TABLE.c.id, TABLE.c.auto_sent_for)).one()
    assert not groups._take(row.id, row.auto_sent_for)
    assert groups.send_due() == []


def test_why_nothing_was_sent_is_said_at_the_group(weekly, at):
    house, person, _change = weekly
    person("a@example.com")
    records.update(SYSTEM, "sender_addresses", house.sender_id, {"state": "pending"}, Channel.SYSTEM)
    db.session.commit()
    at(NOW + timedelta(minutes=30))
    work()
    assert (mailed("auto_target_group"), "not confirmed" in problem()) == ([], True)
    assert search.find(SYSTEM, "campaigns").rows == []
