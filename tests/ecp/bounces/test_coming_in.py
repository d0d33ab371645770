"""How what comes back gets in: a mailbox over IMAP that an administrator set up, and signed calls."""

import gzip
import hashlib
import hmac
import json

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.identity import keys
from crm.identity.sealing import sealer
from crm.mail.sending.deliveries import Delivery
from ecp.bounces import mailboxes, run
from ecp.bounces.reading import read
from ecp.bounces.tables import ReturnedMail, ReturnMailbox
from ecp.bounces.taking import Came, take_in
from ecp.pipeline.envelope import bounce_token
from ecp.pipeline.sending import renderer_of
from tests.ecp.bounces.shapes import TOKEN, dsn
from tests.ecp.bounces.test_taking import dmarc, record, report_mail
from tests.mail.imap_server import dovecot
from tests.public.conftest import sent, visitor  # noqa: F401


@pytest.fixture(scope="module")
def imap():
    with dovecot() as server:
        yield server


class NoProgress:
    job_id, created_by_id = 0, None

    def step(self, *_said):
        pass

    def cancelled(self):
        return False


def about(delivery_id, status="5.1.1", words="550 5.1.1 User unknown"):
    return dsn(status, words).replace(TOKEN.encode(), bounce_token(sealer().octets("bounce", delivery_id, 6)).encode())


def test_an_administrator_sets_a_mailbox_up_and_its_bounces_are_taken_in(browse, imap, sent):  # noqa: F811
    imap.empty()
    mary, ada = browse("mary"), browse("ada")
    mary.get("/deliverability", 403)
    assert "No mailbox is read yet" in ada.get("/deliverability").text
    typed = ada.form("/deliverability/mailboxes/new") | {
        "name": "Bounces", "host": "127.0.0.1", "port": str(imap.port), "encryption": "none", "username": "bounces", "password": "",
        "return_path": "bounces-of-all-our-mailings@example.com",
    }  # fmt: skip
    shown = ada.post("/deliverability/mailboxes/new", typed, 422).text
    assert "20 characters at most" in shown
    typed |= {"return_path": "bounces@example.com", "move_to": "Read"}
    place = ada.post("/deliverability/mailboxes/new", typed | {"password": "secret"}).location.removeprefix("/ecp")
    id = int(place.rsplit("/", 1)[1])
    assert 'value="secret"' not in ada.get(place).text
    assert keys.find(f"returns:{id}") is not None
    # Mails of senders under its domain come back there from now on, those of others do not.
    assert mailboxes.bounce_address("news@example.com") == "bounces@example.com"
    assert mailboxes.bounce_address("news@mail.example.com") == "bounces@example.com"
    assert mailboxes.bounce_address("news@example.org") == "news@example.org"
    assert renderer_of(sent.sendout).letterhead.mailbox == "bounces@example.com"
    imap.put(about(sent.delivery), "bounces")
    imap.put(about(sent.delivery, "4.4.1", "timed out"), "bounces")
    assert run.read_mailbox(NoProgress(), id) == "2 mails"
    assert run.read_mailbox(NoProgress(), id) == "0 mails"
    assert len(imap.files("bounces", "Read")) == 2
    row = db.session.execute(select(Delivery.__table__).where(Delivery.id == sent.delivery)).one()
    assert (row.state, row.bounce_type) == ("sent", "hard")
    assert (
        "The address does not exist. (550 5.1.1 User unknown)"
        in ada.get(f"/sendouts/{sent.sendout}/recipients?show=bounced").text
    )
    page = ada.get("/deliverability").text
    assert "Bounced for good" in page
    assert "The address does not exist. (5.1.1)" in page
    take_in(
        [Came("report", read(report_mail(gzip.compress(dmarc(record() + record("192.0.2.9", 3, "fail", "fail"))))))]
    )
    shown = ada.get("/deliverability/domains/example.com").text
    assert "62.5 % of the mails" in shown
    assert "192.0.2.9" in shown
    ada.get("/deliverability/domains/other.example", 404)
    db.session.execute(ReturnMailbox.__table__.update().values(port=1))
    assert run.read_mailbox(NoProgress(), id).startswith("failed")
    assert "Does not work" in ada.get("/deliverability").text
    wrong = {"csrf": typed["csrf"], "provider": "gmail", "rate": "-2"}
    assert "above 0" in ada.post("/deliverability/providers", wrong, 422).text
    ada.post("/deliverability/providers", wrong | {"rate": "0,5"})
    assert "0.5/s" in ada.get("/deliverability").text
    ada.post(f"{place}/delete", {"csrf": typed["csrf"]})
    assert keys.find(f"returns:{id}") is None


def test_calls_from_outside_are_signed_and_change_what_a_mail_would(browse, visitor, sent):  # noqa: F811
    ada = browse("ada")
    path = f"news+{bounce_token(sealer().octets('bounce', sent.delivery, 6))}@example.com"
    body = json.dumps(
        {"events": [{"kind": "bounce", "return_path": path, "status": "5.1.1", "words": "550 no such user"}]}
    ).encode()

    def call(data=body, secret="", at=None, media_type="application/json"):
        at = str(int(clock.now().timestamp()) if at is None else at)
        seal = hmac.new(secret.encode(), at.encode() + b"." + data, hashlib.sha256).hexdigest()
        headers = {"X-Customerhub-Signature": f"t={at},v1={seal}", "Content-Type": media_type}
        answer = visitor.post("/returns", data=data, headers=headers)
        return answer.status_code, answer.json

    assert call()[0] == 401  # nobody has made a secret
    shown = ada.post("/deliverability/hook", {"csrf": ada.form("/deliverability/mailboxes/new")["csrf"]}, 200).text
    secret = keys.find("returns_hook").hex()
    assert secret in shown
    assert call(secret="0" * 64)[0] == 401
    assert call(secret=secret, at=int(clock.now().timestamp()) - 400)[0] == 401
    assert call(b"[1]", secret)[0] == 400
    assert call(b"x" * 10, secret)[0] == 400
    assert (
        "return_path"
        in call(json.dumps({"events": [{"kind": "bounce", "return_path": "a@b.example"}]}).encode(), secret)[1]["error"]
    )
    assert visitor.get("/returns").status_code == 405
    assert db.session.scalar(select(ReturnedMail.id)) is None
    assert call(secret=secret) == (200, {"taken": 1, "known": 0})
    assert call(secret=secret) == (200, {"taken": 0, "known": 1})
    row = db.session.execute(select(Delivery.__table__).where(Delivery.id == sent.delivery)).one()
    assert (row.bounce_type, row.bounce_text) == ("hard", "The address does not exist. (5.1.1 550 no such user)")
    forged = body.replace(path.encode(), f"news+{'0f' * 22}@example.com".encode())
    assert call(forged, secret) == (200, {"taken": 1, "known": 0})  # signed, but about no mail of ours
    assert call(about(sent.delivery), secret, media_type="message/rfc822") == (200, {"taken": 1, "known": 0})
    assert call(b"y" * (1024 * 1024 + 1), secret)[0] in (401, 413)
