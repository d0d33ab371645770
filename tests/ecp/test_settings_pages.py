"""What administrators of the portal keep: senders and their domains, users, the look of the site, the plan; and the outbox."""

import io
import re

import pytest
from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine import search
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.mail.dns_check import DomainReport
from crm.mail.dns_lookup import Check, Finding
from crm.mail.folder import Folder
from crm.mail.message import Envelope
from crm.mail.sending.deliveries import Delivery
from crm.modules import organisation
from crm.ui.style_sheets import cleaned
from ecp import senders
from ecp.domains import checking


def token_of_letter():
    letter = (
        db.session.execute(select(Delivery.payload).where(Delivery.kind == "letter").order_by(Delivery.id.desc()))
        .scalars()
        .first()
    )
    return re.search(r"/confirm/(\S+)", letter["text"])[1]


def test_a_sender_address_is_confirmed_by_the_link_in_its_mail(browse, house):
    ada = browse("ada")
    assert (
        "e-mail address"
        in ada.post("/sender_addresses/new", ada.form("/sender_addresses/new") | {"address": "nobody"}, 422).text
    )
    said = ada.form("/sender_addresses/new") | {"address": "letters@example.org", "display_name": "Letters"}
    place = ada.post("/sender_addresses/new", said).location.removeprefix("/ecp")
    id = int(place.rsplit("/", 1)[1])
    first = token_of_letter()
    assert search.one(SYSTEM, "sender_addresses", id)["state"] == "pending"
    ada.post(f"{place}/ask", {"csrf": said["csrf"]})
    assert senders.confirm(first) is None  # the newer mail holds
    token = token_of_letter()
    assert senders.confirm(token) == "letters@example.org"
    assert senders.confirm(token) is None  # once
    assert search.one(SYSTEM, "sender_addresses", id)["state"] == "confirmed"


def test_the_domain_of_a_sender_is_told_in_sentences(browse, house):
    def found(level):
        return Check("spf", "example.com", "v=spf1 -all", (Finding("x", level, f"SPF is <{level}>."),))

    ada = browse("ada")
    here = f"/sender_addresses/{house.sender_id}"
    dmarc = Check("dmarc", "_dmarc.example.com", "", (Finding("y", "ok", "DMARC is there."),))
    checking.keep(DomainReport("example.com", found("problem"), (), dmarc))
    db.session.commit()
    page = ada.get(here).text
    assert "SPF is &lt;problem&gt;." in page
    assert "DMARC is there." in page
    assert search.one(SYSTEM, "sender_addresses", house.sender_id)["state"] == "confirmed"
    checking.keep(DomainReport("example.com", found("ok"), (), dmarc))
    assert search.one(SYSTEM, "sender_addresses", house.sender_id)["state"] == "domain_verified"


def test_a_user_of_the_portal_is_named_by_an_address_that_nobody_else_has(browse):
    ada = browse("ada")
    said = ada.form("/users/new", "email") | {
        "first_name": "Nina",
        "last_name": "New",
        "password": "seven small wooden boats",
    }
    assert "e-mail address" in ada.post("/users/new", said | {"email": "nina"}, 422).text
    assert "exists already" in ada.post("/users/new", said | {"email": "mary@example.com"}, 422).text
    assert (
        "at least 12 characters"
        in ada.post("/users/new", said | {"email": "nina@example.com", "password": "short"}, 422).text
    )
    ada.post("/users/new", said | {"email": "nina@example.com"})
    nina = db.session.execute(select(User.__table__).where(User.email == "nina@example.com")).one()
    assert (nina.crm_access, nina.ecp_access, nina.must_change_password) == (False, True, True)
    page = {"csrf": said["csrf"]}
    ada.post(f"/users/{nina.id}/password", page | {"password": "eight small wooden boats"})
    ada.post(f"/users/{nina.id}/deactivate", page)
    assert db.session.execute(select(User.archived).where(User.id == nina.id)).scalar()


def test_the_last_administrator_of_the_portal_stays_one(browse, people):
    ada = browse("ada")
    said = ada.form(f"/users/{people.ada}", "version")
    said.pop("ecp_admin", None)
    assert "last active administrator" in ada.post(f"/users/{people.ada}", said, 422).text


def test_an_administrator_of_the_crm_has_no_business_in_the_portals_settings(browse, people, house):
    carl = browse("carl")
    for path in (
        "/users",
        "/users/new",
        f"/users/{people.eve}",
        "/settings",
        "/plan",
        "/sender_addresses/new",
        "/list_types/new",
    ):
        carl.get(path, 403)
    carl.post("/settings", {"csrf": carl.form("/preferences")["csrf"], "name": "Mine now"}, 403)
    carl.post(f"/users/{people.eve}/password", {"csrf": carl.form("/preferences")["csrf"], "password": "x" * 14}, 403)


def test_name_and_css_change_the_portal_and_broken_css_can_be_undone(browse):
    ada, eve = browse("ada"), browse("eve")
    said = ada.form("/settings", "css") | {
        "name": "Kaisla Ltd",
        "colour": "#0a5c2b",
        "css": "body { display: none } @import url(//x.example);",
    }
    ada.post("/settings", said)
    page = eve.get("/").text
    assert "Kaisla Ltd" in page
    href = re.search(r'href="/ecp(/site\.css\?\w+)"', page)[1]
    assert eve.get(href).text == "body { display: none; }"
    assert "site.css" not in ada.get("/settings?nocss=1").text
    ada.post("/settings?nocss=1", said | {"reset_css": "1"})
    assert "site.css" not in eve.get("/").text
    assert "#rrggbb" in ada.post("/settings", said | {"colour": "green"}, 422).text


def test_a_logo_is_a_picture(browse):
    ada = browse("ada")
    said = {name: value[0] for name, value in ada.form("/settings", "css").items()}
    answer = ada.client.post("/ecp/settings", data=said | {"logo": (io.BytesIO(b"<svg onload=x>"), "logo.png")})
    assert answer.status_code == 422
    assert "is no PNG" in answer.text


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("a { color: red }", "a { color: red; }"),
        ("a { background: url(https://x.example/a.png) }", ""),
        ("a { background: url('/i/abc.png') }", 'a { background: url("/i/abc.png"); }'),
        ("a { width: expression(alert(1)); color: red }", "a { color: red; }"),
        ("@media print { a { color: red } }", "@media print {\na { color: red; }\n}"),
        ("a { content: '</style><script>' }", 'a { content: "<\\/style><script>"; }'),
    ],
)
def test_own_css_loads_nothing_and_runs_nothing(source, kept):
    assert cleaned(source)[0].replace("url(/i/abc.png)", 'url("/i/abc.png")') == kept


def test_the_plan_in_force_is_shown_and_changed(browse):
    ada = browse("ada")
    basic = search.find(SYSTEM, "plans", where={"key": "basic"}, columns=("name",)).rows[0].id
    ada.post("/plan", ada.form("/plan", "plan") | {"plan": basic})
    assert "0 of 15,000; 15,000 left" in ada.get("/plan").text


@pytest.fixture
def mail(app):
    """A mail in the local folder, with a picture of its own and a file."""
    source = (
        b'From: News <news@example.com>\r\nTo: anna@example.com\r\nSubject: =?utf-8?q?P=C3=A4iv=C3=A4=C3=A4?=\r\nMIME-Version: 1.0\r\n'
        b'Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <a href="https://example.com/">you</a></p><script>1</script>\r\n'
    )  # fmt: skip
    folder = Folder(config.current().data_path / "outbox")
    connection = folder.connection()
    connection.open()
    connection.send(Envelope("news@example.com", "anna@example.com"), source)
    kept = folder.newest(1)[0].id
    yield kept
    folder.delete(kept)


def test_the_outbox_shows_mails_as_their_readers_see_them(browse, mail):
    ada = browse("ada")
    assert "Päivää" in ada.get("/outbox?q=anna@").text
    assert "Päivää" not in ada.get("/outbox?q=nobody@else").text
    assert "news@example.com" in ada.get(f"/outbox/{mail}").text
    seen = ada.get(f"/outbox/{mail}/seen")
    assert 'target="_blank"' in seen.text
    assert "script-src" not in seen.headers["Content-Security-Policy"]
    assert "default-src 'none'" in seen.headers["Content-Security-Policy"]
    assert ada.get(f"/outbox/{mail}/source").headers["Content-Disposition"].startswith("attachment")
    ada.get("/outbox/../secret_key", 404)
    browse("eve").get(f"/outbox/{mail}", 404)


def test_which_opt_in_people_need_and_the_page_to_ask_for_mail_are_set_on_one_page(browse, house):
    ada = browse("ada")
    for opt_in, is_open in (("double", False), ("any", True), ("", True)):
        said = ada.form("/settings") | {"require_opt_in": opt_in, "subscription_page": "1" if is_open else "0"}
        ada.post("/settings", said)
        assert (organisation.required_opt_in(), organisation.has_subscription_page()) == (opt_in, is_open)
        assert f'<option value="{opt_in}" selected>' in ada.get("/settings").text
