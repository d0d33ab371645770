"""The gate: who comes in, who is shut out, and where one is led."""

from lxml import html

from crm.db import db
from crm.identity import logins, sessions
from tests.people import PASSWORD


def csrf(client, path="/crm/login"):
    return html.fromstring(client.get(path).text).xpath("//main//input[@name='csrf']")[0].value


def enter(client, email, password, **more):
    return client.post("/crm/login", data={"csrf": csrf(client), "email": email, "password": password} | more)


def test_a_user_comes_in_and_gets_a_cookie_that_scripts_cannot_read(client, people):
    answer = enter(client, "Alice@Example.com", PASSWORD)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/crm/"
    cookie = next(said for said in answer.headers.getlist("Set-Cookie") if said.startswith("ch_crm="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/crm" in cookie
    assert client.get("/crm/").status_code == 200


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, people):
    wrong = enter(client, "alice@example.com", "not her password at all")
    unknown = enter(client, "nobody@example.com", "not her password at all")
    assert wrong.status_code == unknown.status_code == 422
    said = [
        html.fromstring(answer.text).xpath("//div[@role='alert']")[0].text_content().strip()
        for answer in (wrong, unknown)
    ]
    assert said[0] == said[1]
    assert "alice@example.com" in wrong.text  # what was typed is kept


def test_five_failures_shut_an_address_out_even_with_the_right_password(client, people):
    for _ in range(5):
        enter(client, "alice@example.com", "wrong again and again")
    answer = enter(client, "alice@example.com", PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert not sessions.of(people.alice)
    logins.unban("127.0.0.1")


def test_one_is_led_to_the_page_one_wanted_but_never_to_another_site(client, people):
    assert client.get("/crm/contacts?view=all").headers["Location"] == "/crm/login?next=/crm/contacts%3Fview%3Dall"
    assert enter(client, "alice@example.com", PASSWORD, next="/crm/leads").headers["Location"] == "/crm/leads"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        fresh = client.application.test_client()
        assert enter(fresh, "alice@example.com", PASSWORD, next=elsewhere).headers["Location"] == "/crm/", elsewhere


def test_a_first_password_is_changed_before_anything_else(client, people):
    from crm.modules.users.writing import set_password

    set_password(people["ada"], people.alice, "a first password")
    db.session.commit()
    answer = enter(client, "alice@example.com", "a first password")
    assert answer.headers["Location"].startswith("/crm/password")
    assert client.get("/crm/contacts").headers["Location"].startswith("/crm/password")
    token = csrf(client, "/crm/password")
    said = {"csrf": token, "old": "a first password", "new": "short", "again": "short"}
    assert client.post("/crm/password", data=said).status_code == 422
    said |= {"new": "four words of her own", "again": "four words of her own"}
    assert client.post("/crm/password", data=said).status_code == 303
    assert client.get("/crm/contacts").status_code == 200


def test_logging_out_is_a_post_and_ends_the_session(browse, people):
    alice = browse("alice")
    assert alice.client.get("/crm/logout").status_code in {404, 405}
    token = html.fromstring(alice.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    assert alice.client.post("/crm/logout", data={"csrf": token}).status_code == 303
    assert not sessions.of(people.alice)
    assert alice.client.get("/crm/contacts").status_code == 303


def test_a_form_without_the_token_of_its_session_changes_nothing(browse, people):
    alice, bob = browse("alice"), browse("bob")
    theirs = html.fromstring(bob.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    for token in ("", "wrong", theirs):
        assert alice.client.post("/crm/logout", data={"csrf": token}).status_code == 403
    assert sessions.of(people.alice)


def test_a_form_from_another_site_is_refused_even_with_the_token(browse):
    alice = browse("alice")
    token = html.fromstring(alice.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    answer = alice.client.post("/crm/logout", data={"csrf": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_someone_without_access_to_the_crm_does_not_come_in(client, people):
    assert enter(client, "eve@example.com", PASSWORD).status_code == 422


def test_every_page_carries_a_policy_without_inline_scripts(browse):
    answer = browse("alice").get("/contacts")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_host_that_is_not_ours_is_refused(client):
    assert client.get("/crm/login", headers={"Host": "evil.example"}).status_code == 400
