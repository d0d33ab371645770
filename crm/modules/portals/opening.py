"""What follows when a portal is made or closed: its first profile, and the end of every session; whichever door did it."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import afterwards, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity import sessions
from crm.identity.viewer import SYSTEM
from crm.modules.portals.portal_users import PortalUser
from crm.modules.portals.profiles import PortalProfile
from crm.words import _, speaking


def end_sessions(portal_id: int) -> None:
    """Log everybody out of a portal. The caller commits."""
    users = PortalUser.__table__
    ids = db.session.execute(select(users.c.id).where(users.c.portal_id == portal_id)).scalars().all()
    sessions.end_all_of_portal_users(ids)


@task("portals.portal_made")
def portal_made(_progress: Progress | None, module: str, event: str, ids: list[int], **_more: Any) -> str:
    """A portal without a profile gets one with the usual (usual.py), so that who is let in sees something."""
    portals, profiles = modules["portals"].table, PortalProfile.__table__
    has_one = (
        select(profiles.c.id).where(profiles.c.portal_id == portals.c.id, profiles.c.deleted_at.is_(None)).exists()
    )
    said = select(portals.c.id, portals.c.owner_id, portals.c.default_language)
    rows = db.session.execute(said.where(portals.c.id.in_(ids), portals.c.deleted_at.is_(None), ~has_one)).all()
    for row in rows:
        with speaking(row.default_language or "en"):
            values = {"portal_id": row.id, "name": _("Customers"), "owner_id": row.owner_id}
        records.create(SYSTEM, "portal_profiles", values, Channel.SYSTEM)
    db.session.commit()
    return f"{len(rows)} profiles made"


@task("portals.portal_changed")
def portal_changed(_progress: Progress | None, module: str, event: str, ids: list[int], **_more: Any) -> str:
    """A portal that is closed, or gone, has no sessions."""
    table = modules["portals"].table
    said = select(table.c.id).where(table.c.id.in_(ids), (~table.c.active) | table.c.deleted_at.is_not(None))
    closed = list(db.session.execute(said).scalars())
    for id in closed:
        end_sessions(id)
    db.session.commit()
    return f"{len(closed)} portals closed"


afterwards.listen("portals", "portals.portal_made", "created")
afterwards.listen("portals", "portals.portal_changed", "updated", "deleted", fields=("active",))
