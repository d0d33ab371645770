"""Reading conditions: JSON → a tree of nodes, with every name, operator and value checked. The grammar is here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from crm import clock
from crm.engine import fields as f
from crm.engine.conditions.dates import Range, day_in, read_relative, read_window
from crm.engine.conditions.operators import OPERATORS, WORDS, Operator, allowed, shape_of
from crm.engine.conditions.patterns import read_pattern
from crm.engine.fields import Field
from crm.engine.kinds import KINDS, BadValue
from crm.engine.module import Module
from crm.engine.permissions import may, readable
from crm.engine.refusals import UnknownName
from crm.engine.registry import Relation, modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _

DEEPEST, LONGEST, MOST_VALUES, MOST_HAS = 8, 200, 10_000, 3
ID = f.make("whole", "Id").named("id", False)
PLACEHOLDERS = ("$me", "$my_groups")
JOINS = ("$and", "$or", "$nor", "$not")


class BadCondition(Exception):
    """Conditions that cannot be used. `path` says where, as in `$and[1].$eq[0]`; `message` why and what to do."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path, self.message = path, message


@dataclass(frozen=True, slots=True)
class Join:
    """All (`is_any` False) or at least one of `items`; `negated`: turned round."""

    items: tuple["Node", ...]
    is_any: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A field of the record, or of the one that its link `through` points at, against values."""

    module: Module
    field: Field
    operator: Operator  # a positive one
    values: tuple[Any, ...]
    raw: tuple[Any, ...]
    said: Operator  # as written
    negated: bool = False
    through: Field | None = None
    target: Module | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """That there is a record on the other side of a relation for which `inner` holds."""

    module: Module
    relation: Relation
    inner: "Node | None"
    negated: bool = False


Node = Join | Test | Has


def is_timeless(node: Node | None) -> bool:
    """Whether it means the same at any time: whatever is asked of a day or a time may be said from now."""
    if isinstance(node, Join):
        return all(is_timeless(item) for item in node.items)
    if isinstance(node, Has):
        return is_timeless(node.inner)
    return node is None or node.field.kind.name not in {"day", "moment", "time"}


def read(where: Any, module: Module, viewer: Viewer | None = None) -> Node:
    """The tree of `where`. Raises BadCondition."""
    return _Reader(viewer or SYSTEM).node(where, module, "", 1, 0)


def _of_what_counts(inner: Node | None, target: Module) -> Node | None:
    """Narrowed to the rows that count (Module.counts: clicks of people), unless the condition says itself which."""
    if not target.counts:
        return inner
    counted = read(target.counts, target)
    if inner is None:
        return counted
    return inner if _fields(inner) & _fields(counted) else Join((counted, inner))


def _fields(node: Node) -> set[str]:
    """The fields of the record itself that are asked for."""
    if isinstance(node, Join):
        return {name for item in node.items for name in _fields(item)}
    return {node.field.name} if isinstance(node, Test) and node.through is None else set()


class _Reader:
    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.count = 0

    def node(self, where: Any, module: Module, path: str, depth: int, nested: int) -> Node:
        self.count += 1
        if self.count > LONGEST:
            raise BadCondition(path, _("These conditions are too long: at most %(most)s parts.", most=LONGEST))
        if depth > DEEPEST:
            raise BadCondition(
                path, _("These conditions are nested too deeply: at most %(most)s levels.", most=DEEPEST)
            )
        if not isinstance(where, dict):
            raise BadCondition(path, _('A condition is an object, such as {"$eq": ["name", "Acme"]}.'))
        if not where:
            raise BadCondition(path, _("A condition is empty. Take it away, or say what is to hold."))
        if len(where) > 1:
            self.count -= 1
            parts = tuple(self.node({key: value}, module, path, depth, nested) for key, value in where.items())
            return Join(parts)
        ((key, value),) = where.items()
        if not isinstance(key, str):
            raise BadCondition(path, _("A condition is named by a text."))
        here = f"{path}.{key}" if path else key
        if not key.startswith("$"):
            return self.shorthand(key, value, module, here)
        if key in JOINS:
            return self.join(key, value, module, here, depth, nested)
        if key in {"$has", "$hasnot"}:
            return self.has(key, value, module, here, depth, nested)
        if key not in OPERATORS:
            raise BadCondition(here, str(UnknownName("operator", key, [*OPERATORS, *JOINS, "$has", "$hasnot"])))
        if not isinstance(value, list | tuple):
            value = [value]
        if not value or not isinstance(value[0], str):
            raise BadCondition(
                here, _('“%(key)s” takes the name of a field first, such as {"%(key)s": ["name", …]}.', key=key)
            )
        return self.test(value[0], OPERATORS[key], list(value[1:]), module, here)

    def join(self, key: str, value: Any, module: Module, path: str, depth: int, nested: int) -> Join:
        items = [value] if key == "$not" and isinstance(value, dict) else value
        if not isinstance(items, list | tuple) or not items:
            raise BadCondition(path, _("“%(key)s” takes a list of conditions that is not empty.", key=key))
        if key == "$not" and len(items) != 1:
            raise BadCondition(path, _("“$not” takes one condition; there are %(count)s.", count=len(items)))
        parts = tuple(
            self.node(item, module, f"{path}[{place}]", depth + 1, nested) for place, item in enumerate(items)
        )
        return Join(parts, is_any=key in {"$or", "$nor"}, negated=key in {"$nor", "$not"})

    def shorthand(self, name: str, value: Any, module: Module, path: str) -> Test:
        if isinstance(value, dict):
            raise BadCondition(path, _('Write the operator first: {"$eq": ["%(name)s", …]}.', name=name))
        if value is None:
            return self.test(name, OPERATORS["$is.null"], [], module, path)
        if isinstance(value, list | tuple):
            return self.test(name, OPERATORS["$in"], [value], module, path)
        return self.test(name, OPERATORS["$eq"], [value], module, path)

    def has(self, key: str, value: Any, module: Module, path: str, depth: int, nested: int) -> Has:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or len(items) not in {1, 2} or not isinstance(items[0], str):
            raise BadCondition(
                path, _('“%(key)s” takes a relation and conditions: {"%(key)s": ["contacts", {…}]}.', key=key)
            )
        if nested >= MOST_HAS:
            raise BadCondition(path, _("“$has” can be nested %(most)s times at most.", most=MOST_HAS))
        open_to = {
            name: relation
            for name, relation in modules.relations(module.key).items()
            if relation.target in modules
            and may(self.viewer, "view", relation.target)
            and self.may_follow(module, relation)
        }
        if items[0] not in open_to:
            raise BadCondition(f"{path}[0]", str(UnknownName("relation", items[0], open_to)))
        relation = open_to[items[0]]
        inner = None
        if len(items) == 2:
            inner = self.node(items[1], modules[relation.target], f"{path}[1]", depth + 1, nested + 1)
        return Has(module, relation, _of_what_counts(inner, modules[relation.target]), negated=key == "$hasnot")

    def may_follow(self, module: Module, relation: Relation) -> bool:
        if relation.kind == "many":
            return True
        holder = module if relation.kind == "one" else modules[relation.target]
        return relation.field in readable(self.viewer, holder)

    def test(self, name: str, operator: Operator, raw: list[Any], module: Module, path: str) -> Test:
        through: Field | None = None
        target: Module | None = None
        holder, plain = module, name
        if "." in name:
            first, _dot, plain = name.partition(".")
            through, target = self.relation(module, first, f"{path}[0]")
            holder = target
        field = self.field(holder, plain, f"{path}[0]")
        if operator.key not in allowed(field):
            usable = ", ".join(allowed(field))
            raise BadCondition(
                path,
                _(
                    "“%(key)s” cannot be used on “%(label)s”. Take one of: %(usable)s.",
                    key=operator.key,
                    label=_(field.label),
                    usable=usable,
                ),
            )
        raw = self.counted(operator, raw, path)
        values = tuple(
            value
            for place, one in enumerate(raw)
            for value in self.values(field, operator, one, f"{path}[{place + 1}]")
        )
        positive = OPERATORS[operator.opposite] if operator.opposite else operator
        if positive.key == "$eq" and len(values) != 1:  # $my_groups
            positive = OPERATORS["$in"]
        negated = bool(operator.opposite)
        return Test(module, field, positive, values, tuple(raw), operator, negated, through, target)

    def relation(self, module: Module, name: str, path: str) -> tuple[Field, Module]:
        seen = readable(self.viewer, module)
        links = {key: said for key, said in module.relations.items() if said.name in seen}
        by_field = {said.name: said for said in links.values()}
        through = links.get(name) or by_field.get(name)
        if through is None:
            raise BadCondition(path, str(UnknownName("relation", name, links)))
        if len(through.to) != 1 or through.to[0] not in modules:
            raise BadCondition(
                path,
                _("“%(label)s” links to several modules, so its fields cannot be asked for.", label=_(through.label)),
            )
        target = modules[through.to[0]]
        if not may(self.viewer, "view", target):
            raise BadCondition(path, str(UnknownName("relation", name)))
        return through, target

    def field(self, module: Module, name: str, path: str) -> Field:
        if name == "id":
            return ID
        seen = readable(self.viewer, module)
        field: Field | None
        try:
            field = module.field(name)
        except UnknownName:
            field = None
        if field is None or field.name not in seen:  # one that may not be read is as unknown as one that is not
            if "." in name:
                raise BadCondition(
                    path, _("“%(name)s” goes too far: a field of a linked record is one step away.", name=name)
                )
            raise BadCondition(path, str(UnknownName("field", name, [*seen, "id"])))
        return field

    def counted(self, operator: Operator, raw: list[Any], path: str) -> list[Any]:
        """The values of an operator, a list in the place of several laid flat. Raises BadCondition for a wrong count."""
        if operator.takes in {"two", "several"} and len(raw) == 1 and isinstance(raw[0], list | tuple):
            raw = list(raw[0])
        if operator.takes == "text" and len(raw) == 1 and isinstance(raw[0], list | tuple):
            return raw
        least, most = {"none": (0, 0), "two": (2, 2), "several": (1, MOST_VALUES)}.get(operator.takes, (1, 1))
        if operator.takes == "window":
            most = 1
        if not least <= len(raw) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise BadCondition(
                path,
                _(
                    "“%(key)s” takes %(wanted)s values after the field; there are %(count)s.",
                    key=operator.key,
                    wanted=wanted,
                    count=len(raw),
                ),
            )
        return raw

    def values(self, field: Field, operator: Operator, raw: Any, path: str) -> Sequence[Any]:
        try:
            return self.typed(field, operator, raw)
        except BadValue as bad:
            raise BadCondition(path, bad.message) from None

    def typed(self, field: Field, operator: Operator, raw: Any) -> Sequence[Any]:
        """The values that one written value stands for (a placeholder may stand for several, or none)."""
        if operator.takes == "window":
            return (read_window(_text(raw), field.kind.name, clock.site_zone()),)
        if raw is None:
            raise BadValue("no_value", _("A value is missing here. Use “$is.null” to ask for empty ones."))
        if isinstance(raw, dict):
            raise BadValue("no_value", _("This takes a value, not an object."))
        shape = shape_of(field)
        if shape == "set":
            return (_keys(raw),)
        if isinstance(raw, list | tuple):
            raise BadValue("no_value", _("This takes one value, not a list."))
        if operator.takes == "pattern":
            read_pattern(_text(raw))
            return (_text(raw),)
        if shape == "text":
            return (_text(raw).strip() if operator.key in {"$eq", "$ne", "$in", "$nin"} else _text(raw),)
        if field.is_link and isinstance(raw, str) and raw.startswith("$"):
            return self.placeholder(raw)
        if shape == "ordered":
            return (_range(field, raw),)
        value = field.kind.clean(raw, field)
        if value is None:
            raise BadValue("no_value", _("A value is missing here. Use “$is.null” to ask for empty ones."))
        return (value,)

    def placeholder(self, raw: str) -> Sequence[int]:
        if raw == "$me":
            return (self.viewer.id if self.viewer.id is not None else 0,)
        if raw == "$my_groups":
            return tuple(sorted(self.viewer.principals - {self.viewer.id or 0}))
        near = get_close_matches(raw, PLACEHOLDERS, n=1, cutoff=0.4)
        raise BadValue(
            "no_value",
            _("There is no placeholder “%(raw)s”. Did you mean “%(name)s”?", raw=raw, name=(near or PLACEHOLDERS)[0]),
        )


def _text(raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise BadValue("not_text", _("This takes a text."))
    text = str(raw)
    if not text:
        raise BadValue("no_value", _("A value is missing here. Use “$is.null” to ask for empty ones."))
    if "\x00" in text:
        raise BadValue("bad_text", _("This text holds a character that cannot be stored (NUL)."))
    if len(text) > 4_000:
        raise BadValue("too_long", _("A value in a condition has at most 4,000 characters."))
    return text


def _keys(raw: Any) -> tuple[str, ...]:
    keys = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else []
    if not keys or not all(isinstance(key, str) and key.strip() and "|" not in key for key in keys):
        raise BadValue("not_in_list", _("This takes a key of the list, or several in a list."))
    return tuple(dict.fromkeys(_text(key).strip() for key in keys))


def _range(field: Field, raw: Any) -> Range:
    """A number or a point of time; a day given for a moment is all of that day."""
    kind = field.kind.name
    if kind in {"day", "moment", "time"} and isinstance(raw, str):
        value = read_relative(raw, kind, clock.site_zone())
        if value is None and kind == "moment" and len(raw.strip()) <= 10:
            value = KINDS["day"].clean(raw, field)
        raw = raw if value is None else value
    if kind == "moment" and isinstance(raw, date) and not isinstance(raw, datetime):
        return day_in(clock.site_zone(), raw)
    loose = replace(field, least=None, most=None, scale=4)
    value = field.kind.clean(raw, loose, clock.site_zone())
    if value is None:
        raise BadValue("no_value", _("A value is missing here. Use “$is.null” to ask for empty ones."))
    if kind == "whole" and abs(value) >= 2**63:
        raise BadValue("out_of_range", _("This number is too large."))
    return Range(value, value)


def where(field: str, words: str, *value: Any) -> dict[str, Any]:
    """A condition in words, for declarations: where("stage", "none of", ["Closed Won"]). Raises BadCondition."""
    key = words if words in OPERATORS else WORDS.get(words.strip().lower())
    if key is None:
        raise BadCondition(words, str(UnknownName("operator", words, WORDS)))
    if OPERATORS[key].takes == "none" or value == (None,):
        value = ()
    return {key: [field, *value]}
