"""Conditions tested on values in memory, with the meaning they have in SQL. What is linked is looked up."""

from collections.abc import Mapping
from typing import Any

from crm.engine.conditions.nodes import Has, Join, Node
from crm.engine.conditions.sql import holds_in_database


def holds(node: Node, values: Mapping[str, Any]) -> bool:
    """Whether `node` holds for a record with these Python values (fields that are not named are empty)."""
    if isinstance(node, Join):
        found = (any if node.is_any else all)(holds(item, values) for item in node.items)
        return found != node.negated
    if isinstance(node, Has):
        return holds_in_database(node, values.get("id"), values.get(node.relation.field)) != node.negated
    if node.through is not None:
        name = f"{node.through.relation}.{node.field.name}"
        if name not in values:
            return holds_in_database(node, values.get("id"), values.get(node.through.name)) != node.negated
        held = values[name]
    else:
        held = values.get(node.field.name)
    if held is None and node.field.kind.name == "checkbox":
        held = False
    if held is None or held == "" or held == ():
        return node.negated
    return node.operator.test(node.field, held, *node.values) != node.negated
