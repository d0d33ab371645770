"""Suppressions: addresses that may not be mailed, everywhere, on a list or for a campaign. Kept for good, never deleted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from crm.clock import now
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module, Related, Timeline
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after, key_of_email
from crm.words import _

SCOPES = PicklistSeed.of(
    "suppression_scope", "What is refused",
    Choice("global", "All mail", "red"), Choice("list_type", "A list", "orange"),
    Choice("campaign", "A campaign", "yellow"), Choice("bounce", "Bounced", "secondary"),
    Choice("complaint", "Complained", "red"),
)  # fmt: skip
SOURCES = PicklistSeed.of(
    "suppression_source", "Where it came from",
    Choice("recipient", "The recipient"), Choice("one_click", "One click in the mail program"), Choice("user", "A user"),
    Choice("import", "An import"), Choice("bounce", "A bounce"), Choice("complaint", "A complaint"),
    Choice("api", "The API"),
)  # fmt: skip


class Suppression(Record):
    """One refusal of one address. Subscribing again makes it inactive, and its history says when and how."""

    __tablename__ = "suppressions"
    __table_args__ = (Index("ix_suppressions_allow", "email_key", "scope", "scope_id", "active"),)
    email: Mapped[str] = f.email("Address")
    email_key: Mapped[str | None] = f.text("Address as it is compared", max=320, read_only=True)
    scope: Mapped[str] = f.picklist("What is refused", "suppression_scope", default="global", mass_edit=False)
    scope_id: Mapped[int | None] = f.link("List or campaign", to=("list_types", "campaigns"))
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"))
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    at: Mapped[datetime | None] = f.moment("Since", indexed=True)
    source: Mapped[str] = f.picklist("Where it came from", "suppression_source", default="user", mass_edit=False)
    active: Mapped[bool] = f.checkbox("In force", default=True)
    ended_at: Mapped[datetime | None] = f.moment("Ended at", read_only=True)
    note: Mapped[str | None] = f.text("Note or reason", max=500)


def as_compared(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The normalised address, and the moments of beginning and end."""
    made: dict[str, Any] = {}
    if values.get("email"):
        made["email_key"] = key_of_email(values["email"])
    if old is None and not values.get("at"):
        made["at"] = now()
    if "active" in values and old is not None and values["active"] != old.get("active"):
        made["ended_at"] = None if values["active"] else now()
    return made


def says_of_what(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A refusal of a list or campaign says which one; the address of a refusal stays; its end needs a reason."""
    then = after(values, old)
    if then.get("scope") in {"list_type", "campaign"} and not then.get("scope_id"):
        return {"scope_id": Fault("required", _("Say which list or campaign is refused."))}
    if old is not None and "email" in values and key_of_email(values["email"]) != old.get("email_key"):
        return {"email": Fault("locked", _("The address of a refusal cannot be changed. Add another one."))}
    if old is not None and old.get("active") and values.get("active") is False and not then.get("note"):
        return {"note": Fault("required", _("Say why this address may be mailed again."))}
    return {}


MODULE = Module(
    Suppression,
    label="Suppression",
    plural="Suppressions",
    menu="Marketing",
    icon="mail-off",
    title="email",
    columns=("email", "scope", "scope_id", "source", "at", "active"),
    facts=("scope", "scope_id", "source", "at", "active"),
    form=(Block("Suppression", ("email", "scope", "scope_id", "source", "at", "active", "note", "contact_id", "owner_id")),),
    search=("email", "note"),
    sort=("-at",),
    filters=(
        Filter("active", "In force", where("active", "is", True)),
        Filter("bounced", "Bounced", where("scope", "one of", ["bounce", "complaint"])),
    ),
    shows_on={
        "contacts": Related(
            by="contact_id", columns=("email", "scope", "scope_id", "source", "at", "active"),
            timeline=Timeline("at", "Refused mail: {scope}", icon="mail-off", category="mail", columns=("scope", "scope_id")),
        ),
        "leads": Related(by="person_id", columns=("email", "scope", "scope_id", "source", "at", "active")),
        "list_types": Related(by="scope_id", label="Who left", columns=("email", "source", "at", "active")),
        "campaigns": Related(by="scope_id", label="Who left", columns=("email", "source", "at", "active")),
    },
    picklists=(SCOPES, SOURCES),
    derives=(as_compared,),
    checks=(says_of_what,),
    deletable=False,
    areas={"edit": "suppressions"},
    in_ecp=True,
)  # fmt: skip
