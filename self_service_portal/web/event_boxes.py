"""The box of the home page about events: what one is registered for, and what is ahead."""

from collections.abc import Mapping
from typing import Any

from crm.identity.viewer import Viewer
from crm.modules.events import windows
from crm.modules.events.listing import in_portal, mine
from crm.modules.events.lists import OPEN_STATES
from crm.words import N_
from self_service_portal.pages import Box
from self_service_portal.web import facing
from self_service_portal.web.attending import KEY
from self_service_portal.web.events import status_in_words

ROWS = 5


def _events(viewer: Viewer) -> Mapping[str, Any] | None:
    who = viewer.customer
    if who is None or KEY not in who.modules:
        return None
    own = [
        one for one in mine([who.contact_id])
        if one.event is not None and one.event.parent_id is None and one.row["status"] in OPEN_STATES
        and one.event.state != "cancelled" and not windows.is_over(one.event)
    ]  # fmt: skip
    there = {one.row["event_id"] for one in own}
    ahead = [one for one in in_portal() if one.event.id not in there]
    if not own and not ahead:
        return None
    return {
        "own": list(reversed(own))[:ROWS], "ahead": ahead[:ROWS], "times": facing.times_in_words, "status": status_in_words,
        "said": facing.state_on_list,
    }  # fmt: skip


EVENTS = Box("events", N_("Events"), "boxes/events.html", _events)
