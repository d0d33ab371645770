"""Rows of the specification that only a page shows."""

from urllib.parse import urlsplit

from lxml import html

from crm.engine import search
from crm.identity.viewer import SYSTEM


def test_a_campaign_made_inside_the_mass_mailing_comes_back_chosen(browse, house):
    mary = browse("mary", "crm")
    page = html.fromstring(mary.get("/sendouts/new").text)
    make = next(link for link in page.xpath("//a/@href") if "/campaigns/new?" in link)
    place = make.removeprefix("/crm")
    sent = mary.form(place) | {"name": ["Autumn"]}
    answer = mary.post(place, sent)
    campaign = search.find(SYSTEM, "campaigns", columns=("name", "type", "active")).rows[0]
    assert (campaign["name"], campaign["type"]) == ("Autumn", "Email")
    there = urlsplit(answer.headers["Location"])
    page = html.fromstring(mary.get(f"{there.path.removeprefix('/crm')}?{there.query}").text)
    chosen = page.xpath("//select[@name='campaign_id']/option[@selected]/@value")
    assert chosen == [str(campaign.id)]


def test_forms_and_the_editor_warn_before_what_was_typed_is_lost(browse, house):
    mary = browse("mary", "crm")
    for path in ("/contacts/new", f"/email_templates/{house.mail_id}/write"):
        page = html.fromstring(mary.get(path).text)
        kept = [
            form
            for form in page.forms
            if "data-keep" in form.attrib or "data-editor" in form.attrib or "data-write" in form.attrib
        ]
        assert kept, path
