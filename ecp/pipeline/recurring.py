"""Recurring mailings: at each occurrence a sendout of its own, with its own people and its own report (M114).

The mailing itself stays scheduled. Its next moment and the sendout of this one are written in one transaction, by a
statement that only one worker can win; the sendout is then an ordinary one whose moment has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from crm import clock
from crm.cycles import cycle_from
from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from ecp.pipeline import actions, audience

TOO_LATE = timedelta(hours=24)
KINDS = ("daily", "weekly", "monthly")
COPIED = ("email_template_id", "campaign_id", "list_type_id", "owner_id", "description")


def put_due() -> list[int]:
    """Make the sendouts of every recurring mailing whose moment has come; their ids. Commits one after the other.

    What was missed by more than a day, while nothing ran, is left out; the next one comes at its time."""
    table, now = modules["sendouts"].table, clock.now()
    due = select(table).where(
        table.c.state == "scheduled", table.c.recurrence.in_(KINDS), table.c.scheduled_at <= now, table.c.deleted_at.is_(None)
    )  # fmt: skip
    made = []
    for row in db.session.execute(due.order_by(table.c.scheduled_at, table.c.id)).mappings().all():
        id = _put(row, now)
        if id is not None:
            made.append(id)
        db.session.commit()
    return made


def _put(row: Mapping[Any, Any], now: datetime) -> int | None:
    """The sendout of the latest occurrence; None when that was too long ago, or another worker was faster."""
    zone = clock.site_zone()
    cycle = cycle_from(row["recurrence"], row["recurs_from"] or row["scheduled_at"], zone)
    last = cycle.last(now, zone)
    latest = row["scheduled_at"] if last is None else max(row["scheduled_at"], last)
    following = cycle.next(now, zone)
    if following is not None and _is_over(row, following, zone):
        following = None
    table = modules["sendouts"].table
    mine = (table.c.id == row["id"], table.c.state == "scheduled", table.c.scheduled_at == row["scheduled_at"])
    if following is not None:
        moved: Any = db.session.execute(update(table).where(*mine).values(scheduled_at=following))
        if not moved.rowcount:
            return None
    elif not actions.move(SYSTEM, row["id"], ("scheduled",), "sent", Channel.SYSTEM, finished_at=now):
        return None
    if now - latest > TOO_LATE or _is_over(row, latest, zone):
        return None
    day = latest.astimezone(ZoneInfo(zone)).date().isoformat()
    values = {name: row[name] for name in COPIED} | {
        "name": f"{row['name'][:138]} {day}", "source": "recurring", "parent_id": row["id"], "skip_earlier": False,
        "state": "scheduled", "scheduled_at": latest,
    }  # fmt: skip
    id = records.create(SYSTEM, "sendouts", values, Channel.SYSTEM)
    groups = list(audience.group_ids_of(row["id"]))
    if groups:
        relations.link(SYSTEM, "sendouts", id, "portal_target_groups", groups, Channel.SYSTEM)
    return id


def _is_over(row: Mapping[Any, Any], moment: datetime, zone: str) -> bool:
    last_day = row["recurs_until"]
    return last_day is not None and moment.astimezone(ZoneInfo(zone)).date() > last_day
