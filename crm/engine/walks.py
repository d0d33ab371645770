"""A walk along the index of an order that looks at so many rows and no more.

Whether what is asked for stands near the beginning of an order no database knows: of people who were imported together, sorted by the
day on which they came, all may stand at its end, behind a million others. So a walk goes as far as NEAR rows. What is wanted still is
found another way: SQLite gathers the ids of all that fits in the index of its conditions and goes on in the index of the order alone;
PostgreSQL gathers the rows and sorts them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Integer, Select, bindparam, literal_column, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import ways
from crm.engine.order import Stretch, beyond, until
from crm.engine.query import LIMIT, Query

NEAR = 20_000  # at a million records a page of more than ways.FEW that stand anywhere is found within 17,000
LARGE = 50_000  # rows of a table from which on a whole walk takes longer than to ask where it may end
LASTS_SECONDS = 600

_sizes: WeakKeyDictionary[Any, dict[str, tuple[float, bool]]] = WeakKeyDictionary()  # by engine, then table


@dataclass
class Walk:
    """The statements of a stretch: where its near part ends, what is in that, what is behind it, and all in one.

    `asked`: the conditions beside those of the stretch; `tested`: the same, said so that no other index is taken for them;
    `fitting`: the ids of all that fits.
    """

    query: Query
    part: Stretch
    tested: Sequence[ColumnElement[bool]]
    asked: Sequence[ColumnElement[bool]]
    fitting: Select[tuple[int]]

    def rows(self, wanted: int) -> list[Any]:
        """The first `wanted` rows that fit, in order."""
        place = db.session.execute(self.end).first()
        if place is None or None in tuple(place):
            return list(db.session.execute(self.whole, {LIMIT: wanted}).all())
        end = {f"end_{number}": value for number, value in enumerate(place)}
        found = list(db.session.execute(self.near, end | {LIMIT: wanted}).all())
        if len(found) < wanted:
            with ways.by_its_values():
                found += db.session.execute(self.far, end | {LIMIT: wanted - len(found)}).all()
        return found

    @cached_property
    def end(self) -> Select[Any]:
        keys = self.part.order
        last = select(*(key.expression for key in keys)).where(*self.part.frame)
        last = last.order_by(*(key.order() for key in keys))
        return ways.at_most(last, 1).offset(literal_column(str(NEAR), Integer))

    @cached_property
    def near(self) -> Select[Any]:
        return self.query.statement(self._with(until(self._place, self.part.order)), self.tested)

    @cached_property
    def far(self) -> Select[Any]:
        behind = self._with(beyond(self._place, self.part.order))
        if db.engine.dialect.name == "sqlite":
            return self.query.statement(behind, [ways.tested(self.query.table.c.id.in_(self.fitting))])
        return self.query.statement(behind, self.asked, is_gathered=True)

    @cached_property
    def whole(self) -> Select[Any]:
        return self.query.statement(self.part, self.tested)

    @cached_property
    def _place(self) -> list[ColumnElement[Any]]:
        """The values at the end of the near part, as parameters."""
        keys = self.part.order
        return [bindparam(f"end_{number}", type_=key.expression.type) for number, key in enumerate(keys)]

    def _with(self, *more: ColumnElement[bool]) -> Stretch:
        return Stretch([*self.part.frame, *more], self.part.keys, self.part.order)


def is_large(table: Any) -> bool:
    """Whether a table has so many rows that it matters; it is looked at again after ten minutes."""
    known = _sizes.setdefault(db.engine, {})
    at, found = known.get(table.name, (0.0, False))
    if not at or time.monotonic() - at > LASTS_SECONDS:
        found = ways.counted(select(table.c.id), LARGE) >= LARGE
        known[table.name] = (time.monotonic(), found)
    return found
