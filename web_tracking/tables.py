"""Tables of web tracking that are no modules: hits on their way, how far they were read, counts a day, used links."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, UtcDateTime, db


class Hit(db.Model):  # type: ignore[name-defined, misc]
    """What a browser told, as it came; taken out by the roll-up. On SQLite hits wait in a file of their own (stores.py)."""

    __tablename__ = "hits"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    site_id: Mapped[int] = mapped_column(BigInteger)
    visitor: Mapped[str | None] = mapped_column(String(22))
    nonce: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    said: Mapped[str] = mapped_column(Text)  # JSON


class HitMark(db.Model):  # type: ignore[name-defined, misc]
    """How far a file of hits was read. Moved on in the transaction that writes what was read: a hit counts once."""

    __tablename__ = "hit_marks"
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    last_id: Mapped[int] = mapped_column(BigInteger)


class SiteCount(db.Model):  # type: ignore[name-defined, misc]
    """How often something was counted on a day: `what` is views, bots, visits, new, returning, page, source, event …"""

    __tablename__ = "site_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)  # a report reads rows that stand beside each other
    site_id: Mapped[int] = mapped_column(BigId, ForeignKey("tracked_sites.id", ondelete="CASCADE"), primary_key=True)
    what: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(String(300), primary_key=True, default="")
    count: Mapped[int] = mapped_column(BigInteger)


class SiteSign(db.Model):  # type: ignore[name-defined, misc]
    """When a site was heard of last, and when its installation was tried last."""

    __tablename__ = "site_signs"
    site_id: Mapped[int] = mapped_column(BigId, ForeignKey("tracked_sites.id", ondelete="CASCADE"), primary_key=True)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class VisitorLink(db.Model):  # type: ignore[name-defined, misc]
    """A personal link that was used, and by whose browser: it makes no second browser known (a forwarded mail)."""

    __tablename__ = "visitor_links"
    __table_args__ = (Index("ix_visitor_links_used", "used_at"),)
    serial: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visitor_id: Mapped[int] = mapped_column(BigId, ForeignKey("visitors.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
