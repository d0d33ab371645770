"""Contacts that become one, or go: their places at events (P98). The better state wins, the earlier registration counts."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import Viewer
from crm.modules.events import kinds, waiting
from crm.modules.events.acting import acting
from crm.modules.events.attendees import TABLE

RANK = ("attended", "joined", "held", "no_show", "spare", "invited", "declined", "cancelled")
TAKEN_OVER = (
    "status",
    "queue_no",
    "registered_at",
    "promoted_at",
    "cancelled_at",
    "cancel_reason",
    "attended_at",
    "held_until",
    "source",
    "role",
)


def merge_contacts(viewer: Viewer, kept_id: int, gone_id: int, channel: Channel) -> int:
    """Move the places of contact `gone_id` to `kept_id`: one row an event remains, with the better state and the earliest
    registration. A seat that becomes free by it goes on. Gives how many rows were touched. The caller asks the right to
    merge, and commits."""
    said = (
        select(TABLE)
        .where(TABLE.c.contact_id.in_((kept_id, gone_id)), TABLE.c.deleted_at.is_(None))
        .order_by(TABLE.c.event_id)
    )
    event_ids = sorted({row["event_id"] for row in db.session.execute(said).mappings() if row["contact_id"] == gone_id})
    if not event_ids:
        return 0
    kinds.lock(event_ids)
    mine: dict[tuple[int, int], dict[str, Any]] = {
        (row["event_id"], row["contact_id"]): dict(row) for row in db.session.execute(said).mappings()
    }
    house = acting(viewer)
    for event_id in event_ids:
        gone, kept = mine[event_id, gone_id], mine.get((event_id, kept_id))
        if kept is None:
            records.update(house, "attendees", gone["id"], {"contact_id": kept_id}, channel)
            continue
        better = min(
            (kept, gone), key=lambda row: (RANK.index(row["status"]), row["queue_no"] or 0)
        )  # the earlier place
        values = {name: better[name] for name in TAKEN_OVER}
        firsts = [row["registered_at"] for row in (kept, gone) if row["registered_at"]]
        values["registered_at"] = min(firsts, default=None)
        values["seat_version"] = max(kept["seat_version"], gone["seat_version"])
        records.delete(house, "attendees", gone["id"], channel)
        records.update(house, "attendees", kept["id"], values, channel)
        waiting.promote(viewer, event_id, channel)
    return len(event_ids)
