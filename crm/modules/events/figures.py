"""The numbers of an event, from rows under the viewer's rights, each with the condition of the list that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.engine import reports, search
from crm.identity.viewer import Viewer
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OCCUPYING
from crm.words import _

STATES = ("invited", "held", "joined", "spare", "cancelled", "declined", "attended", "no_show")


@dataclass(frozen=True)
class Figure:
    """One number. `where`: the attendees that it counts; empty when it counts no rows (capacity, free)."""

    key: str
    label: str
    value: int | None
    where: Mapping[str, Any]
    unit: str = ""


def where_of(event_id: int, *states: str) -> dict[str, Any]:
    """The condition on attendees of an event, in some states."""
    mine: dict[str, Any] = {"$eq": ["event_id", event_id]}
    return {"$and": [mine, {"$in": ["status", list(states)]}]} if states else mine


def by_state(viewer: Viewer, event_id: int) -> dict[str, int]:
    """State → how many attendees: one query."""
    found = {
        group.key: group.count for group in reports.aggregate(viewer, "attendees", "status", where=where_of(event_id))
    }
    return {state: found.get(state, 0) for state in STATES}


def figures_of(viewer: Viewer, event: Event) -> list[Figure]:
    """What the KPI page shows of an event or of a part of it."""
    states = by_state(viewer, event.id)
    taken = sum(states[state] for state in OCCUPYING)
    said = [Figure("capacity", _("Capacity"), event.seats, {})]
    said.append(Figure("joined", _("Joined"), taken, where_of(event.id, *OCCUPYING)))
    said.append(Figure("spare", _("On spare places"), states["spare"], where_of(event.id, "spare")))
    said.append(
        Figure(
            "cancelled",
            _("Cancelled"),
            states["cancelled"] + states["declined"],
            where_of(event.id, "cancelled", "declined"),
        )
    )
    if event.seats is not None:
        said.append(Figure("free", _("Free seats"), max(event.seats - taken, 0), {}))
        if event.seats:
            said.append(Figure("fill", _("Filled"), round(100 * taken / event.seats), {}, "%"))
    if event.survey_id is not None:
        said.append(Figure("answers", _("With answers"), with_answers(viewer, event.id), _with_answers(event.id)))
    said.append(Figure("attended", _("Attended"), states["attended"], where_of(event.id, "attended")))
    said.append(Figure("no_show", _("Did not come"), states["no_show"], where_of(event.id, "no_show")))
    return said


def a_day(viewer: Viewer, event_id: int) -> list[reports.Group]:
    """Registrations a day (of who is still there or has cancelled), oldest first."""
    where = {"$and": [where_of(event_id), {"$not.null": ["registered_at"]}]}
    return sorted(reports.aggregate(viewer, "attendees", "registered_at", where=where), key=lambda group: group.key)


def with_answers(viewer: Viewer, event_id: int) -> int:
    """How many attendees have answered the form of the event."""
    return search.count(viewer, "attendees", _with_answers(event_id))


def _with_answers(event_id: int) -> dict[str, Any]:
    return {"$and": [where_of(event_id), {"$not.null": ["answers_response_id"]}]}
