"""The reading door. Every read of every module goes through here and carries the viewer's rights in the query.

The number of queries does not grow with the rows: one for the rows, one for the labels of their links (and one for each
linked module in which the viewer does not see everything), one for the count.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import walks, ways
from crm.engine.asked import CAP, KNOWN, Asked, alive, all_fitting, ask, read_whole, rights, wanted_parts
from crm.engine.module import Module
from crm.engine.permissions import demand, may
from crm.engine.query import LIMIT, Query, Way
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.remembered import composed
from crm.engine.rows import Page, Row, name_links
from crm.identity.viewer import Viewer
from crm.words import _

__all__ = ["Page", "Row", "count", "exists", "find", "ids", "one"]

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
    asked = ask(viewer, module, where, text, columns, sort, bin, within)
    query = asked.query
    fit, known = ways.tried(asked.trial) if asked.is_narrowed and count != "none" else (None, None)
    way: Way = "any"
    if known is not None:
        way = "known"
    elif query.walks and not bin and (count != "none" or not asked.is_narrowed):
        way = "along"
    found = _rows(asked, way, known, after, limit + 1, offset) if known != [] else []
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
            page.total, page.at_least = _total(asked.fitting, count == "exact")
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
    said = [*alive(module, bin), *rights(viewer, module, known), those]
    return query, query.base(*query.picked).where(*said)


def ids(
    viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None, known: str = ""
) -> Select[tuple[int]]:
    """A Select of the ids of the records that fit, the viewer's rights in it, to be used in other statements.

    `known`: a link that the caller ties to a record which the viewer was just found to see (permissions.scope).
    """
    return _ids(viewer, _module(module), where, text, known=known)


def all_ids(viewer: Viewer, module: Module | str, where: Any = None) -> Select[tuple[int]]:
    """As `ids`, for a statement that takes in all of them at once: it may read the whole table."""
    module = _module(module)
    wanted, living, narrowing = wanted_parts(viewer, module, where, None, None), alive(module), rights(viewer, module)
    return read_whole(all_fitting(module, living, narrowing, wanted, False), module, living, narrowing, wanted)


def ids_among(viewer: Viewer, module: Module | str, where: Any, those: ColumnElement[bool]) -> tuple[Select[Any], bool]:
    """The same of few records, which the condition `those` on the module's ids names: whatever `where` asks for is looked up
    for each of them. Also whether it means the same at any time, so that it may be kept."""
    module = _module(module)
    wanted = wanted_parts(viewer, module, where, None, None, each=True)
    said = [*alive(module), *rights(viewer, module), *(one.sql for one in wanted)]
    few = select(module.table.c.id).where(those, *map(ways.tested, said))
    return few, all(one.is_timeless for one in wanted)


def count(viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None, exact: bool = True) -> int:
    """How many records fit; not `exact`: at most 10,001 are counted."""
    total, at_least = _total(_ids(viewer, _module(module), where, text), exact)
    return total + at_least


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module


def _ids(viewer: Viewer, module: Module, where: Any, text: str | None, known: str = "") -> Select[tuple[int]]:
    wanted = wanted_parts(viewer, module, where, text, None)
    return all_fitting(module, alive(module), rights(viewer, module, known), wanted, False)


def _rows(asked: Asked, way: Way, known: list[int] | None, after: str | None, wanted: int, offset: int) -> list[Any]:
    found: list[Any] = []
    if way == "along" and not offset and asked.is_tested and walks.is_large(asked.query.table):
        for one in asked.walks(after):
            if len(found) < wanted:
                found += one.rows(wanted - len(found))
        return found
    those = {} if known is None else {KNOWN: ways.keys(known)}
    for statement in asked.pages(way, after, offset):
        if len(found) < wanted:
            found += db.session.execute(statement, those | {LIMIT: wanted - len(found)}).all()
    return found


def _total(said: Select[tuple[int]], exact: bool) -> tuple[int, bool]:
    said = said.order_by(None)
    if not exact:
        return _capped(ways.counted(said, CAP + 1), exact)
    return _capped(db.session.execute(select(func.count()).select_from(said.subquery())).scalar() or 0, exact)


def _capped(total: int, exact: bool) -> tuple[int, bool]:
    return (CAP, True) if not exact and total > CAP else (total, False)
