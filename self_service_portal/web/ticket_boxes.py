"""Boxes of the home page about support: open requests, and what is new in the knowledge base."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.engine.search import find
from crm.identity.viewer import Viewer
from crm.modules.service_requests.lists import ENDED
from crm.words import N_
from self_service_portal.pages import Box
from self_service_portal.web import drawing

ROWS = 5


def _open_ones(viewer: Viewer, key: str, closed: Sequence[str], can_make: bool) -> Mapping[str, Any] | None:
    if not may(viewer, "view", key):
        return None
    table = modules[key].table
    within = select(table.c.id).where(table.c.state.not_in(closed))
    page = find(viewer, key, columns=("title", "status"), within=within, limit=ROWS, count="capped")
    return {"rows": page.rows, "total": page.total, "module": modules[key], "cell": drawing.cell, "can_make": can_make}


def _tickets(viewer: Viewer) -> Mapping[str, Any] | None:
    return _open_ones(viewer, "tickets", ("closed",), may(viewer, "create", "tickets"))


def _service_requests(viewer: Viewer) -> Mapping[str, Any] | None:
    said = viewer.customer.modules.get("service_requests") if viewer.customer else None
    return _open_ones(viewer, "service_requests", ENDED, said is not None and said.can_create)


def _faqs(viewer: Viewer) -> Mapping[str, Any] | None:
    if not may(viewer, "view", "faqs"):
        return None
    rows = find(viewer, "faqs", columns=(), sort=(), limit=ROWS, count="none").rows
    return {"rows": rows} if rows else None


TICKETS = Box("tickets", N_("Your open requests"), "boxes/tickets.html", _tickets)
SERVICE_REQUESTS = Box("service_requests", N_("Your open service requests"), "boxes/tickets.html", _service_requests)
FAQS = Box("faqs", N_("Answers to questions"), "boxes/faqs.html", _faqs)
