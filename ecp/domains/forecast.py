"""Over how many days the warm-up of a sender domain stretches a sendout, said before it goes."""

from dataclasses import dataclass
from datetime import date, timedelta

from ecp.domains import warming
from ecp.domains.warming import Figures, Standing

FARTHEST = 800  # days that are looked ahead: a sendout may be scheduled a year from now


@dataclass(frozen=True)
class Forecast:
    """When the mails of a sendout leave, if every day is a good one: `first` of them on `begins`, the last on `ends`."""

    domain: str
    begins: date
    ends: date
    first: int

    @property
    def days(self) -> int:
        """Calendar days from the first to the last, both counted."""
        return (self.ends - self.begins).days + 1


def forecast(domain: str, mails: int, begins: date | None = None) -> Forecast | None:
    """For so many mails more from a domain on `begins` (default: today). None where no warm-up holds any of them back.

    What waits already leaves first."""
    said = warming.standing(domain)
    if said is None or said.plan.state != "on" or mails <= 0:
        return None
    today = warming.today()
    start = max(begins or today, today)
    first, ends = _first_and_end(said, mails, today, start)
    return None if ends == start and first >= mails else Forecast(domain, start, ends, first)


def _first_and_end(said: Standing, mails: int, today: date, start: date) -> tuple[int, date]:
    """How many of the mails leave on `start`, and on which day the last one does."""
    plan, brought, queue, ours, first = said.plan, said.today, said.held, mails, 0
    day, ceiling, used = plan.day, plan.ceiling, plan.released
    is_braked = plan.braked_at is not None
    for _day in range(FARTHEST):
        room = 0 if is_braked or day < today else max(0, ceiling - used)
        earlier = min(room, queue)
        now = min(room - earlier, ours) if day >= start else 0
        queue, ours = queue - earlier, ours - now
        if day == start:
            first = now
        if not ours:
            return first, day
        if not is_braked and day >= today:
            brought = Figures(used + earlier + now, brought.bounced, brought.complained)
        verdict, ceiling = warming.judged(ceiling, plan.start, plan.goal, brought)
        day, used, is_braked, brought = day + timedelta(days=1), 0, False, Figures(0, 0, 0)
        if verdict == "done":  # nothing is held back any more
            day = max(day, start)
            return (mails if day == start else first), day
    return first, day
