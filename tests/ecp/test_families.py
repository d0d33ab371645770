"""Who hosts the domains of recipients, asked of a name server on loopback once a week."""

from datetime import timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.mail.sending.families import MailFamily
from ecp.domains import families
from ecp.pipeline import actions, prepare
from tests.mail.name_server import resolver_of, serving


def kept():
    return {row.domain: row.family for row in db.session.execute(select(MailFamily.domain, MailFamily.family))}


def test_domains_of_a_sendout_are_looked_up_once_a_week_and_silence_is_no_answer(people, house):
    ids = [
        house.contact(f"p@{name}")
        for name in ("firm.example", "small.example", "broken.example", "none.example", "gmail.com")
    ]
    sendout = house.sendout(house.campaign(ids))
    db.session.commit()
    actions.start(people["ada"], sendout)
    db.session.commit()
    prepare.prepare(sendout)
    assert families.unknown(sendout) == ["broken.example", "firm.example", "none.example", "small.example"]
    with serving() as (zone, port):
        zone.publish("firm.example. 60 IN MX 10 aspmx.l.google.com.")
        zone.publish("small.example. 60 IN MX 10 mx.host.example.net.")
        found = families.ask(families.unknown(sendout), resolver_of(port), seconds=1.0)
    families.keep(found)
    assert kept() == {
        "broken.example": "broken.example",
        "firm.example": "gmail",
        "none.example": "none.example",
        "small.example": "example.net",
    }
    assert families.unknown(sendout) == []
    with clock.standing_at(clock.now() + timedelta(days=8)):
        assert len(families.unknown(sendout)) == 4
        families.keep({"firm.example": "outlook"})
        assert kept()["firm.example"] == "outlook"
