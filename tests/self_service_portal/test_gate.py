"""Coming in: log-in, links to set a password, bans, the period of access, closed portals, registration (P2, P6–P10, P95)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity.logins import LoginEvent
from crm.identity.viewer import SYSTEM
from crm.modules.portals import access, locking, registering, requests, signing_in
from crm.modules.portals.portal_users import PortalUser
from crm.ui import public_forms
from tests.people import PASSWORD
from tests.self_service_portal.conftest import csrf, link_in, mails, work

NEW = "a long river of seven stones"


def outcomes():
    table = LoginEvent.__table__
    return [
        row.outcome for row in db.session.execute(select(table).where(table.c.app == "portal").order_by(table.c.id))
    ]


def test_a_customer_comes_in_and_goes_out_with_a_cookie_that_scripts_cannot_read(shop):
    client = shop.client()
    answer = shop.log_in("DORA@acme.example", client=client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("ch_portal="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/portal"} <= set(cookie.split("; "))
    page = client.get("/portal/")
    assert "Welcome, Dora Customer" in page.text
    assert client.post("/portal/logout", data={"csrf": csrf(page.text)}).status_code == 303
    assert client.get("/portal/").status_code == 303
    assert outcomes() == ["signed_in"]


def test_a_stranger_is_led_to_the_log_in_and_back_to_a_local_page_only(shop):
    client = shop.client()
    answer = client.get("/portal/potentials?status=x")
    assert answer.headers["Location"] == "/portal/login?next=/portal/potentials%3Fstatus%3Dx"
    assert client.get("/portal/api/contacts").json == {"error": "unauthenticated"}
    token = csrf(client.get("/portal/login").text)
    said = {"csrf": token, "email": "dora@acme.example", "password": PASSWORD, "next": "//evil.example/"}
    assert client.post("/portal/login", data=said).headers["Location"] == "/portal/"


def test_a_second_step_asks_for_a_mailed_code_that_holds_ten_minutes_and_five_tries(shop):
    """Spec 1.5: nobody, who wants it, or everybody, as the portal says."""
    dora = shop.browse("dora")
    assert "Second step" not in dora.get("/settings").text
    shop.set(second_step="chosen")
    assert shop.log_in("dora@acme.example").headers["Location"] == "/portal/"
    dora.post("/settings/second-step", dora.form("/settings", "second_step") | {"second_step": ["1"]})
    client = shop.client()
    assert client.get("/portal/login/code").headers["Location"] == "/portal/login", "nothing is half done"
    assert shop.log_in("dora@acme.example", "wrong password here", client=client).status_code == 422
    assert mails("me_code:") == [], "no code before the right password"

    answer = shop.log_in("dora@acme.example", client=client)
    assert answer.headers["Location"].startswith("/portal/login/code")
    assert client.get("/portal/").status_code == 303, "a right password alone is not enough"
    page = client.get("/portal/login/code").text
    assert "do…@acme.example" in page
    assert "dora@acme.example" not in page

    def send(code, where="/portal/login/code", status=303, source="127.0.0.8"):
        said = {"csrf": csrf(client.get("/portal/login/code").text), "code": code, "next": "/portal/potentials"}
        answer = client.post(where, data=said, environ_base={"REMOTE_ADDR": source})
        assert answer.status_code == status, answer.text
        return answer

    old = code_in(mails("me_code:")[-1])
    send("", "/portal/login/code/again")
    code = code_in(mails("me_code:")[-1])
    if old != code:
        assert "The code is not right" in send(old, status=422).text
    entered = send(f" {code[:3]} {code[3:]} ")
    assert entered.headers["Location"] == "/portal/potentials"
    assert "Welcome, Dora" in client.get("/portal/").text
    assert client.get("/portal/login/code").headers["Location"] == "/portal/login", "used up"
    assert outcomes()[-1] == "signed_in"

    shop.set(second_step="always")
    client = shop.client()
    shop.log_in("dan@acme.example", client=client)
    code = code_in(mails("me_code:")[-1])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for n in range(5):
        send(wrong, status=422, source=f"127.0.3.{n}")
    send(code, status=422, source="127.0.4.1")  # tried too often: the right one is worth nothing now
    send("", "/portal/login/code/again")
    code = code_in(mails("me_code:")[-1])
    with clock.standing_at(clock.now() + timedelta(minutes=11)):
        assert "its ten minutes are over" in send(code, status=422, source="127.0.4.2").text
    records.update(SYSTEM, "portal_users", shop.users["dan"], {"active": False}, Channel.SYSTEM)
    db.session.commit()
    assert client.get("/portal/login/code").headers["Location"] == "/portal/login", "access ended meanwhile"


def test_codes_of_the_second_step_are_mailed_five_times_an_hour_and_wrong_ones_ban(shop):
    shop.set(second_step="always")
    client = shop.client()
    for _n in range(5):
        assert shop.log_in("dan@acme.example", client=client).status_code == 303
    refused = shop.log_in("dan@acme.example", client=client)
    assert refused.status_code == 429
    assert "Too many codes" in refused.text
    code = code_in(mails("me_code:")[-1])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for status in (422, 422, 422, 422, 429):
        said = {"csrf": csrf(client.get("/portal/login/code").text), "code": wrong}
        assert (
            client.post("/portal/login/code", data=said, environ_base={"REMOTE_ADDR": "127.0.5.1"}).status_code
            == status
        )
    assert shop.log_in("dora@acme.example", source="127.0.5.1").status_code == 429
    assert "wrong_code" in outcomes()


def code_in(mail):
    return re.search(r"\b\d{6}\b", mail.payload["text"])[0]


def test_wrong_user_and_wrong_password_say_the_same_and_five_of_them_ban(shop):
    """P8."""
    texts = set()
    for email in ("nobody@acme.example", "dora@acme.example", "not an address", "dora@acme.example"):
        answer = shop.log_in(email, "wrong password here")
        assert answer.status_code == 422
        texts.add(re.search(r'role="alert">([^<]+)', answer.text)[1])  # type: ignore[index]
    assert len(texts) == 1
    assert shop.log_in("dora@acme.example", "wrong password here").status_code == 429
    assert shop.log_in("dora@acme.example").status_code == 429, "even with the right password"
    assert shop.log_in("dora@acme.example", source="127.0.0.10").status_code == 303, "from elsewhere"
    with clock.standing_at(clock.now() + timedelta(minutes=16)):
        assert shop.log_in("dora@acme.example").status_code == 303
    assert outcomes()[:5] == ["unknown", "wrong_password", "unknown", "wrong_password", "wrong_password"]


def test_a_log_in_that_is_guessed_at_from_many_places_is_locked_until_time_mail_or_an_agent_opens_it(shop, crm):
    """P4, P8."""
    card, users = f"/contacts/{shop.ids['dora']}", modules["portal_users"].table
    inside, alice = shop.browse("dora"), crm("ada")

    def lock():
        for place in range(10):
            assert shop.log_in("dora@acme.example", "wrong password here", source=f"127.0.1.{place}").status_code == 422
        answer = shop.log_in("dora@acme.example", source="127.0.2.1")
        assert answer.status_code == 422
        assert "is not right" in answer.text  # the same words
        assert db.session.scalar(select(users.c.status).where(users.c.id == shop.users["dora"])) == "locked"

    lock()
    assert outcomes()[-1] == "locked"
    inside.get("/")  # who is in stays in
    page = alice.get(card).text
    assert "after too many wrong log-ins" in page
    alice.post(f"{card}/portal/unlock", {"csrf": csrf(page), "portal": str(shop.portal)})
    assert "after too many wrong log-ins" not in alice.get(card).text
    assert shop.log_in("dora@acme.example", source="127.0.2.2").status_code == 303
    lock()
    assert signing_in.set_password(signing_in.issue(signing_in.RESET, shop.row("dora")), NEW)
    db.session.commit()
    assert shop.log_in("dora@acme.example", NEW, source="127.0.2.3").status_code == 303, "a mailed link opens it"
    lock()
    with clock.standing_at(clock.now() + timedelta(minutes=16)):
        assert shop.log_in("dora@acme.example", NEW, source="127.0.2.4").status_code == 303, "it ends by itself"
        locking.follow_time(None)
        assert db.session.scalar(select(users.c.status).where(users.c.id == shop.users["dora"])) == "active"


def test_every_wrong_log_in_costs_one_hash(shop, monkeypatch):
    """The same time: an unknown address is compared with a hash as well."""
    from crm.identity import passwords

    asked = []
    real = passwords.is_right
    monkeypatch.setattr(passwords, "is_right", lambda password, kept: asked.append(kept) or real(password, kept))
    shop.log_in("nobody@acme.example", "wrong password here")
    shop.log_in("dora@acme.example", "wrong password here")
    assert [bool(one) for one in asked] == [False, True]


@pytest.mark.parametrize(("begins", "ends"), [(None, -1), (1, None)])
def test_outside_of_the_period_nobody_comes_in_and_the_text_is_neutral(shop, begins, ends):
    """P9."""
    today = clock.today(clock.site_zone())
    day = {"valid_from": begins and today + timedelta(days=begins), "valid_to": ends and today + timedelta(days=ends)}
    inside = shop.browse("dora")
    records.update(SYSTEM, "portal_users", shop.users["dora"], day, Channel.SYSTEM)
    db.session.commit()
    answer = shop.log_in("dora@acme.example")
    assert answer.status_code == 422
    assert "is not right" in answer.text
    assert outcomes()[-1] == "no_access"
    inside.get("/", 303)


def test_the_end_of_access_is_told_in_time(shop):
    today = clock.today(clock.site_zone())
    for days, is_told in ((31, False), (30, True), (0, True)):
        values = {"valid_to": today + timedelta(days=days)}
        records.update(SYSTEM, "portal_users", shop.users["dora"], values, Channel.SYSTEM)
        db.session.commit()
        assert ("Your access ends soon" in shop.browse("dora").get("/").text) is is_told, days


def test_a_closed_portal_answers_503_everywhere_and_lets_nobody_in(shop):
    """P2."""
    inside = shop.browse("dora")
    token = csrf(inside.get("/").text)
    shop.set(active=False)
    for path in ("/", "/login", "/forgot", "/register", "/contacts", "/password/x", "/api/contacts"):
        assert "closed" in inside.get(path, 503).text
    assert (
        shop.client()
        .post("/portal/login", data={"csrf": token, "email": "dora@acme.example", "password": PASSWORD})
        .status_code
        == 503
    )
    assert signing_in.sign_in(access.portal_row(shop.portal), "dora@acme.example", PASSWORD, "127.0.0.7").token == ""


def test_access_brings_a_welcome_mail_whose_link_sets_the_password_once(shop):
    """P2, P4, P7."""
    shop.ids["eva"] = shop.make(
        "contacts", first_name="Eva", last_name="New", email="eva@acme.example", account_id=shop.ids["acme"]
    )
    shop.users["eva"] = shop.make("portal_users", contact_id=shop.ids["eva"])
    work()
    (mail,) = mails("portal_welcome:")
    assert mail.email == "eva@acme.example"
    assert shop.row("eva").status == "invited"
    client, path = shop.client(), link_in(mail)
    page = client.get(path)
    assert page.status_code == 200
    assert client.get(path).status_code == 200, "a scanner that opens the link changes nothing"
    said = {"csrf": csrf(page.text), "new": "short", "again": "short"}
    assert client.post(path, data=said).status_code == 422
    assert client.post(path, data=said | {"new": NEW, "again": NEW + "x"}).status_code == 422
    assert client.post(path, data=said | {"new": NEW, "again": NEW}).status_code == 303
    assert shop.row("eva").status == "active"
    assert client.get(path).status_code == 410
    assert client.post(path, data=said | {"new": NEW, "again": NEW}).status_code == 410
    assert shop.log_in("eva@acme.example", NEW).status_code == 303
    work()
    assert len(mails("portal_welcome:")) == 1


def test_a_template_is_used_for_the_welcome_mail_when_it_can_be_sent(shop):
    template = shop.make("email_templates", name="Hello", kind="template", text="Hello")
    with pytest.raises(Refused) as refused:
        shop.set(welcome_template_id=template)
    assert refused.value.faults["welcome_template_id"][0].code == "wrong_kind"
    sender = shop.make("sender_addresses", address="hello@kaisla.example", state="confirmed")
    mail = shop.make(
        "email_templates", name="Welcome", kind="email", status="active", subject="Come in", sender_name="Kaisla",
        sender_address_id=sender, text="Hello {$contact.first_name}, your way in: {$portal.link}",
    )  # fmt: skip
    shop.set(welcome_template_id=mail)
    access.invite(SYSTEM, shop.users["dan"])
    db.session.commit()
    (sent,) = mails("portal_welcome:")
    assert sent.kind == "written"
    assert sent.payload["template_id"] == mail
    assert "/portal/password/" in sent.payload["values"]["portal.link"]
    records.update(SYSTEM, "email_templates", mail, {"status": "inactive"}, Channel.SYSTEM)
    access.invite(SYSTEM, shop.users["dan"])
    db.session.commit()
    assert [one.kind for one in mails("portal_welcome:")] == ["written", "letter"], (
        "a missing template keeps no mail back"
    )


def test_forgot_answers_every_address_alike_and_only_the_newest_link_works(shop):
    """P7."""
    client = shop.client()
    said = {}
    for email in ("nobody@acme.example", "dora@acme.example", "dora@acme.example", "x"):
        token = csrf(client.get("/portal/forgot").text)
        answer = client.post("/portal/forgot", data={"csrf": token, "email": email})
        assert answer.status_code == 200
        said[email] = re.sub(r'value="\w{30,}"', "", answer.text)
    assert len(set(said.values())) == 1
    work()
    sent = mails("portal_reset:")
    assert [mail.email for mail in sent] == ["dora@acme.example"] * 2
    old, new = (link_in(mail) for mail in sent)
    assert client.get(old).status_code == 410
    before = shop.browse("dora")
    token = csrf(client.get(new).text)
    assert client.post(new, data={"csrf": token, "new": NEW, "again": NEW}).status_code == 303
    before.get("/", 303)  # sessions of the old password are over
    assert shop.log_in("dora@acme.example", NEW).status_code == 303
    for _n in range(3):
        access.ask_for_password(access.portal_row(shop.portal), "dora@acme.example")
    assert len(mails("portal_reset:")) == 3, "three an hour"


def test_links_end_and_are_no_good_for_another_address_or_portal(shop):
    token = signing_in.issue(signing_in.RESET, shop.row("dora"))
    with clock.standing_at(clock.now() + timedelta(minutes=61)):
        assert signing_in.holder(token, signing_in.RESET) is None
    assert signing_in.holder(token, signing_in.SET, signing_in.CONFIRM) is None, "another purpose"
    assert signing_in.holder(token, signing_in.RESET) is not None
    records.update(SYSTEM, "contacts", shop.ids["dora"], {"email": "dora2@acme.example"}, Channel.SYSTEM)
    work()
    assert signing_in.holder(token, signing_in.RESET) is None
    client = shop.client()
    answers = {
        client.get(f"/portal/{place}/{token}").status_code for place in ("password", "confirm", "address", "register")
    }
    assert answers == {410}
    codes = [client.get(f"/portal/password/{n}").status_code for n in range(30)]
    assert codes[-1] == 429, "who tries links is told to wait"


def test_a_customer_changes_the_password_and_other_browsers_are_out(shop):
    here, there = shop.browse("dora"), shop.browse("dora")
    said = here.form("/settings", has="old")
    here.post("/settings/password", said | {"old": ["wrong"], "new": [NEW], "again": [NEW]}, 422)
    here.post(
        "/settings/password",
        said | {"old": [PASSWORD], "new": ["dora@acme.example"], "again": ["dora@acme.example"]},
        422,
    )
    here.post("/settings/password", said | {"old": [PASSWORD], "new": [NEW], "again": [NEW]})
    here.get("/")
    there.get("/", 303)


def test_the_same_address_is_let_in_once_and_of_a_forced_pair_nobody_comes_in(shop):
    """P6."""
    twin = shop.make("contacts", last_name="Twin", email="DORA@acme.example", account_id=shop.ids["beta"])
    with pytest.raises(Refused) as refused:
        shop.make("portal_users", contact_id=twin)
    fault = refused.value.faults["contact_id"][0]
    assert fault.code == "not_unique"
    assert "Dora Customer" in fault.message
    outcome = records.create_many(SYSTEM, "portal_users", [{"contact_id": twin}], Channel.IMPORT, keep_going=True)
    assert outcome.ids == [None]
    inactive = shop.make("portal_users", contact_id=twin, active=False)
    with pytest.raises(Refused):
        records.update(SYSTEM, "portal_users", inactive, {"active": True}, Channel.SYSTEM)
    # forced past all rules, as by somebody at the database
    db.session.execute(update(PortalUser).where(PortalUser.id == inactive).values(active=True))
    db.session.commit()
    assert shop.log_in("dora@acme.example").status_code == 422


def test_a_changed_address_is_the_new_user_name_and_must_be_confirmed(shop):
    inside = shop.browse("dora")
    records.update(SYSTEM, "contacts", shop.ids["dora"], {"email": "doris@acme.example"}, Channel.SYSTEM)
    work()
    inside.get("/", 303)
    assert shop.row("dora").email == "doris@acme.example"
    assert [mail.email for mail in mails("portal_moved:")] == ["dora@acme.example"]
    assert shop.log_in("doris@acme.example").status_code == 422, "not before it is confirmed"
    client = shop.client()
    path = link_in(mails("portal_confirm:")[0])
    token = csrf(client.get(path).text)
    assert shop.log_in("doris@acme.example").status_code == 422, "looking at the link confirms nothing"
    assert client.post(path, data={"csrf": token}).status_code == 303
    assert shop.log_in("doris@acme.example").status_code == 303
    assert shop.log_in("dora@acme.example").status_code == 422


def test_an_address_that_collides_switches_access_off_and_the_owner_is_told(shop):
    records.update(SYSTEM, "contacts", shop.ids["dan"], {"email": "dora@acme.example"}, Channel.SYSTEM)
    db.session.commit()
    assert shop.log_in("dora@acme.example").status_code == 422, "until it is sorted out, neither comes in"
    work()
    assert (shop.row("dan").active, shop.row("dan").status) == (False, "disabled")
    (told,) = mails("portal_collision:")
    assert told.email == "alice@example.com"
    assert shop.log_in("dora@acme.example", source="127.0.0.12").status_code == 303


def test_a_deleted_contact_has_no_access_and_a_restored_log_in_names_its_rival(shop):
    inside = shop.browse("dan")
    records.delete(SYSTEM, "contacts", shop.ids["dan"], Channel.FORM)
    db.session.commit()
    inside.get("/", 303)
    work()
    assert not shop.row("dan").active
    records.delete(SYSTEM, "portal_users", shop.users["bea"], Channel.FORM)
    twin = shop.make("contacts", last_name="Twin", email="bea@beta.example")
    shop.make("portal_users", contact_id=twin)
    with pytest.raises(Refused):
        records.restore(SYSTEM, "portal_users", [shop.users["bea"]], Channel.FORM)


# registration by oneself (P10)


def register(shop, client=None, **said):
    client = client or shop.client()
    page = client.get("/portal/register")
    token = re.search(r'name="form" value="([^"]+)"', page.text)[1]  # type: ignore[index]
    values = {"csrf": csrf(page.text), "form": token, "last_name": "Visitor", "email": "vera@acme.example"} | said
    return client.post("/portal/register", data=values), values


def rows(key):
    table = modules[key].table
    return db.session.execute(select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.id)).mappings().all()


def test_registration_that_is_off_has_no_form(shop):
    assert shop.client().get("/portal/register").status_code == 404
    assert "/portal/register" not in shop.client().get("/portal/login").text


def test_a_request_is_accepted_by_an_agent_for_a_contact_he_sees(shop):
    shop.set(self_registration="request")
    answer, _ = register(shop, email="vera@new.example", company="New Oy")
    assert answer.status_code == 200
    work()
    (asked,) = rows("portal_requests")
    assert (asked["email"], asked["status"], len(rows("portal_users"))) == ("vera@new.example", "open", 3)
    assert [mail.email for mail in mails("portal_request:")] == ["ada@example.com"]
    register(shop, email="vera@new.example")
    work()
    assert len(rows("portal_requests")) == 1, "asked twice, written once"
    ada = shop.people["ada"]
    contact = requests.accept(ada, asked["id"], None)
    work()
    assert rows("contacts")[-1]["email"] == "vera@new.example"
    assert [mail.email for mail in mails("portal_welcome:")] == ["vera@new.example"]
    with pytest.raises(Conflict):
        requests.accept(ada, asked["id"], contact)


def test_an_address_of_a_known_company_comes_in_after_it_was_confirmed(shop, monkeypatch):
    monkeypatch.setattr(registering, "FREE_MAIL", frozenset({"free.example"}))
    records.update(SYSTEM, "accounts", shop.ids["beta"], {"email": "beta@free.example"}, Channel.SYSTEM)
    shop.set(self_registration="domain_match")
    records.update(SYSTEM, "accounts", shop.ids["acme"], {"website": "https://www.acme.example"}, Channel.SYSTEM)
    answer, _ = register(shop)
    stranger, _ = register(shop, email="sam@free.example")
    assert re.sub(r'value="\w{30,}"', "", answer.text) == re.sub(r'value="\w{30,}"', "", stranger.text)
    work()
    people_before = len(rows("contacts"))
    assert [one["email"] for one in rows("portal_requests")] == ["sam@free.example"], (
        "free mail says nothing about a company"
    )
    path = link_in(mails("portal_register:")[0])
    client = shop.client()
    page = client.get(path)
    assert len(rows("contacts")) == people_before, "looking changes nothing"
    said = {"csrf": csrf(page.text), "new": NEW, "again": NEW}
    assert client.post(path, data=said).status_code == 303
    assert rows("contacts")[-1]["account_id"] == shop.ids["acme"]
    assert shop.log_in("vera@acme.example", NEW).status_code == 303
    assert client.get(path).status_code == 410


def test_a_domain_of_two_companies_or_of_a_contact_elsewhere_goes_to_an_agent(shop):
    shop.set(self_registration="domain_match")
    for name in ("acme", "beta"):
        records.update(SYSTEM, "accounts", shop.ids[name], {"website": "acme.example"}, Channel.SYSTEM)
    assert registering.account_of("vera@acme.example") is None
    records.update(SYSTEM, "accounts", shop.ids["beta"], {"website": None}, Channel.SYSTEM)
    assert registering.account_of("vera@acme.example") == shop.ids["acme"]
    shop.make("contacts", last_name="Vera", email="vera@acme.example", account_id=shop.ids["beta"])
    register(shop)
    work()
    assert mails("portal_register:") == []
    assert [one["email"] for one in rows("portal_requests")] == ["vera@acme.example"]


def test_public_forms_resist_robots(shop, monkeypatch):
    """P95: trap, haste, forged and foreign tokens, the same form twice, the 21st post, the sixth for one address."""
    shop.set(self_registration="request")
    answer, said = register(shop, fax_number="1")
    work()
    assert (answer.status_code, rows("portal_requests")) == (200, [])
    monkeypatch.setattr(public_forms, "LEAST_SECONDS", 2.0)
    answer, said = register(shop)
    assert answer.status_code == 422
    assert 'value="Visitor"' in answer.text, "what was typed stays"
    monkeypatch.setattr(public_forms, "LEAST_SECONDS", 0.0)
    client = shop.client()
    other = public_forms
    with shop.app.test_request_context():
        foreign = other.form_token("another form", str(shop.portal))
    for token in ("", "x", foreign, said["form"][::-1]):
        answer, _ = register(shop, client=client, form=token)
        assert answer.status_code == 422, token
    answer, said = register(shop, client=client)
    assert answer.status_code == 200
    assert client.post("/portal/register", data=said).status_code == 200
    work()
    assert len(rows("portal_requests")) == 1
    public_forms.POSTS.forget()
    codes = [client.post("/portal/register", data=said).status_code for _n in range(21)]
    assert codes == [200] * 20 + [429]
    public_forms.POSTS.forget()
    public_forms.POSTS_OF_EMAIL.forget()
    codes = [register(shop, client=client, email="many@new.example")[0].status_code for _n in range(6)]
    assert codes == [200] * 5 + [429]
    assert register(shop, client=client, email="big@new.example", message="x" * 2_000_000)[0].status_code == 413


def test_nothing_is_posted_without_the_token_of_the_form(shop):
    inside = shop.browse("dora")
    other = csrf(shop.browse("bea").get("/settings").text)
    checked = 0
    for rule in shop.app.url_map.iter_rules():
        if not {"POST", "PATCH"} & (rule.methods or set()):
            continue
        path = re.sub(r"<int:\w+>", "1", str(rule)).replace("<key>", "contacts").replace("<token>", "x")
        method = "POST" if "POST" in rule.methods else "PATCH"  # type: ignore[operator]
        for said in ({}, {"csrf": "x"}, {"csrf": other}):
            assert inside.client.open(path, method=method, data=said).status_code == 403, f"{method} {path}"
        checked += 1
    assert checked > 12
