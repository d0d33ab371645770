"""The clock of a ticket: when the first answer and the solution are due, in office hours; it stands while we wait."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crm import config
from crm.clock import now
from crm.modules.tickets import settings
from crm.modules.tickets.hours import Hours, later, minutes_between
from crm.modules.tickets.settings import TicketSettings


def office_hours(said: TicketSettings | None = None) -> Hours:
    """When the office is open, as the settings say."""
    said = said or settings.current()
    return Hours(said.hours, frozenset(date.fromisoformat(one) for one in said.holidays), config.current().timezone)


def follow(values: Mapping[str, Any], old: Mapping[str, Any] | None, state: str) -> dict[str, Any]:
    """What the clock writes when a ticket becomes `state` by writing `values` over `old`."""
    made: dict[str, Any] = {}
    before: Mapping[str, Any] = old or {}
    moment, was = now(), before.get("state")
    made |= _by_hand(values, before)
    if state != was:
        made |= _changed(before, was, state, moment)
    then = {**before, **values, **made}
    if state == "open" and (old is None or was != "open" or _says_priority(values, before) or "due_by_hand" in made):
        made |= _due(then, old, moment)
    then |= made
    if then.get("overdue") and then.get("due_at") and then["due_at"] > moment and state != "closed":
        made["overdue"] = False
    return made


def _says_priority(values: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return "priority" in values and values["priority"] != before.get("priority")


def _by_hand(values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A due time that somebody typed holds until it is emptied."""
    if "due_at" not in values or values["due_at"] == before.get("due_at"):
        return {}
    return {"due_by_hand": values["due_at"] is not None}


def _changed(before: Mapping[str, Any], was: str | None, state: str, moment: datetime) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if was == "waiting" and before.get("paused_at"):
        stood = minutes_between(before["paused_at"], moment, office_hours())
        made = {"paused_at": None, "paused_minutes": (before.get("paused_minutes") or 0) + stood}
        if before.get("due_by_hand") and before.get("due_at") and before["due_at"] > before["paused_at"] and stood:
            made["due_at"] = later(before["due_at"], stood, office_hours())
    if state == "waiting":
        made["paused_at"] = moment
    if state == "closed":
        made["closed_at"] = moment
    elif was == "closed":
        made |= {
            "closed_at": None,
            "closed_by_customer": False,
            "reopened_count": (before.get("reopened_count") or 0) + 1,
        }
    return made


def _due(then: Mapping[str, Any], old: Mapping[str, Any] | None, moment: datetime) -> dict[str, Any]:
    """The due times by priority, counted from the beginning and the time that the clock stood."""
    said, made = settings.current(), {}
    begun = (old or {}).get("created_at") or moment
    if old is not None and old.get("state") == "closed":
        begun, stood = moment, 0  # reopened: the clock begins anew
    else:
        stood = then.get("paused_minutes") or 0
    hours, priority = office_hours(said), str(then.get("priority") or "Normal")
    if not then.get("due_by_hand") and (minutes := said.solve_minutes.get(priority)):
        made["due_at"] = later(begun, minutes + stood, hours)
    if not then.get("first_answer_at") and (minutes := said.answer_minutes.get(priority)):
        made["respond_by_at"] = later(begun, minutes + stood, hours)
    return made
