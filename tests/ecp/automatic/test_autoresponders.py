"""M111: a mail that follows another, once, after the delay, to who really did what is asked."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import measuring
from ecp.pipeline import actions, prepare
from ecp.pipeline.track import sealer
from tests.ecp.automatic.conftest import NOW, mailed, work

PERSON = measuring.Request(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", address="192.0.2.7"
)
DELIVERIES = Delivery.__table__


@pytest.fixture
def sent(house, at):
    """A mail that three people got at NOW: (house, sendout, person → delivery)."""
    people = house.contacts(3)
    sendout = house.sendout(house.campaign(people))
    actions.start(SYSTEM, sendout)
    prepare.prepare(sendout)
    db.session.execute(update(DELIVERIES).where(DELIVERIES.c.sendout_id == sendout).values(state="sent", sent_at=NOW))
    db.session.commit()
    found = db.session.execute(DELIVERIES.select().where(DELIVERIES.c.sendout_id == sendout)).mappings()
    return house, sendout, {row["person_id"]: row["id"] for row in found}


def follow_up(house, sendout, **values):
    said = {
        "name": "And now",
        "sendout_id": sendout,
        "delay": 1,
        "unit": "days",
        "email_template_id": house.mail(name="Next"),
    }
    made = house.make("autoresponders", **said | values)
    db.session.commit()
    return made


def click(delivery, number=1, request=PERSON):
    measuring.follow(sealer().seal("click", delivery), number, request)
    db.session.commit()


def test_who_clicked_gets_it_once_after_the_delay_a_gateway_never(sent, at):
    house, sendout, deliveries = sent
    gateway, person, _silent = deliveries
    follow_up(house, sendout, reaction="clicked")
    at(NOW + timedelta(seconds=2))
    for number in (1, 2):  # a scanner opens all links two seconds after the mail left
        click(deliveries[gateway], number, measuring.Request("Mozilla/5.0", address="192.0.2.9"))
    at(NOW + timedelta(hours=2))
    click(deliveries[person])
    for hours, expected in ((25, []), (27, [{person: "waiting"}]), (51, [{person: "waiting"}])):
        at(NOW + timedelta(hours=hours))
        work()
        assert mailed("autoresponder") == expected, hours


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reaction": "read"}, 0),
        ({"reaction": "clicked", "link_number": 2}, 0),
        ({"reaction": "clicked", "link_number": 1}, None),
        ({"reaction": "not_read"}, 1),
        ({"reaction": "read", "until": "2026-11-23"}, None),
        ({"reaction": "read", "active": False}, None),
    ],
)
def test_each_asks_its_own(sent, at, values, expected):
    """Of three people the first followed the second link, the second did nothing, the third is not measured."""
    house, sendout, deliveries = sent
    people = list(deliveries)
    records.update(SYSTEM, "contacts", people[2], {"may_measure_opens": "no"}, Channel.FORM)
    follow_up(house, sendout, **values)
    at(NOW + timedelta(hours=1))
    click(deliveries[people[0]], 2)
    at(NOW + timedelta(hours=26))
    work()
    assert mailed("autoresponder") == ([] if expected is None else [{people[expected]: "waiting"}])


def test_who_left_gets_nothing_and_what_was_due_before_it_was_made_is_not_sent(sent, at):
    house, sendout, deliveries = sent
    first, second, third = deliveries
    at(NOW + timedelta(hours=1))
    click(deliveries[first])
    at(NOW + timedelta(hours=30))
    follow_up(house, sendout, reaction="clicked")
    for person in (second, third):
        click(deliveries[person])
    records.update(SYSTEM, "contacts", third, {"email_opt_out": True}, Channel.FORM)
    at(NOW + timedelta(hours=60))
    work()
    assert mailed("autoresponder") == [{second: "waiting", third: "opt_out"}]


def test_bad_input_is_refused_at_its_field(sent):
    house, sendout, _deliveries = sent
    template = house.mail(kind="template")
    for values, field in (
        ({"email_template_id": template}, "email_template_id"),
        ({"reaction": "read", "link_number": 1}, "link_number"),
    ):
        with pytest.raises(Refused) as refused:
            follow_up(house, sendout, **values)
        assert set(refused.value.faults) == {field}
        db.session.rollback()
