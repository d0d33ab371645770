"""The condition builder: conditions as rows of a form that needs no JSON, drawn from a condition and read back into one.

A form sends its tree by repeated fields called `node` in document order: "open:<id>" begins a group, "row:<id>" is one
comparison, "close" ends the group; what belongs to a node has its id in the name (`r3.field`, `r3.op`, `r3.value`).
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as held
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from crm.engine import picklists
from crm.engine.conditions import OPERATORS, allowed
from crm.engine.conditions.dates import COUNTED
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may, readable
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.face import face
from crm.ui.lists import field_of

DEEPEST = 3
WORDS = {
    "$eq": _l("is"), "$ne": _l("is not"), "$gt": _l("is more than"), "$gte": _l("is at least"), "$lt": _l("is less than"),
    "$lte": _l("is at most"), "$in": _l("is one of"), "$nin": _l("is none of"), "$between": _l("is between"),
    "$not.between": _l("is not between"), "$is.null": _l("is empty"), "$not.null": _l("is not empty"),
    "$beg": _l("begins with"), "$end": _l("ends with"), "$cts": _l("contains"), "$not.cts": _l("does not contain"),
    "$like": _l("is like (% and _)"), "$regex": _l("fits the pattern"), "$window": _l("is within"),
}  # fmt: skip
DATE_WORDS = {
    "$gt": _l("is after"),
    "$gte": _l("is on or after"),
    "$lt": _l("is before"),
    "$lte": _l("is on or before"),
}
WINDOWS = {
    "$today": _l("today"), "$yesterday": _l("yesterday"), "$tomorrow": _l("tomorrow"), "$this_week": _l("this week"),
    "$last_week": _l("last week"), "$next_week": _l("next week"), "$this_month": _l("this month"),
    "$last_month": _l("last month"), "$next_month": _l("next month"), "$this_quarter": _l("this quarter"),
    "$last_quarter": _l("last quarter"), "$this_year": _l("this year"), "$last_year": _l("last year"),
    "$last_7_days": _l("the last 7 days"), "$last_30_days": _l("the last 30 days"), "$last_90_days": _l("the last 90 days"),
    "$next_7_days": _l("the next 7 days"), "$next_30_days": _l("the next 30 days"),
}  # fmt: skip
ANY_DAYS = {"$last_n_days": _l("the last … days"), "$next_n_days": _l("the next … days")}
USUAL_DAYS = "14"
MATCHES = {"$and": _l("all of these hold"), "$or": _l("at least one of these holds"), "$nor": _l("none of these holds")}


@dataclass
class Line:
    """One comparison as the form shows it."""

    id: str
    field: str = ""
    op: str = "$eq"
    values: list[Any] = held(default_factory=list)
    fault: str = ""


@dataclass
class Group:
    """Conditions joined by `match`; with a `relation`: about linked records ("has at least one activity that …")."""

    id: str
    match: str = "$and"
    relation: str = ""
    is_absent: bool = False  # has none that …
    parts: "list[Line | Group]" = held(default_factory=list)


def fresh_id() -> str:
    """A name for a node of a form; unlike every other on the page."""
    return "r" + secrets.token_hex(4)


# from conditions to the form


def draw_tree(where: dict[str, Any] | None) -> Group:
    """The group of rows that stands for `where`."""
    node = _group(where or {})
    return node if not node.relation else Group(fresh_id(), parts=[node])


def tree_of(where: dict[str, Any] | None) -> Group:
    """The tree of `where`, with one empty row to begin with when it says nothing."""
    tree = draw_tree(where)
    if not tree.parts:
        tree.parts.append(Line(fresh_id()))
    return tree


def _group(where: dict[str, Any]) -> Group:
    if len(where) != 1:
        return Group(fresh_id(), parts=[_part({key: value}) for key, value in where.items()])
    ((key, value),) = where.items()
    if key in MATCHES:
        return Group(fresh_id(), key, parts=[_part(one) for one in value])
    if key == "$not":
        return Group(fresh_id(), "$nor", parts=[_part(value[0] if isinstance(value, list) else value)])
    if key in {"$has", "$hasnot"}:
        relation, inner = (value, None) if isinstance(value, str) else (value[0], value[1] if len(value) > 1 else None)
        held = _group(inner) if inner else Group(fresh_id())
        if held.relation:
            held = Group(fresh_id(), parts=[held])
        held.relation, held.is_absent = relation, key == "$hasnot"
        return held
    return Group(fresh_id(), parts=[_part(where)])


def _part(where: dict[str, Any]) -> "Line | Group":
    ((key, value),) = where.items() if len(where) == 1 else ((None, None),)
    if key is None or key in MATCHES or key in {"$not", "$has", "$hasnot"}:
        return _group(where)
    if not str(key).startswith("$"):
        if value is None:
            return Line(fresh_id(), key, "$is.null")
        return Line(
            fresh_id(), key, "$in" if isinstance(value, list) else "$eq", value if isinstance(value, list) else [value]
        )
    values = value if isinstance(value, list | tuple) else [value]
    name, rest = str(values[0]), list(values[1:])
    if len(rest) == 1 and isinstance(rest[0], list | tuple):
        rest = list(rest[0])
    return Line(fresh_id(), name, str(key), rest)


# from the form to conditions


def read_tree(form: "MultiDict[str, str]") -> dict[str, Any] | None:
    """The condition that a posted builder says; None when it says nothing."""
    nodes = iter(form.getlist("node"))
    first = next(nodes, "")
    return _read_group(form, first.partition(":")[2], nodes, 1) if first.startswith("open:") else None


def read_kept(form: "MultiDict[str, str]", name: str) -> dict[str, Any] | None:
    """As read_tree; but when nothing was changed, the conditions as they were written, which came along as `name`."""
    read = read_tree(form)
    try:
        before = json.loads(form.get(name) or "null")
    except ValueError:
        before = None
    if isinstance(before, dict) and _plain(_condition_of(draw_tree(before))) == _plain(read):
        return before
    return read


def _condition_of(part: "Line | Group") -> Any:
    """What the form of a part says when it is sent as it stands."""
    if isinstance(part, Line):
        if OPERATORS[part.op].takes == "none":
            return {part.op: [part.field]}
        several = OPERATORS[part.op].takes in {"several", "two"} or len(part.values) > 1
        return {part.op: [part.field, list(part.values) if several else part.values[0]]} if part.values else None
    parts = [said for one in part.parts if (said := _condition_of(one)) is not None]
    inner = None if not parts else parts[0] if len(parts) == 1 and part.match != "$nor" else {part.match: parts}
    if part.relation:
        return {"$hasnot" if part.is_absent else "$has": [part.relation, inner] if inner else [part.relation]}
    return inner


def _plain(said: Any) -> Any:
    """A condition with its values as text, for comparing what was typed with what was stored."""
    if isinstance(said, dict):
        return {key: _plain(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_plain(value) for value in said]
    return str(said)


def _read_group(form: "MultiDict[str, str]", id: str, nodes: Iterator[str], depth: int) -> dict[str, Any] | None:
    parts: list[dict[str, Any]] = []
    for node in nodes:
        kind, _colon, name = node.partition(":")
        if kind == "close":
            break
        part = _read_group(form, name, nodes, depth + 1) if kind == "open" else _read_line(form, name)
        if part is not None and depth <= 8:
            parts.append(part)
    match = form.get(f"{id}.match", "$and")
    match = match if match in MATCHES else "$and"
    inner: dict[str, Any] | None = None
    if parts:
        inner = parts[0] if len(parts) == 1 and match != "$nor" else {match: parts}
    relation = form.get(f"{id}.relation", "")
    if relation:
        key = "$hasnot" if form.get(f"{id}.absent") == "1" else "$has"
        return {key: [relation, inner] if inner else [relation]}
    return inner


def _read_line(form: "MultiDict[str, str]", id: str) -> dict[str, Any] | None:
    name, op = form.get(f"{id}.field", ""), form.get(f"{id}.op", "")
    if not name or op not in OPERATORS:
        return None
    takes = OPERATORS[op].takes
    values = [value for value in form.getlist(f"{id}.value") if value != ""]
    if takes == "none":
        return {op: [name]}
    if takes == "several" and len(values) == 1 and form.get(f"{id}.typed"):
        values = [part.strip() for part in values[0].split(",") if part.strip()]
    if not values:
        return None
    if takes in {"several", "two"}:
        return {op: [name, values]}
    if takes == "window":
        return {op: [name, with_days(form, id, values[0])]}
    typed: Any = {"true": True, "false": False}.get(values[0], values[0]) if form.get(f"{id}.bool") else values[0]
    return {op: [name, values if len(values) > 1 else typed]}


def with_days(form: "MultiDict[str, str]", id: str, said: str) -> str:
    """The window that a row names, with the number of days that was typed for it."""
    days = form.get(f"{id}.days", "").strip() or USUAL_DAYS
    return said.replace("_n_", f"_{days}_") if said in ANY_DAYS else said


# what a row offers


def offered_fields(viewer: Viewer, module: Module) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (name, label) for the field of a row: the record's own, then those of linked records."""
    seen = readable(viewer, module)
    own = [(name, _(said.label)) for name, said in module.fields.items() if name in seen and _is_usable(said)]
    groups = [(_(module.label), own)]
    for relation, link in module.relations.items():
        if link.name not in seen or len(link.to) != 1 or link.kind.name != "link" or link.to[0] not in modules:
            continue
        target = modules[link.to[0]]
        if may(viewer, "view", target):
            theirs = readable(viewer, target)
            groups.append((
                _(link.label),
                [
                    (f"{relation}.{name}", f"{_(link.label)}: {_(said.label)}")
                    for name, said in target.fields.items()
                    if name in theirs and _is_usable(said)
                ],
            ))  # fmt: skip
    return groups


def _is_usable(said: Field) -> bool:
    return said.in_lists and said.kind.name not in {"source", "file"}


def offered_relations(viewer: Viewer, module: Module) -> list[tuple[str, str]]:
    """(name, label) of the relations whose records can be asked about: children and many-links."""
    found = []
    for name, relation in modules.relations(module.key).items():
        if relation.kind == "one" or not relation.target or not may(viewer, "view", relation.target):
            continue
        target = modules[relation.target]
        if relation.kind == "children" and relation.field not in readable(viewer, target):
            continue
        plain = name == relation.target or relation.kind == "many"
        by = "" if plain else f" ({_(target.fields[relation.field].label)})"
        found.append((name, _(target.plural) + by))
    return sorted(found, key=lambda pair: pair[1])


def offered_operators(said: Field) -> list[tuple[str, str]]:
    """(key, words) of the operators that a row over this field offers."""
    is_date = said.kind.name in {"day", "moment", "time"}
    keys = [
        key
        for key in allowed(said)
        if not (said.kind.name == "checkbox" and key not in {"$eq", "$is.null", "$not.null"})
    ]
    return [(key, str((DATE_WORDS if is_date else {}).get(key) or WORDS[key])) for key in keys]


@dataclass
class Control:
    """How the value of a row is asked for."""

    kind: str  # none, text, number, date, moment, time, choice, choices, yes, window, link, links, list
    options: list[tuple[str, str]] = held(default_factory=list)
    address: str = ""
    is_two: bool = False


def control_of(viewer: Viewer, module: Module, name: str, op: str) -> Control:
    """The control for the value of a comparison."""
    place = field_of(viewer, module, name)
    takes = OPERATORS[op].takes if op in OPERATORS else "one"
    if place is None or takes == "none":
        return Control("none")
    holder, said = place
    kind = said.kind.name
    if takes == "window":
        return Control("window", [(key, str(label)) for key, label in (WINDOWS | ANY_DAYS).items()])
    if takes == "pattern":
        return Control("text")
    if said.picklist:
        options = [(choice.key, _(choice.label)) for choice in picklists.choices(said.picklist)]
        return Control("choices" if takes == "several" or kind == "multi" else "choice", options)
    if kind == "checkbox":
        return Control("yes", [("true", _("Yes")), ("false", _("No"))])
    if said.is_link:
        return Control(
            "links" if takes == "several" else "link",
            address=f"{face().prefix}/{holder.key}/choose/{said.name}?placeholders=1",
        )
    if takes == "several":
        return Control("list")
    shape = {
        "day": "date",
        "moment": "date",
        "time": "time",
        "whole": "number",
        "number": "number",
        "money": "number",
        "percent": "number",
    }
    return Control(shape.get(kind, "text"), is_two=takes == "two")


def drawn_window(said: str) -> tuple[str, str]:
    """A stored window as its control shows it: the option, and the number of days for which it asks ("": for none)."""
    plain = "$" + said.strip().removeprefix("$").lower().replace(" ", "_")
    days = COUNTED.fullmatch(plain[1:])
    if plain in WINDOWS or not days:
        return plain if plain in WINDOWS else said, ""
    return f"${days[1]}_n_days", days[2]


def is_offered(control: Control, said: str) -> bool:
    """Whether a control with a list can show the value: one that was typed for another field often cannot."""
    shown = drawn_window(said)[0] if control.kind == "window" else said
    return not control.options or shown in dict(control.options)


def first_operator(viewer: Viewer, module: Module, name: str, wanted: str = "") -> str:
    """The operator that a row over the field `name` begins with: `wanted` when it fits."""
    place = field_of(viewer, module, name)
    if place is None:
        return "$eq"
    keys = [key for key, _words in offered_operators(place[1])]
    if wanted in keys:
        return wanted
    return "$cts" if place[1].kind.is_text and "$cts" in keys else keys[0]
