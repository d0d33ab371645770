"""Key dates of a request: due by its type and priority in the hours of its unit; when to warn; how long it took."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm import clock
from crm.modules.service_requests import settings, types
from crm.modules.service_requests.lists import ENDED
from crm.modules.tickets.clock import office_hours
from crm.modules.tickets.hours import Hours, later, minutes_between

A_DAY = 24 * 60


def hours_of(unit_id: int | None) -> Hours:
    """The office hours of a unit; without any of its own, those of support."""
    usual = office_hours()
    own = settings.current().hours.get(str(unit_id or ""))
    return replace(usual, days=own) if own else usual


def minutes_allowed(type: Any, priority: int | None, hours: Hours) -> int | None:
    """Open minutes: what the type says, or the priority when that is shorter; None when neither says anything."""
    found = [minutes for minutes in (settings.current().minutes.get(str(priority or "")),) if minutes]
    if type is not None and type["within"]:
        found.append(type["within"] * _minutes_of(type["within_unit"] or "hours", hours))
    return min(found) if found else None


def _minutes_of(unit: str, hours: Hours) -> int:
    if unit in ("minutes", "hours"):
        return 1 if unit == "minutes" else 60
    if hours.is_always:
        return A_DAY if unit == "days" else 7 * A_DAY
    spans = [
        (int(end[:2]) * 60 + int(end[3:5])) - (int(begin[:2]) * 60 + int(begin[3:5]))
        for begin, end in hours.days.values()
    ]
    return sum(spans) // len(spans) if unit == "days" else sum(spans)


def due(begun: datetime, type: Any, priority: int | None, unit_id: int | None, stood: int = 0) -> datetime | None:
    """When a request that begins then must be done; `stood`: minutes that the clock stood."""
    hours = hours_of(unit_id)
    allowed = minutes_allowed(type, priority, hours)
    return later(begun, allowed + stood, hours) if allowed is not None else None


def next_alert(begun: datetime, due_at: datetime | None, reached: int) -> tuple[datetime | None, int]:
    """(when the next warning is due, its percent) after `reached` percent; None when there is none any more."""
    if due_at is None:
        return None, reached
    for percent in sorted(settings.current().alerts):
        if percent > reached:
            return begun + (due_at - begun) * percent / 100, percent
    return None, reached


def follow(then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the clock writes when a request becomes `then` over `old`."""
    moment, before = clock.now(), dict(old or {})
    made: dict[str, Any] = {}
    if old is None:
        made["starts_at"] = then.get("starts_at") or moment
    made |= _paused(then, before, moment)
    now = {**then, **made}
    if made.get("paused_minutes") and now.get("state") in ENDED:  # the clock stood until this very moment
        made["due_at"] = _due_of(now)
        now = {**now, **made}
    if now.get("state") in ENDED:
        if before.get("state") not in ENDED:
            made |= {"ended_at": moment, "alert_at": None, "overdue": False, "minutes_taken": _taken(now, moment)}
            made["minutes_late"] = _late(now, moment)
        return made
    is_told_anew = any(
        now.get(name) != before.get(name) for name in ("priority", "type_id", "unit_id", "clock_from", "paused_minutes")
    )
    if old is None or is_told_anew:
        begun = now.get("clock_from") or now["starts_at"]
        made["due_at"] = _due_of(now)
        if made["due_at"] != before.get("due_at"):
            made["alert_at"], made["alerted"] = next_alert(begun, made["due_at"], 0)[0], 0
            made["overdue"] = bool(made["due_at"] and made["due_at"] < moment)
    return made


def _due_of(now: Mapping[str, Any]) -> datetime | None:
    begun, stood = now.get("clock_from") or now["starts_at"], now.get("paused_minutes") or 0
    return due(begun, types.one(now.get("type_id")), now.get("priority"), now.get("unit_id"), stood)


def _paused(then: Mapping[str, Any], before: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    from crm.modules.service_requests import statuses

    if then.get("status_id") == before.get("status_id"):
        return {}
    row, was = statuses.one(then.get("status_id")), before.get("paused_at")
    stands = row is not None and row.pauses
    if stands:
        return {} if was else {"paused_at": moment}
    if not was:
        return {}
    stood = minutes_between(was, moment, hours_of(then.get("unit_id")))
    return {"paused_at": None, "paused_minutes": (before.get("paused_minutes") or 0) + stood}


def _taken(now: Mapping[str, Any], moment: datetime) -> int:
    hours = hours_of(now.get("unit_id"))
    return max(0, minutes_between(now["starts_at"], moment, hours) - (now.get("paused_minutes") or 0))


def _late(now: Mapping[str, Any], moment: datetime) -> int:
    due_at = now.get("due_at")
    return minutes_between(due_at, moment, hours_of(now.get("unit_id"))) if due_at and due_at < moment else 0
