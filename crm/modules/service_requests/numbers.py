"""Numbers of service requests for managers: each is counted by the condition of the list that it leads to, with the reader's rights."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import case, func, select

from crm.db import db
from crm.engine import picklists, search
from crm.engine.conditions import where
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.modules.service_requests import OPEN
from crm.words import N_, _

MOST_GROUPS = 30


@dataclass(frozen=True)
class Box:
    """One number: what it is called, and which requests it counts."""

    label: str
    where: dict[str, Any]


@dataclass(frozen=True)
class Grouped:
    """One chart: requests by a field. `is_scale`: in the order of its values; else the commonest first."""

    title: str
    heading: str
    field: str
    where: dict[str, Any]
    is_scale: bool = False


def _open(*more: dict[str, Any]) -> dict[str, Any]:
    return {"$and": [OPEN, *more]}


NOBODY = where("accepted_by_id", "is empty", None)
MINE = _open({"$eq": ["owner_id", "$me"]})
RATINGS = where("rating", "is not empty", None)
BOXES = (
    Box(N_("Open"), OPEN),
    Box(N_("Mine"), MINE),
    Box(N_("To be taken in my units"), _open(NOBODY, {"$in": ["unit_id", ["$my_groups"]]})),
    Box(N_("To be taken"), _open(NOBODY)),
    Box(N_("Overdue"), _open(where("overdue", "is", True))),
    Box(N_("Due today"), _open({"$window": ["due_at", "$today"]})),
    Box(N_("Waiting for acceptance"), _open(where("waits_for", "is", True))),
    Box(N_("Refused solutions"), _open(where("rejected", "is", True))),
)
CHARTS = (
    Grouped(N_("My open requests by state"), N_("State"), "state", MINE),
    Grouped(N_("Open requests by state"), N_("State"), "state", OPEN),
    Grouped(N_("Open requests by priority"), N_("Priority"), "priority", OPEN, is_scale=True),
    Grouped(N_("Open requests by type"), N_("Type"), "type_id", OPEN),
    Grouped(N_("Open requests by unit"), N_("Unit"), "unit_id", OPEN),
    Grouped(N_("Ratings"), N_("Rating"), "rating", RATINGS, is_scale=True),
)
RATED = (
    Grouped(N_("Ratings by who held the request"), N_("Taken by"), "accepted_by_id", RATINGS),
    Grouped(N_("Ratings by unit"), N_("Unit"), "unit_id", RATINGS),
    Grouped(N_("Ratings by type"), N_("Type"), "type_id", RATINGS),
)


@dataclass(frozen=True)
class Rated:
    """What customers said about one agent, unit or type. `score`: percent of 9 and 10 less percent of 0 to 6, as in NPS."""

    label: str
    count: int
    mean: float
    score: int
    where: dict[str, Any]


def count_of(viewer: Viewer, condition: dict[str, Any]) -> int:
    """How many requests of a condition the viewer may see."""
    return search.count(viewer, "service_requests", condition)


def groups(viewer: Viewer, chart: Grouped) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(label, count, condition of the list) of each value of the field, in the order that the chart says."""
    module = modules["service_requests"]
    column, said = module.table.c[chart.field], module.fields[chart.field]
    mine = search.ids(viewer, module, chart.where).subquery()
    query = select(column, func.count()).where(module.table.c.id.in_(select(mine.c.id))).group_by(column)
    order = (column,) if chart.is_scale else (func.count().desc(), column)
    rows = db.session.execute(query.order_by(*order).limit(MOST_GROUPS)).all()
    names = labels_of(viewer, {value for value, _count in rows if value}) if said.is_link else {}
    for value, count in rows:
        if value is None:
            yield _("None"), count, {"$and": [chart.where, where(chart.field, "is empty", None)]}
            continue
        label = names.get(value) or str(value)
        if said.picklist:
            label = _(picklists.label(said.picklist, value))
        yield label, count, {"$and": [chart.where, {"$eq": [chart.field, value]}]}


def ratings(viewer: Viewer, chart: Grouped) -> list[Rated]:
    """The ratings of each value of the field, the most rated first; 30 at most."""
    table = modules["service_requests"].table
    column, rate = table.c[chart.field], table.c.rating
    mine = search.ids(viewer, "service_requests", chart.where).subquery()
    query = select(
        column, func.count(), func.sum(rate), func.sum(case((rate >= 9, 1), else_=0)), func.sum(case((rate <= 6, 1), else_=0))
    ).where(table.c.id.in_(select(mine.c.id)), column.is_not(None))  # fmt: skip
    rows = db.session.execute(query.group_by(column).order_by(func.count().desc(), column).limit(MOST_GROUPS)).all()
    names = labels_of(viewer, {value for value, *_rest in rows})
    return [
        Rated(
            names.get(value) or _("(hidden)"), count, round(int(total) / count, 1), round(100 * (int(happy) - int(unhappy)) / count),
            {"$and": [chart.where, {"$eq": [chart.field, value]}]},
        )
        for value, count, total, happy, unhappy in rows
    ]  # fmt: skip


def medians(viewer: Viewer) -> dict[str, float | None]:
    """Median hours from the beginning to the response and to the resolution, of the newest 1,000 that have one."""
    table = modules["service_requests"].table
    found: dict[str, float | None] = {}
    for name in ("responded_at", "resolved_at"):
        mine = search.ids(viewer, "service_requests", where(name, "is not empty", None)).subquery()
        query = select(table.c.starts_at, table.c[name]).where(table.c.id.in_(select(mine.c.id)))
        rows = db.session.execute(query.order_by(table.c[name].desc()).limit(1000)).all()
        hours = [(end - begun).total_seconds() / 3600 for begun, end in rows if begun is not None]
        found[name] = round(median(hours), 1) if hours else None
    return found
