"""The screens of automatic mails: their state and switches, autoresponders on the card of a sendout, a mailing that comes again."""

from datetime import timedelta

import pytest
from lxml import html
from sqlalchemy import update

from crm import clock
from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.modules.tickets import templates
from tests.ecp.automatic.conftest import mailed, template, work
from tests.ecp.conftest import browse, portal  # noqa: F401 - fixtures
from tests.people import People


@pytest.fixture
def joined(house, people: People):
    """A campaign that welcomes, with somebody who got the mail and somebody who did not: (house, campaign, both people)."""
    campaign = house.make("campaigns", name="Welcome <all>", auto_template_id=template(house), owner_id=people.mary)
    first, second = house.contacts(2)
    for person in (first, second):
        members.change(SYSTEM, campaign, Choice(contact_ids=[person]), Channel.FORM)
        db.session.commit()
        work()
        db.session.execute(update(Delivery).values(state="sent", sent_at=clock.now()))
        db.session.execute(update(modules["campaigns"].table).values(closes_on=clock.now().date() - timedelta(days=3)))
        db.session.commit()
    return house, campaign, (first, second)


def press(browser, path, status=303, **said):
    """A button of a page."""
    token = html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    browser.post(path, {"csrf": token} | said, status)


def test_all_of_them_are_listed_with_their_state_and_switched_off_and_on(joined, people, browse):  # noqa: F811
    house, campaign, _both = joined
    group_mail = template(house, name="Monthly", sending_time="monthly", sending_day=1, sending_at="09:00")
    house.make(
        "target_groups",
        name="Turku",
        everybody=True,
        owner_id=people.mary,
        send_template_id=group_mail,
        auto_campaigns=True,
    )
    mary = browse("mary", "crm")
    page = mary.get("/automatic").text
    for said in ("Welcome &lt;all&gt;", "close date is past", "1 person did not get it", "Turku", "Monthly"):
        assert said in page, said
    assert "Automatic mail" in mary.get(f"/campaigns/{campaign}").text
    for on in ("0", "1"):
        press(mary, f"/automatic/campaigns/{campaign}/switch", on=on)
        assert search.one(SYSTEM, "campaigns", campaign)["auto_mail_on"] == (on == "1")
    assert browse("eve").get("/automatic")
    press(browse("rita", "crm"), f"/automatic/campaigns/{campaign}/switch", 403, on="0")


def test_who_was_left_out_gets_it_on_demand_and_others_once_more(joined, browse):  # noqa: F811
    _house, campaign, (first, second) = joined
    mary, home = browse("mary", "crm"), f"/campaigns/{campaign}/automatic"
    assert "Not sent: The campaign" in mary.get(home).text
    press(mary, f"{home}/owed")
    assert "close date is past" in mary.get(home).text
    db.session.execute(update(modules["campaigns"].table).values(closes_on=None))
    db.session.commit()
    press(mary, f"{home}/owed")
    for _twice in range(2):
        press(mary, f"{home}/again", id=[first], times="0")
    work()
    assert [set(people) for people in mailed()] == [{first}, {second}, {first}]


def test_an_autoresponder_is_made_on_the_card_of_a_sendout(house, browse):  # noqa: F811
    sendout = house.sendout(house.campaign(house.contacts(1)), state="sent")
    db.session.commit()
    mary = browse("mary")
    new = f"/autoresponders/new?sendout_id={sendout}"
    assert f"/ecp{new}" in mary.get(f"/sendouts/{sendout}").text
    said = {"name": "And then", "reaction": "read", "delay": "2", "email_template_id": house.mail_id, "active": "1"}
    mary.post(new, mary.form(new) | said)
    assert "And then" in mary.get(f"/sendouts/{sendout}").text
    assert "And then" in mary.get("/automatic").text


def test_a_mailing_that_comes_again_is_made_in_the_step_time(house, browse):  # noqa: F811
    sendout = house.sendout(house.campaign(house.contacts(1)))
    db.session.commit()
    mary, home = browse("mary", "crm"), f"/sendouts/{sendout}"
    step = f"{home}/steps/time"
    said = mary.form(step) | {"when": "now", "recurrence": "weekly"}
    assert "for the first time" in mary.post(step, said, 422).text
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT09:00")
    answer = mary.post(step, said | {"when": "later", "at": at, "recurs_until": "2031-01-01"})
    assert "every week" in mary.get(answer.headers["Location"].partition("/crm")[2]).text
    press(mary, f"{home}/schedule", tested="1", at=at)
    page = mary.get(home).text
    for words in ("Every week", "again and again", "2031"):
        assert words in page, words
    assert "Spring mail" in mary.get("/automatic").text


def test_only_fitting_mails_are_offered(house, browse):  # noqa: F811
    template(house, name="Joining")
    template(house, name="Timed", sending_time="daily", sending_at="09:00")
    template(house, name="Asleep", status="inactive")
    db.session.commit()
    ada = browse("ada", "crm")
    for place, expected in (
        ("campaigns/choose/auto_template_id", ["Joining"]),
        ("target_groups/choose/send_template_id", ["Timed"]),
    ):
        assert [one["text"] for one in ada.get(f"/{place}").json] == expected


def test_the_permanent_template_offers_no_delete(browse, house):  # noqa: F811
    templates.seed()
    id = templates.row_of(templates.CHANGE_COMMENTS)["id"]
    db.session.commit()
    ada = browse("ada", "crm")
    assert f"/email_templates/{house.mail_id}/delete" in ada.get(f"/email_templates/{house.mail_id}").text
    assert f"/email_templates/{id}/delete" not in ada.get(f"/email_templates/{id}").text
