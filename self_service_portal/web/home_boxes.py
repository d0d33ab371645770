"""Boxes of the home page that belong to no module: the end of access, surveys that wait, links to other sites."""

from collections.abc import Mapping
from typing import Any

from crm.identity.viewer import Viewer
from crm.words import N_
from self_service_portal.pages import Box
from self_service_portal.sections import surveys
from self_service_portal.web.current import days_left, links_now


def _ending(_viewer: Viewer) -> Mapping[str, Any] | None:
    days = days_left()
    return None if days is None else {"days": days}


def _links(_viewer: Viewer) -> Mapping[str, Any] | None:
    found = links_now()
    return {"links": found} if found else None


def _surveys(viewer: Viewer) -> Mapping[str, Any] | None:
    return surveys.SURVEYS.draw(viewer.customer.contact_id) if viewer.customer else None


ENDING = Box("ending", N_("Your access ends soon"), "boxes/ending.html", _ending)
LINKS = Box("links", N_("Links"), "boxes/links.html", _links)
SURVEYS = Box("surveys", surveys.SURVEYS.title, surveys.SURVEYS.template, _surveys)
