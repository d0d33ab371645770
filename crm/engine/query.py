"""The one Select of a page: columns (own, custom, of linked records), order with keyset, rights and conditions."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Integer, Select, Text, and_, bindparam, literal_column, or_, select, type_coerce
from sqlalchemy.sql import ColumnElement

from crm.db import Entity, fold
from crm.engine import ways
from crm.engine.conditions.nodes import ID
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.order import Key, Stretch, beyond, read_cursor, write_cursor
from crm.engine.permissions import may, readable, scope
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer

Way = Literal["known", "along", "any"]  # by ids that are known, along the index of the order, as the database likes
ALWAYS = ("number", "version", "deleted_at")
LIMIT = "page_limit"  # the parameter of a page's statement: how many rows are wanted


class Query:
    """Builds the Select of rows of one module for one viewer, and makes rows of what it gives."""

    def __init__(self, viewer: Viewer, module: Module) -> None:
        self.viewer, self.module, self.table = viewer, module, module.table
        self.seen = readable(viewer, module)
        self.joins: dict[str, tuple[Module, Any, frozenset[str], Any]] = {}  # by relation, for what is shown
        self.sort_joins: dict[str, tuple[Module, Any, frozenset[str], Any]] = {}  # for the order
        self.picked: list[ColumnElement[Any]] = [self.table.c.id]
        self.places: dict[str, int] = {}  # column name → place in the result
        self.extras: dict[str, tuple[int, Field]] = {}  # custom column → place of `extra`, field
        self.fields: dict[str, Field] = {}  # the readable ones of the columns asked for
        self.hidden: list[str] = []  # asked for, not readable
        self.keys: list[Key] = []
        self.keys_at = 0
        self.sort: tuple[str, ...] = ()

    # columns

    def pick(self, names: Sequence[str]) -> None:
        """Take columns into the Select. Raises UnknownName for one that the module does not have."""
        for name in names:
            self._pick(name, name)
        for name in self.module.titles:
            if name in self.seen and name not in self.fields:
                self._pick(name, f" {name}")
        for name in ALWAYS:
            if name in self.table.c:
                self._place(f" {name}", self.table.c[name])

    def _pick(self, name: str, called: str) -> None:
        if name == "id":
            return
        found = self.resolve(name)
        if found is None:
            self.hidden.append(called)
            return
        field, table, _seen = found
        if not called.startswith(" "):
            self.fields[called] = field
        if field.custom:
            self.extras[called] = (self._place(f" {table.name} extra", table.c.extra), field)
        else:
            self._place(called, table.c[field.name])

    def _place(self, called: str, column: ColumnElement[Any]) -> int:
        if called not in self.places:
            self.places[called] = len(self.picked)
            self.picked.append(column)
        return self.places[called]

    def resolve(self, name: str, to_sort: bool = False) -> tuple[Field, Any, bool] | None:
        """(field, the table it is in, whether by a link) of `name` or "relation.name"; None when it may not be read."""
        first, dot, rest = name.partition(".")
        if not dot:
            if name == "id":
                return ID, self.table, False
            field = self.module.field(name)
            return (field, self.table, False) if field.name in self.seen else None
        relations = self.module.relations
        through = relations.get(first)
        if through is None or len(through.to) != 1 or through.to[0] not in modules:
            raise UnknownName("relation", first, [key for key, said in relations.items() if len(said.to) == 1])
        target = modules[through.to[0]]
        field = target.field(rest)
        if through.name not in self.seen or not may(self.viewer, "view", target):
            return None
        alias, seen = self._join(self.sort_joins if to_sort else self.joins, first, through, target)
        return (field, alias, True) if field.name in seen else None

    def _join(
        self, joins: dict[str, tuple[Module, Any, frozenset[str], Any]], name: str, through: Field, target: Module
    ) -> tuple[Any, frozenset[str]]:
        """The linked record's table, joined under the viewer's rights: what may not be read is as if it were absent."""
        if name not in joins:
            alias = target.table.alias(f"of_{name}")
            on = [alias.c.id == self.module.column(through.name)]
            if "deleted_at" in alias.c:
                on.append(alias.c.deleted_at.is_(None))
            narrowing = scope(self.viewer, target, "view", alias)
            if narrowing is not None:
                on.append(narrowing)
            joins[name] = (target, alias, readable(self.viewer, target), and_(*on))
        _module, alias, seen, _on = joins[name]
        return alias, seen

    # order

    def order(self, names: Sequence[str]) -> None:
        """Set the order: field names, "-" before the descending ones; always ends with the id. Raises UnknownName."""
        self.sort = tuple(names)
        descending = bool(names) and names[0].startswith("-")
        for name in names:
            if name.lstrip("-") == "id":
                descending = name.startswith("-")
                break
            self.keys.append(self._key(name))
        self.keys.append(Key(self.table.c.id, descending, False))

    def _key(self, name: str) -> Key:
        plain = name.lstrip("-")
        found = self.resolve(plain, to_sort=True)
        if found is None:
            raise UnknownName("field", plain, self.seen)
        field, table, is_linked = found
        if field.kind.name in {"conditions", "file"}:
            raise UnknownName("sort", plain, self.seen)
        owner = self.module if not is_linked else self.sort_joins[plain.partition(".")[0]][0]
        column = table.c.id if field.name == "id" else owner.column(field.name, table)
        is_nullable = is_linked or field.custom or bool(getattr(column, "nullable", True))
        if field.is_link:
            column, is_nullable = self._label_of(plain, field, column), True
        elif field.kind.is_text:
            column = fold(column)
        elif field.kind.name == "multi":
            column = type_coerce(column, Text)
        is_walked = not is_linked and not field.is_link and ways.is_held(self.module, field.name)
        return Key(column, name.startswith("-"), is_nullable, field.name if is_walked else "")

    def _label_of(self, name: str, field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A link is sorted by what it shows: the label of what it points at, where that may be read."""
        cards = Entity.__table__.alias(f"label_{name.replace('.', '_')}")
        on = [cards.c.id == column, cards.c.deleted_at.is_(None)]
        for key in field.to:
            if field.kind.name == "link" and key in modules:
                target = modules[key]
                other = target.table.alias()
                narrowing = scope(self.viewer, target, "view", other)
                if narrowing is not None:
                    on.append(or_(cards.c.module != key, cards.c.id.in_(select(other.c.id).where(narrowing))))
        self.sort_joins[f"label of {name}"] = (self.module, cards, frozenset(), and_(*on))
        return fold(cards.c.label)

    # the statement

    def _source(self, source: Any, joins: dict[str, tuple[Module, Any, frozenset[str], Any]]) -> Any:
        for _module, alias, _fields, on in joins.values():
            source = source.outerjoin(alias, on)
        return source

    def base(self, *columns: Any) -> Select[Any]:
        """A Select of `columns` from the table and its joins."""
        return select(*columns).select_from(self._source(self.table, self.joins))

    @property
    def walks(self) -> str:
        """The field along whose index the rows can be walked; "" when no index has the order."""
        return self.keys[0].field

    def pages(
        self, conditions: Sequence[ColumnElement[bool]], after: str | None, offset: int, way: Way
    ) -> Iterator[Select[Any]]:
        """The statements that make the page together, each to be given how many rows are wanted still (parameter LIMIT)."""
        for part in self.stretches(conditions, after, offset, way):
            yield self.statement(part, offset=offset, is_known=way == "known")

    def stretches(
        self, conditions: Sequence[ColumnElement[bool]], after: str | None, offset: int, way: Way
    ) -> Iterator[Stretch]:
        """It is one, but for a walk along an index that has the empty ones at the wrong end: these are a stretch of their own."""
        first = self.keys[0]
        if way != "along" or first.is_natural or offset:
            yield Stretch([*conditions, *self._after(after)], self.keys, self.keys)
            return
        said = [*conditions, *self._after(after)]
        if after is None or read_cursor(after, self.sort, self.keys)[0] is not None:
            filled = [Key(first.expression, first.descending, False), *self.keys[1:]]
            yield Stretch([*conditions, ways.is_there(first.expression), *self._after(after, filled)], filled, filled)
            said = [*conditions]
        yield Stretch([*said, first.expression.is_(None)], self.keys, self.keys[1:])

    def statement(
        self,
        part: Stretch,
        filters: Sequence[ColumnElement[bool]] = (),
        offset: int = 0,
        is_known: bool = False,
        is_gathered: bool = False,
    ) -> Select[Any]:
        """The rows of a stretch that pass the filters: first their ids in order, from the table and what the order needs; then what
        is shown of them.

        So a sort that no index serves carries keys only, and what is shown of linked records is joined for the page.
        `is_gathered`: PostgreSQL is to find all that fit before it sorts them, and not to walk along the order.
        """
        keys = part.keys
        values = [key.expression.label(f"sort_{place}") for place, key in enumerate(keys)]
        inner = select(self.table.c.id.label("page_id"), *values)
        inner = inner.select_from(self._source(self.table, self.sort_joins)).where(*part.frame, *filters)
        order = part.order
        if is_gathered:
            fits = inner.offset(literal_column("0", Integer)).subquery("fits")
            inner = select(*fits.c)
            names = {id(key): f"sort_{place}" for place, key in enumerate(keys)}
            order = [Key(fits.c[names[id(key)]], key.descending, key.is_nullable) for key in order]
        inner = inner.order_by(*(key.order() for key in order)).limit(bindparam(LIMIT, type_=Integer()))
        if is_known:
            inner = inner.with_hint(self.table, "NOT INDEXED", "sqlite")
        page = (inner.offset(offset) if offset else inner).subquery("page")
        # by name: to ask a sub-select for its columns makes them anew, which takes longer than to run it
        own = literal_column("page.page_id", self.table.c.id.type)
        sorts = [literal_column(f"page.sort_{place}", key.expression.type) for place, key in enumerate(keys)]
        source = self._source(page.join(self.table, self.table.c.id == own), self.joins)
        found = select(*self.picked, *sorts).select_from(source)
        outer = (Key(sort, key.descending, key.is_nullable) for sort, key in zip(sorts, keys, strict=True))
        self.keys_at = len(self.picked)
        return found.order_by(*(key.order() for key in outer))

    def _after(self, cursor: str | None, keys: Sequence[Key] = ()) -> list[ColumnElement[bool]]:
        return [] if cursor is None else [beyond(read_cursor(cursor, self.sort, self.keys), keys or self.keys)]

    def cursor(self, result: Any) -> str:
        """The place of a result row in the order, as text."""
        return write_cursor(self.sort, result[self.keys_at : self.keys_at + len(self.keys)])

    # rows

    def row(self, result: Any) -> Row:
        """The row of one result of the statement."""
        places = self.places
        values = {name: result[place] for name, place in self.shown}
        for name, (place, field) in self.extras.items():
            values[name] = field.kind.unstore((result[place] or {}).get(field.name), field)
        values.update(dict.fromkeys(self.hidden))
        number = result[places[" number"]] if " number" in places and "number" in self.seen else None
        titles: dict[str, Any] = {"number": number}
        for name in self.module.titles:
            at = places.get(name, places.get(f" {name}"))
            titles[name] = values.get(name) if at is None else result[at]
        values["id"] = result[0]
        return Row(
            self.module.key,
            result[0],
            self.module.label_of(titles),
            values,
            number,
            (result[places[" version"]] if " version" in places else 0) or 0,
            result[places[" deleted_at"]] if " deleted_at" in places else None,
        )

    @cached_property
    def shown(self) -> list[tuple[str, int]]:
        """The columns that were asked for, with their places in a result; read once the statement is made."""
        return [(name, place) for name, place in self.places.items() if not name.startswith(" ")]
