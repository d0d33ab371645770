"""Views and submissions of a form, a day and variant, without a person; and what the difference between variants is worth."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.words import _
from web_tracking.forms.design import FIRST
from web_tracking.forms.tables import FormCount
from web_tracking.stores import insert_of

COUNTS = FormCount.__table__
LEAST_VIEWS = 100  # of each variant, before anything is said
LEAST_SENT = 5
SURE = 0.95


def add(form_id: int, variant: str, what: str) -> None:
    """Count one; `what`: views, sent, suspected. The caller commits."""
    said = insert_of(db.session)(COUNTS).values(
        form_id=form_id, day=clock.today(clock.site_zone()), variant=variant, what=what, count=1
    )
    keys = ["form_id", "day", "variant", "what"]
    db.session.execute(said.on_conflict_do_update(index_elements=keys, set_={"count": COUNTS.c.count + 1}))


@dataclass(frozen=True)
class Numbers:
    """What one variant came to."""

    letter: str
    views: int = 0
    sent: int = 0

    @property
    def rate(self) -> float:
        """Share of views that were sent, 0 to 1."""
        return min(1.0, self.sent / self.views) if self.views else 0.0


def by_variant(form_id: int, days: int | None = None) -> list[Numbers]:
    """The numbers of each variant that was seen, in their order; of the last days, or of all time."""
    said = select(COUNTS.c.variant, COUNTS.c.what, func.sum(COUNTS.c.count)).where(COUNTS.c.form_id == form_id)
    if days is not None:
        said = said.where(COUNTS.c.day > clock.today(clock.site_zone()) - timedelta(days=days))
    found: dict[str, dict[str, int]] = {FIRST: {}}
    for letter, what, count in db.session.execute(said.group_by(COUNTS.c.variant, COUNTS.c.what)):
        found.setdefault(letter, {})[what] = int(count)
    return [Numbers(letter, one.get("views", 0), one.get("sent", 0)) for letter, one in sorted(found.items())]


def by_day(form_id: int, days: int, what: str) -> Mapping[date, int]:
    """How often a day, today last; days without any are 0."""
    today = clock.today(clock.site_zone())
    said = select(COUNTS.c.day, func.sum(COUNTS.c.count)).where(
        COUNTS.c.form_id == form_id, COUNTS.c.what == what, COUNTS.c.day > today - timedelta(days=days)
    )
    found = {day: int(count) for day, count in db.session.execute(said.group_by(COUNTS.c.day))}
    every = (today - timedelta(days=back) for back in reversed(range(days)))
    return {day: found.get(day, 0) for day in every}


def confidence(one: Numbers, other: Numbers) -> float:
    """How sure it is that the rates differ, 0 to 1: two proportions compared, two-sided."""
    views = one.views + other.views
    pooled = (one.sent + other.sent) / views if views else 0.0
    spread = (
        math.sqrt(pooled * (1 - pooled) * (1 / max(one.views, 1) + 1 / max(other.views, 1))) if 0 < pooled < 1 else 0.0
    )
    return math.erf(abs(one.rate - other.rate) / spread / math.sqrt(2)) if spread else 0.0


def sentence(numbers: Sequence[Numbers]) -> str:
    """What may be concluded from the numbers of the variants, in one sentence; "" with one variant."""
    seen = [one for one in numbers if one.views]
    if len(seen) < 2:
        return ""
    if any(one.views < LEAST_VIEWS for one in seen) or sum(one.sent for one in seen) < LEAST_SENT:
        return _("It is too early to say: each variant needs %(least)s views at least.", least=LEAST_VIEWS)
    best, *others = sorted(seen, key=lambda one: (-one.rate, one.letter))
    sure = min(confidence(best, one) for one in others)
    percent = min(99, math.floor(sure * 100))
    if 1 - (1 - sure) * len(others) >= SURE:  # with several others one of them looks worse by chance more easily
        return _("Variant %(letter)s is sent most often; %(percent)s %% sure that this is no chance.",
                 letter=best.letter, percent=percent)  # fmt: skip
    return _("Variant %(letter)s is ahead, but that may be chance (%(percent)s %% sure). Let it run on.",
             letter=best.letter, percent=percent)  # fmt: skip
