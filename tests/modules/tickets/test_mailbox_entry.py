"""Into mailboxes over TLS and by tokens: the real Dovecot, its own check of tokens, and a provider that is a real web server."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from crm import clock
from crm.db import db
from crm.engine.refusals import Refused
from crm.identity import keys
from crm.mail.mailbox import Account, MailboxError, opened
from crm.modules.tickets.scanning import entry, run, scanners
from crm.modules.tickets.scanning.entry import Secrets
from tests.mail.imap_server import dovecot
from tests.modules.tickets.support import mail
from tests.modules.tickets.test_mailbox import Progress, row, values


class Provider(ThreadingHTTPServer):
    """Gives access tokens for refresh tokens, and says of each whose it is; changes the refresh token every time."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.refresh, self.good, self.asked, self.user = "first-refresh", "", [], "tokens"
        self.error = ""


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self):
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append({name: one for name, (one,) in said.items()})
        if self.server.error or said["refresh_token"] != [self.server.refresh]:
            return self.say(400, {"error": self.server.error or "invalid_grant"})
        count = len(self.server.asked)
        self.server.refresh, self.server.good = f"refresh-{count}", f"token-{count}"
        return self.say(
            200, {"access_token": self.server.good, "expires_in": 3600, "refresh_token": self.server.refresh}
        )

    def do_GET(self):
        is_good = self.server.good and self.headers["Authorization"] == f"Bearer {self.server.good}"
        self.say(200, {"active": "true", "email": self.server.user} if is_good else {"active": "false"})

    def say(self, status, found):
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_rest): ...


@pytest.fixture(scope="module")
def provider():
    with Provider() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def imap(provider):
    with dovecot(f"{provider.address}/whose", "plain login xoauth2") as server:
        yield server


@pytest.fixture(scope="module")
def bearer_imap(provider):
    """A server of the newer way only (RFC 7628)."""
    with dovecot(f"{provider.address}/whose", "oauthbearer") as server:
        yield server


@pytest.fixture
def loopback(app, monkeypatch):
    """The provider of the tests is on this machine, which the house calls only where its operator allows it."""
    allowed = app.config["CUSTOMERHUB"].with_(outgoing_networks="127.0.0.0/8")
    monkeypatch.setitem(app.config, "CUSTOMERHUB", allowed)


def by_tokens(imap, provider, **more):
    way_in = {"auth": "oauth2", "token_address": f"{provider.address}/token", "client_id": "house", "scope": "IMAP"}
    secure = {"port": imap.tls_port, "encryption": "ssl", "validates_certificate": True, "authorities": imap.authority}
    return values(imap, "tokens") | secure | way_in | more


@pytest.mark.parametrize("encryption", ["ssl", "starttls"])
def test_a_certificate_is_believed_by_its_authority_and_by_the_name_of_the_server_only(support, imap, encryption):
    imap.empty()
    port = imap.tls_port if encryption == "ssl" else imap.port
    said = values(imap, "secure", port=port, encryption=encryption, validates_certificate=True)
    with pytest.raises(Refused) as refused:
        scanners.save(said, Secrets("secret"))
    [fault] = refused.value.faults["validates_certificate"]
    assert "does not hold" in fault.message
    assert "give the certificate of its authority" in fault.message
    assert scanners.listed() == []
    with pytest.raises(Refused) as refused:
        scanners.save(said | {"authorities": "-----BEGIN CERTIFICATE-----\nnothing\n"}, Secrets("secret"))
    assert "authorities" in refused.value.faults
    with opened(Account("127.0.0.1", port, "secure", "secret", encryption, validates_certificate=False)) as box:
        assert "INBOX" in box.folders()
    with (
        pytest.raises(MailboxError) as problem,  # the authority is right, the name is not that of this server
        opened(Account("127.0.0.2", imap.tls_port, "secure", "secret", authorities=imap.authority)),
    ):
        pass
    assert problem.value.code in {"certificate", "connect"}
    imap.put(mail("Over TLS", Message_ID="<tls@virta.example>"), "secure")
    id, checked = scanners.save(said | {"authorities": imap.authority}, Secrets("secret"))
    assert "INBOX" in checked.folders
    support.rule(id)
    assert run.scan(Progress(), id) == "1 mails"
    assert support.tickets()[-1]["title"] == "Over TLS"


def test_a_mailbox_is_opened_by_tokens_which_are_kept_renewed_and_never_shown(support, imap, provider, loopback):
    imap.empty()
    provider.refresh, provider.asked, provider.error = "first-refresh", [], ""
    imap.put(mail("By token", Message_ID="<token@virta.example>"), "tokens")
    with pytest.raises(Refused) as refused:
        scanners.save(by_tokens(imap, provider, encryption="none", client_id="", token_address="nowhere"), Secrets())
    assert set(refused.value.faults) == {"encryption", "client_id", "token_address"}
    with pytest.raises(Refused) as refused:
        scanners.save(by_tokens(imap, provider), Secrets())
    assert "refresh_token" in refused.value.faults
    with pytest.raises(Refused) as refused:
        scanners.save(by_tokens(imap, provider), Secrets(refresh_token="wrong"))
    [fault] = refused.value.faults["refresh_token"]
    assert "invalid_grant" in fault.message
    with pytest.raises(Refused) as refused:
        scanners.save(by_tokens(imap, provider, username="somebody.else"), Secrets(refresh_token="first-refresh"))
    assert "refresh_token" in refused.value.faults  # the token is good, for another mailbox
    provider.refresh = "first-refresh"
    id, _checked = scanners.save(
        by_tokens(imap, provider), Secrets(client_secret="hush", refresh_token="first-refresh")
    )
    db.session.commit()
    assert provider.asked[-1] == {
        "grant_type": "refresh_token", "refresh_token": "first-refresh", "client_id": "house", "client_secret": "hush",
        "scope": "IMAP",
    }  # fmt: skip
    assert entry.kept(id).refresh_token == provider.refresh  # the provider had changed it
    support.rule(id)
    asked = len(provider.asked)
    assert run.scan(Progress(), id) == "1 mails"
    assert run.scan(Progress(), id) == "0 mails"
    assert len(provider.asked) == asked + 1  # one token for both
    assert sorted(keys.names(f"scanner:{id}")) == [f"scanner:{id}", f"scanner:{id}:access"]
    for secret in ("hush", provider.refresh, provider.good):
        assert (
            secret not in f"{row(id)} {entry.kept(id)} {entry.ready(row(id))} {entry.grant_of(row(id), entry.kept(id))}"
        )
    provider.good = ""  # the provider takes the token back: one failure, then a new one is asked for
    assert run.scan(Progress(), id).startswith("failed")
    assert run.scan(Progress(), id) == "0 mails"
    assert len(provider.asked) == asked + 2
    with pytest.raises(Refused):  # the refresh token is not handed to another address
        scanners.save(by_tokens(imap, provider, token_address=f"{provider.address}/elsewhere"), Secrets(), id)
    scanners.remove(id)
    assert keys.names("scanner:") == []


def test_a_token_is_renewed_before_its_end_and_a_provider_that_is_away_is_told(
    support, bearer_imap, provider, loopback
):
    imap = bearer_imap
    provider.refresh, provider.asked, provider.error = "first-refresh", [], ""
    id, _checked = scanners.save(by_tokens(imap, provider), Secrets(refresh_token="first-refresh"))
    db.session.commit()
    support.rule(id)
    assert run.scan(Progress(), id) == "0 mails"
    asked = len(provider.asked)
    entry.ready(row(id))
    assert len(provider.asked) == asked
    later = clock.now() + timedelta(minutes=59)
    with clock.standing_at(later):
        entry.ready(row(id))
    assert len(provider.asked) == asked + 1
    entry.forget_access(id)
    provider.error = "temporarily_unavailable"
    assert "temporarily_unavailable" in run.scan(Progress(), id)
    assert "temporarily_unavailable" in row(id)["last_error"]
