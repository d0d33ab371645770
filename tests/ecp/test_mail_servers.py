"""Own mail servers on screen: written with care, tested at once, their passwords neither shown nor lent to another server."""

import pytest

from crm.db import db
from crm.identity import keys
from crm.mail.servers import MailServer, server_of
from tests.mail.smtp_server import running

NEW = "/mail_servers/new"


@pytest.fixture
def loopback(app, portal, monkeypatch):
    settled = app.config["CUSTOMERHUB"].with_(outgoing_networks="127.0.0.0/8")
    for one in (app, portal):
        monkeypatch.setitem(one.config, "CUSTOMERHUB", settled)


def test_a_server_is_written_tested_changed_and_removed(browse, loopback):
    ada = browse("ada")
    csrf = {"csrf": ada.form("/preferences")["csrf"]}
    wrong = {
        "name": "",
        "host": "no host",
        "port": "99999",
        "weight": "x",
        "per_hour": "0",
        "security": "none",
        "username": "me",
        "from_domains": "firm.example no_domain",
    }
    page = ada.post(NEW, csrf | wrong, 422).text
    for said in (
        "Give the server a name",
        "no name of a server",
        "from 1 to 65535",
        "only sent over an encrypted connection",
        "no host",
        "“no_domain” is no domain",
    ):
        assert said in page
    assert db.session.query(MailServer).count() == 0
    with running() as plain, running("starttls", "login:me:secret") as strict:
        said = {
            "name": "Plain",
            "host": "127.0.0.1",
            "port": str(plain.port),
            "security": "none",
            "weight": "3",
            "active": "1",
            "from_domains": "@Firm.example, shop.example firm.example",
        }
        ada.post(NEW, csrf | said)
        assert db.session.query(MailServer.from_domains).filter_by(name="Plain").scalar() == "firm.example shop.example"
        said = {
            "name": "Strict",
            "host": "127.0.0.1",
            "port": str(strict.port),
            "security": "starttls",
            "weight": "1",
            "active": "1",
            "per_hour": "100",
        }
        ada.post(NEW, csrf | said | {"username": "me", "password": "se/cr@t:ä"})
        # a server that wants TLS where we want none of it, and one whose certificate nobody vouches for
        page = ada.get("/mail_servers").text
        assert ">in order<" in page
        assert "CERTIFICATE_VERIFY_FAILED" in page or "certificate verify failed" in page
        assert "is not trusted" in page
        assert "75 %" in page
    row = db.session.query(MailServer).filter_by(name="Strict").one()
    assert b"se/cr" not in db.session.query(keys.Key.wrapped).filter_by(name=f"smtp:{row.id}").scalar()
    server = server_of(row)
    assert (server.user, server.password, server.starttls) == ("me", "se/cr@t:ä", "required")
    id = row.id
    here = f"/mail_servers/{id}"
    assert "se/cr" not in ada.get(here).text
    same = said | {"username": "me"}
    assert "Type the password again" in ada.post(here, csrf | same | {"host": "127.0.0.2"}, 422).text
    ada.post(here, csrf | same | {"weight": "2"})
    db.session.expire_all()
    assert server_of(db.session.get(MailServer, id)).password == "se/cr@t:ä"
    ada.post(f"{here}/delete", csrf)
    assert keys.find(f"smtp:{id}") is None
    for name in ("carl", "eve"):
        browse(name).get("/mail_servers", 403)


def test_a_server_inside_the_house_is_not_spoken_to_unless_its_operator_allows_it(browse):
    ada = browse("ada")
    csrf = {"csrf": ada.form("/preferences")["csrf"]}
    with running() as sink:
        ada.post(
            NEW,
            csrf | {"name": "Inside", "host": "127.0.0.1", "port": str(sink.port), "security": "none", "active": "1"},
        )
    assert "private network" in ada.get("/mail_servers").text
