"""What is asked of a list, as SQL: what fits, and the statements of its pages. It is composed once for all pages that a viewer
asks alike, because to compose them takes longer than to run them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Select, func, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.visitors import iterate

from crm.db import db
from crm.engine import conditions, text_index, ways
from crm.engine.conditions import Part
from crm.engine.module import Module
from crm.engine.permissions import readable, scope
from crm.engine.query import Query, Way
from crm.engine.remembered import composed
from crm.engine.walks import Walk
from crm.identity.viewer import Viewer

CAP = 10_000
FEW_VALUES = {"picklist", "checkbox"}  # an index of such a column says little
MANY = 50_000  # rows; to look fewer up by an index takes no time worth a thought
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
    first_walks: list[Walk] = field(default_factory=list)

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

    @property
    def is_tested(self) -> bool:
        """Whether rows all along the index of the order are asked for what that index does not tell."""
        if self.query.sort_joins or _leading(self.query, self.wanted):
            return False
        return bool(_tested(self.query, self.narrowing, self.wanted))

    def walks(self, after: str | None) -> list[Walk]:
        """The same of pages along the index of the order, each as a walk that ends in time."""
        if after is None and self.first_walks:
            return self.first_walks
        tested = _tested(self.query, self.narrowing, self.wanted)
        asked = [*self.narrowing, *(one.sql for one in self.wanted)]
        parts = self.query.stretches(self.living, after, 0, "along")
        found = [Walk(self.query, part, tested, asked, self.fitting) for part in parts]
        if after is None:
            self.first_walks = found
        return found

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
    ranked = sorted(wanted, key=lambda one: _dearness(module, one))  # SQLite asks in this order
    asked = (ways.plainly(one.sql) if one.field in beside else one.sql for one in ranked)
    said = select(module.table.c.id).where(*living, *narrowing, *asked)
    is_inside = bool(wanted) and _by_owner_only(narrowing, module) and all(one.is_inside for one in wanted)
    return ways.read_in_index(said, module.table, wanted[0].field) if is_inside and living and not bin else said


def _dearness(module: Module, part: Part) -> int:
    """What it takes to ask a row for a condition: a value as it is, a text to be folded, a custom field, other tables."""
    field = module.fields.get(part.field)
    if field is None:
        return 3
    return 2 if field.custom else int(field.kind.is_text)


def read_whole(
    said: Select[tuple[int]],
    module: Module,
    living: list[ColumnElement[bool]],
    narrowing: list[ColumnElement[bool]],
    wanted: list[Part],
) -> Select[tuple[int]]:
    """What `all_fitting` gave, when all of it is wanted: on SQLite the table is read from its beginning to its end where no index
    leads to less than a quarter of it. To look that many rows up by an index takes half as long again.

    How many each index leads to is counted in the index alone (400,000 entries in 16 ms).
    """
    if db.engine.dialect.name != "sqlite" or any(one.is_inside for one in wanted):
        return said
    if not _by_owner_only(narrowing, module):
        return said
    id = module.table.c.id
    leading = [select(id).where(*living, one.sql) for one in wanted if ways.is_held(module, one.field)]
    leading += [select(id).where(*narrowing)] if narrowing else []
    if not leading or any(ways.counted(one, MANY) < MANY for one in leading):
        return said
    quarter = (db.session.execute(select(func.count()).select_from(module.table)).scalar() or 0) // 4
    if any(ways.counted(one, quarter) < quarter for one in leading):
        return said
    return said.with_hint(module.table, "NOT INDEXED", "sqlite")


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
    if way == "along":
        return [*_tested(query, narrowing, wanted), *_leading(query, wanted)]
    fields = query.module.fields
    few_values = {one.field for one in wanted if one.field in fields and fields[one.field].kind.name in FEW_VALUES}
    return narrowing + [ways.plainly(one.sql) if one.field in few_values else one.sql for one in wanted]


def _leading(query: Query, wanted: list[Part]) -> list[ColumnElement[bool]]:
    """What is said of the field along whose index the rows are walked."""
    return [one.sql for one in wanted if one.field == query.walks]


def _tested(query: Query, narrowing: list[ColumnElement[bool]], wanted: list[Part]) -> list[ColumnElement[bool]]:
    """What rows are asked for that are walked to. What a ledger's row belongs to stays a sub-select that PostgreSQL may join."""
    hint = ways.tested if query.module.is_record else ways.plainly
    beside = [(ways.tested if one.field else ways.plainly)(one.sql) for one in wanted if one.field != query.walks]
    return [*map(hint, narrowing), *beside]
