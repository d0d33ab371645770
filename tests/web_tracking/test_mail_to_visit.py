"""From a mail to the card: who clicks a link to a followed site is known there, by consent only."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import timeline
from crm.identity.viewer import SYSTEM
from ecp.pipeline.frozen import TrackedLink
from tests.public.conftest import FIREFOX, Sent, sent  # noqa: F401 — a fixture
from tests.web_tracking.conftest import Tracked


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


def test_who_did_not_agree_to_be_measured_gets_the_plain_address(sent: Sent, shop: Tracked) -> None:  # noqa: F811
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="no"))
    assert "ch_visit" not in follow(sent)
