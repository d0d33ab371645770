"""The `customerhub` command: what it does, what it says when it cannot, and its exit codes."""

import json

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine.registry import modules
from crm.identity import api_keys, keys
from crm.identity.tables import User

PASSWORD = "seven purple walruses"


@pytest.fixture
def look(make_own_app):
    """`look(query)`: rows of the database that the commands work on."""

    def rows(query):
        with make_own_app().app_context():
            return db.session.execute(query).all()

    return rows


def said(result, code=0):
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.output


def test_init_can_be_repeated_and_makes_the_administrator_once(run, look):
    assert "made" in said(run("init", "--admin", "alice@example.com", "--password", PASSWORD))
    assert "already" in said(run("init", "--admin", "alice@example.com", "--password", PASSWORD))
    users = look(select(User.email, User.crm_admin, User.ecp_admin, User.must_change_password))
    assert users == [("alice@example.com", True, True, False)]


def test_init_wants_address_and_password_together(run):
    assert "go together" in said(run("init", "--admin", "alice@example.com"), 2)


def test_a_user_gets_only_the_flags_that_were_asked_for(run, look):
    said(run("user", "add", "bob@example.com", "--password", PASSWORD, "--ecp"))
    assert look(select(User.crm_access, User.crm_admin, User.ecp_access, User.ecp_admin)) == [
        (True, False, True, False)
    ]


def test_a_weak_password_and_a_taken_address_are_told(run):
    assert "12" in said(run("user", "add", "bob@example.com", "--password", "short"), 1)
    said(run("user", "add", "bob@example.com", "--password", PASSWORD))
    assert "bob@example.com" in said(run("user", "add", "bob@example.com", "--password", PASSWORD), 1)


def test_an_api_key_is_printed_once_and_works(run, make_own_app):
    said(run("user", "add", "bob@example.com", "--password", PASSWORD))
    text = said(run("apikey", "add", "website", "--user", "bob@example.com")).strip()
    with make_own_app().app_context():
        assert api_keys.find(text).name == "website"
    assert "no user" in said(run("apikey", "add", "website", "--user", "nobody@example.com"), 1)


def test_an_import_reports_refused_rows_with_line_and_reason(run, look, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes("First name;Last name;E-mail\nÅsa;Öberg;asa@example.com\nBo;Ek;no address\n".encode("cp1252"))
    assert "1 created, 0 updated, 0 unchanged, 1 refused" in said(run("import", "contacts", file), 1)
    refused = (tmp_path / "people.csv.refused.csv").read_text("utf-8-sig").splitlines()
    assert refused[0] == "Line,Reason,First name,Last name,E-mail"
    assert refused[1].startswith("3,")
    contacts = modules["contacts"].table
    assert look(select(contacts.c.last_name)) == [("Öberg",)]


def test_an_import_may_name_the_columns_itself_and_update(run, look, tmp_path):
    file, mapping = tmp_path / "people.csv", tmp_path / "map.json"
    mapping.write_text(json.dumps({"Sukunimi": "last_name", "Posti": "email"}))
    file.write_text("Sukunimi,Posti\nEk,bo@example.com\n")
    said(run("import", "contacts", file, "--map", mapping))
    file.write_text("Sukunimi,Posti\nEkström,bo@example.com\n")
    told = said(run("import", "contacts", file, "--map", mapping, "--mode", "both", "--match", "email"))
    assert "0 created, 1 updated" in told
    mapping.write_text(json.dumps({"Etunimi": "first_name"}))
    assert "no column “Etunimi”" in said(run("import", "contacts", file, "--map", mapping), 1)
    contacts = modules["contacts"].table
    assert look(select(contacts.c.last_name)) == [("Ekström",)]


def test_an_export_holds_what_was_asked_for(run, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("Last name,E-mail\nEk,bo@example.com\nÖberg,asa@example.com\n")
    said(run("import", "contacts", file))
    where = json.dumps({"$eq": ["last_name", "Öberg"]})
    told = said(run("export", "contacts", tmp_path / "out.csv", "--filter", where, "--columns", "last_name,email"))
    assert told.startswith("1 records")
    assert "Öberg" in (tmp_path / "out.csv").read_text("utf-8-sig")
    assert "bo@example.com" not in (tmp_path / "out.csv").read_text("utf-8-sig")
    said(run("export", "contacts", tmp_path / "out.xlsx"))
    assert (tmp_path / "out.xlsx").read_bytes().startswith(b"PK")
    assert "no JSON" in said(run("export", "contacts", tmp_path / "out.csv", "--filter", "{"), 2)
    said(run("export", "contacts", tmp_path / "out.csv", "--filter", '{"nonsense": 1}'), 1)


def test_an_unknown_module_is_told_with_what_may_be_meant(run, tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert "contacts" in said(run("import", "contact", tmp_path / "a.csv"), 1)


def test_a_field_of_one_s_own_is_there_at_once(run, make_own_app):
    said(run("field", "add", "contacts", "shoe_size", "text", "--label", "Shoe size", "--indexed"))
    with make_own_app().app_context():
        assert modules["contacts"].fields["shoe_size"].label == "Shoe size"
    assert "already" in said(run("field", "add", "contacts", "shoe_size", "text"), 1)
    assert "already" in said(run("field", "add", "contacts", "email", "text"), 1)
    assert "small letters" in said(run("field", "add", "contacts", "Shoe Size", "text"), 2)


def test_a_sender_address_is_vouched_for_by_the_operator(run, look):
    said(run("sender", "add", "news@example.com", "--name", "News"))
    senders = modules["sender_addresses"].table
    assert look(select(senders.c.state)) == [("pending",)]
    assert "confirmed" in said(run("sender", "add", "news@example.com", "--confirmed"))
    assert look(select(senders.c.state)) == [("confirmed",)]
    assert "already" in said(run("sender", "add", "news@example.com", "--confirmed"), 1)


def test_a_dkim_key_is_kept_and_its_record_printed(run, make_own_app):
    told = said(run("dkim", "add", "example.com", "--selector", "s1"))
    assert "s1._domainkey.example.com." in told
    assert "v=DKIM1; k=rsa; p=" in told
    with make_own_app().app_context():
        assert b"PRIVATE KEY" in keys.find("dkim:example.com:s1")
    assert "already" in said(run("dkim", "add", "example.com", "--selector", "s1"), 1)
    assert "ed25519" in said(run("dkim", "add", "example.com", "--selector", "s2", "--kind", "ed25519"))


def test_what_is_not_there_cannot_be_sent(run):
    for action in ("start", "pause", "resume", "cancel", "show"):
        said(run("sendout", action, "999"), 1)


def test_the_doctor_names_what_needs_a_hand(run, house_environment):
    said(run("init"))
    told = said(run("doctor", "--no-dns"))
    assert "up to date" in told
    assert "CUSTOMERHUB_SMTP_URL is not set" in told
    house_environment.chmod(0o755)
    assert "chmod 700" in said(run("doctor", "--no-dns"))


def test_the_doctor_fails_when_the_mail_server_does_not_answer(run, monkeypatch):
    monkeypatch.setenv("CUSTOMERHUB_SMTP_URL", "smtp://127.0.0.1:1")
    assert "PROBLEM  mail" in said(run("doctor", "--no-dns"), 1)


def test_a_setting_that_cannot_be_used_is_named(run, monkeypatch):
    monkeypatch.setenv("CUSTOMERHUB_SEND_RATE", "fast")
    result = run("init")
    assert "CUSTOMERHUB_SEND_RATE" in str(result.exception)


def test_serve_refuses_a_database_that_is_not_there(run, monkeypatch, tmp_path):
    monkeypatch.setenv("CUSTOMERHUB_DATABASE_URL", "")
    monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(tmp_path / "nothing"))
    assert "customerhub init" in said(run("serve"), 1)


def test_serve_refuses_to_show_demo_log_ins_to_others(run, house_environment):
    (house_environment / "demo-logins.txt").write_text("alice")
    assert "demo log-ins" in said(run("serve", "--host", "0.0.0.0"), 1)


def test_openings_and_clicks_are_judged_again(run, look):
    said(run("init"))
    assert "0 openings and clicks judged, 0 otherwise" in said(run("engagement", "judge"))
    assert "There is no sendout 99" in said(run("engagement", "judge", "--sendout", "99"), 1)
