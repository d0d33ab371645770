"""The knowledge base: only published answers, suggestions while asking, whether they were of help, and the page for everybody (P64)."""

import pytest

from crm.db import db
from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix
from tests.self_service_portal.conftest import csrf


@pytest.fixture
def shelf(shop):
    """A published answer and a draft; customers may ask."""
    fields = {name: {"visible": True} for name in ("question", "answer", "category")}
    asking = {name: {"visible": True, "editable": True} for name in ("title", "description", "priority")}
    shop.show(faqs={"fields": fields}, tickets={"can_create": True, "fields": asking})
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, boxes=["faqs", "tickets"])
    shop.said = shop.make(
        "faqs",
        question="How is the felt cleaned?",
        answer="With a vacuum.\n\nNever <b>wash</b> it.",
        status="Published",
    )
    shop.draft = shop.make("faqs", question="What does the felt cost us?", answer="Little.", status="Draft")
    db.session.commit()
    return shop


def counts(id):
    row = search.one(SYSTEM, "faqs", id)
    return row["views"] or 0, row["helpful_yes"] or 0, row["helpful_no"] or 0


def test_only_published_answers_are_seen_found_suggested_and_counted(shelf):
    dan = shelf.browse("dan")
    for path in (
        "/faqs",
        "/faqs?q=felt",
        "/",
        "/search?q=felt",
        "/tickets/new?title=cleaning+the+felt",
        "/tickets/hints?title=my+felt",
    ):
        page = dan.get(path).text
        assert "How is the felt cleaned?" in page, path
        assert "cost us" not in page, path
    dan.get(f"/faqs/{shelf.draft}", 404)
    ticket = shelf.make("tickets", title="The felt is dirty", contact_id=shelf.ids["dan"])
    beside = shelf.make("faqs", question="How often?", answer="Weekly.", status="Published")
    relations.link(SYSTEM, "faqs", beside, "related", [shelf.said, shelf.draft], Channel.SYSTEM)
    db.session.commit()
    assert "How is the felt cleaned?" in dan.get(f"/tickets/{ticket}").text
    page = dan.get(f"/faqs/{beside}").text
    assert f'href="/portal/faqs/{shelf.said}"' in page
    assert "cost us" not in page
    page = dan.get(f"/faqs/{shelf.said}").text
    assert f'href="/portal/faqs/{beside}"' in page
    assert "Never &lt;b&gt;wash&lt;/b&gt; it." in page
    assert counts(shelf.said) == (1, 0, 0)
    form = {"csrf": csrf(page)}
    dan.get(f"/faqs/{shelf.said}/helpful", 405)
    dan.post(f"/faqs/{shelf.said}/helpful", form | {"helpful": "yes"}, 303)
    dan.post(f"/faqs/{shelf.said}/helpful", form | {"helpful": "yes"}, 303)
    assert counts(shelf.said)[1:] == (1, 0)
    dan.post(f"/faqs/{shelf.said}/helpful", form | {"helpful": "no"}, 303)
    assert counts(shelf.said)[1:] == (0, 1)
    dan.post(f"/faqs/{shelf.draft}/helpful", form | {"helpful": "yes"}, 404)
    records.update(SYSTEM, "faqs", shelf.said, {"status": "Obsolete"}, Channel.SYSTEM)
    db.session.commit()
    dan.get(f"/faqs/{shelf.said}", 404)


def test_the_knowledge_base_is_public_only_where_the_portal_says_so(shelf, app):
    from hub.public import create_public_app

    public = create_public_app(app.config["CUSTOMERHUB"]).test_client()
    assert public.get("/portal/public/faqs").status_code == 404
    assert public.get(f"/portal/public/faqs/{shelf.said}").status_code == 404
    shelf.set(public_faq_enabled=True)
    page = public.get("/portal/public/faqs?q=FELT clean").text
    assert "How is the felt cleaned?" in page
    assert "cost us" not in page
    assert public.get(f"/portal/public/faqs/{shelf.draft}").status_code == 404
    beside = shelf.make("faqs", question="How often?", answer="Weekly.", status="Published")
    relations.link(SYSTEM, "faqs", shelf.said, "related", [beside, shelf.draft], Channel.SYSTEM)
    db.session.commit()
    card = public.get(f"/portal/public/faqs/{shelf.said}")
    assert f'href="/portal/public/faqs/{beside}"' in card.text
    assert "cost us" not in card.text
    assert "Never &lt;b&gt;wash&lt;/b&gt; it." in card.text
    assert "Set-Cookie" not in card.headers
    from lxml import html

    token = html.fromstring(card.text).xpath("//input[@name='form']/@value")[0]
    for _time in (1, 2):  # the same page sent twice counts once
        sent = public.post(f"/portal/public/faqs/{shelf.said}/helpful", data={"form": token, "helpful": "yes"})
        assert sent.status_code == 303
    assert counts(shelf.said) == (1, 1, 0)
    shelf.set(active=False)
    assert public.get("/portal/public/faqs").status_code == 503
