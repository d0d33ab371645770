"""What customers change, and who hears of it; colleagues; links; languages; what pages weigh and escape (P11–P13, P17)."""

import io
import re

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, custom_fields, picklists, records
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix
from tests.self_service_portal.conftest import csrf, link_in, mails, work

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


def test_a_change_is_on_the_card_at_once_with_who_and_where_and_the_owner_is_told(shop, crm):
    """P12."""
    dora, id = shop.browse("dora"), shop.ids["dora"]
    assert f'href="/portal/contacts/{id}/edit"' in dora.get("/my-data").text
    said = dora.form(f"/contacts/{id}/edit")
    dora.post(f"/contacts/{id}/edit", said | {"phone": ["+358 40 555 1234"]})
    assert shop.contact("dora").phone == "+358 40 555 1234"
    change = db.session.execute(select(Change).where(Change.entity_id == id, Change.field == "phone")).scalar_one()
    assert (change.channel, change.contact_id, change.actor_id) == ("portal", id, None)
    (told,) = mails(f"portal_change:{id}:")
    assert told.email == "alice@example.com"
    assert "Phone: – → +358 40 555 1234" in told.payload["text"]
    card = crm("ada").get(f"/contacts/{id}").text
    assert "+358 40 555 1234" in card
    assert "Dora Customer, in the portal" in card
    stale = dora.post(f"/contacts/{id}/edit", said | {"phone": ["+358 40 555 9999"]}, 409)
    assert "+358 40 555 9999" in stale.text
    assert stale.text.count("Now saved:") == 1  # both versions, where they differ
    assert shop.contact("dora").phone == "+358 40 555 1234"


def test_a_refused_change_keeps_what_was_typed_and_writes_nothing(shop):
    dora, id = shop.browse("dora"), shop.ids["dora"]
    said = dora.form(f"/contacts/{id}/edit")
    answer = dora.post(f"/contacts/{id}/edit", said | {"phone": ["call me"], "title": [HOSTILE]}, 422)
    assert "call me" in answer.text
    assert "<script>alert" not in answer.text
    assert shop.contact("dora").title is None


def test_a_new_address_counts_when_its_owner_has_confirmed_it(shop):
    shop.show(contacts={"fields": {"email": {"visible": True, "editable": True}}})
    dora, id = shop.browse("dora"), shop.ids["dora"]
    said = dora.form(f"/contacts/{id}/edit")
    dora.post(f"/contacts/{id}/edit", said | {"email": ["nonsense"]}, 422)
    dora.post(f"/contacts/{id}/edit", said | {"email": ["doris@acme.example"]})
    assert shop.contact("dora").email == "dora@acme.example"
    (mail,) = mails("portal_address:")
    assert mail.email == "doris@acme.example"
    client, path = shop.client(), link_in(mail)
    token = csrf(client.get(path).text)
    assert shop.contact("dora").email == "dora@acme.example"
    assert client.post(path, data={"csrf": token}).status_code == 303
    assert shop.contact("dora").email == "doris@acme.example"
    assert shop.log_in("doris@acme.example").status_code == 303
    work()
    assert mails("portal_confirm:") == [], "confirmed once is enough"
    assert client.post(path, data={"csrf": token}).status_code == 410


def test_only_the_administrator_of_the_company_adds_colleagues_and_only_to_it(shop):
    """P13."""
    dan, dora = shop.browse("dan"), shop.browse("dora")
    assert "/portal/contacts/new" not in dan.get("/contacts").text
    dan.get("/contacts/new", 404)
    dan.get(f"/contacts/{shop.ids['dora']}", 404)
    assert (
        dan.client.post("/portal/contacts/new", data={"csrf": csrf(dan.get("/").text), "last_name": "X"}).status_code
        == 404
    )
    assert set(re.findall(r"/portal/contacts/(\d+)", dora.get("/contacts").text)) == {
        str(shop.ids[name]) for name in ("dora", "dan")
    }
    shop.show(contacts={"fields": {"email": {"visible": True, "editable": True}}})
    said = dora.form("/contacts/new")
    dora.post(
        "/contacts/new",
        said | {"last_name": ["Colleague"], "email": ["eve@acme.example"], "account_id": [str(shop.ids["beta"])]},
    )
    table = modules["contacts"].table
    made = db.session.execute(select(table).where(table.c.email == "eve@acme.example")).one()
    assert (made.account_id, made.owner_id) == (shop.ids["acme"], shop.people.alice)


def test_a_colleague_who_is_known_is_opened_or_left_to_an_agent(shop):
    shop.show(contacts={"fields": {"email": {"visible": True, "editable": True}}})
    dora = shop.browse("dora")
    said = dora.form("/contacts/new")
    answer = dora.post("/contacts/new", said | {"last_name": ["Again"], "email": ["DAN@acme.example"]})
    assert answer.headers["Location"] == f"/portal/contacts/{shop.ids['dan']}"
    answer = dora.post("/contacts/new", said | {"last_name": ["Bea"], "email": ["bea@beta.example"]})
    assert answer.headers["Location"] == "/portal/contacts"
    assert "beta" not in dora.get("/contacts").text.lower()
    requests = modules["portal_requests"].table
    (asked,) = db.session.execute(select(requests)).mappings().all()
    assert (asked["kind"], asked["asked_by_id"], asked["email"]) == ("contact", shop.ids["dora"], "bea@beta.example")
    assert shop.contact("bea").account_id == shop.ids["beta"]


def test_access_of_colleagues_is_given_by_the_administrator_or_asked_for(shop):
    eve = shop.ids["eve"] = shop.make(
        "contacts", last_name="Eve", email="eve@acme.example", account_id=shop.ids["acme"]
    )
    db.session.commit()
    dora, dan = shop.browse("dora"), shop.browse("dan")
    token = csrf(dora.get(f"/contacts/{eve}").text)
    dora.post(f"/contacts/{eve}/access", {"csrf": token, "deed": "give"})
    requests, users = modules["portal_requests"].table, modules["portal_users"].table
    assert db.session.execute(select(requests.c.kind, requests.c.contact_id)).all() == [("colleague", eve)]
    shop.set(colleague_access="direct")
    dora.post(f"/contacts/{eve}/access", {"csrf": token, "deed": "give"})
    work()
    assert [mail.email for mail in mails("portal_welcome:")] == ["eve@acme.example"]
    for id in (shop.ids["bea"], shop.ids["acme"]):
        dora.post(f"/contacts/{id}/access", {"csrf": token, "deed": "give"}, 404)
    dan.post(f"/contacts/{eve}/access", {"csrf": csrf(dan.get("/").text), "deed": "take"}, 404)
    own = f"/contacts/{shop.ids['dora']}/access"
    for deed in ("take", "no_admin"):
        dora.post(own, {"csrf": token, "deed": deed}, 409)  # the last administrator stays
    dora.post(f"/contacts/{shop.ids['dan']}/access", {"csrf": token, "deed": "admin"})
    dora.post(own, {"csrf": token, "deed": "no_admin"})
    dora.get(f"/contacts/{shop.ids['dan']}", 404)
    assert db.session.execute(select(users.c.active).where(users.c.contact_id == eve)).scalar()


def test_links_to_other_sites_are_https_only_and_open_apart(shop):
    """P17."""
    for url in (
        "javascript:alert(1)",
        "http://shop.example",
        "https://",
        "https://a b.example",
        "//shop.example",
        "data:text/html,x",
    ):
        with pytest.raises(Refused):
            matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, links=[{"url": url, "label": {"en": "Shop"}}])
    matrix.change(
        SYSTEM, shop.profile, Channel.SYSTEM, boxes=["links"],
        links=[{"url": "https://shop.example/", "label": {"en": "Shop " + HOSTILE, "fi": "Kauppa"}}],
    )  # fmt: skip
    other = shop.make("portal_profiles", name="Bare", portal_id=shop.portal)
    records.update(SYSTEM, "portal_users", shop.users["dan"], {"profile_id": other}, Channel.SYSTEM)
    db.session.commit()
    page = shop.browse("dora").get("/").text
    assert '<a href="https://shop.example/" target="_blank" rel="noopener noreferrer">' in page
    assert "<script>alert" not in page
    assert "shop.example" not in shop.browse("dan").get("/").text


def test_the_language_is_chosen_then_the_browsers_then_the_portals(shop):
    """P11: a language that is not offered is not spoken."""
    dora, client = shop.browse("dora"), shop.client()
    assert "Kirjaudu" in client.get("/portal/login", headers={"Accept-Language": "fi"}).text
    token = csrf(dora.get("/").text)
    dora.post("/language", {"csrf": token, "language": "fi", "next": "/portal/settings"})
    assert '<html lang="fi">' in dora.get("/", headers={"Accept-Language": "en"}).text
    assert '<html lang="fi">' in shop.browse("dora").get("/").text, "kept with the log-in"
    shop.set(languages=["en"])
    page = dora.get("/", headers={"Accept-Language": "fi"}).text
    assert '<html lang="en">' in page
    assert "Suomi" not in page
    shop.set(languages=["en", "fi"], default_language="fi")
    assert '<html lang="fi">' in client.get("/portal/login", headers={"Accept-Language": "xx"}).text


def test_own_words_for_fields_choices_and_modules_are_said_in_the_language_of_the_reader(shop, crm):
    """P11: what an administrator made is translated where he translated it, else it keeps its text; never a key."""
    custom = custom_fields.add(modules["potentials"], "text", "Delivery note")
    other = custom_fields.add(modules["potentials"], "text", "Gate code")
    picklists.add("sales_stage", ["Trial run", "On hold"])
    db.session.commit()
    fields = {name: {"visible": True, "editable": True} for name in ("name", "stage", "amount", custom, other)}
    shop.show(potentials={"fields": fields, "label": {"fi": "Hankkeet"}})
    roof = shop.make(
        "potentials", name="Roof", contact_id=shop.ids["dora"], account_id=shop.ids["acme"], stage="Trial run"
    )

    ada = crm("ada")
    of = ada.form("/admin/translations?of=potentials")
    assert "Delivery note" in ada.get("/admin/translations?of=potentials").text
    ada.post("/admin/translations", of | {f"fi potentials.{custom}": ["Lähete <b>"], "fi potentials.amount": ["Hinta"]})
    of = ada.form("/admin/translations?of=list:sales_stage")
    ada.post(
        "/admin/translations",
        of | {"fi list:sales_stage.Trial run": ["Koeajo"], "en list:sales_stage.On hold": ["Resting"]},
    )
    wrong = ada.post("/admin/translations", of | {"fi list:sales_stage.On hold": ["x" * 121]}, 422)
    assert "At most 120 characters." in wrong.text
    assert "x" * 121 in wrong.text
    ada.get("/admin/translations?of=nothing", 404)
    crm("alice").get("/admin/translations", 403)

    finnish = shop.browse("dora")
    finnish.post("/language", {"csrf": csrf(finnish.get("/").text), "language": "fi", "next": "/portal/"})
    page = finnish.get("/potentials").text + finnish.get(f"/potentials/{roof}").text
    assert [word in page for word in ("Lähete &lt;b&gt;", "Gate code", "Hinta", "Koeajo", "Resting")] == [True] * 5
    assert "Lähete <b>" not in page
    assert "Hankkeet" in page
    english = shop.browse("dan")
    shop.show(potentials={"scope": "account"})
    page = "".join(
        english.get(f"/potentials{more}", headers={"Accept-Language": "en"}).text for more in ("", f"/{roof}")
    )
    assert [word in page for word in ("Delivery note", "Gate code", "Amount", "Trial run", "Hankkeet")] == [True] * 5
    assert custom not in page

    of = ada.form("/admin/translations?of=potentials")
    ada.post("/admin/translations", of | {"fi potentials.amount": [""]})
    assert "Hinta" not in finnish.get("/potentials").text, "taken back: our own words again"


def test_boxes_are_shown_as_the_profile_says(shop):
    dora = shop.browse("dora")
    links = [{"url": "https://shop.example/", "label": {"en": "Shop"}}]
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, links=links, boxes=[])
    db.session.commit()
    assert "<h2>Links</h2>" not in dora.get("/").text
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, boxes=["links"])
    db.session.commit()
    assert "<h2>Links</h2>" in dora.get("/").text


def test_what_people_wrote_is_text_everywhere(shop):
    for key, name in (("contacts", "dora"), ("accounts", "acme")):
        field = "title" if key == "contacts" else "name"
        records.update(SYSTEM, key, shop.ids[name], {field: HOSTILE}, Channel.SYSTEM)
    shop.set(welcome_text=f"<p>Hello</p>{HOSTILE}", name=HOSTILE)
    dora = shop.browse("dora")
    paths = ("/", "/contacts", f"/contacts/{shop.ids['dora']}", f"/contacts/{shop.ids['dora']}/edit", f"/accounts/{shop.ids['acme']}",
             "/search?q=%3Cscript%3Ealert", "/potentials?q=%3Cscript%3E&status=%3Cscript%3E")  # fmt: skip
    for path in paths:
        page = dora.get(path).text
        assert "<script" not in page, path
        assert "49" not in re.sub(r'value="[\w-]*"', "", page).replace("look.css", "") or "{{7*7}}" in page, path


def test_pages_are_light_and_need_no_script(shop):
    """Under 100 kB with the style sheets; no script, no style in the page, and a policy that says so."""
    dora = shop.browse("dora")
    page = dora.get(f"/contacts/{shop.ids['dora']}/edit")
    sheets = 0
    for path in re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text):
        with dora.client.get(path) as sheet:
            sheets += len(sheet.data)
    assert len(page.data) + sheets < 30_000
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_the_colours_of_the_portal_are_a_sheet_of_their_own(shop):
    shop.set(colour="#7a1f3d", custom_css=".brand { letter-spacing: .1em; }")
    answer = shop.client().get("/portal/look.css")
    assert answer.mimetype == "text/css"
    assert "--accent: #7a1f3d" in answer.text
    assert ".brand" in answer.text
    with pytest.raises(Refused):
        shop.set(colour="red; }")


def test_documents_are_shared_by_staff_and_sent_by_customers_whose_profile_says_so(shop, crm):
    dora, id, alice = shop.browse("dora"), shop.ids["dora"], crm("alice")
    kept = attachments.store(SYSTEM, "contract.txt", io.BytesIO(b"Sign here"), "text/plain").id
    attachments.attach(SYSTEM, "contacts", id, kept, Channel.SYSTEM)
    db.session.commit()
    link = f'href="/portal/my-data/files/{kept}"'
    assert link not in dora.get("/my-data").text, "files of a card are for staff until they are shared"
    dora.get(f"/my-data/files/{kept}", 404)
    assert "contract.txt to the customer" in alice.get(f"/contacts/{id}/files").text
    path = f"/contacts/{id}/files/{kept}/share"
    assert (
        "In the portal" in alice.post(path, {"csrf": csrf(alice.get(f"/contacts/{id}").text), "share": "1"}, 200).text
    )
    assert link in dora.get("/my-data").text
    answer = dora.get(f"/my-data/files/{kept}")
    assert answer.data == b"Sign here"
    answer.close()
    shop.browse("dan").get(f"/my-data/files/{kept}", 404)  # a colleague
    token = csrf(dora.get("/my-data").text)
    sent = {"csrf": token, "file": (io.BytesIO(b"Signed"), "signed.txt")}
    assert dora.client.post("/portal/my-data/files", data=sent).status_code == 404, "the profile does not say so"
    shop.show(contacts={"can_attach": True})
    assert "Choose a file first" in dora.client.post("/portal/my-data/files", data={"csrf": token}).text
    program = {"csrf": token, "file": (io.BytesIO(b"MZ"), "signed.txt")}
    assert dora.client.post("/portal/my-data/files", data=program).status_code == 422
    sent["file"] = (io.BytesIO(b"Signed"), "signed.txt")
    assert dora.client.post("/portal/my-data/files", data=sent).status_code == 303
    assert "download>signed.txt" in dora.get("/my-data").text
    assert "signed.txt" in alice.get(f"/contacts/{id}/files").text
    (told,) = mails("portal_documents:")
    assert (told.email, "signed.txt" in told.payload["text"]) == ("alice@example.com", True)
    alice.post(path, {"csrf": csrf(alice.get(f"/contacts/{id}").text)}, 200)
    dora.get(f"/my-data/files/{kept}", 404)
    assert crm("rita").client.post(f"/crm{path}", data={"share": "1"}).status_code in {400, 403, 404}
