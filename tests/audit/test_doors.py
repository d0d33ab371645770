"""Every address of the staff apps and of the API refuses who has no session, no key, no form token, or not the right."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from crm.db import db
from crm.identity.viewer import SYSTEM
from crm.modules.users.writing import archive_user
from tests.api.calls import caller

SAMPLES = {"key": "contacts", "format": "csv", "name": "account_id", "verb": "delete", "step": "people", "what": "row"}


def address(rule: Rule) -> str:
    """An address that the rule answers to."""
    fill = lambda found: "1" if found[1] == "int:" else SAMPLES.get(found[2], "x")  # noqa: E731
    said = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", str(rule))  # one of several: the first
    return re.sub(r"<(\w+:)?(\w+)>", fill, said)


def rules(app: Flask, prefix: str, method: str) -> list[str]:
    """The addresses under `prefix` that take `method` and are not open to all."""
    return sorted(
        {
            address(rule)
            for rule in app.url_map.iter_rules()
            if str(rule).startswith(f"{prefix}/")
            and method in (rule.methods or ())
            and rule.endpoint != "asset"
            and not getattr(app.view_functions[rule.endpoint], "open_to_all", False)
        }
    )


@pytest.fixture(params=["crm", "ecp"])
def face(request: Any, app: Flask, portal: Flask) -> tuple[Flask, str]:
    return (app, "/crm") if request.param == "crm" else (portal, "/ecp")


def test_a_stranger_is_sent_to_the_log_in_from_every_page(face):
    made, prefix = face
    assert len(rules(made, prefix, "GET")) > 40
    for path in rules(made, prefix, "GET"):
        answer = made.test_client().get(path)
        assert (answer.status_code, answer.headers.get("Location", "").split("?")[0]) == (303, f"{prefix}/login"), path


def test_a_stranger_posts_nowhere(face):
    made, prefix = face
    assert len(rules(made, prefix, "POST")) > 40
    for path in rules(made, prefix, "POST"):
        assert made.test_client().post(path, data={"csrf": "x"}).status_code in {303, 403}, path


def test_nothing_is_posted_without_the_token_of_the_session(face, browse):
    made, prefix = face
    ada = browse("ada", prefix.strip("/"))
    other = browse("mary", prefix.strip("/")).form("/preferences")["csrf"]
    for path in rules(made, prefix, "POST"):
        for said in ({}, {"csrf": "x"}, {"csrf": other}, {"csrf": "ä\x00"}):
            answer = ada.client.post(path, data=said)
            assert answer.status_code == 403, f"{path} with {said}: {answer.status_code}"
    said = ada.form("/preferences")
    answer = ada.client.post(f"{prefix}/preferences", data=said, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_no_page_of_administration_is_open_to_others(app, browse):
    paths = [path for path in rules(app, "/crm", "GET") if path.startswith("/crm/admin/")]
    posts = [path for path in rules(app, "/crm", "POST") if path.startswith("/crm/admin/")]
    assert len(paths) > 10
    for name in ("mary", "alice", "rita"):
        person = browse(name, "crm")
        token = person.form("/preferences")["csrf"]
        for path in paths:
            assert person.client.get(path).status_code in {403, 404}, f"{name} {path}"
        for path in posts:
            assert person.client.post(path, data={"csrf": token}).status_code in {403, 404}, f"{name} {path}"


def test_no_page_that_administers_the_portal_is_open_to_others(portal, browse):
    paths = ("/ecp/users", "/ecp/users/new", "/ecp/users/1", "/ecp/settings", "/ecp/plan")
    for name in ("mary", "eve", "carl"):
        person = browse(name)
        token = person.form("/preferences")["csrf"]
        for path in paths:
            assert person.client.get(path).status_code in {403, 404}, f"{name} {path}"
        for path in [path for path in rules(portal, "/ecp", "POST") if path.startswith(paths)]:
            assert person.client.post(path, data={"csrf": token}).status_code in {403, 404}, f"{name} {path}"


def test_a_session_of_one_app_is_none_of_the_other(app, portal, browse):
    for here, there, other in (("crm", "ecp", portal), ("ecp", "crm", app)):
        token = browse("ada", here).client.get_cookie(f"ch_{here}", path=f"/{here}").value
        client = other.test_client()
        client.set_cookie(f"ch_{there}", token, path=f"/{there}")
        client.set_cookie(f"ch_{here}", token, path=f"/{there}")
        assert client.get(f"/{there}/").status_code == 303


def test_no_verb_of_the_api_answers_without_a_key(app, people):
    checked = 0
    for rule in app.url_map.iter_rules():
        if not str(rule).startswith("/api/") or rule.endpoint == "rest.docs":
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            for headers in ({}, {"Authorization": "Bearer chk_wrong"}, {"Authorization": "Basic eDp4"}):
                source = {"REMOTE_ADDR": f"127.1.{checked}.{len(headers)}"}  # many failures slow a source down
                answer = app.test_client().open(
                    address(rule), method=method, headers=headers, json={}, environ_base=source
                )
                assert answer.status_code == 401, f"{method} {rule} {headers}: {answer.status_code}"
                assert answer.json["errors"][0]["status"] == "401"
            checked += 1
    assert checked > 30


def test_a_session_cookie_opens_no_verb_of_the_api(app, browse):
    token = browse("ada", "crm").client.get_cookie("ch_crm", path="/crm").value
    client = app.test_client()
    client.set_cookie("ch_crm", token, path="/")
    assert client.get("/api/v1/contacts").status_code == 401
    assert client.post("/api/v1/contacts", json={"last_name": "X"}).status_code == 401


def test_a_key_of_a_deleted_or_archived_user_opens_nothing(app, people):
    ask = caller(app, people.charlie)
    assert ask("GET", "/contacts").status_code == 200
    archive_user(SYSTEM, people.charlie)
    db.session.commit()
    assert ask("GET", "/contacts").status_code == 401


def test_a_foreign_host_gets_no_page(face):
    made, prefix = face
    for host in ("evil.example", "localhost.evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]"):
        answer = made.test_client().get(f"{prefix}/login", headers={"Host": host})
        assert answer.status_code == 400, host
        assert "evil" not in answer.text
    assert made.test_client().get(f"{prefix}/login", headers={"Host": "localhost"}).status_code == 200
    answer = made.test_client().get(f"{prefix}/", headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["Location"]


def test_no_page_but_the_editor_allows_inline_styles_and_none_inline_scripts(face, browse, house):
    made, prefix = face
    ada = browse("ada", prefix.strip("/"))
    framed = re.compile(r"/outbox/|/list_types/\d+/page")  # content of mails and pages, sandboxed without any script
    seen = 0
    for path in rules(made, prefix, "GET"):
        answer = ada.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        script = policy.split("script-src", 1)[1].split(";")[0] if "script-src" in policy else ""
        assert "unsafe" not in script, path
        assert "default-src 'none'" in policy, path
        if "sandbox" in policy:
            assert "allow-scripts" not in policy, path
        elif "/email_templates/" not in path and "/content" not in path and not framed.search(path):
            assert "unsafe-inline" not in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        if answer.mimetype == "text/html" and answer.status_code == 200:
            seen += 1
            assert not re.search(r"<[^>]+\son(click|load|error|change|submit)\s*=", answer.text), path
            assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", answer.text), path
            if "unsafe-inline" not in policy:
                assert not re.search(r"<[^>]+\sstyle\s*=\s*\"", answer.text), path
                assert "<style" not in answer.text, path
    assert seen > 15
