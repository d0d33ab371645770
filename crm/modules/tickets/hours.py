"""Counting in office hours: a moment so many minutes on, and how many lie between two. Plain arithmetic, no database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS = 3_660  # nobody promises an answer in ten years


@dataclass(frozen=True)
class Hours:
    """When the office is open. `days`: mon … sun → [from, until] as HH:MM; empty: always."""

    days: Mapping[str, Sequence[str]]
    holidays: frozenset[date] = frozenset()
    zone: str = "UTC"

    @property
    def is_always(self) -> bool:
        return not self.days

    def spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open times from `since` on, each as (from, until) in UTC."""
        here = ZoneInfo(self.zone)
        day = since.astimezone(here).date()
        for _count in range(MOST_DAYS):
            said = self.days.get(DAYS[day.weekday()])
            if said and day not in self.holidays:
                begins, ends = (datetime.combine(day, time.fromisoformat(one), here).astimezone(UTC) for one in said)
                if ends > since:
                    yield max(begins, since), ends
            day += timedelta(days=1)


def later(start: datetime, minutes: float, hours: Hours) -> datetime:
    """The moment when `minutes` of open time have passed since `start`."""
    if hours.is_always:
        return start + timedelta(minutes=minutes)
    left = timedelta(minutes=minutes)
    last = start
    for begins, ends in hours.spans(start):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
        last = ends
    return last


def minutes_between(start: datetime, end: datetime, hours: Hours) -> int:
    """How many open minutes lie between the two; 0 when `end` is not after `start`."""
    if end <= start:
        return 0
    if hours.is_always:
        return int((end - start).total_seconds() // 60)
    total = timedelta()
    for begins, ends in hours.spans(start):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return int(total.total_seconds() // 60)
