"""From a mail to the card: who clicks a link to a followed site is known there, by consent only."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import timeline
from crm.identity.viewer import SYSTEM
from ecp.pipeline.frozen import TrackedLink
from tests.public.conftest import FIREFOX, Sent, sent  # noqa: F401 — a fixture
from tests.web_tracking.conftest import Tracked
from web_tracking.keeping import drop_old


def follow(sent: Sent, agent: str = FIREFOX) -> str:  # noqa: F811
    from ecp.measuring import Request, follow

    number = (
        db.session.execute(select(TrackedLink.number).where(TrackedLink.sendout_id == sent.sendout)).scalars().first()
    )
    target = follow(sent.token("click"), number or 1, Request(agent, "GET", "198.51.100.7"))
    assert target
    return target


@pytest.fixture
def shop(sent: Sent, track: Any) -> Tracked:  # noqa: F811
    url = db.session.execute(select(TrackedLink.url).where(TrackedLink.sendout_id == sent.sendout)).scalars().first()
    return track(domain=urlsplit(url).netloc)


def test_who_clicks_a_mail_and_browses_has_the_visit_on_the_card_with_its_mailing(sent: Sent, shop: Tracked) -> None:  # noqa: F811
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="yes"))
    target = follow(sent)
    token = parse_qs(urlsplit(target).query)["ch_visit"][0]
    host = f"https://{urlsplit(target).netloc}"
    for path, more in (("/", {"p": token}), ("/prices", {}), ("/order", {})):
        assert shop.post(shop.body(u=host + path, **more), HTTP_ORIGIN=host) == "204"
    shop.roll_up()
    visit = shop.row("visits")
    assert (visit["person_id"], visit["sendout_id"], visit["page_count"]) == (sent.contact, sent.sendout, 3)
    assert [entry.category for entry in timeline.page(SYSTEM, "contacts", sent.contact, wanted=["visit"]).entries] == [
        "visit"
    ]


def test_a_forwarded_mail_makes_no_second_browser_known_however_often_and_late_it_is_followed(
    sent: Sent,  # noqa: F811
    shop: Tracked,
) -> None:
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="yes"))
    for cookie, days in (("A", 0), ("B", 0), ("A", 1), ("C", 30)):
        with clock.standing_at(clock.now() + timedelta(days=days)):
            target = follow(sent)
            host = f"https://{urlsplit(target).netloc}"
            token = parse_qs(urlsplit(target).query)["ch_visit"][0]
            shop.post(shop.body(u=f"{host}/", v=cookie * 22, p=token), HTTP_ORIGIN=host)
            shop.roll_up()
            drop_old()
    assert [row["person_id"] for row in shop.rows("visitors")] == [sent.contact, None, None]
    assert [row["sendout_id"] for row in shop.rows("visits")] == [sent.sendout, None, sent.sendout, None]


def test_who_did_not_agree_to_be_measured_gets_the_plain_address(sent: Sent, shop: Tracked) -> None:  # noqa: F811
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="no"))
    assert "ch_visit" not in follow(sent)
