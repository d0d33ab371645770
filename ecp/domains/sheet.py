"""One domain as its pages show it, for the portal and for whoever looks after its DNS."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from crm import config
from crm.db import db
from ecp.domains import checking
from ecp.domains.advice import Wanted, wanted
from ecp.domains.origin import Origin, origin
from ecp.domains.selectors import held, signers_of
from ecp.domains.table import SenderDomain, row_of


@dataclass(frozen=True)
class Sheet:
    """What a domain publishes and has to publish. `share`: the address of its public page, "" when there is none."""

    domain: str
    origin: Origin
    records: Sequence[Wanted]
    checked_at: datetime | None
    lost_at: datetime | None
    share: str
    signing_domain: str

    @property
    def asked(self) -> list[Wanted]:
        """The records that are needed, without those of keys that no longer sign."""
        return [one for one in self.records if one.role != "retired"]

    @property
    def open_count(self) -> int:
        """How many records still need a hand."""
        return sum(not one.is_done for one in self.asked)

    @property
    def level(self) -> Literal["open", "ok", "problem", "unknown"]:
        """open: never checked; ok: all stands there; unknown: servers did not answer for what is missing."""
        if self.checked_at is None:
            return "open"
        if not self.open_count and self.has_key:
            return "ok"
        missing = [one for one in self.asked if not one.is_done]
        return "unknown" if missing and all(one.state == "unknown" for one in missing) else "problem"

    @property
    def has_key(self) -> bool:
        return any(one.role == "active" for one in self.records) or self.signing_domain != self.domain

    @property
    def may_switch(self) -> bool:
        """Whether the next key is seen in DNS."""
        return any(one.role == "next" and one.is_done for one in self.records)

    @property
    def has_next(self) -> bool:
        return any(one.role == "next" for one in self.records)


def sheet_of(domain: str) -> Sheet:
    """The sheet of a domain (in ASCII)."""
    row = db.session.get(SenderDomain, domain)
    said, keys = origin(), held(domain)
    signers = signers_of(domain)
    signing_domain = signers[0].domain if signers else domain
    shown = keys or [one for one in held(signing_domain) if one.state == "active"]
    records = wanted(domain, said, shown, checking.kept(row), checking.return_domain(domain))
    at = row.checked_at if row else None
    return Sheet(domain, said, records, at, row.lost_at if row else None, _share_of(row), signing_domain)


def _share_of(row: SenderDomain | None) -> str:
    settings = config.current()
    base = (settings.public_url or settings.base_url).rstrip("/")
    return f"{base}/dns/{row.share_token}" if row and row.share_token else ""


def share(domain: str, is_open: bool) -> None:
    """Make the public page of a domain, at a new address, or take it away. The caller commits."""
    row_of(domain).share_token = secrets.token_urlsafe(24) if is_open else None


def domain_behind(token: str) -> str | None:
    """The domain whose public page this is; None for none."""
    if not 16 <= len(token) <= 43:
        return None
    return db.session.execute(select(SenderDomain.domain).where(SenderDomain.share_token == token)).scalar()
