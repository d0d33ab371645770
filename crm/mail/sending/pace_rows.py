"""How a provider is doing, as a row that all workers share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import UtcDateTime, db


class ProviderPace(db.Model):  # type: ignore[misc, name-defined, unused-ignore]
    """One provider (`providers.provider_of`). `paused_until`: seconds of the database's clock; `pause`: the last one's length.

    `share`: of the usual rate, 1 when nothing is wrong. `rate`: mails a second that an administrator set, empty for the usual."""

    __tablename__ = "provider_paces"
    provider: Mapped[str] = mapped_column(String(255), primary_key=True)
    rate: Mapped[float | None]
    share: Mapped[float] = mapped_column(default=1.0)
    pause: Mapped[float] = mapped_column(default=0.0)
    paused_until: Mapped[float] = mapped_column(default=0.0)
    deferred_count: Mapped[int] = mapped_column(Integer, default=0)
    reply: Mapped[str | None] = mapped_column(Text)
    deferred_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
