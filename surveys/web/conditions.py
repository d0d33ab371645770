"""Conditions as rows of a form: question, operator, value, joined by "and" or "or", with groups one level deep.

Names of the inputs: `<field>.match`, `<field>.<group>.match` and `<field>.<group>.<row>.question|operator|value`; group 0 holds
the rows of the condition itself. Rows without a question say nothing, so that empty ones may stand ready.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.engine.refusals import Refused
from crm.words import N_, _
from surveys import logic
from surveys.design import Design

MATCHES = {"$and": N_("all of these hold"), "$or": N_("at least one of these holds")}
OPERATORS = [(key, label) for key, (label, _test) in logic.OPERATORS.items()] + list(logic.LABELS.items())
LISTS = ("$in", "$nin")
ROW = re.compile(r"(\d{1,2})\.(\d{1,2})\.question").fullmatch
MOST_GROUPS = 10


@dataclass(frozen=True)
class Row:
    """One comparison as it is typed."""

    question: str = ""
    operator: str = "$eq"
    value: str = ""


@dataclass
class Rows:
    """Comparisons joined by `match`."""

    match: str = "$and"
    rows: list[Row] = field(default_factory=list)


@dataclass
class Spelled:
    """A condition as the form shows it. `kept`: as JSON, when it goes deeper than the form can show."""

    own: Rows = field(default_factory=Rows)
    groups: list[Rows] = field(default_factory=list)
    kept: str = ""

    @property
    def all(self) -> list[Rows]:
        """The rows of the condition itself, then its groups."""
        return [self.own, *self.groups]

    @property
    def is_empty(self) -> bool:
        return not self.kept and not any(one.rows for one in self.all)


def spell(condition: Any) -> Spelled:
    """A condition as rows and groups; kept whole when it is too deep for them."""
    if not condition:
        return Spelled()
    word, inner = _only(condition)
    parts = inner if word in MATCHES else [condition]
    made = Spelled(Rows(word if word in MATCHES else "$and"))
    for part in parts:
        word, inner = _only(part)
        if word not in MATCHES:
            made.own.rows.append(_row(part))
        elif any(_only(one)[0] in MATCHES for one in inner):
            return Spelled(kept=json.dumps(condition, ensure_ascii=False))
        else:
            made.groups.append(Rows(word, [_row(one) for one in inner]))
    return made


def _only(condition: Any) -> tuple[str, Any]:
    ((word, inner),) = condition.items()
    return word, inner


def _row(condition: Any) -> Row:
    word, inner = _only(condition)
    if not word.startswith("$"):
        word, inner = "$eq", [word, inner]
    name, *values = inner if isinstance(inner, list) else [inner]
    value = values[0] if values else ""
    return Row(str(name), word, ", ".join(map(str, value)) if isinstance(value, list) else str(value))


def typed(form: Mapping[str, str], name: str) -> Spelled:
    """What was typed, row by row, so that it can be drawn again."""
    found: dict[int, list[tuple[int, Row]]] = {}
    for key in form:
        place = ROW(key.removeprefix(f"{name}.")) if key.startswith(f"{name}.") else None
        if place and form[key]:
            group, row = int(place[1]), int(place[2])
            start = f"{name}.{group}.{row}"
            one = Row(form[key], form.get(f"{start}.operator", "$eq"), form.get(f"{start}.value", "").strip())
            found.setdefault(group, []).append((row, one))
    made = Spelled(Rows(_match(form.get(f"{name}.match"))))
    for group in sorted(found)[:MOST_GROUPS]:
        rows = [one for _place, one in sorted(found[group], key=lambda pair: pair[0])]
        if group == 0:
            made.own.rows = rows
        else:
            made.groups.append(Rows(_match(form.get(f"{name}.{group}.match"), "$or"), rows))
    if made.is_empty and not form.get(f"{name}.drop"):
        made.kept = form.get(f"{name}.kept", "")
    return made


def _match(said: str | None, otherwise: str = "$and") -> str:
    return said if said in MATCHES else otherwise


def read(form: Mapping[str, str], name: str) -> Any:
    """The condition that was typed, None when there is none. Raises Refused at `name`."""
    said = typed(form, name)
    if said.kept:
        try:
            return json.loads(said.kept)
        except (ValueError, RecursionError):
            raise Refused.because("bad_conditions", _("This condition cannot be read. Take it away."), name) from None
    parts = [_condition(one, name) for one in said.own.rows]
    for group in said.groups:
        inner = [_condition(one, name) for one in group.rows]
        parts.append(inner[0] if len(inner) == 1 else {group.match: inner})
    return None if not parts else parts[0] if len(parts) == 1 else {said.own.match: parts}


def _condition(row: Row, name: str) -> dict[str, Any]:
    if row.operator in logic.NO_VALUE:
        return {row.operator: [row.question]}
    if row.value == "":
        message = _("Write the value that “%(question)s” is compared with.", question=row.question)
        raise Refused.because("bad_conditions", message, name)
    if row.operator in LISTS:
        return {row.operator: [row.question, [one.strip() for one in row.value.split(",") if one.strip()]]}
    return {row.operator: [row.question, row.value]}


def operators() -> list[tuple[str, str]]:
    """What can be asked of an answer: (key, words)."""
    return [(key, _(label)) for key, label in OPERATORS]


def matches() -> list[tuple[str, str]]:
    """How rows are joined: (key, words)."""
    return [(key, _(label)) for key, label in MATCHES.items()]


def sentence(condition: Any, design: Design) -> str:
    """A condition in words."""
    if not condition:
        return _("always")
    word, inner = _only(condition)
    if word in MATCHES:
        joint = f" {_('and')} " if word == "$and" else f" {_('or')} "
        return joint.join(
            f"({said})" if _only(one)[0] in MATCHES else said for one in inner for said in [sentence(one, design)]
        )
    row = _row(condition)
    question = design.by_name.get(row.question)
    title = (question.title if question else "") or row.question
    option = question.option(row.value) if question else None
    return (
        f"“{title}” {dict(operators()).get(row.operator, row.operator)} {option.label if option else row.value}".strip()
    )
