"""What is asked of a list, as SQL: what fits, and the statements of its pages. It is composed once for all pages that a viewer
asks alike, because to compose them takes longer than to run them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Select, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.visitors import iterate

from crm.engine import conditions, text_index, ways
from crm.engine.conditions import Part
from crm.engine.module import Module
from crm.engine.permissions import readable, scope
from crm.engine.query import Query, Way
from crm.engine.remembered import composed
from crm.identity.viewer import Viewer

CAP = 10_000
FEW_VALUES = {"picklist", "checkbox"}  # an index of such a column says little
KNOWN = "known_ids"  # the parameter for the rows to which the way "known" leads


@dataclass
class Asked:
    """What the pages of a list are made from. It is composed once for all that a viewer asks alike (engine.remembered)."""

    query: Query
    living: list[ColumnElement[bool]]
    narrowing: list[ColumnElement[bool]]
    wanted: list[Part]
    fitting: Select[tuple[int]]
    trial: Select[tuple[int, Any]]
    first_pages: dict[Way, list[Select[Any]]] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.narrowing or self.wanted)

    @property
    def is_timeless(self) -> bool:
        return all(one.is_timeless for one in self.wanted)

    def pages(self, way: Way, after: str | None, offset: int) -> Iterable[Select[Any]]:
        """The statements of a page (Query.pages); those that the way "known" leads to are the parameter KNOWN."""
        if after is not None or offset:
            return self.query.pages(self._conditions(way), after, offset, way)
        if way not in self.first_pages:
            self.first_pages[way] = list(self.query.pages(self._conditions(way), None, 0, way))
        return self.first_pages[way]

    def _conditions(self, way: Way) -> list[ColumnElement[bool]]:
        if way == "known":
            return [*self.living, *self.narrowing, ways.given(self.query.table.c.id, KNOWN)]
        return [*self.living, *_widely(self.query, self.narrowing, self.wanted, way)]


def ask(
    viewer: Viewer, module: Module, where: Any, text: str | None, columns: Sequence[str] | None, sort: Sequence[str],
    bin: bool, within: Any,
) -> Asked:  # fmt: skip
    """What `search.find` is asked for, with its parameters. Raises BadCondition, UnknownName, Refused."""

    def make() -> Asked:
        query = Query(viewer, module)
        query.pick(module.columns if columns is None else columns)
        query.order(sort or _open_sort(query, module))
        living, narrowing = alive(module, bin), rights(viewer, module)
        wanted = wanted_parts(viewer, module, where, text, within)
        fitting = all_fitting(module, living, narrowing, wanted, bin)
        return Asked(query, living, narrowing, wanted, fitting, ways.trial(fitting, CAP + 1))

    if text or within is not None:  # hardly ever asked again
        return make()
    try:
        said = json.dumps(where)
    except (TypeError, ValueError, RecursionError):  # holds what only Python knows, or is no condition at all
        return make()
    key = ("list", module.key, said, None if columns is None else tuple(columns), tuple(sort), bin)
    return composed(viewer, key, make, lasts=lambda asked: asked.is_timeless)


def _open_sort(query: Query, module: Module) -> Sequence[str]:
    """The module's own order, as far as the viewer may read what it is by."""
    fields = [name for name in module.sort if query.resolve(name.lstrip("-")) is not None]
    return fields if fields or "created_at" not in query.seen else ("-created_at",)


def all_fitting(
    module: Module,
    living: list[ColumnElement[bool]],
    narrowing: list[ColumnElement[bool]],
    wanted: list[Part],
    bin: bool,
) -> Select[tuple[int]]:
    """The ids of what fits, in whatever order. Where an index serves what is asked for, it holds the owner too: on SQLite rights
    don't lead past it to all that the viewer may see, and no field of few values does to most of the table."""
    held = {one.field for one in wanted if ways.is_held(module, one.field)}
    few_values = {name for name in held if module.fields[name].kind.name in FEW_VALUES}
    if held:
        narrowing = [ways.plainly(one) for one in narrowing]
    beside = few_values if held - few_values else set()
    asked = (ways.plainly(one.sql) if one.field in beside else one.sql for one in wanted)
    said = select(module.table.c.id).where(*living, *narrowing, *asked)
    is_inside = bool(wanted) and _by_owner_only(narrowing, module) and all(one.is_inside for one in wanted)
    return ways.read_in_index(said, module.table, wanted[0].field) if is_inside and living and not bin else said


def _by_owner_only(narrowing: list[ColumnElement[bool]], module: Module) -> bool:
    """Whether rights ask for nothing of a record but its owner, whom the indexes of lists hold."""
    columns = [one for said in narrowing for one in iterate(said) if isinstance(one, Column)]
    return all(column.table is module.table and column.name == "owner_id" for column in columns)


def alive(module: Module, bin: bool = False) -> list[ColumnElement[bool]]:
    """That a record is there, or with `bin` that it was deleted; nothing where that is not kept."""
    table = module.table
    if "deleted_at" not in table.c:
        return []
    return [table.c.deleted_at.is_not(None) if bin else table.c.deleted_at.is_(None)]


def rights(viewer: Viewer, module: Module, known: str = "") -> list[ColumnElement[bool]]:
    """What rights ask of a record that `viewer` is to see; nothing where all of them may be seen. `known`: permissions.scope."""
    narrowing = scope(viewer, module, known=known)
    return [] if narrowing is None else [narrowing]


def wanted_parts(
    viewer: Viewer, module: Module, where: Any, text: str | None, within: Any, each: bool = False
) -> list[Part]:
    """The conditions and words asked for, and the ids to look among; `each`: the statement names the few records it asks
    about. Raises BadCondition, Refused."""
    said = conditions.parts(where, module, viewer, each) if where else []
    if text and text.strip():
        said.append(Part("", text_index.condition(viewer, module, text, readable(viewer, module))))
    if within is not None:
        said.append(Part("", module.table.c.id.in_(within)))
    return said


def _widely(
    query: Query, narrowing: list[ColumnElement[bool]], wanted: list[Part], way: Way
) -> list[ColumnElement[bool]]:
    """Conditions that many fit. On a walk along an index only what is said of its own field leads the way; else no field
    of few values does, whose index is slower than the whole table."""
    fields = query.module.fields
    if way == "along":  # what a ledger's row belongs to stays a sub-select that PostgreSQL may join
        hint = ways.tested if query.module.is_record else ways.plainly
        beside = [(ways.tested if one.field else ways.plainly)(one.sql) for one in wanted if one.field != query.walks]
        return [*map(hint, narrowing), *beside, *(one.sql for one in wanted if one.field == query.walks)]
    few_values = {one.field for one in wanted if one.field in fields and fields[one.field].kind.name in FEW_VALUES}
    return narrowing + [ways.plainly(one.sql) if one.field in few_values else one.sql for one in wanted]
