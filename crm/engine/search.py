"""The reading door. Every read of every module goes through here and carries the viewer's rights in the query.

The number of queries does not grow with the rows: one for the rows, one for the labels of their links (and one for each
linked module in which the viewer does not see everything), one for the count.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Select, func, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import conditions, text_index
from crm.engine.module import Module
from crm.engine.permissions import demand, may, readable, scope
from crm.engine.query import Query
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Page, Row, name_links
from crm.identity.viewer import Viewer
from crm.words import _

__all__ = ["Page", "Row", "count", "exists", "find", "ids", "one"]

CAP = 10_000
MOST_ROWS = 10_000


def find(
    viewer: Viewer,
    module: Module | str,
    *,
    where: Any = None,
    columns: Sequence[str] | None = None,
    text: str | None = None,
    sort: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
    after: str | None = None,
    bin: bool = False,
    count: Literal["none", "capped", "exact"] = "capped",
    within: Any = None,
    also: Sequence[ColumnElement[bool]] = (),
    labels: bool = True,
) -> Page:
    """A page of records that `viewer` may see.

    `where`: conditions (crm/engine/conditions). `columns`: field names, "account.city" for those of a linked record
    (default: the module's). `text`: words that begin words of the record. `sort`: ("-amount", "name"). `after`: the `next`
    of the page before. `bin`: what was deleted instead. `within`: a Select of ids, or ids, to look among. `also`: more
    conditions as SQL over the module's table, and `labels`: whether links are to be named, for rooms of the engine.
    Raises Forbidden, BadCondition, UnknownName, Refused (search of one letter, bad cursor).
    """
    module = _module(module)
    demand(viewer, "view", module)
    if not 0 < limit <= MOST_ROWS or offset < 0:
        raise Refused.because("out_of_range", _("A page has 1 to %(most)s rows.", most=MOST_ROWS))
    query = Query(viewer, module)
    query.pick(module.columns if columns is None else columns)
    query.order(sort or _open_sort(query, module))
    said = [*_conditions(viewer, module, where, text, bin, within, steady=True), *also]
    found = db.session.execute(query.statement(said, after, limit + 1, offset)).all()
    page = Page([query.row(result) for result in found[:limit]])
    if len(found) > limit:
        page.next = query.cursor(found[limit - 1])
    if labels:
        name_links(viewer, page.rows, query.fields)
    if count != "none":
        if not page.next and after is None and (found or not offset):
            page.total = offset + len(found)
        else:
            page.total, page.at_least = _total(
                _ids(viewer, module, where, text, bin, within).where(*also), count == "exact"
            )
    return page


def one(viewer: Viewer, module: Module | str, id: int, columns: Sequence[str] | None = None, bin: bool = False) -> Row:
    """One record, by default with all fields that may be read. Raises Missing when absent, deleted or unreadable."""
    module = _module(module)
    if not may(viewer, "view", module) or not 0 < id < 2**63:
        raise Missing
    query = Query(viewer, module)
    query.pick([name for name in module.fields if name in query.seen] if columns is None else columns)
    said = [*_conditions(viewer, module, None, None, bin, None), module.table.c.id == id]
    result = db.session.execute(query.base(*query.picked).where(*said)).first()
    if result is None:
        raise Missing
    row = query.row(result)
    name_links(viewer, [row], query.fields)
    return row


def exists(viewer: Viewer, module: Module | str, id: int) -> bool:
    """Whether there is such a record that `viewer` may see."""
    module = _module(module)
    if not 0 < id < 2**63:
        return False
    return db.session.execute(_ids(viewer, module, None, None).where(module.table.c.id == id)).first() is not None


def ids(viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None) -> Select[tuple[int]]:
    """A Select of the ids of the records that fit, the viewer's rights in it, to be used in other statements."""
    return _ids(viewer, _module(module), where, text)


def count(viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None, exact: bool = True) -> int:
    """How many records fit; not `exact`: at most 10,001 are counted."""
    total, at_least = _total(_ids(viewer, _module(module), where, text), exact)
    return total + at_least


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module


def _open_sort(query: Query, module: Module) -> Sequence[str]:
    """The module's own order, as far as the viewer may read what it is by."""
    fields = [name for name in module.sort if query.resolve(name.lstrip("-")) is not None]
    return fields if fields or "created_at" not in query.seen else ("-created_at",)


def _ids(
    viewer: Viewer, module: Module, where: Any, text: str | None, bin: bool = False, within: Any = None
) -> Select[tuple[int]]:
    return select(module.table.c.id).where(*_conditions(viewer, module, where, text, bin, within))


def _conditions(
    viewer: Viewer, module: Module, where: Any, text: str | None, bin: bool, within: Any, steady: bool = False
) -> list[ColumnElement[bool]]:
    table = module.table
    said: list[ColumnElement[bool]] = []
    if "deleted_at" in table.c:
        said.append(table.c.deleted_at.is_not(None) if bin else table.c.deleted_at.is_(None))
    narrowing = scope(viewer, module)
    if narrowing is not None:
        said.append(narrowing)
    if where:
        said.append(conditions.compile(where, module, viewer, steady=steady))
    if text and text.strip():
        said.append(text_index.condition(viewer, module, text, readable(viewer, module)))
    if within is not None:
        said.append(table.c.id.in_(within))
    return said


def _total(said: Select[tuple[int]], exact: bool) -> tuple[int, bool]:
    if not exact:
        said = said.limit(CAP + 1)
    total = db.session.execute(select(func.count()).select_from(said.order_by(None).subquery())).scalar() or 0
    return (CAP, True) if not exact and total > CAP else (total, False)
