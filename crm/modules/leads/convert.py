"""A lead becomes an account, a contact and, if wanted, a potential: all or nothing, and only once (spec/sales.md S4).

An existing account is recognised by business ID, then by name; a contact by e-mail, then by name inside the account.
What the lead had follows: activities, mails, files, memberships, refusals, what was sent to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, delete, exists, func, insert, literal, select, update

from crm import clock
from crm.db import db, fold, fold_text
from crm.engine import records
from crm.engine.attachments import EntityFile
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.engine.relations import EntityLink
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.words import _

ACCOUNT_FROM = {
    "name": "company", "business_id": "business_id", "phone": "phone", "fax": "fax", "website": "website",
    "industry": "industry", "rating": "rating", "employees": "employees", "annual_revenue": "annual_revenue",
    "language": "language", "billing_street": "street", "billing_po_box": "po_box",
    "billing_postal_code": "postal_code", "billing_city": "city", "billing_state": "state", "billing_country": "country",
}  # fmt: skip
CONTACT_FROM = {
    "salutation": "salutation", "first_name": "first_name", "last_name": "last_name", "title": "title",
    "email": "email", "secondary_email": "secondary_email", "phone": "phone", "mobile": "mobile", "fax": "fax",
    "language": "language", "lead_source": "lead_source", "do_not_call": "do_not_call", "do_not_sms": "do_not_sms",
    "mailing_street": "street", "mailing_po_box": "po_box", "mailing_postal_code": "postal_code",
    "mailing_city": "city", "mailing_state": "state", "mailing_country": "country", "description": "description",
}  # fmt: skip
POTENTIAL_FROM = {"name": "company", "lead_source": "lead_source", "campaign_id": "campaign_id"}
CONSENT = (
    "email_opt_out", "email_opt_out_at", "email_opt_out_source", "email_opt_in", "email_opt_in_at",
    "email_opt_in_source", "email_status", "may_measure_opens", "may_measure_opens_at", "may_measure_opens_source",
    "may_measure_opens_wording",
)  # fmt: skip
MEMBERS = ("campaign_members", "target_group_members", "portal_target_group_members")


@dataclass(frozen=True)
class Wanted:
    """What the lead shall become. `account`, `contact`, `potential`: values typed over those that the lead brings."""

    make_account: bool = True
    make_contact: bool = True
    make_potential: bool = False
    delete_lead: bool = False
    account: Mapping[str, Any] = field(default_factory=dict)
    contact: Mapping[str, Any] = field(default_factory=dict)
    potential: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Converted:
    """What the lead became; `made` holds the modules in which a record was created, the others existed."""

    account_id: int | None
    contact_id: int | None
    potential_id: int | None
    made: frozenset[str]


class AlreadyConverted(Refused):
    """The lead was converted before; it became these."""

    def __init__(self, account_id: int | None, contact_id: int | None) -> None:
        super().__init__({"": [Fault("already_converted", _("This lead was converted already."))]})
        self.account_id, self.contact_id = account_id, contact_id


def convert(viewer: Viewer, lead_id: int, wanted: Wanted, channel: Channel) -> Converted:
    """Convert a lead. Nothing is written when it raises (the caller then rolls back).

    Raises Missing, Forbidden (also when the viewer may not create in a target), AlreadyConverted, Refused.
    """
    lead = _lock(demand_record(viewer, "leads", lead_id, "convert"))
    for is_wanted, key in (
        (wanted.make_account, "accounts"), (wanted.make_contact, "contacts"), (wanted.make_potential, "potentials"),
    ):  # fmt: skip
        if is_wanted:
            demand(viewer, "create", key)
    if wanted.delete_lead:
        demand_record(viewer, "leads", lead_id, "delete")
    made: set[str] = set()
    account_id = match_account(viewer, {**_brought(lead, ACCOUNT_FROM), **wanted.account})
    if account_id is None and wanted.make_account:
        account_id = _create(viewer, "accounts", {**_brought(lead, ACCOUNT_FROM), **wanted.account}, lead, channel)
        made.add("accounts")
    contact_values = {**_brought(lead, CONTACT_FROM), **wanted.contact}
    contact_id = match_contact(viewer, contact_values, account_id)
    if contact_id is None and wanted.make_contact:
        contact_id = _create(viewer, "contacts", {"account_id": account_id, **contact_values}, lead, channel)
        records.update(SYSTEM, "contacts", contact_id, {name: lead[name] for name in CONSENT}, Channel.SYSTEM)
        made.add("contacts")
    elif contact_id is not None and lead["email_opt_out"]:
        records.update(SYSTEM, "contacts", contact_id, {"email_opt_out": True}, Channel.SYSTEM)
    potential_id = None
    if wanted.make_potential:
        values = {
            **_brought(lead, POTENTIAL_FROM),
            "account_id": account_id,
            "contact_id": contact_id,
            **wanted.potential,
        }
        potential_id = _create(viewer, "potentials", values, lead, channel)
        records.update(SYSTEM, "potentials", potential_id, {"lead_id": lead_id}, Channel.SYSTEM)
        made.add("potentials")
    if account_id is None and contact_id is None and potential_id is None:
        raise Refused.because("nothing_wanted", _("Choose what this lead shall become: account, contact or potential."))
    _let_follow(lead_id, account_id, contact_id, potential_id)
    kept = {"converted_at": clock.now(), "converted_account_id": account_id, "converted_contact_id": contact_id}
    records.update(SYSTEM, "leads", lead_id, {**kept, "lead_status": "Qualified"}, Channel.SYSTEM)
    if wanted.delete_lead:
        records.delete(viewer, "leads", lead_id, channel)
    return Converted(account_id, contact_id, potential_id, frozenset(made))


def match_account(viewer: Viewer, values: Mapping[str, Any]) -> int | None:
    """The account that the viewer may see with this business ID or, failing that, this name; the oldest of several."""
    accounts = modules["accounts"]
    c = accounts.table.c
    if values.get("business_id"):
        found = _first(viewer, accounts, fold(c.business_id) == fold_text(str(values["business_id"]).strip()))
        if found is not None:
            return found
    name = fold_text(" ".join(str(values.get("name") or "").split()))
    return _first(viewer, accounts, fold(func.trim(c.name)) == name) if name else None


def match_contact(viewer: Viewer, values: Mapping[str, Any], account_id: int | None) -> int | None:
    """The contact that the viewer may see with this e-mail or, failing that, this name inside the account."""
    from crm.modules.rules import key_of_email

    contacts = modules["contacts"]
    c = contacts.table.c
    key = key_of_email(values.get("email"))
    found = _first(viewer, contacts, fold(c.email_key) == key) if key else None
    if found is not None or account_id is None:
        return found
    first, last = (fold_text(str(values.get(name) or "").strip()) for name in ("first_name", "last_name"))
    same = and_(c.account_id == account_id, fold(c.last_name) == last, func.coalesce(fold(c.first_name), "") == first)
    return _first(viewer, contacts, same)


def _first(viewer: Viewer, module: Module, condition: Any) -> int | None:
    said = select(module.table.c.id).where(module.table.c.deleted_at.is_(None), condition)
    narrowing = scope(viewer, module, "view")
    if narrowing is not None:
        said = said.where(narrowing)
    return db.session.execute(said.order_by(module.table.c.id).limit(1)).scalar()


def _lock(lead: dict[str, Any]) -> dict[str, Any]:
    """The lead's row, held until the end of the transaction, so that of two conversions at once one is refused."""
    table = modules["leads"].table
    row = db.session.execute(select(table).where(table.c.id == lead["id"]).with_for_update()).mappings().one()
    if row["converted_at"]:
        raise AlreadyConverted(row["converted_account_id"], row["converted_contact_id"])
    return dict(row)


def _brought(lead: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    return {name: lead[source] for name, source in mapping.items() if lead[source] not in (None, "")}


def _create(viewer: Viewer, key: str, values: dict[str, Any], lead: Mapping[str, Any], channel: Channel) -> int:
    return records.create(viewer, key, {"owner_id": lead["owner_id"], **values}, channel)


def _let_follow(lead_id: int, account_id: int | None, contact_id: int | None, potential_id: int | None) -> None:
    heirs = {"accounts": account_id, "contacts": contact_id, "potentials": potential_id}
    table = EntityLink.__table__
    for module in modules:
        for link in module.links:
            if link.to != "leads":
                continue
            kept_as = f"{module.key}.{link.name}"
            for other in module.links:
                if heirs.get(other.to) is not None:
                    _copy_pairs(kept_as, lead_id, f"{module.key}.{other.name}", heirs[other.to])
            db.session.execute(delete(table).where(table.c.relation == kept_as, table.c.b_id == lead_id))
    _move_files(lead_id, contact_id or account_id or potential_id)
    if contact_id is not None:
        for module in modules:
            if {"person_id", "contact_id"} <= set(module.table.c.keys()):
                _move_person(module, lead_id, contact_id)
            elif module.is_ledger and module.about == "person_id":  # opens, clicks, visits
                table = module.table
                db.session.execute(update(table).where(table.c.person_id == lead_id).values(person_id=contact_id))


def _copy_pairs(kept_as: str, lead_id: int, relation: str, heir: int | None) -> None:
    table = EntityLink.__table__
    there = table.alias()
    known = exists().where(there.c.relation == relation, there.c.a_id == table.c.a_id, there.c.b_id == heir)
    said = select(literal(relation), table.c.a_id, literal(heir), table.c.created_at).where(
        table.c.relation == kept_as, table.c.b_id == lead_id, ~known
    )
    db.session.execute(insert(table).from_select(["relation", "a_id", "b_id", "created_at"], said))


def _move_files(lead_id: int, heir: int | None) -> None:
    table = EntityFile.__table__
    held = select(table.c.file_id).where(table.c.entity_id == heir)
    db.session.execute(delete(table).where(table.c.entity_id == lead_id, table.c.file_id.in_(held)))
    db.session.execute(update(table).where(table.c.entity_id == lead_id).values(entity_id=heir))


def _move_person(module: Module, lead_id: int, contact_id: int) -> None:
    """Rows about the lead are about the contact now. Where the contact has a row of its own, the stricter state wins."""
    table = module.table
    mine = table.c.person_id == lead_id
    values: dict[str, Any] = {"person_id": contact_id, "contact_id": contact_id}
    if "person_module" in table.c:
        values["person_module"] = "contacts"
    if not module.parent:
        db.session.execute(update(table).where(mine).values(values))
        return
    other = table.alias()
    parent = module.parent
    rival = exists().where(other.c[parent] == table.c[parent], other.c.person_id == contact_id)
    db.session.execute(update(table).where(mine, ~rival).values(values))
    if module.key not in MEMBERS:
        return  # what was sent to both stays with both
    if "state" in table.c:
        refused = select(other.c[parent]).where(other.c.person_id == lead_id, other.c.state == "unsubscribed")
        stricter = update(table).where(table.c.person_id == contact_id, table.c[parent].in_(refused))
        db.session.execute(stricter.values(state="unsubscribed"))
    db.session.execute(delete(table).where(mine))
