"""The events of a person on the personal page: what is ahead, each with the way to its answers and to cancelling."""

from collections.abc import Mapping
from typing import Any

from crm.modules.events import windows
from crm.modules.events.links import own_path
from crm.modules.events.listing import mine
from crm.modules.events.lists import OPEN_STATES
from crm.words import N_
from self_service_portal.pages import Section
from self_service_portal.web import facing
from self_service_portal.web.events import status_in_words


def _draw(contact_id: int) -> Mapping[str, Any] | None:
    ahead = [
        one for one in mine([contact_id])
        if one.event is not None and one.row["status"] in OPEN_STATES and one.event.state != "cancelled" and not windows.is_over(one.event)
    ]  # fmt: skip
    rows = [(one, own_path(one.event.id, contact_id)) for one in reversed(ahead) if one.event is not None]
    return {"rows": rows, "times": facing.times_in_words, "status": status_in_words} if rows else None


EVENTS = Section("events", N_("Your events"), "sections/events.html", _draw)
