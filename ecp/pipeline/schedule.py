"""Scheduled → preparing, when the moment has come. One that was missed by more than a day is not sent any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.words import _
from ecp.pipeline import actions, checks, recurring
from ecp.pipeline.prepare import fail

TOO_LATE = timedelta(hours=24)


def start_due() -> list[int]:
    """Start every scheduled sendout whose moment has come; gives those that were started. Commits one after the other.

    A sendout leaves the state scheduled by one conditional statement, so each occurrence starts once, however many clocks."""
    recurring.put_due()
    table = modules["sendouts"].table
    now = clock.now()
    once = func.coalesce(table.c.recurrence, "none") == "none"
    rows = (
        db.session.execute(
            select(table)
            .where(table.c.state == "scheduled", once, table.c.scheduled_at <= now, table.c.deleted_at.is_(None))
            .order_by(table.c.scheduled_at, table.c.id)
        )
        .mappings()
        .all()
    )
    started = []
    for row in rows:
        if now - row["scheduled_at"] > TOO_LATE:
            fail(row["id"], _("The schedule was missed by more than 24 hours, so nothing was sent."))
            continue
        try:
            checks.demand_sendable(SYSTEM, actions.of_row(row))
        except Refused as refused:
            db.session.rollback()
            fail(row["id"], "; ".join(fault.message for faults in refused.faults.values() for fault in faults))
            continue
        if actions.move(SYSTEM, row["id"], ("scheduled",), "preparing", Channel.SYSTEM, started_at=now):
            started.append(row["id"])
        db.session.commit()
    return started
