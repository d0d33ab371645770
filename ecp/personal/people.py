"""To whom a card writes: the person that a record is, or the contact that it is linked to; and what speaks against a mail."""

from dataclasses import dataclass

from sqlalchemy import false, select

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.mail.message import Address, BadAddress, one_line
from crm.modules.people import PERSONS
from crm.words import _
from ecp.pipeline import allow

LINK = "contact_id"
MODULES = ("contacts", "leads", "potentials", "tickets", "attendees", "service_requests")
"""Whose cards offer it. The page itself works for every module that is linked to a contact."""
MAY_BE_OVERRULED = ("opt_out", "bounced_before", "complained")


@dataclass(frozen=True)
class Person:
    """Who gets a single mail. `objection`: a skip reason that the sender has to overrule, "" when there is none."""

    module: str
    id: int
    address: Address
    language: str
    objection: str = ""


def may_write(viewer: Viewer) -> bool:
    """Whether the viewer may send single mails: whoever may make e-mails."""
    return viewer.id is not None and may(viewer, "create", "emails")


def person_of(viewer: Viewer, row: Row) -> Person:
    """The person of a record. Raises Refused with what is missing (no contact, none that may be seen, no address)."""
    module, id = (row.module, row.id) if row.module in PERSONS else ("contacts", row.get(LINK))
    if LINK not in modules[row.module].fields and row.module not in PERSONS:
        raise Missing
    if id is None:
        raise Refused.because("no_contact", _("This record has no contact to write to. Choose one first."))
    try:
        found = search.one(viewer, module, id, columns=("email", "language"))
    except Missing:
        raise Refused.because("no_contact", _("You may not see the contact of this record.")) from None
    if not found["email"]:
        raise Refused.because("no_email", _("%(name)s has no e-mail address.", name=found.label))
    try:
        address = Address(found["email"], one_line(found.label))
    except BadAddress as bad:
        raise Refused.because("invalid_email", str(bad)) from None
    return Person(module, id, address, found["language"] or "", objection(module, id) or "")


def objection(module: str, id: int, rules: allow.Rules | None = None) -> str | None:
    """Why no mail that nobody asked for may go to this person: a skip reason; None when nothing speaks against it.

    `rules`: of a sendout, its list and campaign; else none but those that hold for every mail."""
    table = modules[module].table
    facts = [said.label(name) for name, said in allow.person_facts(table).items()]
    people = (
        select(table.c.id.label("person_id"), table.c.email, table.c.email_key, false().label("left_campaign"), *facts)
        .where(table.c.id == id)
        .subquery()
    )
    found: str | None = db.session.execute(
        select(allow.reason(people, rules or allow.Rules(None), many=False))
    ).scalar()
    return found
