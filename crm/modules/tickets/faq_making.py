"""A ticket becomes a FAQ: question and answer proposed, what looks like personal data found, so that somebody looks at it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.db import Entity, db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.rules import demand_record
from crm.modules.tickets.comments import TicketComment

_EMAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,5}")
_PHONE = re.compile(r"(?<![\w.])\+?\d[\d ()\-/]{6,20}\d(?!\w|\.\d)")
_IDENTITY = re.compile(r"\b\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]\b")


@dataclass(frozen=True)
class Found:
    """Something personal in a text: `kind` is name, email, phone or identity."""

    kind: str
    text: str


@dataclass(frozen=True)
class Draft:
    """What the new FAQ would say."""

    question: str
    answer: str
    product_id: int | None
    found: tuple[Found, ...]


def draft_of(viewer: Viewer, ticket_id: int) -> Draft:
    """Question = title, answer = solution, else the last public comment of staff or anybody. Raises Missing, Forbidden."""
    demand(viewer, "create", "faqs")
    ticket = demand_record(viewer, "tickets", ticket_id, "view")
    answer = ticket["solution"] or _last_public(ticket_id) or ""
    return Draft(ticket["title"], answer, ticket["product_id"], tuple(personal(ticket, f"{ticket['title']}\n{answer}")))


def personal(ticket: Mapping[str, Any], text: str) -> list[Found]:
    """The names of the ticket's people, addresses, phone numbers and identity codes that a text holds."""
    found = [Found("name", name) for name in _names(ticket) if re.search(rf"\b{re.escape(name)}\b", text, re.I)]
    found += [Found("email", one) for one in _EMAIL.findall(text)]
    found += [Found("identity", one) for one in _IDENTITY.findall(text)]
    without = _IDENTITY.sub(" ", text)
    found += [
        Found("phone", one.strip()) for one in _PHONE.findall(without) if sum(sign.isdigit() for sign in one) >= 7
    ]
    return list(dict.fromkeys(found))


def _names(ticket: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    if ticket["contact_id"]:
        table = modules["contacts"].table
        row = db.session.execute(
            select(table.c.first_name, table.c.last_name).where(table.c.id == ticket["contact_id"])
        ).first()
        names += [one for one in (row or ()) if one and len(one) > 1]
    if ticket["account_id"]:
        label = db.session.scalar(select(Entity.label).where(Entity.id == ticket["account_id"]))
        names += [label] if label else []
    table = TicketComment.__table__
    authors = db.session.scalars(select(table.c.author_name).where(table.c.ticket_id == ticket["id"]).distinct())
    for author in authors:
        names += [one for one in (author or "").split() if len(one) > 2 and one.isalpha()]
    return list(dict.fromkeys(names))


def _last_public(ticket_id: int) -> str | None:
    table = TicketComment.__table__
    said = select(table.c.text).where(
        table.c.ticket_id == ticket_id, table.c.visibility == "public", table.c.text.is_not(None)
    )
    order = ((table.c.author == "staff").desc(), table.c.at.desc(), table.c.id.desc())
    return db.session.scalar(said.order_by(*order).limit(1))


def make(viewer: Viewer, ticket_id: int, values: Mapping[str, Any], channel: Channel) -> int:
    """Make the draft; gives its id. Raises Refused, Missing, Forbidden. The caller commits."""
    demand_record(viewer, "tickets", ticket_id, "view")
    said = {
        "question": values.get("question"),
        "answer": values.get("answer"),
        "product_id": values.get("product_id") or None,
    }
    return records.create(viewer, "faqs", {**said, "status": "Draft", "source_ticket_id": ticket_id}, channel)
