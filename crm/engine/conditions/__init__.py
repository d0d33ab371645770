"""One condition language for lists, target groups, sharing, workflows, the API: JSON, checked, as SQL, in memory, in words.

Grammar (spec/platform.md 6.1): {"$op": ["field", value, …]}, {"field": value}, {"$and": […]} ($or $nor $not),
`relation.field` one level, {"$has": ["relation", {…}]} and $hasnot nestable to 3, `$now.date -7 days`,
{"$window": ["field", "$this_week"]}, $me, $my_groups. A negative operator matches empty.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.sql import ColumnElement

from crm.engine.conditions.memory import holds
from crm.engine.conditions.nodes import BadCondition, read, where
from crm.engine.conditions.operators import OPERATORS, Operator, allowed
from crm.engine.conditions.sentence import say, words_to_translate
from crm.engine.conditions.sql import Writer
from crm.engine.module import Module
from crm.engine.registry import modules
from crm.identity.viewer import Viewer

__all__ = [
    "OPERATORS", "BadCondition", "Operator", "allowed", "check", "compile", "matches", "sentence", "where",
    "words_to_translate",
]  # fmt: skip


def check(where: Any, module: Module | str, viewer: Viewer | None = None) -> None:
    """Raises BadCondition when `where` cannot be used on `module`; fields the viewer may not read are unknown."""
    read(where, _module(module), viewer)


def compile(
    where: Any, module: Module | str, viewer: Viewer, table: Any = None, steady: bool = False
) -> ColumnElement[bool]:
    """`where` as SQL over the module's table (or `table`, an alias of it). Raises BadCondition.

    `steady`: for pages in the order of an index, see conditions/sql.py.
    """
    module = _module(module)
    return Writer(viewer, steady).write(read(where, module, viewer), module.table if table is None else table)


def matches(where: Any, module: Module | str, values: Mapping[str, Any], viewer: Viewer | None = None) -> bool:
    """Whether a record with these Python values fits `where` ({} or None: always). Raises BadCondition.

    `viewer` is who $me is. Linked records are looked up in the database, by `values["id"]` and the links in `values`.
    """
    return not where or holds(read(where, _module(module), viewer), values)


def sentence(where: Any, module: Module | str, name_of: Callable[[int], str] | None = None) -> str:
    """`where` in words of the present language; "" when there are no conditions. Raises BadCondition."""
    return say(read(where, _module(module)), name_of) if where else ""


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module
