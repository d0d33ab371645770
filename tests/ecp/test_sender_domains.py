"""Sender domains from nothing to green and back, against a name server on loopback: what is published, shown, rotated, lost."""

from collections.abc import Iterator
from datetime import timedelta

import dns.resolver
import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.refusals import Conflict, Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.domains import checking, selectors
from ecp.domains.table import SenderDomain
from ecp.pipeline import actions
from hub.public import create_public_app
from tests.mail.name_server import Zone, resolver_of, serving

HERE = "/sender_domains/example.com"


@pytest.fixture(scope="module")
def name_server() -> Iterator[tuple[Zone, int]]:
    with serving() as found:
        yield found


@pytest.fixture
def zone(name_server: tuple[Zone, int], monkeypatch: pytest.MonkeyPatch) -> Zone:
    """An empty zone, which this process's look-ups see."""
    zone, port = name_server
    zone.records.clear()
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver_of(port))
    return zone


def look() -> None:
    db.session.commit()  # the savepoint that the test reads in lies around those of the requests
    checking.check(None, "example.com")  # type: ignore[arg-type]


def publish(zone: Zone, name: str, text: str) -> None:
    strings = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
    zone.publish(f"{name}. 60 IN TXT {strings}")


def test_a_domain_gets_its_records_turns_green_changes_its_key_and_is_missed_when_it_breaks(app, browse, house, zone):
    ada = browse("ada")
    csrf = {"csrf": ada.form("/preferences")["csrf"]}
    ada.post(
        "/sender_domains/origin",
        csrf | {"include": "include:spf.hub.example.", "addresses": "8.8.8.0/24", "reports": ""},
    )
    ada.post(f"{HERE}/key", csrf)
    # two SPF records: the one to publish joins them and names us
    zone.publish('example.com. 60 IN TXT "v=spf1 mx -all"\nexample.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"')
    zone.publish('spf.hub.example. 60 IN TXT "v=spf1 ip4:8.8.8.0/24 -all"')
    look()
    page = ada.get(HERE).text
    assert "has 2 SPF records" in page
    assert "v=spf1 mx ip4:192.0.2.1 include:spf.hub.example -all" in page
    assert "v=spf1 mx ip4:192.0.2.1 ip4:8.8.8.0/24 -all" in page
    assert "v=DMARC1; p=none; rua=mailto:postmaster@example.com" in page
    assert "Needs a hand" in ada.get("/sender_domains").text
    # the page for IT: made, read without a session, closed
    ada.post(f"{HERE}/share", csrf | {"open": "1"})
    token = db.session.scalars(select(SenderDomain.share_token)).one()
    assert f"/dns/{token}" in ada.get(HERE).text
    anybody = create_public_app(app.config["CUSTOMERHUB"]).test_client()
    sheet = anybody.get(f"/dns/{token}")
    assert "v=spf1 mx ip4:192.0.2.1 include:spf.hub.example -all" in sheet.text
    assert "Please change" in sheet.text
    assert "Set-Cookie" not in sheet.headers
    ada.post(f"{HERE}/share", csrf | {"open": "0"})
    assert anybody.get(f"/dns/{token}").status_code == anybody.get("/dns/short").status_code == 404
    # all as it should be
    zone.records.clear()
    (first,) = selectors.held("example.com")
    publish(zone, first.signer.record_name, first.signer.record)
    publish(zone, "example.com", "v=spf1 mx include:spf.hub.example -all")
    publish(zone, "spf.hub.example", "v=spf1 ip4:8.8.8.0/24 -all")
    publish(zone, "_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:postmaster@example.com")
    zone.publish("example.com. 60 IN MX 10 mx.example.com.\nmx.example.com. 60 IN A 192.0.2.9")
    look()
    assert "All records are in order." in ada.get(HERE).text
    assert search.one(SYSTEM, "sender_addresses", house.sender_id)["state"] == "domain_verified"
    # the next key waits until DNS shows it
    ada.post(f"{HERE}/key", csrf)
    with pytest.raises(Refused, match="next key already"):
        selectors.make("example.com")
    second = next(one for one in selectors.held("example.com") if one.state == "next")
    assert [one.selector for one in selectors.signers_of("news.example.com")] == [first.selector]
    with pytest.raises(Conflict, match="not seen in DNS yet"):
        selectors.switch("example.com")
    look()
    assert "All records are in order." not in ada.get(HERE).text
    publish(zone, second.signer.record_name, second.signer.record)
    look()
    ada.post(f"{HERE}/switch", csrf)
    assert [one.selector for one in selectors.signers_of("example.com")] == [second.selector]
    with pytest.raises(Conflict, match="under way"):
        selectors.withdraw("example.com", first.selector)
    with clock.standing_at(clock.now() + timedelta(days=8)):
        selectors.withdraw("example.com", first.selector)
    assert [one.selector for one in selectors.held("example.com")] == [second.selector]
    # broken: administrators are told once, nothing starts, unless somebody says why it may
    zone.records = [
        record for record in zone.records if "SPF1" not in str(record).upper() or "hub" in str(record.rname)
    ]
    look()
    look()
    letters = db.session.scalars(select(Delivery.payload).where(Delivery.dedupe_key.startswith("domain_lost:"))).all()
    assert ["example.com has no SPF record" in one["text"] for one in letters] == [True]
    sendout = house.sendout(house.campaign([house.contact("anna@example.org")]))
    with pytest.raises(Refused, match="is not any more"):
        actions.start(SYSTEM, sendout)
    records.update(SYSTEM, "sender_addresses", house.sender_id, {"override_note": "We know"}, Channel.SYSTEM)
    assert actions.start(SYSTEM, sendout) == "preparing"
    # every morning one look at each domain
    checking.check_all(None)  # type: ignore[arg-type]
    asked = [job.arguments for job in db.session.scalars(select(Job).where(Job.task == "domains.check"))]
    assert {"domain": "example.com"} in asked


def test_what_cannot_be_is_refused_at_its_field_and_nobody_else_may_look(browse, people):
    ada = browse("ada")
    csrf = {"csrf": ada.form("/preferences")["csrf"]}
    said = {"include": "not a domain", "addresses": "10.0.0.1, 8.8.8.8 300.1.1.1", "reports": "nobody"}
    page = ada.post("/sender_domains/origin", csrf | said, 422).text
    assert page.count('aria-invalid="true"') >= 2
    assert "300.1.1.1” is no IP address" in page
    assert 'value="not a domain"' in page
    assert 'value="a b"' in ada.post("/sender_domains", csrf | {"domain": "a b"}, 422).text
    ada.get("/sender_domains/unknown.example", 404)
    ada.post("/sender_domains", csrf | {"domain": "@Spring.Example"})
    assert "v=DKIM1; k=rsa; p=" in ada.get("/sender_domains/spring.example").text
    for name in ("carl", "eve"):
        browse(name).get("/sender_domains", 403)
        browse(name).get("/sender_domains/spring.example", 403)


def test_what_a_check_found_is_said_in_the_language_of_who_reads(browse, house, zone):
    from crm.words import as_kept, from_kept, speaking, told

    publish(zone, "example.com", "v=spf1 +all")
    with speaking("fi"):  # as a job of a Finnish site
        look()
    kept = db.session.get(SenderDomain, "example.com").result
    assert all(isinstance(text, dict) for one in kept for _code, _level, text in one["findings"])
    page = browse("ada").get(HERE).text
    assert "The SPF record ends in “+all”: anybody may send for this domain." in page
    assert "anybody may send for this domain." in browse("ada").get(f"/sender_addresses/{house.sender_id}").text
    with speaking("fi"):
        said = [
            text for one in checking.kept(db.session.get(SenderDomain, "example.com")) for _c, _l, text in one.findings
        ]
    assert "The SPF record ends in “+all”: anybody may send for this domain." not in said
    inner = told(
        "%(count)s look-ups of the SPF record lead nowhere; receivers allow %(most)s. Remove names that no longer exist.",
        count=3,
        most=2,
    )
    assert from_kept(
        as_kept(told("The name servers gave no usable answer for %(name)s: %(problem)s.", name="a", problem=inner))
    ).endswith("longer exist..")
    assert (as_kept("plain"), from_kept("plain")) == ("plain", "plain")
