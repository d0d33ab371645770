"""The requests of a person on the personal page: those that are open, and those closed lately. No conversation is shown here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.words import N_
from self_service_portal.pages import Section

ROWS = 20
CLOSED_LATELY = timedelta(days=30)


def _draw(contact_id: int) -> Mapping[str, Any] | None:
    table = modules["tickets"].table
    c = table.c
    is_shown = or_(c.state != "closed", c.closed_at > clock.now() - CLOSED_LATELY)
    said = select(c.id, c.number, c.title, c.status, c.state, c.updated_at).where(
        c.contact_id == contact_id, c.deleted_at.is_(None), c.merged_into_id.is_(None), is_shown
    )
    rows = db.session.execute(said.order_by(c.updated_at.desc(), c.id.desc()).limit(ROWS)).all()
    return {"rows": rows} if rows else None


TICKETS = Section("tickets", N_("Your requests"), "sections/tickets.html", _draw)
