"""The one way from an address to a person (decisions.md 17). What comes from outside never overwrites what is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, literal, select, union_all

from crm.db import db, fold
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.rules import key_of_email


@dataclass(frozen=True)
class Person:
    """A contact or a lead."""

    module: str
    id: int

    @property
    def contact_id(self) -> int | None:
        return self.id if self.module == "contacts" else None


@dataclass(frozen=True)
class Resolved:
    """The person of an address, and whether he was made just now."""

    person: Person
    is_new: bool = False


def people_of(email: str) -> list[Person]:
    """Every live person with this address, contacts before leads, older ones first; as the system sees it."""
    key = key_of_email(email)
    if key is None:
        return []
    return [Person(module, id) for module, id in db.session.execute(_of_address(), {"key": key})]


@cache
def _of_address() -> Select[Any]:
    """(module, id) of the people with the address whose key is the parameter `key`; built once, as every form asks it."""
    contacts, leads = modules["contacts"].table, modules["leads"].table
    said = union_all(
        select(literal(0).label("place"), literal("contacts").label("module"), contacts.c.id).where(
            fold(contacts.c.email_key) == bindparam("key"), contacts.c.deleted_at.is_(None)
        ),
        select(literal(1), literal("leads"), leads.c.id).where(
            fold(leads.c.email_key) == bindparam("key"), leads.c.deleted_at.is_(None), leads.c.converted_at.is_(None)
        ),
    ).subquery()
    return select(said.c.module, said.c.id).order_by(said.c.place, said.c.id)


def resolve(
    viewer: Viewer,
    email: str,
    channel: Channel,
    values: Mapping[str, Any] | None = None,
    make: str = "contacts",
    fill: bool = False,
) -> Resolved | None:
    """The person with this address, made from `values` when there is none and `make` names a module ("" makes none).

    `fill`: empty fields of a known person take the value given; for input by somebody who proved who he is. What is
    filled in already is never overwritten. None when nobody was found and nobody made. Raises Refused, Forbidden.
    """
    known = people_of(email)
    if known:
        if fill and values:
            _fill(viewer, known[0], values, channel)
        return Resolved(known[0])
    if not make:
        return None
    given = {**(values or {}), "email": email}
    if not given.get("last_name"):
        given["last_name"] = email.rpartition("@")[0][:80] or email[:80]
    if make == "leads" and not given.get("company"):
        given["company"] = email.rpartition("@")[2][:120]
    return Resolved(Person(make, records.create(viewer, make, given, channel)), is_new=True)


def _fill(viewer: Viewer, person: Person, values: Mapping[str, Any], channel: Channel) -> None:
    module = modules[person.module]
    row = db.session.execute(select(module.table).where(module.table.c.id == person.id)).mappings().one()
    empty = {}
    for name, value in values.items():
        said = module.field(name)
        held = row["extra"].get(said.name) if said.custom else row[said.name]
        if value not in (None, "", ()) and held in (None, "", ()):
            empty[said.name] = value
    if empty:
        records.update(viewer, module, person.id, empty, channel)
