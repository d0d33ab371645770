"""Scanners, their rules, and what was made of every mail (by which nothing is taken in twice)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db
from crm.mail.mailbox_columns import MailboxColumns


class MailScanner(MailboxColumns, db.Model):  # type: ignore[name-defined, misc]
    """A mailbox that is looked through. Its secrets are kept among the keys, wrapped: “scanner:<id>”."""

    __tablename__ = "mail_scanners"
    folders: Mapped[list[str]] = mapped_column(Json, default=list)
    known_folders: Mapped[list[str]] = mapped_column(Json, default=list)  # as the server named them last
    scans: Mapped[str] = mapped_column(String(20), default="unread")  # or all_since_last
    reply_from: Mapped[str | None] = mapped_column(String(320))
    has_plus: Mapped[bool] = mapped_column(default=False)
    makes_contacts: Mapped[bool] = mapped_column(default=False)
    default_language: Mapped[str | None] = mapped_column(
        String(10)
    )  # of automatic mails to those whose language is unknown
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id", ondelete="SET NULL"))
    seen: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # folder → [UIDVALIDITY, last UID]
    rules_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScannerRule(db.Model):  # type: ignore[name-defined, misc]
    """What becomes of mails that fit. Rules are asked in order; the first that fits decides. Empty conditions fit all."""

    __tablename__ = "mail_scanner_rules"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scanner_id: Mapped[int] = mapped_column(ForeignKey("mail_scanners.id", ondelete="CASCADE"), index=True)
    place: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    folders: Mapped[list[str]] = mapped_column(Json, default=list)  # empty: all of the scanner
    match: Mapped[str] = mapped_column(String(3), default="all")
    sender: Mapped[str] = mapped_column(String(255), default="")
    recipient: Mapped[str] = mapped_column(String(255), default="")
    subject_operator: Mapped[str] = mapped_column(String(20), default="")
    subject: Mapped[str] = mapped_column(String(500), default="")
    body_operator: Mapped[str] = mapped_column(String(20), default="")
    body: Mapped[str] = mapped_column(String(500), default="")
    action: Mapped[str] = mapped_column(String(20), default="create")
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id", ondelete="SET NULL"))
    defaults: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # priority, severity, category of new tickets
    answer_template_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("email_templates.id", ondelete="SET NULL"))


class ScannedMail(db.Model):  # type: ignore[name-defined, misc]
    """One mail that was seen, and what it became. The key (Message-ID, else a hash) is there once a scanner."""

    __tablename__ = "scanned_mails"
    __table_args__ = (
        UniqueConstraint("scanner_id", "key"),
        Index("ix_scanned_mails_message", "message_id"),
        Index("ix_scanned_mails_ticket", "ticket_id"),
        Index("ix_scanned_mails_place", "scanner_id", "folder", "place"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scanner_id: Mapped[int] = mapped_column(ForeignKey("mail_scanners.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(310))
    message_id: Mapped[str | None] = mapped_column(String(310))
    folder: Mapped[str] = mapped_column(String(255), default="")
    place: Mapped[str] = mapped_column(String(40), default="")  # UIDVALIDITY:UID in the folder
    sender: Mapped[str | None] = mapped_column(String(320))
    subject: Mapped[str | None] = mapped_column(String(500))
    result: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(String(500))
    ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("tickets.id", ondelete="SET NULL"))
    comment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("ticket_comments.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
