"""Numbers over many records for charts: a count, sum or average, by a field, under the viewer's rights. One query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Integer, cast, func
from sqlalchemy.sql import ColumnElement

from crm import clock
from crm.db import db
from crm.engine import picklists, search
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import demand
from crm.engine.query import Query
from crm.engine.refusals import Refused, UnknownName
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.words import _

Step = Literal["day", "week", "month", "year"]
MEASURES = ("count", "sum", "average", "least", "most")
MOST_GROUPS = 10_000
NUMBERS = {"whole", "number", "money", "percent"}
GROUPABLE = {"picklist", "checkbox", "link", "owner", "user", "day", "moment", "text", "whole"}

# Sums are taken as whole numbers, however money is kept, so that nothing is a float.
FIRSTS: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


@dataclass(frozen=True, slots=True)
class Group:
    """One number. `key`: a picklist key, id, date (the first day of the step), value, or None for empty ones."""

    key: Any
    label: str
    value: Any
    count: int


def aggregate(
    viewer: Viewer,
    module: Module | str,
    by: str | None = None,
    *,
    measure: str = "count",
    of: str | None = None,
    where: Any = None,
    step: Step = "day",
) -> list[Group]:
    """Numbers of the records that `viewer` may see: in one group, or one for each value of the field `by`.

    `measure`: count, or sum, average, least, most of the number field `of`. `step`: how dates and moments are gathered,
    in days of the site. Groups come in the order of their values (a picklist's own), the empty one last.
    Raises Forbidden, UnknownName for a field that may not be read, BadCondition, Refused for what cannot be grouped.
    """
    module = modules[module] if isinstance(module, str) else module
    demand(viewer, "view", module)
    query = Query(viewer, module)
    field = _field(query, by) if by else None
    number = _number(query, of) if measure != "count" else None
    if measure not in MEASURES:
        raise UnknownName("measure", measure, MEASURES)
    if field is not None and field.kind.name not in GROUPABLE:
        raise Refused.because("not_groupable", _("“%(label)s” cannot be grouped by.", label=_(field.label)), by or "")
    key = _key(module, field) if field else None
    counted: list[ColumnElement[Any]] = [func.count()]
    if number is not None:
        plain = cast(module.column(number.name), BigInteger)
        counted += [func.count(plain), func.sum(plain), func.min(plain), func.max(plain)]
    chosen = search.ids(viewer, module, where).with_only_columns(*([key] if key is not None else []), *counted)
    if key is not None:
        chosen = chosen.group_by(key).limit(MOST_GROUPS)
    rows = [tuple(row) if key is not None else (None, *row) for row in db.session.execute(chosen)]
    gathered = _gathered(rows, field, step)
    labels = labels_of(viewer, [one for one in gathered if one is not None]) if field and field.is_link else {}
    groups = [
        Group(one, _label(field, one, labels), _value(measure, number, sums), sums[0]) for one, sums in gathered.items()
    ]
    return sorted(groups, key=lambda group: _order(field, group))


def _field(query: Query, name: str) -> Field:
    found = query.resolve(name) if "." not in name else None
    if found is None:
        raise UnknownName("field", name, query.seen)
    return found[0]


def _number(query: Query, name: str | None) -> Field:
    field = _field(query, name or "")
    if field.kind.name not in NUMBERS:
        raise Refused.because("not_a_number", _("“%(label)s” is no number.", label=_(field.label)), field.name)
    return field


def _key(module: Module, field: Field) -> ColumnElement[Any]:
    """What is grouped by; of a moment the hour, from which the day in the site's zone is known."""
    column = module.column(field.name)
    if field.kind.name == "checkbox":
        return cast(column, Integer)
    if field.kind.name != "moment" or field.custom:
        return column
    if db.engine.dialect.name == "sqlite":
        return func.strftime("%Y-%m-%dT%H", column)
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24')


Sums = list[Any]


def _gathered(rows: list[tuple[Any, ...]], field: Field | None, step: Step) -> dict[Any, Sums]:
    """Sums by key: hours and days put together into steps."""
    found: dict[Any, Sums] = {}
    zone = ZoneInfo(clock.site_zone())
    for raw, *sums in rows:
        key = raw
        if field is not None and raw is not None:
            key = _read(field, raw, zone, step)
        if key not in found:
            found[key] = list(sums)
            continue
        kept = found[key]
        for place, pick in enumerate((_add, _add, _add, _least, _most)[: len(kept)]):
            kept[place] = pick(kept[place], sums[place])
    return found


def _read(field: Field, raw: Any, zone: ZoneInfo, step: Step) -> Any:
    kind = field.kind.name
    if kind == "checkbox":
        return bool(raw)
    if kind == "day":
        return FIRSTS[step](date.fromisoformat(raw) if isinstance(raw, str) else raw)
    if kind == "moment":
        moment = datetime.fromisoformat(raw[:13] + ":00:00").replace(tzinfo=UTC)
        return FIRSTS[step](moment.astimezone(zone).date())
    return raw


def _add(one: Any, other: Any) -> Any:
    return (one or 0) + (other or 0)


def _least(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else min(one, other)


def _most(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else max(one, other)


def _value(measure: str, number: Field | None, sums: Sums) -> Any:
    """The number that was asked for, as a Decimal for those with decimals; None where there is nothing to measure."""
    if number is None:
        return sums[0]
    _all, count, total, least, most = sums
    if not count:
        return 0 if measure == "sum" else None
    scaled = 4 if number.kind.is_scaled else 0
    if measure == "average":
        return (Decimal(int(total)) / count).scaleb(-scaled)
    value = int({"sum": total, "least": least, "most": most}[measure])
    return Decimal(value).scaleb(-scaled) if scaled else value


def _label(field: Field | None, key: Any, labels: dict[int, str]) -> str:
    if field is None:
        return ""
    if key is None:
        return _("(empty)")
    if field.picklist:
        return _(picklists.label(field.picklist, key))
    if field.is_link:
        return labels.get(key, _("(hidden)"))
    if field.kind.name == "checkbox":
        return _("yes") if key else _("no")
    return key.isoformat() if isinstance(key, date) else str(key)


def _order(field: Field | None, group: Group) -> tuple[Any, ...]:
    if group.key is None:
        return (1,)
    if field is not None and field.picklist:
        keys = [choice.key for choice in picklists.choices(field.picklist)]
        return (0, keys.index(group.key) if group.key in keys else len(keys), group.key)
    if field is not None and (field.is_link or field.kind.is_text):
        return (0, group.label.lower(), str(group.key))
    return (0, group.key)
