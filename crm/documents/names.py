"""What tags may ask for: checked when a template is uploaded, before anybody makes a document of it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.documents.filling import fill
from crm.documents.merging import Path
from crm.documents.package import Package, bad
from crm.documents.reading import own_name
from crm.documents.sources import sources_of
from crm.documents.tokens import BadTag
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.engine.tags.modifiers import MODIFIERS
from crm.engine.tags.tree import Assign, Constant, Expression, Filtered, Loop, Math, Show, Variable, expressions
from crm.words import _

VALUE = "value"
MOST_TOLD = 10


@dataclass(frozen=True)
class Shape:
    """The names of a record (of one of `modules`), of given fields, and of `own`."""

    modules: tuple[Module, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)

    def step(self, name: str) -> "Shape | Rows | str | None":
        """What a name leads to: VALUE, a Shape, Rows; None when there is no such name."""
        if name in self.own:
            return self.own[name]  # type: ignore[no-any-return]
        if name in self.fields or (self.modules and name == "label"):
            return VALUE
        found = [one for module in self.modules if (one := _step(module, name)) is not None]
        return found[0] if found else None

    def names(self) -> list[str]:
        said = [*self.own, *self.fields]
        for module in self.modules:
            said += [*module.fields, *modules.relations(module.key), *sources_of(module.key)]
        return list(dict.fromkeys(said))


@dataclass(frozen=True)
class Rows:
    """A list whose rows have the names of `item`."""

    item: Shape


def _step(module: Module, name: str) -> "Shape | Rows | str | None":
    try:
        return VALUE if module.resolve(name) != "id" else None
    except UnknownName:
        pass
    source = sources_of(module.key).get(name)
    if source is not None:
        shape = Shape(fields=source.fields)
        return Rows(shape) if source.is_list else shape
    relation = modules.relations(module.key).get(name)
    if relation is None:
        return None
    if relation.kind == "one":
        targets = tuple(modules[key] for key in module.fields[relation.field].to if key in modules)
        return Shape(targets) if targets else VALUE
    return Rows(Shape((modules[relation.target],)))


def shape_of(module: Module, more: Mapping[str, Any]) -> Shape:
    """The names that a template for `module` may use; `more`: name → Shape of what every document knows."""
    record = Shape((module,))
    return Shape((module,), own={"record": record, own_name(module): record, **more})


class Checking:
    """A scope that knows names: every arm is looked at, every list has one row. `problems` are sentences."""

    def __init__(self, shape: Shape, problems: list[str]) -> None:
        self._shape, self.problems = shape, problems

    def show(self, node: Show | Assign | Math, source: str) -> str:
        for expression in expressions((node,)):
            self._check(expression, source)
        assigned = node.name if isinstance(node, Assign) else node.assign if isinstance(node, Math) else None
        if assigned:
            self._shape = Shape(self._shape.modules, self._shape.fields, {**self._shape.own, assigned: VALUE})
        return ""

    def value(self, node: Show | Assign | Math, source: str) -> None:
        return None

    def chosen(self, tests: Sequence[Expression | None]) -> list[int]:
        for test in tests:
            if test is not None:
                self.show(Show(test), "{if}")
        return list(range(len(tests)))

    def each(self, loop: Loop) -> Iterator["Checking"]:
        source = loop.source
        found = self._at(source.path) if isinstance(source, Variable) else None
        if not isinstance(found, Rows):
            name = ".".join(source.path) if isinstance(source, Variable) else "…"
            self._note(_("{foreach $%(name)s} needs a list.", name=name))
            return
        yield self._inner((loop.item,), found)

    def rows(self, path: Path) -> Iterator["Checking"]:
        found = self._at(path)
        if isinstance(found, Rows):
            yield self._inner(path, found)

    def list_of(self, path: Path) -> Path | None:
        return next((path[:n] for n in range(1, len(path)) if isinstance(self._at(path[:n]), Rows)), None)

    def _inner(self, path: Path, rows: Rows) -> "Checking":
        own = {"no": VALUE} | dict(rows.item.own)
        item: Any = Shape(rows.item.modules, rows.item.fields, own)
        return Checking(_put(self._shape, path, item), self.problems)

    def _at(self, path: Path) -> Any:
        value: Any = self._shape
        for name in path:
            value = value.step(name) if isinstance(value, Shape) else None
        return value

    def _check(self, expression: Expression, source: str) -> None:
        if isinstance(expression, Variable) and self._at(expression.path) is None:
            self._note(self._unknown(expression.path))
        elif isinstance(expression, Filtered):
            if expression.modifier not in MODIFIERS:
                self._note(_("%(tag)s: there is no |%(name)s.", tag=source, name=expression.modifier))
            elif expression.modifier.startswith("rows_"):
                self._check_rows(expression, source)

    def _check_rows(self, expression: Filtered, source: str) -> None:
        found = self._at(expression.value.path) if isinstance(expression.value, Variable) else None
        if not isinstance(found, Rows):
            self._note(_("%(tag)s: |%(name)s needs a list.", tag=source, name=expression.modifier))
            return
        for one in expression.arguments[:1]:
            if isinstance(one, Constant) and found.item.step(str(one.value)) is None:
                self._note(_("%(tag)s: rows have no “%(name)s”.", tag=source, name=one.value))

    def _unknown(self, path: Path) -> str:
        for n in range(len(path)):
            holder = self._at(path[:n])
            if isinstance(holder, Shape) and holder.step(path[n]) is None:
                near = difflib.get_close_matches(path[n], holder.names(), n=1)
                hint = _(" Did you mean {$%(name)s}?", name=".".join([*path[:n], near[0]])) if near else ""
                return _("There is no tag {$%(name)s}.", name=".".join(path)) + hint
        return _("There is no tag {$%(name)s}.", name=".".join(path))

    def _note(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)


def _put(shape: Shape, path: Path, item: Any) -> Shape:
    inner = item
    if len(path) > 1:
        below = shape.step(path[0])
        inner = _put(below if isinstance(below, Shape) else Shape(), path[1:], item)
    return Shape(shape.modules, shape.fields, {**shape.own, path[0]: inner})


def check(package: Package, shape: Shape) -> None:
    """Raises Refused (bad_template) that names every unknown tag, or the block that is not closed."""
    problems: list[str] = []
    try:
        fill(package, Checking(shape, problems))
    except BadTag as wrong:
        problems.append(str(wrong))
    if problems:
        more = [_("… and %(count)s more.", count=len(problems) - MOST_TOLD)] if len(problems) > MOST_TOLD else []
        raise bad(" ".join([*problems[:MOST_TOLD], *more]))
