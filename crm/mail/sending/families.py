"""Which provider hosts the mail of a domain, by its MX: what one of them asks for holds for all domains it hosts.

Looked up by a job and kept for a week (`ecp.domains.families`); workers only read. A usual rate stays one of each domain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Engine, String, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import UtcDateTime, db, reading
from crm.mail.sending.providers import provider_of

AT_ONCE = 500  # domains in one question
HOSTS = {  # the end of an MX's name → the provider; more telling ones first
    "google.com": "gmail", "googlemail.com": "gmail", "outlook.com": "outlook", "yahoodns.net": "yahoo", "icloud.com": "icloud",
    "protonmail.ch": "proton", "gmx.net": "gmx", "mail.ru": "mail.ru", "yandex.net": "yandex", "yandex.ru": "yandex",
}  # fmt: skip
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "gr", "ne", "net", "or", "org"})


class MailFamily(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """What was found of one domain of recipients. `family`: the provider that hosts it, itself when nobody else does."""

    __tablename__ = "mail_families"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    family: Mapped[str] = mapped_column(String(253))
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)


def family_of(domain: str, exchanges: Sequence[str]) -> str:
    """The provider of a domain with these MX; itself when there are none, or they are its own."""
    by_name = provider_of(domain)
    if by_name != domain.lower():
        return by_name
    found = Counter(_host(name.lower().rstrip(".")) for name in exchanges if name.strip("."))
    if not found:
        return by_name
    family = min(found, key=lambda one: (-found[one], one))
    return by_name if family == registered(by_name) else family[:253]


def _host(exchange: str) -> str:
    for ending, provider in HOSTS.items():
        if exchange == ending or exchange.endswith(f".{ending}"):
            return provider
    return registered(exchange)


def registered(name: str) -> str:
    """The part of a name that somebody registered: example.com of mx1.example.com, example.co.uk of mx.example.co.uk."""
    labels = name.split(".")
    is_second = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3:] if is_second else labels[-2:])


def hosted(engine: Engine, domains: Collection[str]) -> dict[str, str]:
    """domain → family of those (in lower case) that somebody else hosts, as far as is known. Raises DBAPIError."""
    table, found = MailFamily.__table__, dict[str, str]()
    names = sorted(domains)
    with reading(), engine.connect() as connection:
        for place in range(0, len(names), AT_ONCE):
            some = table.c.domain.in_(names[place : place + AT_ONCE])
            said = select(table.c.domain, table.c.family).where(some, table.c.family != table.c.domain)
            found |= {row.domain: row.family for row in connection.execute(said)}
    return found
