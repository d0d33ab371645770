"""What every record carries (Record), and what comes by the million (Ledger): decisions.md 2."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db
from crm.engine import fields as f


class Record(db.Model):  # type: ignore[name-defined]
    """A row of a module: identity in `entities`, an owner, a number, history, a bin, rights of its own.

    What every reading asks of a row stands at its beginning (`sort_order`): behind sixty other columns it takes a quarter of the time
    of reading a table.
    """

    __abstract__ = True
    id: Mapped[int] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, sort_order=-3
    )
    number: Mapped[str | None] = f.text("Number", max=40, read_only=True)
    owner_id: Mapped[int | None] = f.owner(mass_edit=True, sort_order=-1)
    creator_id: Mapped[int | None] = f.user("Created by", read_only=True)
    updater_id: Mapped[int | None] = f.user("Changed by", read_only=True)
    created_at: Mapped[datetime] = f.moment("Created at", read_only=True)
    updated_at: Mapped[datetime] = f.moment("Changed at", read_only=True)
    archived: Mapped[bool] = f.checkbox("Archived", read_only=True)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, sort_order=-2)
    version: Mapped[int] = mapped_column(Integer, default=1)
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


COMMON_FIELDS = ("number", "owner_id", "creator_id", "updater_id", "created_at", "updated_at", "archived")


class Ledger(db.Model):  # type: ignore[name-defined]
    """A row that is only appended: own id, no owner, number, history or bin; rights inherited from a named parent."""

    __abstract__ = True
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
