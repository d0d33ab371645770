"""Mail servers of one's own, as rows: each with its share of the mails and its limit an hour. Passwords are among the keys, wrapped.

Where there are none, mails leave by CUSTOMERHUB_SMTP_URL, else to the local folder.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from sqlalchemy import Engine, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import config
from crm.db import BigId, UtcDateTime, database_seconds, db
from crm.identity import keys
from crm.mail.smtp import SmtpServer, Timeouts

SECURITIES = ("tls", "starttls", "none")
AT_ONCE = 20  # mails of an hour's limit that a process takes at most in one go


class MailServer(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """A server. `weight`: its share beside the others'. `per_hour`: mails an hour at most, empty for no limit.
    `from_domains`: with spaces, the only domains of senders whose mails go by it (and those below them); empty: all.

    `hour`, `taken`: how many of which hour (since 1970, by the clock of the database) were given out to workers."""

    __tablename__ = "mail_servers"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(10))
    username: Mapped[str] = mapped_column(String(255), default="")
    weight: Mapped[int] = mapped_column(default=1)
    per_hour: Mapped[int | None]
    from_domains: Mapped[str] = mapped_column(String(1000), default="")
    active: Mapped[bool] = mapped_column(default=True)
    hour: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    tested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    test_result: Mapped[str] = mapped_column(String(500), default="")


def secret_of(id: int) -> str:
    """Name of a server's password among the keys."""
    return f"smtp:{id}"


def is_there_any() -> bool:
    """Whether mails leave by servers of one's own."""
    return db.session.execute(select(MailServer.id).where(MailServer.active).limit(1)).first() is not None


def leaves_the_house() -> bool:
    """Whether mails leave at all, by servers of one's own or that of the settings, and do not stay in the local folder."""
    return bool(config.current().smtp_url) or is_there_any()


def server_of(row: MailServer, timeouts: Timeouts | None = None) -> SmtpServer:
    """How to speak to a server. TLS is demanded and its certificate verified, unless it says none."""
    password = (keys.find(secret_of(row.id)) or b"").decode()
    who = f"{quote(row.username, safe='')}:{quote(password, safe='')}@" if row.username else ""
    host = f"[{row.host}]" if ":" in row.host else row.host
    scheme, how = ("smtps", "") if row.security == "tls" else ("smtp", "?starttls=required")
    if row.security == "none":
        how = "?starttls=never"
    return SmtpServer(f"{scheme}://{who}{host}:{row.port}{how}", timeouts=timeouts)


def take(engine: Engine, id: int, per_hour: int) -> int:
    """Take mails of a server's limit for a minute: how many, 0 when the hour's are given out. Each try is one conditional statement."""
    table = MailServer.__table__
    with engine.begin() as connection:
        hour = int(connection.execute(select(database_seconds())).scalar_one()) // 3600
        for count in sorted({max(1, min(AT_ONCE, per_hour // 60)), 1}, reverse=True):
            begins = update(table).where(table.c.id == id, table.c.hour != hour).values(hour=hour, taken=count)
            goes_on = update(table).where(table.c.id == id, table.c.hour == hour, table.c.taken + count <= per_hour)
            for said in (begins, goes_on.values(taken=table.c.taken + count)):
                if connection.execute(said).rowcount:
                    return count
    return 0
