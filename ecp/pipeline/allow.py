"""May this person get this mail? One list of rules in the order of spec/marketing.md 4.3; the first that hits is the reason.

The same rules are asked twice: of a whole audience when a sendout is prepared, and of one delivery in the statement that
begins its text (`refusal`), so that who leaves during a long sending gets nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import String, and_, case, exists, false, func, literal, not_, null, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import fold
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery

OPTED_OUT = ("out_user", "out_contact")
OPT_INS: dict[
    str, tuple[str, ...]
] = {  # what the site requires (organisation.required_opt_in) → states that are mailed
    "": (),
    "any": ("single_user", "single_webform", "double"),
    "double": ("double",),
}
# What a row of people must have, beside its address, to be judged.
FACTS = ("deleted", "opt_out", "opt_in", "email_status")


@dataclass(frozen=True)
class Rules:
    """What a sendout asks of everybody. `is_essential`: mail of a list that a campaign's leaving does not stop;
    `opt_ins`: the states of opt-in of which a person needs one, none when the site requires no opt-in."""

    list_type_id: int | None
    campaign_ids: tuple[int, ...] = ()
    is_essential: bool = False
    opt_ins: tuple[str, ...] = ()


def person_facts(person: Any) -> dict[str, ColumnElement[Any]]:
    """What the rules need to know, from the table of contacts or leads (or an alias of it)."""
    return {
        "deleted": person.c.deleted_at.is_not(None),
        "opt_out": person.c.email_opt_out,
        "opt_in": person.c.email_opt_in,
        "email_status": person.c.email_status,
    }


def reason(people: Any, rules: Rules, many: bool) -> ColumnElement[str | None]:
    """Why somebody is refused, NULL when nothing speaks against it.

    `people`: a FROM element with person_id, email, email_key, left_campaign and FACTS. `many`: a whole audience is judged,
    so sets are made once; else each rule looks into an index for the one row.
    """
    c = people.c
    hits = [
        ("contact_deleted", or_(c.person_id.is_(None), c.deleted.is_(None), c.deleted)),
        ("no_email", or_(c.email.is_(None), c.email == "")),
        ("invalid_email", or_(c.email_key.is_(None), c.email_key == "")),
        ("opt_out", _is_opted_out(c, many)),
        (
            "list_unsubscribed",
            _has_refused(c, "list_type", () if rules.list_type_id is None else (rules.list_type_id,), many),
        ),
    ]
    if not rules.is_essential:
        hits.append(
            ("campaign_unsubscribed", or_(c.left_campaign, _has_refused(c, "campaign", rules.campaign_ids, many)))
        )
    hits += [
        ("bounced_before", or_(_is(c.email_status, "hard_bounced"), _is_suppressed(c, "bounce", many))),
        ("complained", or_(_is(c.email_status, "complained"), _is_suppressed(c, "complaint", many))),
    ]
    if rules.opt_ins:
        hits.append(("no_opt_in", not_(_is_one_of(c.opt_in, rules.opt_ins))))
    return case(*((condition, literal(name, String)) for name, condition in hits), else_=null())


def refusal(rules: Rules) -> ColumnElement[str | None]:
    """The same for one row of `deliveries`, as an expression for the statement that begins its text (crm/mail/sending)."""
    own = Delivery.__table__.alias("judged")
    contact, lead = modules["contacts"].table.alias("contact"), modules["leads"].table.alias("lead")
    member = modules["campaign_members"].table.alias("member")
    facts = {name: func.coalesce(person_facts(contact)[name], person_facts(lead)[name]) for name in FACTS[1:]}
    gone = and_(contact.c.id.is_(None), lead.c.id.is_(None))
    left_campaign = exists(
        select(literal(1)).where(
            _is_one_of(member.c.campaign_id, rules.campaign_ids),
            member.c.person_id == own.c.person_id,
            member.c.state == "unsubscribed",
        )
    )
    columns = {
        "person_id": own.c.person_id, "email": own.c.email, "email_key": own.c.email_key,
        "left_campaign": left_campaign if rules.campaign_ids else false(),
        "deleted": or_(gone, contact.c.deleted_at.is_not(None), lead.c.deleted_at.is_not(None)),
    }  # fmt: skip
    people = SimpleNamespace(c=SimpleNamespace(**columns, **facts))
    why = reason(people, rules, many=False)
    joined = own.outerjoin(contact, contact.c.id == own.c.person_id).outerjoin(lead, lead.c.id == own.c.person_id)
    outer = Delivery.__table__
    return select(why).select_from(joined).where(own.c.id == outer.c.id).correlate(outer).scalar_subquery()


def _is(column: Any, value: str) -> ColumnElement[bool]:
    return and_(column.is_not(None), column == value)


def _is_one_of(column: Any, values: tuple[Any, ...]) -> ColumnElement[bool]:
    """Spelled out, because the post office compiles the statement once for the driver, and an IN grows when it is run."""
    return and_(column.is_not(None), or_(false(), *(column == value for value in values)))


def _is_opted_out(c: Any, many: bool) -> ColumnElement[bool]:
    """By the person's own word, or by that of any living person with the same address (decisions.md 21), or for good."""
    by_address = [_is_suppressed(c, "global", many)]
    contacts, leads, other = (modules[key].table.alias() for key in ("contacts", "leads", "contacts"))
    for table, key in (
        (contacts, fold(contacts.c.email_key)),
        (leads, fold(leads.c.email_key)),
        (other, fold(other.c.secondary_email)),
    ):
        # For one row the index of the address is wanted: not that of the opt-outs, and (SQLite) with an expression on both sides.
        is_out = (
            table.c.email_opt_out if many else func.coalesce(table.c.email_opt_out, literal(False)) == literal(True)
        )
        said = c.email_key if many else fold(c.email_key)
        by_address.append(_among(said, key, and_(table.c.deleted_at.is_(None), is_out), many))
    return or_(c.opt_out, _is_one_of(c.opt_in, OPTED_OUT), *by_address)


def _has_refused(c: Any, scope: str, scope_ids: tuple[int, ...], many: bool) -> ColumnElement[bool]:
    """By the address, or by the person under an address of earlier days: a new address inherits the refusal."""
    if not scope_ids:
        return false()
    return or_(_is_suppressed(c, scope, many, scope_ids), _is_suppressed(c, scope, many, scope_ids, by_person=True))


def _is_suppressed(
    c: Any, scope: str, many: bool, scope_ids: tuple[int, ...] = (), by_person: bool = False
) -> ColumnElement[bool]:
    table = modules["suppressions"].table.alias()
    said = [table.c.scope == scope, table.c.active, table.c.deleted_at.is_(None)]
    if scope_ids:
        # For one row the index of the person is wanted, not that of everybody who has left the list.
        where = func.coalesce(table.c.scope_id, 0) if by_person and not many else table.c.scope_id
        said.append(_is_one_of(where, scope_ids))
    if by_person:
        return _among(c.person_id, table.c.person_id, and_(*said, table.c.person_id.is_not(None)), many)
    return _among(c.email_key, table.c.email_key, and_(*said), many)


def _among(key: Any, keys: Any, where: ColumnElement[bool], many: bool) -> ColumnElement[bool]:
    """That `key` is among `keys` of the rows that `where` picks."""
    if many:
        inside: ColumnElement[bool] = key.in_(select(keys).where(where, keys.is_not(None)))
        return inside
    # A range from `key` to `key`: once ANALYZE has seen a column that is nearly always empty (other addresses), SQLite takes
    # an equality for half of the table and reads all of it.
    is_key = keys.between(key, key) if isinstance(keys, fold) else keys == key
    found: ColumnElement[bool] = exists(select(literal(1)).where(is_key, where))
    return found
