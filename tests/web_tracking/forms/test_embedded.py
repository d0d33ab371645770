"""The script in a real Chromium, in a page of another site: it draws the form, sends it, says what is wrong, leaves a way out."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route

from crm.db import db
from crm.identity.sealing import public_base
from tests.journeys.browsing import chromium, violations
from tests.web_tracking.forms.conftest import Form

pytestmark = pytest.mark.journey
SHOP, OTHER = "https://shop.example", "https://other.example"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
<main><h1>Shop</h1><p id="before">Before</p><script async src="{base}{path}.js"></script><p id="after">After</p></main></html>"""
POLICY = "default-src 'none'; script-src {base}; connect-src {base}; form-action {base}"


def answer(made: Form, base: str, path: str, route: Route) -> None:
    """What the shop answers, and what our house does: in the thread of the test, whose database it is."""
    request, parts = route.request, urlsplit(route.request.url)
    if f"{parts.scheme}://{parts.netloc}" in {SHOP, OTHER}:
        policy = POLICY.format(base=base)
        said = PAGE.format(base=base, path=path)
        route.fulfill(body=said, headers={"Content-Type": "text/html", "Content-Security-Policy": policy})
        return
    data: dict[str, Any] = {"data": request.post_data_buffer or b"", "method": request.method}
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    query = f"?{parts.query}" if parts.query else ""
    with made.client.application.app_context():  # a handler runs beside the test, without what it has pushed
        found = made.client.open(parts.path + query, headers=headers, **data)
    kept = {name: value for name, value in found.headers.items() if name.lower() != "content-length"}
    route.fulfill(status=found.status_code, body=found.get_data(), headers=kept)


def test_a_form_stands_in_a_page_of_another_site_and_is_sent_from_there(form: Any, monkeypatch: Any) -> None:
    from web_tracking.forms import tickets

    monkeypatch.setattr(tickets, "LEAST_SECONDS", 0.0)  # programs type fast
    made: Form = form(
        allowed_origins=SHOP, consent_text="You may write to me.", consent_required=True, thanks="We call you."
    )
    base, path = public_base(), made.path
    with chromium(SHOP) as open_page:
        page = open_page()
        warned: list[str] = []
        page.on("console", lambda said: warned.append(said.text) if "Security Policy" in said.text else None)
        page.route("**/*", lambda route: answer(made, base, path, route))
        page.context.add_cookies([{"name": "crm_visitor", "value": "V" * 22, "url": SHOP}])
        page.goto("/contact?utm_source=news&secret=geheim")
        page.wait_for_selector(".crm-form")
        order = page.evaluate("[...document.querySelector('main').children].map((one) => one.id || one.tagName)")
        assert order == ["H1", "before", "SCRIPT", "DIV", "after"]
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector(".crm-said")
        assert page.evaluate("document.activeElement.className") == "crm-said"
        assert page.get_by_text("Last name: Please fill this in.").is_visible()
        assert violations(page, without=(".crm-trap",)) == []
        page.get_by_label("Last name").fill("Mäkinen <b>")
        page.get_by_label("E-mail").fill("mari@example.com")
        page.get_by_label("You may write to me.").check()
        page.set_viewport_size({"width": 375, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector(".crm-thanks")
        assert page.inner_text(".crm-thanks") == "Thank you. We call you."
        assert [one["name"] for one in page.context.cookies()] == ["crm_visitor"]  # the site's own alone
        page.goto(f"{OTHER}/contact")  # where the form may not stand
        page.wait_for_selector("main div a")
        assert page.get_attribute("main div a", "href") == f"{base}{path}"
    assert not [text for text in warned if "style" in text or "script-src" in text]
    db.session.expire_all()
    (kept,) = made.work()
    assert (kept["cookie"], kept["source"], kept["page"]) == ("V" * 22, "news", "shop.example/contact")
    assert (kept["outcome"], kept["said"]["last_name"]) == ("made", "Mäkinen <b>")
