"""What comes back, as rows: the mailboxes that are read, one row a mail that was taken from them, and what providers report."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db
from crm.mail.mailbox_columns import MailboxColumns


class ReturnMailbox(MailboxColumns, db.Model):  # type: ignore[name-defined, misc]
    """A mailbox that bounces, complaints and reports come to. Its secrets are among the keys, wrapped: “returns:<id>”."""

    __tablename__ = "return_mailboxes"
    folder: Mapped[str] = mapped_column(String(255), default="INBOX")
    return_path: Mapped[str | None] = mapped_column(String(320))  # bounces@…; empty: it takes reports only
    for_all: Mapped[bool] = mapped_column(default=False)  # also of senders under other domains


class ReturnedMail(db.Model):  # type: ignore[name-defined, misc]
    """One thing that came back, taken in once by its key. Holds no address: whom it is about, the delivery says.

    `kind`: bounce, delayed, delivered, complaint, unsubscribe, auto_reply, dmarc, tls, other. `verdict`: of a bounce
    (hard, soft, policy). `domain`: whose servers reported, or whom a report is about."""

    __tablename__ = "returned_mails"
    __table_args__ = (Index(None, "at"), Index(None, "delivery_id"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("return_mailboxes.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(30))
    status: Mapped[str | None] = mapped_column(String(12))
    domain: Mapped[str | None] = mapped_column(String(255))
    delivery_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("deliveries.id", ondelete="SET NULL"))
    note: Mapped[str | None] = mapped_column(String(300))


class DmarcReport(db.Model):  # type: ignore[name-defined, misc]
    """One aggregate report (RUA) of a receiver about a domain of ours; the same report counts once."""

    __tablename__ = "dmarc_reports"
    __table_args__ = (UniqueConstraint("domain", "reporter", "report_id"), Index(None, "domain", "begins_at"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    reporter: Mapped[str] = mapped_column(String(120))
    report_id: Mapped[str] = mapped_column(String(200))
    begins_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    policy: Mapped[str] = mapped_column(String(12), default="")
    mail_count: Mapped[int] = mapped_column(Integer, default=0)
    passed_count: Mapped[int] = mapped_column(Integer, default=0)  # DKIM or SPF, aligned
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DmarcRow(db.Model):  # type: ignore[name-defined, misc]
    """What one server sent in our name, in the eyes of one report."""

    __tablename__ = "dmarc_rows"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dmarc_report_id: Mapped[int] = mapped_column(ForeignKey("dmarc_reports.id", ondelete="CASCADE"), index=True)
    source_ip: Mapped[str] = mapped_column(String(45))
    mail_count: Mapped[int] = mapped_column(Integer)
    disposition: Mapped[str] = mapped_column(String(12))
    has_dkim: Mapped[bool] = mapped_column()
    has_spf: Mapped[bool] = mapped_column()
    header_from: Mapped[str] = mapped_column(String(255))
    signed_by: Mapped[str] = mapped_column(String(255), default="")
    spf_domain: Mapped[str] = mapped_column(String(255), default="")


class TlsReport(db.Model):  # type: ignore[name-defined, misc]
    """One report of a sender's server on encrypted connections to a domain of ours (RFC 8460)."""

    __tablename__ = "tls_reports"
    __table_args__ = (UniqueConstraint("domain", "reporter", "report_id"), Index(None, "domain", "begins_at"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    reporter: Mapped[str] = mapped_column(String(120))
    report_id: Mapped[str] = mapped_column(String(200))
    begins_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    good_count: Mapped[int] = mapped_column(Integer, default=0)
    failed_count: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # result type → sessions
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
