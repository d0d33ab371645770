"""Formulas: values computed or checked when a record is saved from the form (spec/platform.md 1.6 and 2.5).

A formula is declared on its module; `before_save` runs those of a save in the order validation, create, save. What is
computed is text: the caller cleans it again by the field's kind before it is stored.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from crm import clock, config
from crm.engine.channels import RULES, Channel
from crm.engine.kinds import BadValue
from crm.engine.refusals import Fault, Refused, UnknownName
from crm.engine.tags import Problem, Tree, check, parse, straighten
from crm.engine.tags.check import unknown_modifiers
from crm.engine.tags.evaluate import evaluate
from crm.engine.tags.meaning import FormulaError
from crm.words import _

TRIGGERS = ("create", "save", "validation", "field", "detail")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Formula:
    """One formula of a module. `trigger`: create, save, validation, field, detail. `target`: the field it fills.

    `source`: for trigger field, the field whose change runs it."""

    trigger: str
    target: str
    text: str
    source: str = ""


class HasFormulas(Protocol):
    """What is asked of a module here (crm/engine/module.py imports this file)."""

    key: str
    formulas: tuple[Formula, ...]

    def resolve(self, name: str) -> str: ...


Related = Callable[[str], Mapping[str, Any] | None]
"""relation name (`account`) → the fields of the linked record that the viewer may read, or None."""


@dataclass
class Computed:
    """What formulas gave: `values` to write (text, by canonical field), `faults` that stop the save, `notes` to show."""

    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def before_save(
    module: HasFormulas,
    values: Mapping[str, Any],
    channel: Channel,
    *,
    is_new: bool,
    now: datetime | None = None,
    zone: tzinfo = UTC,
    related: Related | None = None,
) -> Computed:
    """All formulas of one save, each seeing what earlier ones set. In every channel but the form nothing runs."""
    computed = Computed()
    for trigger in ("validation", "create", "save") if is_new else ("validation", "save"):
        seen = {**values, **computed.values}
        one = run(module, trigger, seen, channel, now=now, zone=zone, related=related)
        computed.values.update(one.values)
        for name, faults in one.faults.items():
            computed.faults.setdefault(name, []).extend(faults)
    return computed


def apply(
    module: HasFormulas,
    values: dict[str, Any],
    old: Mapping[str, Any] | None,
    channel: Channel,
    clean: Callable[[str, Any], Any],
) -> None:
    """Runs the formulas of one save and puts what they give into `values` (changed in place).

    `values`: the cleaned new values; `old`: the stored row, None when it is new; `clean(field, text)` gives the typed
    value or raises BadValue. Raises Refused, before anything is written."""
    if not module.formulas:
        return
    now, zone = clock.now(), ZoneInfo(config.current().timezone)
    computed = before_save(module, {**(old or {}), **values}, channel, is_new=old is None, now=now, zone=zone)
    faults = computed.faults
    for name, text in computed.values.items():
        try:
            values[name] = clean(name, text)
        except BadValue as bad:
            faults.setdefault(name, []).append(
                Fault(bad.code, _("Formula for %(name)s: %(message)s", name=name, message=bad.message))
            )
    if faults:
        raise Refused(faults)


def run(
    module: HasFormulas,
    trigger: str,
    values: Mapping[str, Any],
    channel: Channel,
    *,
    source: str = "",
    now: datetime | None = None,
    zone: tzinfo = UTC,
    related: Related | None = None,
) -> Computed:
    """The formulas of one trigger, in the order of the declaration.

    `values`: canonical field → stored value of the whole record (new values over old), `rows` for row data, `id`.
    `source`: for trigger field, the field that was filled. A formula that cannot be computed stops the save when it
    checks (validation); otherwise its target stays as it is and the reason is logged."""
    computed = Computed()
    if trigger != "detail" and not RULES[channel].formulas:
        return computed
    seen = dict(values)
    names = _Names(module, seen, related)
    for formula in module.formulas:
        if formula.trigger != trigger or (trigger == "field" and formula.source != source):
            continue
        target = module.resolve(formula.target) if formula.target else ""
        try:
            text = evaluate(_parsed(formula.text), names, now or clock.now(), zone)
        except FormulaError as error:
            if trigger == "validation":
                computed.faults.setdefault(target, []).append(
                    Fault("formula", _("Formula for %(target)s: %(error)s", target=target, error=error))
                )
            else:
                log.warning("formula failed", extra={"entity": module.key, "target": target, "reason": str(error)})
            continue
        if trigger == "validation":
            if text.strip():
                computed.faults.setdefault(target, []).append(Fault("formula", text.strip()))
        elif trigger == "detail":
            if text.strip():
                computed.notes.append(text.strip())
        else:
            computed.values[target] = seen[target] = text
    return computed


def check_formula(module: HasFormulas, formula: Formula, relations: frozenset[str] = frozenset()) -> list[Problem]:
    """What is wrong with a formula before it is kept: syntax, unknown fields and modifiers, unknown trigger or target.

    `relations`: names of linked records that may be asked (`account`)."""
    problems = []
    if formula.trigger not in TRIGGERS:
        problems.append(Problem(_("The trigger is one of %(known)s", known=", ".join(TRIGGERS)), 1, 1, formula.trigger))
    text = straighten(formula.text)
    if "\n" in text.strip():
        problems.append(Problem(_("A formula is one line: take out the line breaks"), 1, 1))

    def known(name: str) -> bool:
        first = name.partition(".")[0]
        if first in relations or first in ("rows", "ID", "id") or first.startswith("rel_"):
            return True
        return _resolves(module, name)

    if formula.trigger != "detail" and not _resolves(module, formula.target):
        problems.append(Problem(_("There is no field %(target)s", target=formula.target), 1, 1, formula.target))
    return [*problems, *check(text, known, "formula"), *unknown_modifiers(text)]


def _resolves(module: HasFormulas, name: str) -> bool:
    try:
        module.resolve(name)
    except UnknownName:
        return False
    return True


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> Tree:
    return parse(straighten(text).strip(), "formula")


class _Names(Mapping[str, Any]):
    """What `$name` means in a formula: a field by any of its names, `ID`, row data, a linked record, `rel_<field>`."""

    def __init__(self, module: HasFormulas, values: Mapping[str, Any], related: Related | None) -> None:
        self._module, self._values, self._related = module, values, related

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name == "ID":
            return self._values.get("id")
        if _resolves(self._module, name):
            return self._values.get(self._module.resolve(name))
        if self._related is not None:
            return self._related(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
