"""Dates in conditions: `$now.date -7 days`, and windows such as `$this_week`, as half-open ranges."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.engine.kinds import BadValue
from crm.words import _

NOW = re.compile(r"\$now(?:\.(date|time))?((?:\s*[+-]\s*\d{1,5}\s*[a-z]+)*)", re.I)
STEP = re.compile(r"([+-])\s*(\d{1,5})\s*([a-z]+)", re.I)
UNITS: dict[str, Callable[[int], relativedelta]] = {
    "second": lambda n: relativedelta(seconds=n),
    "minute": lambda n: relativedelta(minutes=n),
    "hour": lambda n: relativedelta(hours=n),
    "day": lambda n: relativedelta(days=n),
    "week": lambda n: relativedelta(weeks=n),
    "month": lambda n: relativedelta(months=n),
    "quarter": lambda n: relativedelta(months=3 * n),
    "year": lambda n: relativedelta(years=n),
}


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`; None: no end. `is_open`: `high` itself lies outside. A single value has low == high."""

    low: Any
    high: Any
    is_open: bool = False

    @property
    def is_point(self) -> bool:
        return not self.is_open and self.low == self.high

    def holds(self, value: Any) -> bool:
        return (self.low is None or value >= self.low) and not self.is_before(value)

    def is_before(self, value: Any) -> bool:
        """Whether `value` lies beyond the high end."""
        return self.high is not None and bool(value >= self.high if self.is_open else value > self.high)


def read_relative(text: str, kind: str, zone: str) -> Any:
    """What `$now…` stands for: a date, a time, a moment (aware); None when `text` is nothing of that sort.

    Raises BadValue for an unknown unit or a step beyond the calendar.
    """
    found = NOW.fullmatch(text.strip())
    if not found:
        return None
    moment = clock.now().astimezone(ZoneInfo(zone))
    try:
        for sign, amount, unit in STEP.findall(found[2]):
            step = UNITS.get(unit.lower().removesuffix("s"))
            if step is None:
                raise BadValue(
                    "bad_date",
                    _("“%(unit)s” is no unit of time. Take one of: %(known)s.", unit=unit, known=", ".join(UNITS)),
                )
            moment += step(int(sign + amount))
    except (OverflowError, ValueError):
        raise BadValue("bad_date", _("This lies outside of the calendar.")) from None
    if kind == "time" or found[1] == "time":
        return moment.timetz().replace(tzinfo=None, microsecond=0)
    if kind == "day" or found[1] == "date":
        return moment.date()
    return moment.astimezone(UTC)


def day_in(zone: str, day: date) -> Range:
    """The moments of one day."""
    try:
        return Range(_begin(zone, day), _begin(zone, day + timedelta(days=1)), is_open=True)
    except OverflowError:
        raise BadValue("bad_date", _("This lies outside of the calendar.")) from None


def _begin(zone: str, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


# windows: name → (first day, day after the last), None: no end

Window = tuple[date | None, date | None]


def _span(first: date, months: int) -> Window:
    return first, first + relativedelta(months=months)


def _week(day: date, step: int) -> Window:
    first = day - timedelta(days=day.weekday()) + timedelta(weeks=step)
    return first, first + timedelta(weeks=1)


def _month(day: date, step: int) -> Window:
    return _span(day.replace(day=1) + relativedelta(months=step), 1)


def _quarter(day: date, step: int) -> Window:
    return _span(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) + relativedelta(months=3 * step), 3)


def _year(day: date, step: int) -> Window:
    return _span(day.replace(month=1, day=1) + relativedelta(years=step), 12)


def _day(day: date, step: int) -> Window:
    return day + timedelta(days=step), day + timedelta(days=step + 1)


WINDOWS: dict[str, Callable[[date], Window]] = {
    "today": lambda day: _day(day, 0),
    "yesterday": lambda day: _day(day, -1),
    "tomorrow": lambda day: _day(day, 1),
    "this_week": lambda day: _week(day, 0),
    "last_week": lambda day: _week(day, -1),
    "next_week": lambda day: _week(day, 1),
    "this_month": lambda day: _month(day, 0),
    "last_month": lambda day: _month(day, -1),
    "next_month": lambda day: _month(day, 1),
    "this_quarter": lambda day: _quarter(day, 0),
    "last_quarter": lambda day: _quarter(day, -1),
    "next_quarter": lambda day: _quarter(day, 1),
    "this_year": lambda day: _year(day, 0),
    "last_year": lambda day: _year(day, -1),
    "next_year": lambda day: _year(day, 1),
    "before_today": lambda day: (None, day),
    "until_today": lambda day: (None, day + timedelta(days=1)),
    "from_today": lambda day: (day, None),
    "after_today": lambda day: (day + timedelta(days=1), None),
}
COUNTED = re.compile(r"(last|next)_(\d{1,4})_days")


def read_window(name: str, kind: str, zone: str) -> Range:
    """The range of a named window for a field of `kind` (day or moment). Raises BadValue, naming the nearest."""
    from difflib import get_close_matches

    plain = name.strip().removeprefix("$").lower().replace(" ", "_")
    today = clock.today(zone)
    counted = COUNTED.fullmatch(plain)
    if counted:
        # "The last 7 days" are today and the six before it.
        days = timedelta(days=int(counted[2]))
        tomorrow = today + timedelta(days=1)
        first, end = (tomorrow - days, tomorrow) if counted[1] == "last" else (today, today + days)
    elif plain in WINDOWS:
        first, end = WINDOWS[plain](today)  # type: ignore[assignment]
    else:
        near = get_close_matches(plain, [*WINDOWS, "last_7_days", "next_7_days"], n=1, cutoff=0.5)
        hint = (
            _("Did you mean “%(name)s”?", name=f"${near[0]}")
            if near
            else _("Take one of: %(known)s.", known=", ".join([*WINDOWS, "last_7_days"]))
        )
        raise BadValue("bad_window", _("There is no window of time “%(name)s”.", name=name) + f" {hint}")
    if kind == "day":
        return Range(first, end, is_open=True)
    return Range(first and _begin(zone, first), end and _begin(zone, end), is_open=True)
