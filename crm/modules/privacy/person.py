"""Who is erased: the records that are one person, the addresses, and the words that tell of this person."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import or_, select

from crm.db import db
from crm.engine import merging
from crm.engine.history import Change
from crm.engine.kinds import Kind
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.modules.privacy.blotting import Words
from crm.modules.rules import key_of_email

PERSONS = ("contacts", "leads")
REMOVED = "Removed person"
NAMES = ("first_name", "last_name")
STREETS = ("mailing_street", "other_street", "street")


@dataclass(frozen=True)
class Person:
    """One person: the contact, and the leads it once was. `rows`: (module, row) as they stand before."""

    contact_ids: tuple[int, ...]
    lead_ids: tuple[int, ...]
    rows: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return (*self.contact_ids, *self.lead_ids)

    @cached_property
    def emails(self) -> frozenset[str]:
        """Every address that the person has or had here, as addresses are compared."""
        found = {row[name] for _module, row in self.rows for name in ("email", "secondary_email") if row.get(name)}
        log, mails = Change.__table__, Delivery.__table__
        before = select(log.c.old, log.c.new).where(
            log.c.entity_id.in_(self.ids), log.c.field.in_(("email", "secondary_email"))
        )
        found |= {one for row in db.session.execute(before) for one in row if one}
        sent = select(mails.c.email).where(or_(mails.c.person_id.in_(self.ids), mails.c.contact_id.in_(self.ids)))
        found |= {one for one in db.session.execute(sent.distinct()).scalars() if one}
        return frozenset(key for one in found if (key := key_of_email(one)))

    @cached_property
    def words(self) -> Words:
        """What makes texts tell of this person."""
        marks, names = set(self.emails), set()
        for module, row in self.rows:
            fields = modules[module].fields
            for name, value in row.items():
                if isinstance(value, str) and value and name in fields and _is_mark(name, fields[name].kind):
                    marks.add(value)
            first, last = (str(row.get(name) or "") for name in NAMES)
            names |= {first, last}
            if first and last:
                marks |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
        return Words(marks, names)


def _is_mark(name: str, kind: Kind) -> bool:
    return kind.name in {"email", "phone"} or name in STREETS


def find(module: str, id: int) -> Person:
    """The person that a contact or lead is. Raises Missing when there is no such record (the bin counts)."""
    contacts, leads = modules["contacts"].table, modules["leads"].table
    contact = id if module == "contacts" else None
    lead_ids = [id] if module == "leads" else []
    if module == "leads":
        said = select(leads.c.converted_contact_id).where(leads.c.id == id)
        contact = db.session.execute(said).scalar()
    contacts_of = [contact] if contact is not None else []
    contacts_of += merging.merged_into(contacts_of)
    if contact is not None:
        others = select(leads.c.id).where(leads.c.converted_contact_id.in_(contacts_of), leads.c.id.not_in(lead_ids))
        lead_ids += db.session.execute(others.order_by(leads.c.id)).scalars()
    lead_ids += [id for id in merging.merged_into(lead_ids) if id not in lead_ids]
    rows = [("contacts", one) for one in _rows(contacts, contacts_of)]
    rows += [("leads", one) for one in _rows(leads, lead_ids)]
    if not any(said == module and row["id"] == id for said, row in rows):
        raise Missing
    return Person(
        tuple(row["id"] for said, row in rows if said == "contacts"),
        tuple(row["id"] for said, row in rows if said == "leads"),
        tuple(rows),
    )


def _rows(table: Any, ids: Sequence[int]) -> list[dict[str, Any]]:
    if not ids:
        return []
    said = select(table).where(table.c.id.in_(ids)).order_by(table.c.id)
    return [dict(row) for row in db.session.execute(said).mappings()]
