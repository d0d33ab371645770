"""One condition language for lists, target groups, sharing, workflows, the API: JSON, checked, as SQL, in memory, in words.

Grammar (spec/platform.md 6.1): {"$op": ["field", value, …]}, {"field": value}, {"$and": […]} ($or $nor $not),
`relation.field` one level, {"$has": ["relation", {…}]} and $hasnot nestable to 3, `$now.date -7 days`,
{"$window": ["field", "$this_week"]}, $me, $my_groups. A negative operator matches empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql import ColumnElement

from crm.engine.conditions.memory import holds
from crm.engine.conditions.nodes import BadCondition, Join, Test, is_timeless, read, where
from crm.engine.conditions.operators import OPERATORS, Operator, allowed
from crm.engine.conditions.sentence import say, words_to_translate
from crm.engine.conditions.sql import Writer
from crm.engine.module import Module
from crm.engine.registry import modules
from crm.identity.viewer import Viewer

__all__ = [
    "OPERATORS", "BadCondition", "Operator", "Part", "about", "allowed", "check", "compile", "matches", "parts", "sentence", "where",
    "words_to_translate",
]  # fmt: skip

INSIDE = {"$cts", "$end", "$like", "$regex"}


def check(where: Any, module: Module | str, viewer: Viewer | None = None) -> None:
    """Raises BadCondition when `where` cannot be used on `module`; fields the viewer may not read are unknown."""
    read(where, _module(module), viewer)


def compile(where: Any, module: Module | str, viewer: Viewer, table: Any = None) -> ColumnElement[bool]:
    """`where` as SQL over the module's table (or `table`, an alias of it). Raises BadCondition."""
    module = _module(module)
    return Writer(viewer).write(read(where, module, viewer), module.table if table is None else table)


@dataclass(frozen=True)
class Part:
    """One of several conditions that must all hold. `field`: the record's own one that it is about, else ""."""

    field: str
    sql: ColumnElement[bool]
    is_inside: bool = False  # asks what stands inside of texts, to which no index leads
    is_timeless: bool = True


def parts(where: Any, module: Module, viewer: Viewer, each: bool = False) -> list[Part]:
    """What `compile` gives, as conditions that must all hold; `each`: see Writer. Raises BadCondition."""
    node, writer = read(where, module, viewer), Writer(viewer, each)
    items = node.items if isinstance(node, Join) and not node.is_any and not node.negated else (node,)
    found = []
    for item in items:
        said = writer.write(item, module.table)
        if isinstance(item, Test) and item.through is None:
            is_inside = item.operator.key in INSIDE and not item.negated and item.field.kind.is_text
            found.append(Part(item.field.name, said, is_inside, is_timeless(item)))
        else:
            found.append(Part("", said, False, is_timeless(item)))
    return found


def matches(where: Any, module: Module | str, values: Mapping[str, Any], viewer: Viewer | None = None) -> bool:
    """Whether a record with these Python values fits `where` ({} or None: always). Raises BadCondition.

    `viewer` is who $me is. Linked records are looked up in the database, by `values["id"]` and the links in `values`.
    """
    return not where or holds(read(where, _module(module), viewer), values)


def sentence(where: Any, module: Module | str, name_of: Callable[[int], str] | None = None) -> str:
    """`where` in words of the present language; "" when there are no conditions. Raises BadCondition."""
    return say(read(where, _module(module)), name_of) if where else ""


def about(module: Module, values: Mapping[str, Any]) -> str:
    """The module whose records the conditions of a record are about: the one its `source` names, or the field; else its own."""
    fixed = next((said.about for said in module.declared.values() if said.about), "")
    named = str(values.get("source") or fixed)
    return named if named in modules else module.key


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module
