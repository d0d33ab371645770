"""Who proved who he is here is known on the followed sites that he goes on to (M93; spec/marketing.md 6.24, recognition)."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix
from surveys import links
from tests.surveys.conftest import make_survey
from web_tracking import recognising

SITE, ELSEWHERE = "https://www.shop.example/care?x=1&y=2#top", "https://other.example/care"


def follow():
    id = records.create(SYSTEM, "tracked_sites", {"name": "Shop", "domain": "shop.example"}, Channel.SYSTEM)
    db.session.commit()
    return id


def who(said):
    """(way, person) of a parameter."""
    found = recognising.read(sealer(), said, clock.now())
    return (found.way, found.id) if found else None


def hrefs(page):
    return [html.unescape(said) for said in re.findall(r'href="(https?://[^"]+)"', page)]


def parameter(url):
    return parse_qs(urlsplit(url).query)["ch_visit"][0]


def test_links_of_the_portal_make_a_customer_known_on_followed_sites_and_nowhere_else(shop):
    said = [{"url": url, "label": {"en": "Care", "fi": "Hoito"}} for url in (SITE, ELSEWHERE)]
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, links=said)
    db.session.commit()
    dora = shop.browse("dora")
    assert "ch_visit" not in dora.get("/").text  # nothing is followed
    follow()
    page = dora.get("/")
    here = next(url for url in hrefs(page.text) if url.startswith("https://www.shop.example/care?x=1&y=2&ch_visit="))
    assert here.endswith("#top")
    assert who(parameter(here)) == ("portal", shop.ids["dora"])
    assert ELSEWHERE in hrefs(page.text)
    assert "ch_visit" not in shop.client().get("/portal/login").text  # a stranger is nobody


def landing(**values):
    said = {
        "name": "Thanks",
        "status": "active",
        "html": f'<p><a href="{html.escape(SITE)}">On</a> <a href="{ELSEWHERE}">x</a></p>',
    }
    return records.create(SYSTEM, "landing_pages", said | values, Channel.SYSTEM)


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_who_answers_a_survey_by_his_link_is_known_where_its_thank_you_page_leads_unless_it_is_anonymous(
    world, is_anonymous
):
    follow()
    asked = make_survey([{"name": "words", "kind": "text"}], thank_you_page_id=landing(), anonymous=is_anonymous)
    person = world.shop.ids["dora"]
    address = links.invite(asked.id, person)
    db.session.commit()
    answer = world.visitor.post(address[address.index("/s/") :], data={"q.words": "Fine"})
    assert answer.status_code == 303
    page = world.visitor.get(answer.headers["Location"]).text
    leads = next(url for url in hrefs(page) if "shop.example" in url)
    assert ELSEWHERE in hrefs(page)
    if is_anonymous:
        assert "ch_visit" not in page
    else:
        assert who(parameter(leads)) == ("survey", person)


def test_a_landing_page_hands_on_no_parameter_that_is_not_ours(world):
    follow()
    landing(slug="thanks")
    db.session.commit()
    for said in ("x" * 48, '"><script>alert(1)</script>', ""):
        page = world.visitor.get("/p/thanks", query_string={"ch_visit": said}).text
        assert SITE in hrefs(page)
        assert "ch_visit" not in page
        assert "alert" not in page


def test_a_registration_in_a_frame_tells_the_page_around_who_it_was_and_nobody_whether_he_was_known(world):
    world.shop.set(embed_sites="https://www.shop.example")
    follow()
    id = world.mass_event(description=f'<p><a href="{html.escape(SITE)}">Care</a></p>')
    framed = world.path(id).replace("/public/", "/embed/")
    first, again = world.register(framed), world.register(framed, email="guest.1@example.com", last_name="Other")
    told = [re.search(r'crmVisit: "([^"]+)"', answer.text)[1] for answer in (first, again)]
    assert [who(said) for said in told] == [("form", world.attendees(id)[0]["contact_id"])] * 2
    first_page, second_page = (re.sub(r"[\w-]{48}", "", answer.text) for answer in (first, again))
    assert first_page == second_page
    assert re.search(r"script-src 'sha256-[^']+'", first.headers["Content-Security-Policy"])
    assert "crmVisit" not in world.register(world.path(id), 2).text  # no frame, nobody to tell
