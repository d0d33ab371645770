"""The change log: which field of which record was changed from what to what, by whom, when, through which channel."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, UtcDateTime, db
from crm.engine import storing
from crm.engine.channels import RULES, Channel
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import readable
from crm.identity.viewer import Viewer

MOST = 1_000  # characters kept of one value; whole mail sources would drown the log


class Change(db.Model):  # type: ignore[name-defined]
    """One change of one field; `field` is "" for an event of the record itself (created, deleted, restored, …)."""

    __tablename__ = "change_log"
    __table_args__ = (Index("ix_change_log_entity", "entity_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"))
    module: Mapped[str] = mapped_column(String(40))
    field: Mapped[str] = mapped_column(String(60), default="")
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id", ondelete="SET NULL"))  # a customer
    channel: Mapped[str] = mapped_column(String(12))


def note_events(
    viewer: Viewer, module: Module, ids: Iterable[int], event: str, channel: Channel, at: datetime,
    contact_id: int | None = None,
) -> None:  # fmt: skip
    """Log that something happened to whole records: created, deleted, restored, converted, merged.

    `contact_id`: the customer who did it by a link, without a log-in.
    """
    actor, contact = _who(viewer, channel)
    same = {"module": module.key, "field": "", "old": None, "new": event, "at": at, "actor_id": actor,
            "contact_id": contact or contact_id, "channel": channel.value}  # fmt: skip
    storing.insert_for_each(Change.__table__, "entity_id", list(ids), same)


def note_changes(
    viewer: Viewer,
    module: Module,
    changes: Mapping[int, Mapping[str, tuple[Any, Any]]],
    fields: Mapping[str, Field],
    channel: Channel,
    at: datetime,
) -> None:
    """Log changed fields: record id → field → (old, new)."""
    actor, contact = _who(viewer, channel)
    rows = [
        {"entity_id": id, "module": module.key, "field": name, "old": _text(fields[name], old), "new": _text(fields[name], new),
         "at": at, "actor_id": actor, "contact_id": contact, "channel": channel.value}
        for id, changed in changes.items() for name, (old, new) in changed.items()
    ]  # fmt: skip
    storing.insert_rows(Change.__table__, rows)


def _who(viewer: Viewer, channel: Channel) -> tuple[int | None, int | None]:
    """(user, contact) that a change is attributed to; neither for the system."""
    if RULES[channel].is_robot:
        return None, None
    return viewer.id, viewer.customer.contact_id if viewer.customer else None


def _text(said: Field, value: Any) -> str | None:
    if value is None or value == ():
        return None
    text = said.kind.text(value)
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def of_record(viewer: Viewer, module: Module, id: int, limit: int = 100) -> list[Change]:
    """The newest changes of one record in fields that the viewer may read, newest first. The record's own right is the caller's."""
    fields = [*readable(viewer, module), ""]
    said = (
        select(Change).where(Change.entity_id == id, Change.field.in_(fields)).order_by(Change.id.desc()).limit(limit)
    )
    return list(db.session.execute(said).scalars())
