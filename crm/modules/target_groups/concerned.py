"""Whom a change concerns: what the conditions of a group ask about, and the way back from there to the people."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, select

from crm.engine.conditions import BadCondition
from crm.engine.conditions.nodes import Has, Join, Node, Test, read
from crm.engine.module import Module
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.engine.relations import EntityLink, key_of

Way = Callable[[Any], Any]  # ids (a list, or a Select of one column) of a module → a Select of ids where the way ends
PERSONS = {
    "contacts": "contacts",
    "accounts": "contacts",
    "leads": "leads",
}  # who is collected, by the source of a group
MAILABLE = frozenset({"email", "email_key", "email_opt_out", "email_status"})


@dataclass(frozen=True)
class Concern:
    """Records of `module` by whose `fields` people come and go; the way from such a record to those people."""

    module: str
    fields: frozenset[str]
    to_people: Way

    def is_met(self, module: str, event: str, changed: frozenset[str]) -> bool:
        """Whether the event may let people come or go: an update only when it `changed` one of the fields."""
        return module == self.module and (event != "updated" or not self.fields.isdisjoint(changed))


@lru_cache(maxsize=200)
def concerns(source: str, conditions: str, only_mailable: bool) -> tuple[Concern, ...]:
    """What the members of a group depend on. `conditions`: as JSON. Nothing where these cannot be read (any more)."""
    person = modules[PERSONS[source]]
    found = [Concern(person.key, frozenset({"owner_id"}), _same)]
    to_people: Way = _same
    if source == "accounts":
        account = person.table.c.account_id
        found.append(Concern(person.key, frozenset({"account_id"}), _same))
        to_people = lambda ids: select(person.table.c.id).where(account.in_(ids))  # noqa: E731 — a way, as the others
    if source == "leads":
        found.append(Concern(person.key, frozenset({"converted_at"}), _same))
    if only_mailable:
        found += [Concern(person.key, MAILABLE, _same), _refusals(person)]
    said = json.loads(conditions)
    try:
        found += _asked(read(said, modules[source]), modules[source], to_people) if said else ()
    except (BadCondition, UnknownName):
        return ()
    return tuple(found)


@cache
def within_reach() -> frozenset[str]:
    """The modules that conditions of groups can ask about at all."""
    found, fresh = {"suppressions"}, [*PERSONS]
    while fresh:
        key = fresh.pop()
        if key not in found and key in modules:
            found.add(key)
            fresh += [relation.target for relation in modules.relations(key).values() if relation.target]
    return frozenset(found)


def _same(ids: Any) -> Any:
    return ids


def _refusals(person: Module) -> Concern:
    refused = modules["suppressions"].table

    def to_people(ids: Any) -> Select[Any]:
        keys = select(refused.c.email_key).where(refused.c.id.in_(ids))
        return select(person.table.c.id).where(person.column("email_key").in_(keys))

    return Concern("suppressions", frozenset({"email", "email_key", "scope", "active"}), to_people)


def _asked(node: Node, module: Module, back: Way) -> Iterator[Concern]:
    """What `node`, about records of `module`, asks; `back` leads from these records to the people."""
    if isinstance(node, Join):
        for item in node.items:
            yield from _asked(item, module, back)
    elif isinstance(node, Has):
        yield from _asked_of_related(node, module, back)
    elif node.through is not None and node.target is not None:
        yield Concern(module.key, frozenset({node.through.name}), back)
        yield Concern(node.target.key, _seen_by(node, node.target), _by_link(module, node.through.name, back))
    else:
        yield Concern(module.key, _seen_by(node, module), back)


def _seen_by(node: Test, module: Module) -> frozenset[str]:
    """The field that is asked, and the owner by whom rights see the record at all."""
    return frozenset({node.field.name, "owner_id"} if "owner_id" in module.fields else {node.field.name})


def _asked_of_related(node: Has, module: Module, back: Way) -> Iterator[Concern]:
    relation, target = node.relation, modules[node.relation.target]
    if relation.kind == "one":
        yield Concern(module.key, frozenset({relation.field}), back)
        there = _by_link(module, relation.field, back)
        named = frozenset({"owner_id"})
    elif relation.kind == "children":
        there = _by_child(target, relation.field, back)
        named = frozenset({"owner_id", relation.field})
    else:
        there = _by_pair(key_of(module.key, relation), relation.is_forward, back)
        named = frozenset({"owner_id"})
    yield Concern(target.key, named, there)
    if node.inner is not None:
        yield from _asked(node.inner, target, there)


def _by_link(module: Module, name: str, back: Way) -> Way:
    """From records that a link of `module` points at."""
    return lambda ids: back(select(module.table.c.id).where(module.column(name).in_(ids)))


def _by_child(child: Module, name: str, back: Way) -> Way:
    """From records whose link points at those that are asked about."""
    return lambda ids: back(select(child.column(name)).where(child.table.c.id.in_(ids)))


def _by_pair(relation: str, is_forward: bool, back: Way) -> Way:
    pairs = EntityLink.__table__
    near, far = (pairs.c.a_id, pairs.c.b_id) if is_forward else (pairs.c.b_id, pairs.c.a_id)
    return lambda ids: back(select(near).where(pairs.c.relation == relation, far.in_(ids)))
