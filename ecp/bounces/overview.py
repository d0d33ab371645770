"""What the page of deliverability shows: what came back of late, how providers are doing, what receivers report of our domains."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, case, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import database_seconds, db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.pace_rows import ProviderPace
from crm.words import N_, _
from ecp.bounces.tables import DmarcReport, DmarcRow, ReturnedMail, TlsReport
from ecp.bounces.verdicts import REASONS

DAYS = 30
LATEST = 50
MOST_RATE = 1000
KINDS = {  # kind and verdict → how it is said
    ("bounce", "hard"): N_("Bounced for good"), ("bounce", "soft"): N_("Bounced this time"),
    ("bounce", "policy"): N_("Our mail was refused"), ("delayed", ""): N_("Still being tried"), ("delivered", ""): N_("Arrived"),
    ("complaint", ""): N_("Complained"), ("unsubscribe", ""): N_("Left by mail"), ("auto_reply", ""): N_("Automatic answer"),
    ("dmarc", ""): N_("DMARC report"), ("tls", ""): N_("TLS report"), ("other", ""): N_("Something else"),
}  # fmt: skip
NOTES = {
    "unproved": N_("It names no mail that we sent, so it changed nothing."),
    "unreadable": N_("It could not be read, so it changed nothing."),
}


@dataclass(frozen=True)
class Day:
    """One day of a domain in the eyes of all who report."""

    on: date
    mails: int
    passed: int


def say(kind: str, verdict: str | None) -> str:
    """What came back, in words."""
    return _(KINDS.get((kind, verdict or "")) or KINDS["other", ""])


def say_why(row: Any) -> str:
    """Why, in words; "" when there is nothing to say."""
    if row.note in NOTES:
        return _(NOTES[row.note])
    if row.reason in REASONS:
        return f"{_(REASONS[row.reason])}{f' ({row.status})' if row.status else ''}"
    return row.note or ""


def figures() -> list[tuple[str, int]]:
    """How many of each kind came back in the last days, what matters first; proved ones only."""
    t = ReturnedMail
    said = (
        select(t.kind, t.verdict, func.count())
        .where(t.at >= clock.now() - timedelta(days=DAYS))
        .group_by(t.kind, t.verdict)
    )
    counts = {
        (kind, verdict or ""): number
        for kind, verdict, number in db.session.execute(said.where(t.note.is_distinct_from("unproved")))
    }
    return [(_(words), counts[key]) for key, words in KINDS.items() if counts.get(key)]


def latest() -> list[Any]:
    """The newest ones, with the mailing that each is about."""
    t, d, s = ReturnedMail.__table__, Delivery.__table__, modules["sendouts"].table
    said = (
        select(t, d.c.sendout_id, s.c.name.label("sendout"))
        .outerjoin(d, d.c.id == t.c.delivery_id)
        .outerjoin(s, (s.c.id == d.c.sendout_id) & s.c.deleted_at.is_(None))
        .order_by(t.c.at.desc(), t.c.id.desc())
        .limit(LATEST)
    )
    return list(db.session.execute(said).all())


def providers() -> list[Any]:
    """Those that asked for less, or have a rate of their own; who is paused first. `left`: seconds of the pause."""
    t = ProviderPace.__table__
    left = (t.c.paused_until - database_seconds()).label("left")
    return list(db.session.execute(select(t, left).order_by(t.c.paused_until.desc(), t.c.provider).limit(100)).all())


def set_rate(provider: str, typed: str) -> None:
    """The rate of a provider, empty for the usual one. Raises Refused. The caller commits."""
    name = provider.strip().lower()
    try:
        rate = float(typed.replace(",", ".")) if typed.strip() else None
    except ValueError:
        rate = -1.0
    if not name or len(name) > 255 or any(one.isspace() or one in "@/" for one in name):
        raise Refused.because(
            "required", _("Name a provider, such as gmail, or a domain, such as example.com."), "provider"
        )
    if rate is not None and not 0 < rate <= MOST_RATE:
        raise Refused.because(
            "bad_number",
            _("A rate is a number of mails a second, above 0 and at most %(most)s.", most=MOST_RATE),
            "rate",
        )
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(ProviderPace).values(
        provider=name, share=1.0, pause=0.0, paused_until=0.0, deferred_count=0, rate=rate
    )
    db.session.execute(fresh.on_conflict_do_update(index_elements=["provider"], set_={"rate": rate}))


def end_pause(provider: str) -> None:
    """Go on with a provider at once, at its usual rate. The caller commits."""
    said = update(ProviderPace).where(ProviderPace.provider == provider)
    db.session.execute(said.values(paused_until=0.0, pause=0.0, share=1.0))


def domains() -> list[Any]:
    """Our domains that reports came about: mails, those that passed, reporters, the newest day."""
    t = DmarcReport
    said = select(
        t.domain, func.sum(t.mail_count).label("mails"), func.sum(t.passed_count).label("passed"),
        func.count(func.distinct(t.reporter)).label("reporters"), func.max(t.ends_at).label("until"),
    ).where(t.begins_at >= clock.now() - timedelta(days=DAYS)).group_by(t.domain).order_by(func.sum(t.mail_count).desc())  # fmt: skip
    return list(db.session.execute(said.limit(100)).all())


def days_of(domain: str, since: datetime) -> list[Day]:
    """A domain's days, newest first."""
    t = DmarcReport
    said = select(t.begins_at, t.mail_count, t.passed_count).where(t.domain == domain, t.begins_at >= since)
    found: dict[date, list[int]] = {}
    for row in db.session.execute(said):
        day = found.setdefault(row.begins_at.date(), [0, 0])
        day[0] += row.mail_count
        day[1] += row.passed_count
    return [Day(on, *numbers) for on, numbers in sorted(found.items(), reverse=True)]


def sources_of(domain: str, since: datetime) -> list[Any]:
    """Who sent in a domain's name: each server with its mails, those that failed first."""
    t, r = DmarcReport.__table__, DmarcRow.__table__
    passed = case((r.c.has_dkim | r.c.has_spf, r.c.mail_count), else_=0)
    said = select(
        r.c.source_ip, func.sum(r.c.mail_count).label("mails"), func.sum(passed).label("passed"),
        func.max(cast(r.c.has_dkim, Integer)).label("dkim"), func.max(cast(r.c.has_spf, Integer)).label("spf"),
        func.max(r.c.signed_by).label("signed_by"), func.max(r.c.spf_domain).label("spf_domain"), func.max(r.c.disposition).label("disposition"),
    ).join(t, t.c.id == r.c.dmarc_report_id).where(t.c.domain == domain, t.c.begins_at >= since)  # fmt: skip
    lost = func.sum(r.c.mail_count) - func.sum(passed)
    return list(
        db.session.execute(
            said.group_by(r.c.source_ip).order_by(lost.desc(), func.sum(r.c.mail_count).desc()).limit(100)
        ).all()
    )


def tls_of(domain: str, since: datetime) -> list[Any]:
    """The TLS reports on a domain, newest first."""
    t = TlsReport.__table__
    return list(db.session.execute(select(t).where(t.c.domain == domain, t.c.begins_at >= since).order_by(t.c.begins_at.desc()).limit(60)).all())  # fmt: skip


def advice(days: list[Day], sources: list[Any]) -> list[tuple[str, str]]:
    """(level, sentence): what changed, and what to do about it."""
    found: list[tuple[str, str]] = []
    mails, passed = sum(one.mails for one in days), sum(one.passed for one in days)
    if not mails:
        return [("notice", _("No receiver has reported on this domain of late."))]
    share = passed * 100 / mails
    if share < 98:
        found.append(("problem", _("%(share)s %% of the mails in this domain's name pass DMARC. Look at the servers below that fail: those of yours need DKIM, or a place in the SPF record.", share=round(share, 1))))  # fmt: skip
    else:
        found.append(("ok", _("%(share)s %% of the mails in this domain's name pass DMARC.", share=round(share, 1))))
    recent, before = days[:3], days[3:10]
    if recent and before and sum(one.mails for one in recent) and sum(one.mails for one in before):
        now = sum(one.passed for one in recent) * 100 / sum(one.mails for one in recent)
        then = sum(one.passed for one in before) * 100 / sum(one.mails for one in before)
        if then - now > 5:
            found.append(("problem", _("In the last days %(now)s %% passed, the week before %(then)s %%. Something was changed: a key, a record, or a server that sends.", now=round(now), then=round(then))))  # fmt: skip
    unsigned = [one.source_ip for one in sources if one.passed and not one.dkim]
    if unsigned:
        found.append(("notice", _("Mails from %(servers)s pass by SPF alone, which is lost when a mail is forwarded. Have them signed.", servers=", ".join(unsigned[:3]))))  # fmt: skip
    return found
