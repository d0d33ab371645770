"""What is kept of a sender's domain beside its keys: which of them sign, what the last check found, the address of its page."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json, UtcDateTime, db


class SenderDomain(db.Model):  # type: ignore[name-defined, misc]
    """One domain, in ASCII. `selectors`: selector → {"state": active | next | retired, "since"}. `result`: see `checking.Found`.

    `good_at`: when a check last found nothing wrong; `lost_at`: since when something is, after all was well."""

    __tablename__ = "sender_domains"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    selectors: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)
    level: Mapped[str | None] = mapped_column(String(10))
    result: Mapped[list[Any]] = mapped_column(Json, default=list)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    good_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lost_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    share_token: Mapped[str | None] = mapped_column(String(43), unique=True)


def row_of(domain: str) -> SenderDomain:
    """The row of a domain (in ASCII), made when there is none. The caller commits."""
    row = db.session.get(SenderDomain, domain)
    if row is None:
        row = SenderDomain(domain=domain, selectors={}, result=[])
        db.session.add(row)
        db.session.flush()
    return row
