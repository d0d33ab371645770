"""What a site was visited: numbers of days, pages, sources, people. The report, the home page and its tests ask here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.sql import ColumnElement

from crm import clock, config
from crm.db import db
from crm.engine.permissions import scope
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from web_tracking.modules.tracked_pages import TrackedPage
from web_tracking.modules.visitors import Visitor
from web_tracking.modules.visits import Visit
from web_tracking.tables import SiteCount

COUNTS, VISITS, VISITORS = SiteCount.__table__, Visit.__table__, Visitor.__table__
NOW = timedelta(minutes=5)
MOST_LISTED = 10
TOTALS = ("views", "bots", "visits", "new", "returning")


@dataclass(frozen=True)
class Period:
    """Days up to today, in the zone of the site."""

    first: date
    last: date

    @classmethod
    def of(cls, days: int) -> "Period":
        today = clock.today(config.current().timezone)
        return cls(today - timedelta(days=days - 1), today)

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.first, time(), ZoneInfo(config.current().timezone))

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def _within(site_ids: Sequence[int], period: Period) -> list[ColumnElement[bool]]:
    return [COUNTS.c.site_id.in_(site_ids), COUNTS.c.day.between(period.first, period.last)]


def totals(site_ids: Sequence[int], period: Period) -> dict[str, int]:
    """Views, bots, visits, new, returning; and visitors, each of them once."""
    said = select(COUNTS.c.what, func.sum(COUNTS.c.count)).where(
        *_within(site_ids, period), COUNTS.c.what.in_(TOTALS), COUNTS.c.name == ""
    )
    found = dict.fromkeys(TOTALS, 0) | {
        what: int(count) for what, count in db.session.execute(said.group_by(COUNTS.c.what))
    }
    seen = select(func.count()).where(VISITORS.c.site_id.in_(site_ids), VISITORS.c.last_seen_at >= period.begins_at)
    return found | {"visitors": db.session.execute(seen).scalar() or 0}


def by_day(site_ids: Sequence[int], period: Period, what: str) -> dict[date, int]:
    """Day → how many; days without any are zero."""
    said = select(COUNTS.c.day, func.sum(COUNTS.c.count)).where(*_within(site_ids, period), COUNTS.c.what == what)
    found = {day: int(count) for day, count in db.session.execute(said.group_by(COUNTS.c.day))}
    return {day: found.get(day, 0) for day in period.days}


def by_name(site_ids: Sequence[int], period: Period, what: str, most: int = MOST_LISTED) -> list[tuple[str, int]]:
    """The names that were counted most: pages, sources, campaigns, downloads, events."""
    number = func.sum(COUNTS.c.count)
    said = select(COUNTS.c.name, number).where(*_within(site_ids, period), COUNTS.c.what == what)
    rows = db.session.execute(said.group_by(COUNTS.c.name).order_by(number.desc(), COUNTS.c.name).limit(most))
    return [(name, int(count)) for name, count in rows]


def followed(site_ids: Sequence[int], period: Period) -> list[tuple[str, int, int]]:
    """(name, views, site) of every followed page, in the order of their names."""
    pages = TrackedPage.__table__
    rows = db.session.execute(
        select(pages.c.label, pages.c.pattern, pages.c.site_id)
        .where(pages.c.site_id.in_(site_ids), pages.c.deleted_at.is_(None))
        .order_by(pages.c.label)
    ).all()
    found = []
    for row in rows:
        name = COUNTS.c.name
        start = row.pattern.removesuffix("*")
        is_it = (
            name.startswith(start, autoescape=True)
            if row.pattern.endswith("*")
            else or_(name == start, name.startswith(f"{start}?", autoescape=True))
        )
        said = select(func.sum(COUNTS.c.count)).where(*_within([row.site_id], period), COUNTS.c.what == "page", is_it)
        found.append((row.label, int(db.session.execute(said).scalar() or 0), row.site_id))
    return found


def people(viewer: Viewer, site_id: int, period: Period) -> list[tuple[int, str, int, int]]:
    """(id, name, visits, pages) of those whom the viewer may see and who came most often."""
    number, pages = func.count(), func.sum(VISITS.c.page_count)
    said = select(VISITS.c.person_id, number, pages).where(
        VISITS.c.site_id == site_id, VISITS.c.person_id.is_not(None), VISITS.c.started_at >= period.begins_at
    )
    narrowing = scope(viewer, "visits")
    if narrowing is not None:
        said = said.where(narrowing)
    rows = db.session.execute(
        said.group_by(VISITS.c.person_id).order_by(number.desc(), VISITS.c.person_id).limit(MOST_LISTED)
    ).all()
    names = labels_of(viewer, {row[0] for row in rows})
    return [(row[0], names[row[0]], row[1], int(row[2] or 0)) for row in rows if row[0] in names]


def now_on(viewer: Viewer, site_id: int) -> list[dict[str, Any]]:
    """The visits of the last minutes, the latest first; who it is only where the viewer may see that person."""
    said = select(VISITS).where(VISITS.c.site_id == site_id, VISITS.c.ended_at >= clock.now() - NOW)
    rows = [dict(row) for row in db.session.execute(said.order_by(VISITS.c.ended_at.desc()).limit(50)).mappings()]
    names = labels_of(viewer, {row["person_id"] for row in rows if row["person_id"] is not None})
    return [row | {"person": names.get(row["person_id"], "")} for row in rows]
