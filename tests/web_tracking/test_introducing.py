"""A form of another site says whose browser it was (M119; decisions.md 17)."""

import pytest

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from tests.public.conftest import sent  # noqa: F401 — a fixture
from tests.web_tracking.conftest import ANNA
from web_tracking import introducing, recognising
from web_tracking.scoring import tasks, touches


@pytest.fixture
def introduce(site, monkeypatch):
    monkeypatch.setattr(introducing, "store_of", lambda _config: site.store)

    def said(person_id):
        return introducing.introduce(None, ANNA, person_id, "leads", clock.now().isoformat())

    return said


def lead(**values):
    given = {"last_name": "Virta", "company": "Virta Oy"} | values
    id = records.create(SYSTEM, "leads", given, Channel.SYSTEM)
    db.session.commit()
    return id


def test_earlier_visits_go_with_the_person_of_a_form(site, introduce):
    for path in ("/", "/boats", "/prices"):
        site.hit(path=path)
    person = lead()
    assert introduce(person) == "1 of 1"
    assert (site.row("visitors")["person_id"], site.row("visitors")["bound_via"]) == (person, "form")
    assert {row["person_id"] for row in site.rows("visits") + site.rows("page_views")} == {person}
    assert introduce(lead(last_name="Other")) == "0 of 1"  # a browser does not change hands by a form
    assert site.row("visitors")["person_id"] == person


def test_nobody_is_known_by_a_cookie_that_was_never_agreed_to_or_refused(site, introduce):
    assert introduce(lead()) == "nobody with that cookie"
    site.hit()
    assert "refused" in introduce(lead(may_measure_opens="no"))
    assert site.row("visitors")["person_id"] is None


def test_the_mail_that_brought_the_browser_gives_its_campaign(sent, site, introduce):  # noqa: F811
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="yes"))
    site.hit(p=recognising.token(sealer(), "mail", sent.delivery))
    assert introduce(lead()) == "0 of 1"  # the contact stays who that browser is
    assert site.row("visits")["person_id"] == sent.contact
    assert site.row("leads")["campaign_id"] == sent.campaign
    assert introduce(lead(last_name="Second", campaign_id=made_campaign())) == "0 of 1"
    assert site.row("leads")["campaign_id"] != sent.campaign  # what the form said holds


def test_a_lead_in_the_browser_of_somebody_mailed_came_by_that_mail(sent, site, introduce):  # noqa: F811
    contacts = db.metadata.tables["contacts"]
    db.session.execute(contacts.update().where(contacts.c.id == sent.contact).values(may_measure_opens="yes"))
    site.hit(p=recognising.token(sealer(), "mail", sent.delivery))
    person = lead()
    for _time in range(2):
        introduce(person)
    tasks.of_people(None, [person])
    touch = site.row("touches")
    assert [row["person_id"] for row in site.rows("touches") if row["kind"] == "mail"] == [person]
    assert (touch["label"], touch["sendout_id"], touch["campaign_id"]) == ("Mail", sent.sendout, sent.campaign)
    assert site.row("leads")["first_touch"] == f"Mail · {touch['campaign']}"
    db.session.execute(touches.Touch.__table__.insert().values({**touch, "id": touch["id"] + 1, "ref": sent.delivery}))
    tasks.of_people(None, [person])  # the same person after all: his own is enough
    assert [row["ref"] for row in site.rows("touches") if row["kind"] == "mail"] == [sent.delivery]


def made_campaign():
    return records.create(SYSTEM, "campaigns", {"name": "Autumn"}, Channel.SYSTEM)
