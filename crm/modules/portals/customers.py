"""From a portal user to a Viewer: the contact, the company, and what the profile shows. Asked on every request."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.identity.customer import Customer
from crm.identity.viewer import NOTHING, Rights, Viewer
from crm.modules.portals.matrix import shown_of
from crm.modules.portals.portal_users import PortalUser
from crm.modules.portals.profiles import PortalProfile


def may_come_in(row: Any, today: date | None = None) -> bool:
    """Whether access is on, confirmed and within its period. `row`: a row of portal_users."""
    day = today or clock.today(clock.site_zone())
    begun = row.valid_from is None or row.valid_from <= day
    return bool(row.active and row.deleted_at is None and begun and (row.valid_to is None or day <= row.valid_to))


def viewer_of(portal_user_id: int, portal_id: int | None = None) -> Viewer | None:
    """The customer as a viewer; None when access is off or over, the contact is gone, or it is another portal's."""
    users, contacts, profiles = PortalUser.__table__, modules["contacts"].table, PortalProfile.__table__
    accounts, portals = modules["accounts"].table, modules["portals"].table
    row = db.session.execute(
        select(
            users, contacts.c.first_name, contacts.c.last_name, contacts.c.owner_id.label("contact_owner_id"),
            contacts.c.language.label("contact_language"), accounts.c.id.label("account_id"), profiles.c.modules,
            portals.c.default_assignee_id.label("assignee_id"),
        )
        .join(portals, portals.c.id == users.c.portal_id)
        .join(contacts, contacts.c.id == users.c.contact_id)
        .join(profiles, profiles.c.id == users.c.profile_id)
        .outerjoin(accounts, (accounts.c.id == contacts.c.account_id) & accounts.c.deleted_at.is_(None))
        .where(users.c.id == portal_user_id, contacts.c.deleted_at.is_(None), profiles.c.deleted_at.is_(None))
    ).first()  # fmt: skip
    if row is None or not may_come_in(row) or (portal_id is not None and row.portal_id != portal_id):
        return None
    return as_viewer(row, row.modules or {})


def as_viewer(row: Any, shown: Mapping[str, Any]) -> Viewer:
    """The viewer of a joined row; `shown`: the matrix of a profile (another one for a preview)."""
    return Viewer(
        kind="customer",
        name=f"{row.first_name or ''} {row.last_name}".strip(),
        rights=Rights(otherwise=NOTHING),
        customer=Customer(
            portal_user_id=row.id, portal_id=row.portal_id, contact_id=row.contact_id, account_id=row.account_id,
            owner_id=row.contact_owner_id, is_admin=bool(row.is_admin and row.account_id), modules=shown_of(shown),
            assignee_id=getattr(row, "assignee_id", None),
        ),
        locale=row.language or row.contact_language or "en",
        timezone=clock.site_zone(),
    )  # fmt: skip
