"""The whole way in a real browser: a mail's link, three pages, a form while the CRM is down, one lead with its visits and its campaign."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions, prepare
from tests.journeys.browsing import chromium
from tests.pipeline.conftest import build_house
from tests.wordpress.test_submissions import HOUR
from web_tracking import recognising

pytestmark = pytest.mark.journey
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SEND = """async ([address, values]) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  return (await fetch(address, { method: "POST", body: data })).json();
}"""


def mailed(crm, site):
    """A lead that a campaign's mail went to, the key of the followed site, and the link in that mail."""
    with crm.here():
        db.session.execute(text("UPDATE sender_addresses SET address = id || address"))  # of an earlier try
        db.session.execute(text("UPDATE tracked_sites SET domain = id || domain"))
        db.session.execute(text("UPDATE list_types SET name = name || id"))
        house = build_house()
        lead = house.make(
            "leads", last_name="Virta", company="Virta Oy", email="veera@virta.example", may_measure_opens="yes"
        )
        campaign = house.campaign([], (lead,))
        sendout = house.sendout(campaign)
        actions.start(SYSTEM, sendout)
        prepare.prepare(sendout)
        sent_at = clock.now().replace(microsecond=0) - timedelta(hours=1)
        db.session.execute(
            Delivery.__table__.update().where(Delivery.sendout_id == sendout).values(state="sent", sent_at=sent_at)
        )
        delivery = db.session.execute(
            text("SELECT id FROM deliveries WHERE sendout_id = :s"), {"s": sendout}
        ).scalar_one()
        host = site.base.removeprefix("http://")
        followed = records.create(SYSTEM, "tracked_sites", {"name": "Kaisla", "domain": host}, Channel.SYSTEM)
        token = recognising.token(sealer(), "mail", delivery)
        db.session.commit()
    key = crm.rows("tracked_sites", id=followed)[0]["key"]
    return lead, campaign, sendout, key, f"/?{urlencode({'ch_visit': token})}"


def test_a_form_filled_while_the_crm_is_down_ends_as_one_lead_with_visits_and_campaign(wired):
    site, crm = wired.site, wired.crm
    lead, campaign, sendout, key, link = mailed(crm, site)
    crm.down()
    crm._house = type(crm._house)(crm.app.config["CUSTOMERHUB"])  # what a restart reads anew: the followed sites
    crm.up()
    id = site.ask(
        f"CustomerHub\\Settings::keep(['site_key' => '{key}']); return array_key_first(CustomerHub\\Integrations::all());"
    )
    phone = {"company": "phone", "your-name": "last_name", "your-email": "email"}
    wired.integrate(id=id, map=phone, fixed={"company": "Virta Oy", "lead_source": "Web Site"}, fills=True)
    page_id = site.ask(
        "return wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'Prices', 'post_content' => 'x']);"
    )
    assert site.health() == {"api": "good", "forms": "good", "submissions": "good"}
    with chromium(site.base) as open_page:
        page = open_page(user_agent=FIREFOX)
        page.add_init_script(
            "window.crmTrack = window.crmTrack || function () { (crmTrack.q = crmTrack.q || []).push(arguments); }; crmTrack('consent', true);"
        )
        for path in (link, f"/?page_id={page_id}", "/?page_id=2"):
            with page.expect_response("**/t/b"):
                page.goto(path)
        assert "ch_visit" not in page.url
        crm.down()
        page.route("**/t/**", lambda route: route.fulfill(status=204))
        address = f"{site.base}/?rest_route=/contact-form-7/v1/contact-forms/{wired.form}/feedback"
        values = {
            "_wpcf7_unit_tag": f"wpcf7-f{wired.form}-o1",
            "your-name": "Virta",
            "your-email": "Veera@virta.example",
            "company": "+358 40 1234567",
        }
        answer = page.evaluate(SEND, [address, values])
    assert answer["status"] == "mail_sent"
    site.cron()
    assert wired.states() == ["waiting"]
    assert site.health() == {"api": "critical", "forms": "good", "submissions": "recommended"}
    crm.up()
    assert site.health() == {"api": "good", "forms": "good", "submissions": "recommended"}
    site.pass_time(HOUR + 60)
    site.cron()
    assert site.health() == {"api": "good", "forms": "good", "submissions": "good"}
    crm.work()
    (found,) = wired.leads()
    assert (found["id"], found["phone"], found["lead_source"]) == (lead, "+358 40 1234567", "Web Site")
    assert found["campaign_id"] == campaign
    (visit,) = crm.rows("visits", person_id=lead)
    assert (visit["page_count"], visit["sendout_id"]) == (3, sendout)
