"""Whose registrations a customer sees and makes: one's own, and as its administrator those of the company."""

from typing import Any

from flask import request
from sqlalchemy import select

from crm.db import db, fold_text
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.modules.events.kinds import Event
from crm.modules.events.listing import Mine, in_portal, mine
from crm.modules.events.lists import OPEN_STATES
from self_service_portal.web.current import customer, shown

KEY = "attendees"


def people() -> list[int]:
    """The contacts whose registrations the customer sees: oneself, with the scope of the company all of it."""
    who, held = customer(), shown(KEY)
    if who.account_id is None or held is None or held.scope != "account":
        return [who.contact_id]
    table = modules["contacts"].table
    said = select(table.c.id).where(table.c.account_id == who.account_id, table.c.deleted_at.is_(None))
    return [
        *dict.fromkeys(
            [who.contact_id, *db.session.execute(said.order_by(table.c.last_name, table.c.id).limit(500)).scalars()]
        )
    ]


def registers_colleagues() -> bool:
    """The administrator of a company whose profile shows the registrations of the whole company registers them too."""
    said = shown(KEY)
    return customer().is_admin and said is not None and said.scope == "account"


def whom() -> int:
    """The contact that a form is about. Raises Missing for anybody who is no colleague."""
    said = request.form.get("contact_id", "")
    if not said or said == str(customer().contact_id):
        return int(customer().contact_id)
    if not registers_colleagues() or not said.isascii() or not said.isdecimal() or int(said) not in people():
        raise Missing
    return int(said)


def names(contact_id: int) -> dict[str, str]:
    """first_name, last_name, email and name of a contact. Raises Missing."""
    table = modules["contacts"].table
    said = select(table.c.first_name, table.c.last_name, table.c.email).where(
        table.c.id == contact_id, table.c.deleted_at.is_(None)
    )
    row = db.session.execute(said).one_or_none()
    if row is None:
        raise Missing
    found = {"first_name": row.first_name or "", "last_name": row.last_name or "", "email": row.email or ""}
    return found | {"name": f"{found['first_name']} {found['last_name']}".strip()}


def rows(event_id: int) -> list[Mine]:
    """The registrations at this event that the customer sees."""
    return [one for one in mine(people()) if one.row["event_id"] == event_id]


def free_colleagues(others: list[Any]) -> list[tuple[int, str]]:
    """Colleagues who are not registered yet."""
    if not registers_colleagues():
        return []
    there = {row["contact_id"] for row in others if row["status"] in OPEN_STATES} | {customer().contact_id}
    ids = [id for id in people() if id not in there]
    table = modules["contacts"].table
    rows = db.session.execute(
        select(table.c.id, table.c.first_name, table.c.last_name)
        .where(table.c.id.in_(ids))
        .order_by(table.c.last_name, table.c.id)
    )
    return [(row.id, f"{row.first_name or ''} {row.last_name}".strip()) for row in rows]


def about(text: str, limit: int) -> list[Event]:
    """Events whose pages the customer may open and that have all these words: those ahead, then those of one's own."""
    words = [fold_text(word) or "" for word in text.split()]
    own = [one.event for one in mine(people()) if one.event is not None]
    known = [one for one in own if all(word in (fold_text(one.name) or "") for word in words)]
    found = {event.id: event for event in [*(one.event for one in in_portal(text)), *known]}
    return list(found.values())[:limit]
