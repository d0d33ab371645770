"""Looking up who hosts the domains of a sendout's recipients, so that what a provider asks for holds for all of them.

Asked when a sendout begins, for domains that were not looked up within a week; mails do not wait for it.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import dns.resolver
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import db, is_sqlite
from crm.engine import outbox
from crm.engine.outbox import Progress, RunLater, task
from crm.mail.dns_lookup import Lookup, NoAnswer
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.domains import domain_of
from crm.mail.sending.families import AT_ONCE, MailFamily, family_of
from crm.mail.sending.providers import provider_of
from crm.mail.servers import leaves_the_house

KEPT = timedelta(days=7)
MOST = 20_000  # domains of one sendout; more say little that a back-off would not
THREADS = 16
_D = Delivery.__table__.c


def ask_for(sendout_id: int) -> None:
    """Have a worker look up the recipients' domains; not where mails stay in the house. The caller commits."""
    if leaves_the_house():
        outbox.put(db.session, "families.look", sendout_id=sendout_id)


@task("families.look")
def look(progress: Progress, sendout_id: int) -> str | None:
    """Look up what is not known; a part at a time, each kept for itself."""
    domains = unknown(sendout_id)
    db.session.rollback()  # look-ups take seconds: no transaction is held open for them
    part = domains[:AT_ONCE]
    keep(ask(part))
    db.session.commit()
    if len(domains) > len(part) and not progress.cancelled():
        raise RunLater(0.1)
    return str(len(part))


def unknown(sendout_id: int) -> list[str]:
    """The domains of a sendout's people whose host is not known by name, nor was looked up of late."""
    said = (
        select(domain_of(_D.email_key))
        .where(_D.sendout_id == sendout_id, _D.email_key != "", _D.skip_reason.is_(None))
        .distinct()
    )
    found = [name for name in db.session.scalars(said.limit(MOST)) if name and provider_of(name) == name]
    fresh = clock.now() - KEPT
    known: set[str] = set()
    for at in range(0, len(found), AT_ONCE):
        some = MailFamily.domain.in_(found[at : at + AT_ONCE])
        known |= set(db.session.scalars(select(MailFamily.domain).where(some, MailFamily.looked_at > fresh)))
    return sorted(set(found) - known)


def ask(domains: Sequence[str], resolver: dns.resolver.Resolver | None = None, seconds: float = 3.0) -> dict[str, str]:
    """domain → family; a domain whose name servers do not answer is its own until the next time. Touches no database."""

    def one(domain: str) -> str:
        try:
            return family_of(domain, Lookup(resolver, seconds, in_all=seconds).exchanges(domain))
        except NoAnswer:
            return domain

    with ThreadPoolExecutor(THREADS, thread_name_prefix="mx") as pool:
        return dict(zip(domains, pool.map(one, domains), strict=True))


def keep(found: dict[str, str]) -> None:
    """Keep what was found. The caller commits."""
    insert = (sqlite if is_sqlite() else postgresql).insert
    rows: Iterable[dict[str, object]] = [
        {"domain": domain[:253], "family": family, "looked_at": clock.now()} for domain, family in sorted(found.items())
    ]
    for row in rows:
        said = insert(MailFamily).values(**row)
        changes = {"family": row["family"], "looked_at": row["looked_at"]}
        db.session.execute(said.on_conflict_do_update(index_elements=["domain"], set_=changes))
