"""Nothing secret is told: not in answers, pages, logs, or rows that others may read."""

import logging

from sqlalchemy import text

from crm.db import db
from crm.engine.registry import modules
from tests.api.calls import caller
from tests.people import PASSWORD
from tests.web.test_login import enter

WORDS = ("password", "token", "secret", "hash", "private_key", "key_hash")


def test_a_failed_and_a_good_log_in_leave_neither_password_nor_token_in_the_log(client, people, caplog):
    caplog.set_level(logging.DEBUG)
    enter(client, "alice@example.com", "a wrong password of hers")
    answer = enter(client, "alice@example.com", PASSWORD)
    token = (
        next(said for said in answer.headers.getlist("Set-Cookie") if said.startswith("ch_crm="))
        .split("=")[1]
        .split(";")[0]
    )
    client.get("/crm/")
    for secret in ("a wrong password of hers", PASSWORD, token):
        assert secret not in caplog.text


def test_a_call_of_the_api_leaves_no_key_in_the_log_and_none_in_the_database(app, people, caplog):
    caplog.set_level(logging.DEBUG)
    ask = caller(app, people.ada)
    ask("GET", "/contacts")
    ask("GET", "/nothing")
    assert ask.key not in caplog.text
    for table in ("api_keys", "sessions"):
        for row in db.session.execute(text(f"SELECT * FROM {table}")).mappings():
            assert ask.key not in str(dict(row))


def test_no_field_of_any_module_is_a_secret(app):
    found = [
        f"{module.key}.{name}" for module in modules for name, said in module.fields.items()
        if any(word in name for word in WORDS) and said.kind.name != "checkbox" and name != "must_change_password"
    ]  # fmt: skip
    assert found == []


def test_an_answer_of_the_api_about_users_holds_no_secret(app, people):
    ask = caller(app, people.ada)
    for path in ("/users", f"/users/{people.alice}", "/user", "/schema/users", "/openapi.json"):
        answer = ask("GET", path)
        assert "argon2" not in answer.text, path
        assert "password_hash" not in answer.text, path


def test_a_fault_of_ours_tells_nothing_of_the_inside(app, browse, monkeypatch):
    from crm.web import lists

    def broken(*_args, **_said):
        raise RuntimeError("secret of the inside at /srv/customerhub")

    ada = browse("ada", "crm")
    monkeypatch.setattr(lists, "draw", broken)
    answer = ada.client.get("/crm/contacts")
    assert answer.status_code == 500
    assert "secret of the inside" not in answer.text
    assert "Traceback" not in answer.text


def test_a_fault_on_a_public_page_leaves_no_token_in_the_log(sent, visitor, monkeypatch, caplog):
    def broken(*_args, **_said):
        raise RuntimeError("a fault of ours")

    token = sent.token("unsubscribe")
    monkeypatch.setitem(visitor.application.view_functions, "public.subscription", broken)
    visitor.application.testing = False
    answer = visitor.get(f"/u/{token}")
    assert answer.status_code == 500
    assert "a fault of ours" in caplog.text
    assert token not in caplog.text
    assert token not in answer.text
