"""Conditions as SQL: one expression over the module's table, linked records by sub-selects with the viewer's rights."""

from typing import Any, cast

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine.conditions.nodes import Has, Join, Node, Test
from crm.engine.module import Module
from crm.engine.permissions import scope
from crm.engine.registry import modules
from crm.identity.viewer import Viewer


class Writer:
    """Writes the SQL of nodes for one viewer. `each`: for a statement that names the few records it asks about."""

    def __init__(self, viewer: Viewer, each: bool = False) -> None:
        self.viewer, self.each = viewer, each

    def write(self, node: Node, table: Any, negated: bool = False) -> ColumnElement[bool]:
        """The condition on `table`; `negated`: where it does not hold. Never NULL in effect, see operators.py."""
        negated ^= node.negated
        if isinstance(node, Join):
            parts = [self.write(item, table, negated) for item in node.items]
            return or_(*parts) if node.is_any ^ negated else and_(*parts)
        if isinstance(node, Has):
            return self._has(node, table, negated)
        if node.through is not None and node.target is not None:
            other = node.target.table.alias()
            link = node.module.column(node.through.name, table)
            found = self._live(node.target, other).where(self._test(node, node.target, other, False))
            return self._linked(link, other.c.id, found, negated)
        return self._test(node, node.module, table, negated)

    def _test(self, node: Test, module: Module, table: Any, negated: bool) -> ColumnElement[bool]:
        field = node.field
        column = table.c.id if field.name == "id" else module.column(field.name, table)
        is_nullable = field.custom or (field.name != "id" and column.nullable)
        if field.kind.name == "checkbox" and is_nullable:
            column, is_nullable = func.coalesce(column, 0 if field.custom else False), False
        said = node.operator.sql(column, field, *node.values)
        if not negated:
            return said
        return or_(column.is_(None), not_(said)) if is_nullable else not_(said)

    def _live(self, module: Module, table: Any) -> Select[Any]:
        """The ids of a module's records that the viewer may see."""
        said = select(table.c.id)
        if "deleted_at" in table.c:
            said = said.where(table.c.deleted_at.is_(None))
        narrowing = scope(self.viewer, module, "view", table)
        return said if narrowing is None else said.where(narrowing)

    def _linked(
        self, link: ColumnElement[Any], far: ColumnElement[Any], found: Select[Any], negated: bool
    ) -> ColumnElement[bool]:
        """That `link` is one of `found`. As a set when it holds, as "there is none" when not: what databases do best.
        Of few records it is looked up for each: SQLite would gather the whole set for a single one."""
        if negated or self.each:
            there = found.where(far == link).exists()
            return ~there if negated else there
        return link.in_(found)

    def _has(self, node: Has, table: Any, negated: bool) -> ColumnElement[bool]:
        relation, target = node.relation, modules[node.relation.target]
        other = target.table.alias()
        found = self._live(target, other)
        if node.inner is not None:
            found = found.where(self.write(node.inner, other))
        if relation.kind == "one":
            return self._linked(node.module.column(relation.field, table), other.c.id, found, negated)
        if relation.kind == "children":
            back = target.column(relation.field, other)
            found = found.with_only_columns(back).where(back.is_not(None))
            return self._linked(table.c.id, back, found, negated)
        from crm.engine.relations import EntityLink, key_of

        pairs = EntityLink.__table__.alias()
        near, far = (pairs.c.a_id, pairs.c.b_id) if relation.is_forward else (pairs.c.b_id, pairs.c.a_id)
        found = (
            found.with_only_columns(near)
            .join_from(pairs, other, other.c.id == far)
            .where(pairs.c.relation == key_of(node.module.key, relation))
        )
        return self._linked(table.c.id, near, found, negated)


def is_linked_to(node: Node) -> bool:
    """Whether the condition asks for other records, so that values in memory are not enough."""
    if isinstance(node, Join):
        return any(is_linked_to(item) for item in node.items)
    return isinstance(node, Has) or node.through is not None


def holds_in_database(node: Test | Has, id: Any, link: Any) -> bool:
    """Whether the positive of a linked condition holds: of the stored record `id`, or of what `link` points at."""
    from crm.identity.viewer import SYSTEM

    writer = Writer(SYSTEM)
    if isinstance(node, Test):
        target = cast(Module, node.target)
        other = target.table.alias()
        said = writer._live(target, other).where(other.c.id == link)
        said = said.where(writer._test(node, target, other, False))
        return link is not None and db.session.execute(said.limit(1)).first() is not None
    if id is None and node.relation.kind != "one":
        return False
    if node.relation.kind == "one":
        target = modules[node.relation.target]
        other = target.table.alias()
        said = writer._live(target, other).where(other.c.id == link)
        if node.inner is not None:
            said = said.where(writer.write(node.inner, other))
        return link is not None and db.session.execute(said.limit(1)).first() is not None
    table = node.module.table
    said = select(table.c.id).where(table.c.id == id, writer._has(node, table, False))
    return db.session.execute(said).first() is not None
