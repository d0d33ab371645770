"""What comes back about mails of ours changes what it should, once, and only with a token that we sealed."""

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import func, select, text

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import statistics
from ecp.bounces import overview, packed
from ecp.bounces.reading import read
from ecp.bounces.tables import DmarcReport, ReturnedMail
from ecp.bounces.taking import Came, key_of, take_in
from ecp.pipeline import actions, prepare
from ecp.pipeline.envelope import bounce_token
from tests.ecp.bounces.shapes import TOKEN, away, complaint, dsn
from tests.ecp.bounces.shapes import text as plain
from tests.pipeline.conftest import house  # noqa: F401


@pytest.fixture
def sent(house):  # noqa: F811
    """A sendout to six people, as it stands when the mails have left: (house, sendout, {name: delivery id})."""
    people = {name: house.contact(f"{name}@receiver.example") for name in ("ann", "bob", "cid", "dan", "eve", "fay")}
    sendout = house.sendout(house.campaign(list(people.values())))
    actions.start(SYSTEM, sendout)
    prepare.prepare(sendout)
    db.session.execute(Delivery.__table__.update().where(Delivery.sendout_id == sendout).values(state="sent"))
    db.session.commit()
    rows = db.session.execute(select(Delivery.email, Delivery.id).where(Delivery.sendout_id == sendout)).all()
    return house, sendout, {row.email.partition("@")[0]: row.id for row in rows}


def about(data, delivery_id, secret=None):
    """The same mail with the token of a delivery."""
    token = bounce_token((secret or sealer()).octets("bounce", delivery_id, 6))
    return data.replace(TOKEN.encode(), token.encode()).replace(TOKEN.upper().encode(), token.upper().encode())


def take(*mails):
    return take_in([Came(key_of(data), read(data)) for data in mails])


def stored(delivery_id):
    return db.session.execute(select(Delivery.__table__).where(Delivery.id == delivery_id)).mappings().one()


def refused(email):
    table = modules["suppressions"].table
    rows = db.session.execute(
        select(table.c.scope, table.c.source, table.c.note).where(table.c.email == email, table.c.active)
    )
    return {row.scope: row for row in rows}


def status_of(email):
    return db.session.execute(text("SELECT email_status FROM contacts WHERE email = :e"), {"e": email}).scalar()


def test_what_comes_back_changes_deliveries_addresses_and_people_once(sent):
    house, sendout, ids = sent  # noqa: F811
    db.session.execute(Delivery.__table__.update().where(Delivery.id == ids["ann"]).values(state="uncertain"))
    db.session.commit()
    mails = [
        about(dsn("5.1.1", "550 5.1.1 User unknown"), ids["ann"]),
        about(dsn("5.2.2", "552 5.2.2 Mailbox full"), ids["bob"]),
        about(dsn("5.7.1", "554 5.7.1 blocked using a blocklist"), ids["cid"]),
        about(complaint(), ids["dan"]),
        about(plain("unsubscribe", "", sender="eve@receiver.example", original=""), ids["eve"]),
        about(dsn("4.4.1", "timed out", "delayed"), ids["fay"]),
        about(away("Out of office", "550 user unknown"), ids["fay"]),
    ]
    assert take(*mails) == 7
    assert take(*mails) == 0  # read again after a crash: nothing twice
    ann, bob, cid = (stored(ids[name]) for name in ("ann", "bob", "cid"))
    assert (ann["state"], ann["bounce_type"], bob["bounce_type"], cid["bounce_type"]) == (
        "sent",
        "hard",
        "soft",
        "policy",
    )
    assert ann["bounce_text"] == "The address does not exist. (550 5.1.1 User unknown)"
    assert "by its own rules" in cid["bounce_text"]
    assert [status_of(f"{name}@receiver.example") for name in ("ann", "bob", "cid", "dan", "eve", "fay")] == [
        "hard_bounced", "soft_bouncing", "ok", "complained", "ok", "ok",
    ]  # fmt: skip
    assert refused("ann@receiver.example").keys() == {"bounce"}
    assert refused("ann@receiver.example")["bounce"].note.startswith("The address does not exist")
    assert not [name for name in ("bob", "cid", "fay") if refused(f"{name}@receiver.example")]
    assert {scope: row.source for scope, row in refused("dan@receiver.example").items()} == {
        "complaint": "complaint", "list_type": "complaint", "campaign": "complaint",
    }  # fmt: skip
    assert refused("eve@receiver.example").keys() == {"list_type", "campaign"}
    assert stored(ids["fay"])["bounced_at"] is None
    report = statistics.report(SYSTEM, sendout)
    assert (
        report["bounced"],
        report["bounced_soft"],
        report["sent"],
        report["complained"],
        report["unsubscribed"],
    ) == (3, 1, 6, 1, 2)
    again = house.sendout(
        house.campaign(list(db.session.scalars(select(modules["contacts"].table.c.id)))), skip_earlier=False
    )
    actions.start(SYSTEM, again)
    prepare.prepare(again)
    reasons = statistics.report(SYSTEM, again)["skipped_by_reason"]
    assert reasons == {"bounced_before": 1, "list_unsubscribed": 2}
    # A full mailbox that is closed later: the harder word holds.
    assert take(about(dsn("5.2.1", "550 5.2.1 inactive"), ids["bob"])) == 1
    assert (stored(ids["bob"])["bounce_type"], status_of("bob@receiver.example")) == ("hard", "hard_bounced")


def test_a_report_without_a_token_of_ours_is_counted_and_changes_nothing(sent):
    from crm.identity.sealing import Sealer

    _house, _sendout, ids = sent
    forged = Sealer([b"k" * 64])
    other = sealer().octets("open", ids["ann"], 6).hex().encode()  # sealed by us, but for pictures
    mails = [
        dsn("5.1.1", "550 5.1.1 User unknown"),
        about(dsn("5.1.1", "550 5.1.1 unknown user"), ids["ann"], forged),
        about(complaint(), ids["ann"], forged),
        dsn("5.1.1", "550 5.1.1 no such user", final="ann@receiver.example").replace(TOKEN.encode(), other),
        dsn("5.1.1", "550 5.1.1 gone", to="news@example.com", original="", final="ann@receiver.example"),
        about(plain("unsubscribe", "", sender="ann@receiver.example", original=""), ids["ann"], forged),
        about(dsn("5.1.1", "550 5.1.1 nobody"), 99_999_999),
    ]
    assert take(*mails) == 7
    notes = db.session.execute(select(ReturnedMail.note, func.count()).group_by(ReturnedMail.note)).all()
    assert notes == [("unproved", 7)]
    row = stored(ids["ann"])
    assert (row["bounced_at"], row["unsubscribed_at"]) == (None, None)
    assert (refused("ann@receiver.example"), status_of("ann@receiver.example")) == ({}, "ok")


# Reports on a whole domain

DAY = int((clock.now() - timedelta(days=1)).timestamp())


def dmarc(records="", domain="example.com", begin=DAY, end=DAY + 86399, head="", id="r1"):
    return f"""<?xml version="1.0"?>{head}<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><report_metadata>
<org_name>receiver.example</org_name><report_id>{id}</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><p>none</p><np>reject</np></policy_published>{records}</feedback>""".encode()


def record(ip="192.0.2.1", count=5, dkim="pass", spf="fail"):
    return (
        f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated><disposition>none</disposition>"
        f"<dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers>"
        "<auth_results><dkim><domain>example.com</domain></dkim><spf><domain>bounce.example.net</domain></spf></auth_results></record>"
    )


def zipped(data, files=1):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"../../report{number}.xml", data)
    return out.getvalue()


def report_mail(
    data,
    media_type="application/gzip",
    name="receiver.example!example.com!1!2.xml.gz",
    subject="Report Domain: example.com",
):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "noreply@receiver.example", "reports@example.com", subject
    main, _slash, sub = media_type.partition("/")
    made.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return made.as_bytes()


TLS = {
    "organization-name": "Receiver", "report-id": "t1", "policies": [{
        "policy": {"policy-type": "sts", "policy-domain": "example.com"},
        "summary": {"total-successful-session-count": 98, "total-failure-session-count": 2},
        "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 2}],
    }],
}  # fmt: skip


def test_reports_on_our_domains_are_kept_once_and_hostile_ones_are_told(house, monkeypatch):  # noqa: F811
    monkeypatch.setattr(packed, "MOST_PLAIN", 200_000)
    good = dmarc(record() + record("192.0.2.9", 3, "fail", "fail") + record("2001:db8::1", 2, "fail", "pass"))
    moment = datetime.fromtimestamp(DAY, UTC)
    tls = TLS | {
        "date-range": {"start-datetime": moment.isoformat(), "end-datetime": (moment + timedelta(hours=23)).isoformat()}
    }
    assert take(
        report_mail(gzip.compress(good)),
        report_mail(zipped(good), "application/zip", "x.zip"),  # the same report, packed otherwise
        report_mail(gzip.compress(json.dumps(tls).encode()), "application/tlsrpt+gzip", "a!b!1!2.json.gz"),
    ) == 3  # fmt: skip
    (day,) = overview.days_of("example.com", moment - timedelta(days=2))
    assert (day.mails, day.passed) == (10, 7)
    sources = overview.sources_of("example.com", moment - timedelta(days=2))
    assert [(one.source_ip, one.mails, one.passed, one.dkim, one.spf) for one in sources] == [
        ("192.0.2.9", 3, 0, 0, 0), ("192.0.2.1", 5, 5, 1, 0), ("2001:db8::1", 2, 2, 0, 1),
    ]  # fmt: skip
    assert [level for level, _sentence in overview.advice([day], sources)] == ["problem", "notice"]
    (said,) = overview.tls_of("example.com", moment - timedelta(days=2))
    assert (said.good_count, said.failed_count, said.failures) == (98, 2, {"certificate-expired": 2})
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    hostile = {
        "larger than": gzip.compress(b" " * (packed.MOST_PLAIN + 2)),
        "larger than ": zipped(b" " * (packed.MOST_PLAIN + 2)),
        "document type": gzip.compress(dmarc(record("&b;"), head=bomb)),
        "document type ": gzip.compress(dmarc(head='<!DOCTYPE x SYSTEM "file:///etc/passwd">')),
        "no well-formed": gzip.compress(b"<feedback>"),
        "no sense": gzip.compress(dmarc(begin=DAY, end=DAY - 9)),
        "no sense ": gzip.compress(dmarc(begin="yesterday", end="99999999999999999999")),
        "too long ago": gzip.compress(dmarc(begin=0, end=86400)),
        "still to come": gzip.compress(dmarc(begin=DAY + 10**7, end=DAY + 10**7 + 9)),
        "no domain": gzip.compress(dmarc(domain="no domain..")),
        "no domain of a sender": gzip.compress(dmarc(domain="elsewhere.example")),
        "one report": zipped(good, 2),
        "cannot be read": gzip.compress(good)[:-20],
        "cannot be read ": b"PK\x03\x04 nothing",
        "nested too deeply": gzip.compress(b"<a>" * 40 + b"</a>" * 40),
    }  # fmt: skip
    assert take(*(report_mail(data, "application/octet-stream") for data in hostile.values())) == len(hostile)
    notes = db.session.scalars(select(ReturnedMail.note).order_by(ReturnedMail.id)).all()[3:]
    assert [note for words, note in zip(hostile, notes, strict=True) if words.strip() not in (note or "")] == []
    assert db.session.scalar(select(func.count()).select_from(DmarcReport)) == 1
    assert {say_why for say_why in map(overview.say_why, overview.latest()) if say_why.startswith("example.com")} == {
        "example.com · receiver.example", "example.com · Receiver",
    }  # fmt: skip
