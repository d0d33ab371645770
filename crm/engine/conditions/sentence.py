"""Conditions in words: “Stage is not Won and Amount is more than 10,000”."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crm.engine.conditions.dates import COUNTED, NOW, STEP
from crm.engine.conditions.nodes import Has, Node, Test
from crm.engine.registry import modules
from crm.words import _, say_number

Name = Callable[[int], str]


def say(node: Node, name_of: Name | None = None) -> str:
    """The sentence of a tree. `name_of` gives the label of a record by id, when the caller knows it."""
    return _say(node, name_of, outer=True)


def _say(node: Node, name_of: Name | None, outer: bool = False) -> str:
    if isinstance(node, Has):
        return _say_has(node, name_of)
    if isinstance(node, Test):
        return _say_test(node, name_of)
    between = _(" or ") if node.is_any else _(" and ")
    said = between.join(_say(item, name_of) for item in node.items)
    if node.negated:
        return _("not (%(conditions)s)", conditions=said)
    return said if outer or len(node.items) == 1 else f"({said})"


def _say_has(node: Has, name_of: Name | None) -> str:
    target = modules[node.relation.target]
    link = node.relation.link
    label = "" if link is None else link.label if node.relation.is_forward else link.back_label
    if node.relation.kind == "one":
        label = node.module.fields[node.relation.field].label
    shown = _(label or (target.plural if node.relation.kind != "one" else target.label))
    if node.inner is None:
        return (
            _("there are no %(records)s", records=shown) if node.negated else _("there are %(records)s", records=shown)
        )
    inner = _say(node.inner, name_of, outer=True)
    if node.negated:
        return _("there are no %(records)s with: %(conditions)s", records=shown, conditions=f"({inner})")
    return _("there are %(records)s with: %(conditions)s", records=shown, conditions=f"({inner})")


def _say_test(node: Test, name_of: Name | None) -> str:
    field = _(node.field.label)
    if node.through is not None:
        field = f"{_(node.through.label)}: {field}"
    values = [_say_value(node, one, name_of) for one in node.raw]
    if node.field.kind.name == "checkbox" and node.said.key in {"$eq", "$ne"}:
        is_on = (node.values[0] is True) != (node.said.key == "$ne")
        return _("%(field)s is ticked", field=field) if is_on else _("%(field)s is not ticked", field=field)
    if node.said.takes == "two":
        return _(node.said.sentence, field=field, low=values[0], high=values[1])
    return _(node.said.sentence, field=field, value=_(" or ").join(values))


def _say_value(node: Test, raw: Any, name_of: Name | None) -> str:
    if isinstance(raw, list | tuple):
        return ", ".join(_say_value(node, one, name_of) for one in raw)
    if raw == "$me":
        return _("me")
    if raw == "$my_groups":
        return _("my groups")
    if node.said.takes == "window" or (isinstance(raw, str) and NOW.fullmatch(raw.strip())):
        return _say_time(str(raw))
    if node.field.picklist:
        from crm.engine import picklists

        return _(picklists.label(node.field.picklist, str(raw)))
    if node.field.is_link and name_of and str(raw).isdigit():
        return name_of(int(raw))
    if node.field.kind.name in {"whole", "number", "money", "percent"} and node.field.name != "id":
        return say_number(Decimal(str(node.field.kind.clean(raw, node.field))))
    if node.field.kind.is_text:
        return f"“{raw}”"
    return str(raw)


def _say_time(raw: str) -> str:
    found = NOW.fullmatch(raw.strip())
    if not found:
        plain = raw.strip().removeprefix("$").replace("_", " ")
        counted = COUNTED.fullmatch(plain.lower().replace(" ", "_"))
        if counted:
            days = counted[2]
            return _("last %(days)s days", days=days) if counted[1] == "last" else _("next %(days)s days", days=days)
        return _(plain)
    said = {"date": _("today"), "time": _("this time of day")}.get((found[1] or "").lower(), _("now"))
    for sign, amount, unit in STEP.findall(found[2]):
        said += f" {sign} {amount} {_(unit.lower())}"
    return said


def words_to_translate() -> list[str]:
    """What sentences are made of beyond literals in this file: the operators' sentences and the windows' names."""
    from crm.engine.conditions.dates import UNITS, WINDOWS
    from crm.engine.conditions.operators import OPERATORS

    windows = [name.replace("_", " ") for name in WINDOWS]
    return [*(one.sentence for one in OPERATORS.values()), *windows, *UNITS, *(f"{unit}s" for unit in UNITS)]
