"""The service requests of a person on the personal page: those that are open, and those that ended lately. No words are shown here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from crm import clock
from crm.db import db
from crm.engine.labels import of_name
from crm.engine.registry import modules
from crm.modules.service_requests.lists import ENDED
from crm.words import N_
from self_service_portal.pages import Section

ROWS = 20
ENDED_LATELY = timedelta(days=30)


def _draw(contact_id: int) -> Mapping[str, Any] | None:
    c = modules["service_requests"].table.c
    is_shown = or_(c.state.not_in(ENDED), c.ended_at > clock.now() - ENDED_LATELY)
    said = select(c.id, c.number, c.title, c.status).where(c.contact_id == contact_id, c.deleted_at.is_(None), is_shown)
    rows = db.session.execute(said.order_by(c.updated_at.desc(), c.id.desc()).limit(ROWS)).mappings().all()
    worded = [{**row, "status": of_name("sr_statuses", row["status"] or "")} for row in rows]
    return {"rows": worded} if rows else None


SERVICE_REQUESTS = Section("service_requests", N_("Your service requests"), "sections/tickets.html", _draw)
