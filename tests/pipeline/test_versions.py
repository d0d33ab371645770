"""A mail in several languages: each person gets that of the contact, compiled once, and the report counts them apart."""

from email import policy
from email.parser import BytesParser

import pytest
from sqlalchemy import select, text, update

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed
from ecp import statistics
from ecp.measuring import Request, follow
from ecp.pipeline import actions, prepare, sending, testing, versions
from ecp.pipeline.track import sealer

FINNISH = '<p>Hei {$contact.first_name}, katso <a href="https://example.com/tarjous">tarjous</a></p>'


def add_version(house, **values):
    said = {
        "name": "Kirje", "kind": "version", "version_of_id": house.mail_id, "language": "fi", "status": "active",
        "subject": "Hei {$contact.first_name}", "html": FINNISH,
    }  # fmt: skip
    return house.make("email_templates", **(said | values))


def claimed(sendout):
    d = Delivery.__table__
    said = select(d.c.id, d.c.fence, d.c.kind, d.c.sendout_id, d.c.email, d.c.person_module, d.c.person_id, d.c.attempts,
                  d.c.drops, d.c.payload).where(d.c.sendout_id == sendout)  # fmt: skip
    return [Claimed(*row) for row in db.session.execute(said)]


def mails(sendout):
    """Address → the finished mail."""
    rows = claimed(sendout)
    loaded = sending.load(rows)
    made = {row.email: sending.render(row, loaded).data for row in rows}
    return {to: BytesParser(policy=policy.default).parsebytes(bytes(data)) for to, data in made.items()}


def sent(house, *people):
    sendout = house.sendout(house.campaign(list(people)))
    actions.start(SYSTEM, sendout)
    assert prepare.prepare(sendout)
    return sendout


def test_a_finnish_contact_gets_finnish_and_the_others_the_mail_itself(house, monkeypatch):
    monkeypatch.setattr(sending, "_renderers", {})
    add_version(house)
    add_version(house, language="sv", status="inactive", subject="Hej", html="<p>Hej</p>")
    people = {
        "fi": house.contact("fi@example.com", first_name="Aino", language="fi"),
        "sv": house.contact("sv@example.com", first_name="Bo", language="sv"),
        "no": house.contact("none@example.com", first_name="Cy"),
    }
    sendout = sent(house, *people.values())
    found = mails(sendout)
    assert {to: mail["Subject"] for to, mail in found.items()} == {
        "fi@example.com": "Hei Aino", "sv@example.com": "Hello Bo", "none@example.com": "Hello Cy",
    }  # fmt: skip
    finnish = found["fi@example.com"].get_body(("html",)).get_content()
    assert "katso" in finnish
    assert 'lang="fi"' in finnish or "tarjous" in finnish
    # Later changes of the person or the mail change nothing of what was prepared.
    records.update(SYSTEM, "contacts", people["no"], {"language": "fi"}, Channel.SYSTEM)
    monkeypatch.setattr(sending, "_renderers", {})
    assert mails(sendout)["none@example.com"]["Subject"] == "Hello Cy"
    # Links of both are told apart by their numbers, and the report by language.
    links = {link["url"]: link["number"] for link in statistics.links(SYSTEM, sendout)}
    assert len(set(links.values())) == len(links) == 3
    number = links["https://example.com/tarjous"]
    delivery = db.session.execute(select(Delivery.id).where(Delivery.person_id == people["fi"])).scalar()
    token = sealer().seal("click", delivery)
    assert f"/c/{token}/{number}" in finnish
    assert follow(token, number, Request("Mozilla/5.0", "GET", "192.0.2.1")).startswith("https://example.com/tarjous")
    db.session.execute(
        update(Delivery).where(Delivery.sendout_id == sendout).values(state="sent", sent_at=text("created_at"))
    )
    # Whether that click is a person's is judged elsewhere (test_machines.py); here one is taken for it.
    db.session.execute(update(Delivery).where(Delivery.id == delivery).values(first_click_at=text("created_at")))
    rows = {row["language"]: row for row in statistics.report(SYSTEM, sendout)["by_language"]}
    assert {key: (row["audience"], row["sent"], row["clicked"]) for key, row in rows.items()} == {
        "en": (2, 2, 0), "fi": (1, 1, 1),
    }  # fmt: skip
    assert "katso" in versions.load_for(sendout, delivery).compiled.html  # the online version too


@pytest.mark.parametrize("opened", ["mail", "version"])
def test_a_test_mail_is_in_the_language_of_the_contact_or_of_the_version_that_is_open(house, opened):
    version = add_version(house)
    id = house.contact("fi@example.com", first_name="Aino", language="fi" if opened == "mail" else "sv")
    chosen = house.mail_id if opened == "mail" else version
    testing.send_tests_of_mail(SYSTEM, chosen, ["me@example.com"], id)
    row = db.session.execute(select(Delivery).where(Delivery.kind == "sendout_test")).scalar_one()
    said = Claimed(row.id, 0, row.kind, None, row.email, None, None, 0, 0, row.payload)
    mail = BytesParser(policy=policy.default).parsebytes(bytes(testing.render(said).data))
    assert mail["Subject"] == "[TEST] Hei Aino"
    assert "news@example.com" in mail["From"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"language": None}, "language"),
        ({"language": "en"}, "language"),  # that of the mail
        ({"version_of_id": None}, "version_of_id"),
        ({"kind": "email"}, "version_of_id"),
        ({"html": "<p>{$contact.nothing}</p>"}, "html"),
        ({"subject": ""}, "subject"),
        ({"html": ""}, "html"),
        ({"html": "x" * 65_001}, "html"),
    ],
)
def test_a_version_is_checked_like_a_mail_and_belongs_to_one(house, values, field):
    records.update(SYSTEM, "email_templates", house.mail_id, {"language": "en"}, Channel.SYSTEM)
    with pytest.raises(Refused) as refused:
        add_version(house, **values)
    assert field in refused.value.faults


def test_one_version_a_language_and_none_of_a_version(house):
    first = add_version(house)
    for values in ({}, {"version_of_id": first, "language": "sv"}):
        with pytest.raises(Refused):
            add_version(house, **values)
    for id, change in (
        (house.mail_id, {"language": "fi"}),
        (first, {"kind": "email"}),
        (first, {"version_of_id": house.mail()}),
    ):
        with pytest.raises(Refused):
            records.update(SYSTEM, "email_templates", id, change, Channel.SYSTEM)


def test_a_sendout_with_a_version_that_cannot_be_compiled_any_more_does_not_start(house):
    version = add_version(house)
    db.session.execute(
        text("UPDATE email_templates SET html = '{if $contact.first_name}' WHERE id = :i"), {"i": version}
    )
    sendout = house.sendout(house.campaign([house.contact("a@example.com")]))
    with pytest.raises(Refused) as refused:
        actions.start(SYSTEM, sendout)
    assert "The version in fi" in str(refused.value)
