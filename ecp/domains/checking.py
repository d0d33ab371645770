"""Looking a sender's domain up in DNS: what to ask is read first, the answers are kept, and a loss is told to administrators.

Asking takes seconds and holds no transaction open; it is done by a job: once a day for every domain, and by a button.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import time

import dns.resolver
from flask_babel import force_locale
from sqlalchemy import select, update

from crm import clock, config
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.dns_check import Check, DomainReport, Finding, check_dkim, check_domain
from crm.mail.dns_lookup import Lookup, NoAnswer
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, ascii_domain
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.words import _, as_kept, from_kept
from ecp.bounces.mailboxes import bounce_address
from ecp.domains.advice import Seen
from ecp.domains.origin import Origin, origin
from ecp.domains.selectors import held, signers_of
from ecp.domains.table import SenderDomain, row_of

GOOD = ("ok", "notice")
MOST_FINDINGS, MOST_TEXT = 12, 2000  # of one record: hostile DNS shall not fill our tables
MARKS = {"ok": "✓", "notice": "!", "unknown": "?", "problem": "✕"}


@dataclass(frozen=True)
class Question:
    """All that is asked about a domain. `keys`: (selector, record text) of those that sign; `coming`: of the next ones."""

    domain: str
    origin: Origin
    signing_domain: str
    keys: tuple[tuple[str, str], ...]
    coming: tuple[tuple[str, str], ...] = ()
    path: str = ""  # the domain that bounces come back to, and that SPF is judged on


def domain_of(address: str) -> str:
    """The domain of an address as DNS knows it."""
    return ascii_domain(address.rpartition("@")[2])


def known_domains() -> list[str]:
    """The domains of all sender addresses in use, and those that were added or got keys."""
    table = modules["sender_addresses"].table
    said = select(table.c.address).where(table.c.deleted_at.is_(None), table.c.state != "disabled")
    found = set(db.session.scalars(select(SenderDomain.domain)))
    found |= {_domain_or_nothing(address) for address in db.session.scalars(said)}
    return sorted(found - {""})


def question_of(domain: str) -> Question:
    """What to ask about a domain; reads the database only."""
    name = ascii_domain(domain)
    signers = signers_of(name)
    return Question(
        name, origin(), signers[0].domain if signers else name, tuple((one.selector, one.record) for one in signers),
        tuple((one.selector, one.signer.record) for one in held(name) if one.state == "next"),
        return_domain(name),
    )  # fmt: skip


def return_domain(domain: str) -> str:
    """The domain of the return path of mails from `domain`: that of a mailbox for bounces, else its own."""
    return domain_of(bounce_address(f"postmaster@{domain}"))


def ask(said: Question, resolver: dns.resolver.Resolver | None = None, seconds: float = 5.0) -> DomainReport:
    """Ask the name servers; touches no database."""
    lookup = Lookup(resolver, seconds)
    addresses: list[str] = [one for one in said.origin.addresses if "/" not in one]
    if not said.origin.include and not said.origin.addresses and said.origin.host:
        try:
            addresses = lookup.addresses(said.origin.host)
        except NoAnswer:
            addresses = []
    report = check_domain(
        said.domain, keys=dict(said.keys), spf_include=said.origin.include, addresses=addresses,
        signing_domain=said.signing_domain, return_path_domain=said.path, resolver=resolver, seconds=seconds,
    )  # fmt: skip
    coming = tuple(_milder(check_dkim(said.domain, name, record, lookup)) for name, record in said.coming)
    return replace(report, dkim=(*report.dkim, *coming))


def _milder(check: Check) -> Check:
    """A key that does not sign yet may still be missing."""
    found = tuple(
        Finding(one.code, "notice", one.sentence) if one.level == "problem" else one for one in check.findings
    )
    return replace(check, findings=found)


def seen_of(report: DomainReport) -> list[Seen]:
    """A report as it is kept: sentences by their text and values, to be said in the language of whoever reads them."""
    return [
        Seen(
            check.kind, check.name, check.record[:MOST_TEXT], check.level,
            _is_found(check),
            tuple((one.code, one.level, as_kept(one.sentence)) for one in check.findings[:MOST_FINDINGS]),
        )
        for check in report.checks
    ]  # fmt: skip


def _is_found(check: Check) -> bool:
    """Whether the record stands there as it should; a key that is still missing is mild, but not found."""
    if check.kind == "dkim":
        return {one.code for one in check.findings} <= {"ok", "testing"}
    return check.level in GOOD


def kept(row: SenderDomain | None) -> list[Seen]:
    """What the last check of a domain found, in the reader's language."""
    return [
        Seen(**(one | {"findings": tuple((code, level, from_kept(text)) for code, level, text in one["findings"])}))
        for one in (row.result if row else ())
    ]


def keep(report: DomainReport) -> None:
    """Keep what was found with the domain and its sender addresses; tell administrators of a loss. The caller commits."""
    row, now = row_of(report.domain), clock.now()
    was_lost = row.lost_at is not None
    row.checked_at, row.level = now, report.level
    row.result = [asdict(one) for one in seen_of(report)]
    if report.level in GOOD:
        row.good_at, row.lost_at = now, None
    elif report.level == "problem" and row.good_at is not None and not was_lost:
        row.lost_at = now
        _warn(report)
    db.session.flush()
    table = modules["sender_addresses"].table
    said = select(table.c.id, table.c.state, table.c.address).where(table.c.deleted_at.is_(None))
    for address in db.session.execute(said).all():  # a handful
        if _domain_or_nothing(address.address) == report.domain:
            _note(address.id, address.state, report)


def _domain_or_nothing(address: str) -> str:
    try:
        return domain_of(address)
    except BadAddress:
        return ""


def _note(id: int, state: str, report: DomainReport) -> None:
    """A confirmed address whose domain is in order is verified; one whose domain no longer is, is not."""
    change = {
        ("confirmed", "ok"): "domain_verified",
        ("confirmed", "notice"): "domain_verified",
        ("domain_verified", "problem"): "confirmed",
    }
    if after := change.get((state, report.level)):
        records.update(SYSTEM, "sender_addresses", id, {"state": after}, Channel.SYSTEM)
    table = modules["sender_addresses"].table
    lines = [
        f"{MARKS[one.level]} {check.kind.upper().replace('_', ' ')}: {one.sentence}"
        for check in report.checks
        for one in check.findings
    ]
    said = update(table).where(table.c.id == id)
    db.session.execute(said.values(checked_at=clock.now(), check_result="\n".join(lines)[:4000]))


def _warn(report: DomainReport) -> None:
    """A mail to every administrator of the portal: the domain was fine and is not any more."""
    sender = default_row()
    if sender is None:
        return
    users = modules["users"].table
    admins = db.session.execute(
        select(users.c.id, users.c.email, users.c.locale).where(
            users.c.ecp_admin, users.c.archived.is_(False), users.c.deleted_at.is_(None)
        )
    ).all()
    problems = [f"- {one.sentence}" for check in report.checks for one in check.findings if one.level == "problem"]
    settings = config.current()
    place = f"{(settings.ecp_url or settings.base_url).rstrip('/')}/ecp/sender_domains/{report.domain}"
    for admin in admins:
        with force_locale(admin.locale or settings.locale):
            subject = _("The DNS of %(domain)s is no longer in order", domain=report.domain)
            text = _(
                "All was well with %(domain)s; the last look found this:\n\n%(problems)s\n\nUntil it is mended, no new sendout starts from its "
                "addresses, unless it is written into the address why it may. What to publish stands here:\n%(place)s",
                domain=report.domain, problems="\n".join(problems), place=place,
            )  # fmt: skip
        key = f"domain_lost:{report.domain}:{clock.now().isoformat()}:{admin.id}"
        try:
            letter = Letter(Address(admin.email), subject, text + "\n")
            singles.put_letter(db.session, letter, Address(sender.address), dedupe_key=key)
        except BadAddress:
            continue  # a user name that no mail can be sent to


def ask_for(domains: Sequence[str]) -> None:
    """Have workers look domains up. The caller commits."""
    for domain in domains:
        outbox.put(db.session, "domains.check", domain=domain)


@task("domains.check")
def check(progress: Progress, domain: str) -> str:
    """Look one domain up and keep what was found."""
    said = question_of(domain)
    db.session.rollback()  # look-ups take seconds: no transaction is held open for them
    with force_locale(config.current().locale):
        report = ask(said)
    keep(report)
    db.session.commit()
    return said.domain


@task("domains.check_all", daily=time(5, 40))
def check_all(progress: Progress) -> str:
    """Every morning, before anybody sends: one job a domain."""
    domains = known_domains()
    ask_for(domains)
    db.session.commit()
    return str(len(domains))


def lost(domain: str) -> str:
    """Why no sendout may start from a domain that was in order and is not any more; "" for every other one."""
    row = db.session.get(SenderDomain, domain)
    if row is None or row.lost_at is None:
        return ""
    return next((text for one in kept(row) for _code, level, text in one.findings if level == "problem"), "")
