"""The columns of a mailbox that is read over IMAP, whoever reads it: how it is opened, whose turn it is, how failures wait."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, UtcDateTime


class MailboxColumns:
    """Mixed into a table of mailboxes. Secrets are not among them: those are kept among the keys, wrapped."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int] = mapped_column(default=993)
    encryption: Mapped[str] = mapped_column(String(10), default="ssl")
    validates_certificate: Mapped[bool] = mapped_column(default=True)
    authorities: Mapped[str | None] = mapped_column(Text)  # PEM, trusted beside those of the system
    username: Mapped[str] = mapped_column(String(255))
    auth: Mapped[str] = mapped_column(String(10), default="password")  # or oauth2
    token_address: Mapped[str | None] = mapped_column(String(500))  # where the provider gives access tokens
    client_id: Mapped[str | None] = mapped_column(String(255))
    scope: Mapped[str | None] = mapped_column(String(500))
    move_to: Mapped[str | None] = mapped_column(String(255))
    busy_until: Mapped[float | None] = mapped_column()  # by the clock of the database
    last_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(default=0)
