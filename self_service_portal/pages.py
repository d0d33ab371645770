"""Table of contents of the portal, by dotted name: its pages, the boxes of its home page, the sections of the personal page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crm.catalog import named
from crm.identity.viewer import Viewer

PAGES: tuple[str, ...] = (
    "self_service_portal.web.gate:bp",
    "self_service_portal.web.home:bp",
    "self_service_portal.web.look:bp",
    "self_service_portal.web.own:bp",
    "self_service_portal.web.colleagues:bp",
    "self_service_portal.web.registering:bp",
    "self_service_portal.web.finding:bp",
    "self_service_portal.web.events:bp",
    "self_service_portal.web.my_data:bp",
    "self_service_portal.web.json_door:bp",
    "self_service_portal.web.asking:bp",
    "self_service_portal.web.tickets:bp",
    "self_service_portal.web.service_requests:bp",
    "self_service_portal.web.faqs:bp",
    "self_service_portal.web.records:bp",
)
"""Blueprints with url_prefix "/portal". Every view asks for a log-in unless it is marked with crm.ui.session.open_to_all."""

BOXES: tuple[str, ...] = (
    "self_service_portal.web.home_boxes:ENDING",
    "self_service_portal.web.event_boxes:EVENTS",
    "self_service_portal.web.ticket_boxes:TICKETS",
    "self_service_portal.web.ticket_boxes:SERVICE_REQUESTS",
    "self_service_portal.web.ticket_boxes:FAQS",
    "self_service_portal.web.home_boxes:SURVEYS",
    "self_service_portal.web.home_boxes:LINKS",
)
"""Boxes of the home page: each name leads to a Box. Profiles switch them on and off by their keys."""

SECTIONS: tuple[str, ...] = (
    "self_service_portal.sections.tickets:TICKETS",
    "self_service_portal.sections.service_requests:SERVICE_REQUESTS",
    "self_service_portal.sections.events:EVENTS",
    "self_service_portal.sections.surveys:SURVEYS",
    "self_service_portal.sections.documents:DOCUMENTS",
)
"""Sections of the personal page /me/<token>: each name leads to a Section."""

OWN_PAGES: frozenset[str] = frozenset({"tickets", "service_requests", "faqs", "attendees"})
"""Keys of modules whose list, card and forms have pages of their own: the generic ones give way to them."""


@dataclass(frozen=True)
class Box:
    """One box of the home page. `draw(viewer)` gives the values of `template`, None when there is nothing to show."""

    key: str
    title: str  # English, translated where it is shown
    template: str
    draw: Callable[[Viewer], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Section:
    """One section of the personal page: `draw(contact_id)` gives the values of `template`, None when there is nothing."""

    key: str
    title: str
    template: str
    draw: Callable[[int], Mapping[str, Any] | None]


@cache
def boxes() -> tuple[Box, ...]:
    """The boxes that rooms offer, in order."""
    return tuple(named(name) for name in BOXES)


@cache
def sections() -> tuple[Section, ...]:
    """The sections that rooms offer, in order."""
    return tuple(named(name) for name in SECTIONS)
