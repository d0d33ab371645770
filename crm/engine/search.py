"""The reading door. Every read of every module goes through here and carries the viewer's rights in the query.

The number of queries does not grow with the rows: one for the rows, one for the labels of their links (and one for each
linked module in which the viewer does not see everything), one for the count.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Column, Select, bindparam, func, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.visitors import iterate

from crm.db import db
from crm.engine import conditions, text_index, ways
from crm.engine.conditions import Part
from crm.engine.module import Module
from crm.engine.permissions import demand, may, readable, scope
from crm.engine.query import Query, Way
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.remembered import composed
from crm.engine.rows import Page, Row, name_links
from crm.identity.viewer import Viewer
from crm.words import _

__all__ = ["Page", "Row", "count", "exists", "find", "ids", "one"]

CAP = 10_000
MOST_ROWS = 10_000
FEW_VALUES = {"picklist", "checkbox"}  # an index of such a column says little


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
    labels: bool = True,
) -> Page:
    """A page of records that `viewer` may see.

    `where`: conditions (crm/engine/conditions). `columns`: field names, "account.city" for those of a linked record
    (default: the module's). `text`: words that begin words of the record. `sort`: ("-amount", "name"). `after`: the `next`
    of the page before. `bin`: what was deleted instead. `within`: a Select of ids, or ids, to look among. `labels`:
    whether links are to be named.
    Raises Forbidden, BadCondition, UnknownName, Refused (search of one letter, bad cursor).
    """
    module = _module(module)
    demand(viewer, "view", module)
    if not 0 < limit <= MOST_ROWS or offset < 0:
        raise Refused.because("out_of_range", _("A page has 1 to %(most)s rows.", most=MOST_ROWS))
    query = Query(viewer, module)
    query.pick(module.columns if columns is None else columns)
    query.order(sort or _open_sort(query, module))
    living, narrowing = _living(module, bin), _narrowing(viewer, module)
    wanted = _wanted(viewer, module, where, text, within)
    fitting = _fitting(module, living, narrowing, wanted, bin)
    is_narrowed = bool(narrowing or wanted)
    fit, known = ways.tried(fitting, CAP + 1) if is_narrowed and count != "none" else (None, None)
    way: Way = "any"
    if known is not None:
        way, said = "known", [*living, *narrowing, ways.among(module.table.c.id, known)]
    else:
        if query.walks and not bin and (count != "none" or not is_narrowed):
            way = "along"
        said = [*living, *_widely(query, narrowing, wanted, way)]
    found = _rows(query, said, after, limit + 1, offset, way) if known != [] else []
    page = Page([query.row(result) for result in found[:limit]])
    if len(found) > limit:
        page.next = query.cursor(found[limit - 1])
    if labels:
        name_links(viewer, page.rows, query.fields)
    if count != "none":
        if fit is not None and (count == "capped" or fit <= CAP):
            page.total, page.at_least = _capped(fit, False)
        elif not page.next and after is None and (found or not offset):
            page.total = offset + len(found)
        else:
            page.total, page.at_least = _total(fitting, count == "exact")
    return page


def one(viewer: Viewer, module: Module | str, id: int, columns: Sequence[str] | None = None, bin: bool = False) -> Row:
    """One record, by default with all fields that may be read. Raises Missing when absent, deleted or unreadable."""
    module = _module(module)
    if not may(viewer, "view", module) or not 0 < id < 2**63:
        raise Missing
    wanted = None if columns is None else tuple(columns)
    by_id = module.table.c.id == bindparam("id")
    query, said = composed(
        viewer, ("one", module.key, wanted, bin), lambda: _simply(viewer, module, wanted, by_id, bin)
    )
    result = db.session.execute(said, {"id": id}).first()
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


def some(
    viewer: Viewer, module: Module | str, ids: Sequence[int], columns: Sequence[str], known: str = ""
) -> list[Row]:
    """Those of a few records that `viewer` may see, by their ids, in whatever order; their links are not named.

    `known`: as for `ids`.
    """
    module = _module(module)
    wanted = tuple(columns)
    among = ways.given(module.table.c.id, "ids")
    query, said = composed(
        viewer, ("some", module.key, wanted, known), lambda: _simply(viewer, module, wanted, among, known=known)
    )
    return [query.row(result) for result in db.session.execute(said, {"ids": ways.keys(ids)})]


def _simply(
    viewer: Viewer,
    module: Module,
    columns: Sequence[str] | None,
    those: ColumnElement[bool],
    bin: bool = False,
    known: str = "",
) -> tuple[Query, Select[Any]]:
    """The rows that a condition on ids names, with these columns (None: all that may be read), in whatever order."""
    query = Query(viewer, module)
    query.pick([name for name in module.fields if name in query.seen] if columns is None else columns)
    said = [*_living(module, bin), *_narrowing(viewer, module, known), those]
    return query, query.base(*query.picked).where(*said)


def ids(
    viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None, known: str = ""
) -> Select[tuple[int]]:
    """A Select of the ids of the records that fit, the viewer's rights in it, to be used in other statements.

    `known`: a link that the caller ties to a record which the viewer was just found to see (permissions.scope).
    """
    return _ids(viewer, _module(module), where, text, known=known)


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


def _ids(viewer: Viewer, module: Module, where: Any, text: str | None, known: str = "") -> Select[tuple[int]]:
    wanted = _wanted(viewer, module, where, text, None)
    return _fitting(module, _living(module, False), _narrowing(viewer, module, known), wanted, False)


def _fitting(
    module: Module,
    living: list[ColumnElement[bool]],
    narrowing: list[ColumnElement[bool]],
    wanted: list[Part],
    bin: bool,
) -> Select[tuple[int]]:
    """The ids of what fits, in whatever order. Where an index serves what is asked for, it holds the owner too: on SQLite rights
    don't lead past it to all that the viewer may see."""
    if any(ways.is_held(module, one.field) for one in wanted):
        narrowing = [ways.plainly(one) for one in narrowing]
    said = select(module.table.c.id).where(*living, *narrowing, *(one.sql for one in wanted))
    is_inside = bool(wanted) and _by_owner_only(narrowing, module) and all(one.is_inside for one in wanted)
    return ways.read_in_index(said, module.table, wanted[0].field) if is_inside and living and not bin else said


def _by_owner_only(narrowing: list[ColumnElement[bool]], module: Module) -> bool:
    """Whether rights ask for nothing of a record but its owner, whom the indexes of lists hold."""
    columns = [one for said in narrowing for one in iterate(said) if isinstance(one, Column)]
    return all(column.table is module.table and column.name == "owner_id" for column in columns)


def _living(module: Module, bin: bool) -> list[ColumnElement[bool]]:
    table = module.table
    if "deleted_at" not in table.c:
        return []
    return [table.c.deleted_at.is_not(None) if bin else table.c.deleted_at.is_(None)]


def _narrowing(viewer: Viewer, module: Module, known: str = "") -> list[ColumnElement[bool]]:
    narrowing = scope(viewer, module, known=known)
    return [] if narrowing is None else [narrowing]


def _wanted(viewer: Viewer, module: Module, where: Any, text: str | None, within: Any) -> list[Part]:
    """What is asked for."""
    said = conditions.parts(where, module, viewer) if where else []
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
        rights = ways.tested if query.module.is_record else ways.plainly
        beside = [(ways.tested if one.field else ways.plainly)(one.sql) for one in wanted if one.field != query.walks]
        return [*map(rights, narrowing), *beside, *(one.sql for one in wanted if one.field == query.walks)]
    few_values = {one.field for one in wanted if one.field in fields and fields[one.field].kind.name in FEW_VALUES}
    return narrowing + [ways.plainly(one.sql) if one.field in few_values else one.sql for one in wanted]


def _rows(
    query: Query, said: list[ColumnElement[bool]], after: str | None, wanted: int, offset: int, way: Way
) -> list[Any]:
    found: list[Any] = []
    for statement in query.pages(said, after, offset, way):
        if len(found) < wanted:
            found += db.session.execute(statement(wanted - len(found))).all()
    return found


def _total(said: Select[tuple[int]], exact: bool) -> tuple[int, bool]:
    if not exact:
        said = ways.at_most(said, CAP + 1)
    total = db.session.execute(select(func.count()).select_from(said.order_by(None).subquery())).scalar() or 0
    return _capped(total, exact)


def _capped(total: int, exact: bool) -> tuple[int, bool]:
    return (CAP, True) if not exact and total > CAP else (total, False)
