"""A provider that asks for less gets less, and nobody else does."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from crm import clock
from crm.db import database_seconds
from crm.mail.outcome import Outcome
from crm.mail.sending import claim, deliveries, families, pace
from crm.mail.sending.pace import Pacer, is_deferral
from crm.mail.sending.pace_rows import ProviderPace
from crm.mail.sending.providers import provider_of
from crm.mail.smtp import SmtpServer
from tests.mail.ledgers import a_sendout, rows
from tests.mail.smtp_server import running
from tests.mail.test_sending import QUICK, Working, an_office, engine, until  # noqa: F401


def test_the_domains_of_one_provider_are_counted_together():
    known = {"gmail.com": "gmail", "GoogleMail.com": "gmail", "hotmail.fi": "outlook", "outlook.com.br": "outlook", "yahoo.co.uk": "yahoo",
             "live.example": "live.example", "mail.example": "mail.example", "live.nation.example": "live.nation.example"}  # fmt: skip
    assert {domain: provider_of(domain) for domain in known} == known


def test_what_is_said_of_one_person_slows_nobody():
    said = lambda code, text, stage="rcpt", status="": is_deferral(Outcome("refused", stage, code, text, status))  # noqa: E731
    assert said(421, "4.7.0 try later")
    assert said(451, "4.7.650 rate limited", status="4.7.650")
    assert said(450, "too many connections from you")
    assert not said(452, "4.2.2 over quota", status="4.2.2")
    assert not said(450, "4.2.1 receiving mail at a rate", status="4.2.1")
    assert not said(451, "4.7.1 Greylisted", status="4.7.1")
    assert not said(550, "5.7.1 rate", status="5.7.1")
    assert not said(421, "bye", stage="mail")


def test_a_provider_that_says_421_is_paused_then_eased_back_and_the_others_get_their_mail(engine: Engine) -> None:  # noqa: F811
    emails = [f"p{n}@{domain}" for n in range(30) for domain in ("gmail.com", "googlemail.com", f"d{n}.example")]
    sendout = a_sendout(engine, emails)
    busy = ("refuse:rcpt:421 4.7.28 rate limited:@gmail.com", "refuse:rcpt:421 4.7.28 rate limited:@googlemail.com")
    with (
        running(*busy) as server,
        Working(an_office(engine, SmtpServer(f"smtp://127.0.0.1:{server.port}", timeouts=QUICK))),
    ):
        until(lambda: len(server.taken) == 30, 30)
    found = rows(engine, sendout)
    assert {row.email.partition("@")[2].endswith(".example") for row in found if row.state == "sent"} == {True}
    waiting = [row for row in found if row.state != "sent"]
    assert {row.state for row in waiting} == {"waiting"}
    assert {row.attempts for row in waiting} == {0}
    asked = [entry for entry in server.log if "mail.com" in str(entry)]
    assert len(asked) <= 4, "a paused provider is left alone"
    with engine.connect() as connection:
        row = connection.execute(select(ProviderPace)).one()
    assert (row.provider, row.share, row.pause) == ("gmail", 0.5, pace.FIRST_PAUSE)
    assert row.reply.startswith("421 4.7.28 rate limited")
    # Pauses grow, and what is taken brings the rate back.
    pacer, table = Pacer(engine, 8.0), ProviderPace.__table__
    with engine.begin() as connection:
        connection.execute(delete(table))
    busy, taken = Outcome("not_sent", "rcpt", 421, "4.7.0 busy"), Outcome("accepted", "dot", 250)
    assert (pacer.wait("gmail"), pacer.rate("gmail"), pacer.is_calm) == (0, 8.0, True)
    for expected in (10, 20, 40):
        pacer.note("gmail.com", busy)
        pacer.note("googlemail.com", busy)  # it was under way already: the pause grows no longer
        assert expected - 2 < pacer.wait("gmail") < expected * 1.1 + 1
        with engine.begin() as connection:
            connection.execute(update(table).values(paused_until=database_seconds() - 1))
    pacer._looked_at = float("-inf")
    pacer.look()
    assert (pacer.wait("gmail"), pacer.rate("gmail"), pacer.rate("other.example")) == (0, 1.0, 8.0)
    for _mail in range(pace.TAKEN_FOR_MORE * 6):
        pacer.note("gmail.com", taken)
    assert (pacer.rate("gmail"), pacer.is_calm) == (8.0, True)
    with engine.begin() as connection:
        connection.execute(update(table).values(rate=3.0))
    pacer._looked_at = time.monotonic() - 2
    pacer.look()
    assert pacer.rate("gmail") == 3.0
    with engine.begin() as connection:  # was well for longer than it was left alone
        connection.execute(update(table).values(pause=640.0, paused_until=database_seconds() - 700))
    pacer.note("gmail.com", busy)
    assert pace.FIRST_PAUSE - 2 < pacer.wait("gmail") < pace.FIRST_PAUSE * 1.1 + 1
    for taken_since, expected in ((4, 1_280), (5, 10)):
        with engine.begin() as connection:
            connection.execute(update(table).values(share=0.5, pause=640.0, paused_until=database_seconds() - 1))
        pacer._looked_at = float("-inf")
        pacer.look()
        for _mail in range(taken_since):
            pacer.note("gmail.com", taken)
        pacer.note("gmail.com", busy)
        assert min(expected, 900) - 2 < pacer.wait("gmail") < min(expected, 900) * 1.1 + 1
    said = [pacer.is_server_busy(f"d{number}.example") for number in range(4)]
    assert said == [False, False, False, True]


def test_what_a_host_asks_for_holds_for_all_domains_that_it_hosts(engine: Engine) -> None:  # noqa: F811
    hosts = {
        "firm.example": (["aspmx.l.google.com.", "alt1.aspmx.l.google.com"], "gmail"),
        "shop.example": (["shop-example.mail.protection.outlook.com"], "outlook"),
        "small.example": (["mx1.host.example.net", "mx2.host.example.net"], "example.net"),
        "uk.example": (["mx.host.co.uk"], "host.co.uk"),
        "own.example": (["mail.own.example"], "own.example"),
        "none.example": ([], "none.example"),
        "gmail.com": (["whatever.example"], "gmail"),
        "outlook.example": (["mx.notoutlook.com"], "notoutlook.com"),
    }
    assert {domain: families.family_of(domain, mx) for domain, (mx, _said) in hosts.items()} == {
        d: s for d, (_m, s) in hosts.items()
    }
    with engine.begin() as connection:
        now = datetime.now(UTC)
        rows = [{"domain": d, "family": s, "looked_at": now} for d, (_m, s) in hosts.items()]
        connection.execute(insert(families.MailFamily.__table__), rows)
        connection.execute(delete(ProviderPace.__table__))
    pacer = Pacer(engine, 8.0)
    pacer.meet(["Firm.example", "firm.example", "shop.example", "own.example", "unknown.example"])
    assert pacer.key("firm.example") == "firm.example", "a usual rate is one of each domain"
    busy = Outcome("not_sent", "rcpt", 421, "4.7.28 rate limited")
    pacer.note("firm.example", busy)
    for domain, key in (
        ("Firm.example", "gmail"),
        ("gmail.com", "gmail"),
        ("shop.example", "shop.example"),
        ("own.example", "own.example"),
    ):
        assert pacer.key(domain) == key
        assert bool(pacer.wait(key)) is (key == "gmail"), domain
    late = Pacer(engine, 8.0)  # another worker
    late.look()
    late.meet(["firm.example"])
    assert late.key("firm.example") == "gmail"
    with engine.begin() as connection:
        connection.execute(delete(ProviderPace.__table__))
        connection.execute(delete(families.MailFamily.__table__))


def test_who_is_left_alone_is_put_off_in_one_go(engine: Engine) -> None:  # noqa: F811
    some = [f"p{n}@{domain}" for n in range(40) for domain in ("gmail.com", "other.example")]
    sendout, other = a_sendout(engine, some), a_sendout(engine, [f"q@{domain}" for domain in ("gmail.com",)])
    with engine.begin() as connection:
        claim.put_off_alike(connection, sendout, {"gmail.com"}, 600)
        claim.put_off_alike(connection, sendout, {"gmail.com"}, 60)  # what is not due stays as it is
    put_off = [row for row in rows(engine) if row.due_at]
    assert {row.email.partition("@")[2] for row in put_off} == {"gmail.com"}
    assert {(row.sendout_id, row.state, row.fence) for row in put_off} == {(sendout, "waiting", 0)}
    assert len(put_off) == 40
    assert min(row.due_at for row in put_off) > clock.now() + timedelta(seconds=500)
    assert other not in {row.sendout_id for row in put_off}
    with engine.begin() as connection:
        connection.execute(update(deliveries.Delivery).values(due_at=clock.now() - timedelta(seconds=5)))
        claim.put_off_alike(connection, sendout, {"gmail.com"}, 60)
    assert sum(row.due_at > clock.now() for row in rows(engine)) == 40, "also those whose moment had come"
