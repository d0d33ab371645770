"""When something that comes again is due: every day, week or month at a time of day of the site, or once.

The time is that of a wall clock in the zone. In the night when an hour is left out, what falls into it is due at the first
minute after it; in the night when an hour comes twice, it is due in the first of the two, once (spec/marketing.md 6.18).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["once", "daily", "weekly", "monthly"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FARTHEST = 63  # days: a monthly one comes at least once in them
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Cycle:
    """`at`: the time of day. Weekly ones have a `weekday` (0: Monday), monthly ones a `day` (1 to 31; a month that is
    shorter has it on its last day), one that comes once has its date `on`."""

    kind: Kind
    at: time
    weekday: int | None = None
    day: int | None = None
    on: date | None = None

    def last(self, now: datetime, zone: str) -> datetime | None:
        """The latest occurrence at or before `now` (aware), in UTC; None when there was none in two months."""
        return next((due for due in self._occurrences(now, zone, -1) if due <= now), None)

    def next(self, now: datetime, zone: str) -> datetime | None:
        """The first occurrence after `now` (aware), in UTC; None when none comes any more."""
        return next((due for due in self._occurrences(now, zone, 1) if due > now), None)

    def _occurrences(self, now: datetime, zone: str, step: int) -> Iterator[datetime]:
        if self.on is not None:
            yield moment_of(self.on, self.at, zone)
            return
        first = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=step)
        for count in range(FARTHEST):
            day = first + timedelta(days=count * step)
            if self._falls_on(day):
                yield moment_of(day, self.at, zone)

    def _falls_on(self, day: date) -> bool:
        if self.kind == "weekly":
            return day.weekday() == self.weekday
        if self.kind == "monthly":
            is_last = (day + timedelta(days=1)).day == 1
            return day.day == self.day or (is_last and (self.day or 0) > day.day)
        return self.kind == "daily"


def cycle_from(kind: Kind, first: datetime, zone: str) -> Cycle:
    """The cycle whose first occurrence is `first` (aware): the same time of day in `zone`, weekday or day of the month."""
    local = first.astimezone(ZoneInfo(zone))
    weekday = local.weekday() if kind == "weekly" else None
    return Cycle(kind, local.time().replace(second=0, microsecond=0), weekday, local.day if kind == "monthly" else None)


def moment_of(day: date, at: time, zone: str) -> datetime:
    """The moment of a wall clock's reading in `zone`, in UTC: of two the first, of none the first minute after the gap."""
    here = ZoneInfo(zone)
    wall = datetime.combine(day, at.replace(tzinfo=None, fold=0))
    due = wall.replace(tzinfo=here).astimezone(UTC)
    if due.astimezone(here).replace(tzinfo=None) == wall:
        return due
    due = wall.replace(tzinfo=here, fold=1).astimezone(UTC)  # before the gap, by the offset that holds after it
    while due.astimezone(here).replace(tzinfo=None) < wall:
        due += MINUTE
    return due.replace(second=0, microsecond=0)
