"""The ledger of every mail, single or mass: one row a person and mail, and which state it is in.

    waiting -> leased -> (text_begun_at set) -> sent | failed | retry | uncertain;  waiting -> skipped | cancelled

`text_begun_at` is committed before the first byte of a text can leave, the outcome right after the reply: what is leased
without it was provably not sent, what is leased with it by a dead worker is `uncertain` (decisions.md 15, 18, 19).
Opens, clicks and bounces are rows elsewhere; the columns of that kind here are copies for reports.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db

State = Literal["waiting", "leased", "sent", "retry", "failed", "skipped", "uncertain", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "leased", "sent", "retry", "failed", "skipped", "uncertain", "cancelled")
OPEN = ("waiting", "leased", "retry")
"""States that a report sums up as waiting."""

# As text with literal values: an index with a condition is used only for the very same condition.
IS_LEASED = text("state = 'leased'")
# By its reason, not by its state: SQLite writes an entry anew whenever a column of the condition changes, and the state
# does so three times a mail.
IS_NOT_SKIPPED = text("skip_reason IS NULL")


class Delivery(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """One mail to one person. `kind` names who renders it (see `kinds`); `sendout_id` is empty for a single mail.

    `due_at` empty: at once. `fence` grows with every claim; only who holds worker and fence may begin the text. `payload` is
    what a single mail needs to be rendered, removed when it was sent; `subject` names a single mail, a sendout has its own
    name. `reply` is the server's last word."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), default="sendout", server_default="sendout")
    sendout_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    person_module: Mapped[str | None] = mapped_column(String(40))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="SET NULL"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("entities.id", ondelete="SET NULL"))
    subject: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320), default="", server_default="")
    email_key: Mapped[str] = mapped_column(String(320), default="", server_default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting", server_default="waiting")
    skip_reason: Mapped[str | None] = mapped_column(String(40))
    failed_reason: Mapped[str | None] = mapped_column(String(40))
    reply: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(String(255))
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    drops: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker_id: Mapped[int | None] = mapped_column(BigInteger)
    fence: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    text_begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    first_click_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    click_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unsubscribed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounce_type: Mapped[str | None] = mapped_column(String(12))
    bounce_text: Mapped[str | None] = mapped_column(Text)
    survey_answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, Any] | None] = mapped_column(Json)

    __table_args__ = (
        Index(
            "uq_deliveries_sendout_id_email_key", "sendout_id", "email_key", unique=True,
            sqlite_where=IS_NOT_SKIPPED, postgresql_where=IS_NOT_SKIPPED,
        ),
        Index("uq_deliveries_sendout_id_person_id", "sendout_id", "person_id", unique=True),
        Index("ix_deliveries_leased", "worker_id", sqlite_where=IS_LEASED, postgresql_where=IS_LEASED),
        # With its moment: whether any row of many waiting ones has come due is one look, not a walk through all of them.
        Index(None, "sendout_id", "state", "due_at"),
        Index(None, "person_id"),
        Index(None, "contact_id"),
        Index(None, "email_key"),
        {"sqlite_autoincrement": True},  # an id never comes back: links are sealed ids
    )  # fmt: skip


IS_CLAIMABLE = Delivery.__table__.c.state.in_(("waiting", "retry"))


class Run(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """Whether the rows of one sendout may be claimed: open, paused or closed. Set by `runs`, together with the sendout."""

    __tablename__ = "mail_runs"
    sendout_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))


class MailWorker(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """A process that sends. `seen_at`: seconds since 1970 by the database's clock, renewed by its heartbeat."""

    __tablename__ = "mail_workers"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    seen_at: Mapped[float]


class Portion(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """How far the send rate of one key is given away, in seconds of the database's clock."""

    __tablename__ = "mail_portions"
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    free_at: Mapped[float]
