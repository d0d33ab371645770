"""Leads: first contacts whose business is not yet certain; self-contained, so that accounts and contacts stay clean."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.clock import now
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.consent import keeps_their_word
from crm.modules.rules import key_of_email
from crm.modules.shared_lists import LEAD_SOURCE
from crm.words import _

STATUSES = PicklistSeed.of(
    "lead_status", "Lead status",
    Choice("Not Contacted", colour="azure", carries={"kind": "Pending"}),
    Choice("Attempted to Contact", colour="azure", carries={"kind": "In Progress"}),
    Choice("Contacted", colour="blue", carries={"kind": "In Progress"}),
    Choice("Contact in Future", colour="yellow", carries={"kind": "Pending"}),
    Choice("Cold", colour="cyan", carries={"kind": "In Progress"}),
    Choice("Warm", colour="orange", carries={"kind": "In Progress"}),
    Choice("Hot", colour="red", carries={"kind": "In Progress"}),
    Choice("Pre Qualified", colour="lime", carries={"kind": "In Progress"}),
    Choice("Qualified", colour="green", carries={"kind": "Won"}),
    Choice("Junk Lead", colour="secondary", carries={"kind": "Cancelled"}),
    Choice("Lost Lead", colour="secondary", carries={"kind": "Lost"}),
)  # fmt: skip
ENDED = ["Junk Lead", "Lost Lead"]


class Lead(Record):
    """A person of a company that may become a customer. It has no link to accounts or contacts until it is converted."""

    __tablename__ = "leads"
    salutation: Mapped[str | None] = f.picklist("Salutation", "salutation", personal=True)
    first_name: Mapped[str | None] = f.text("First name", personal=True, max=60, aliases=("firstname",))
    last_name: Mapped[str] = f.text("Last name", personal=True, max=80, aliases=("lastname",))
    company: Mapped[str] = f.text("Company", personal=True, max=120, indexed=True)
    title: Mapped[str | None] = f.text("Job title", personal=True, max=80, aliases=("designation",))
    lead_status: Mapped[str] = f.picklist(
        "Status", "lead_status", default="Not Contacted", audited=True, aliases=("status", "leadstatus")
    )
    lead_source: Mapped[str | None] = f.picklist("Source", "lead_source", personal=True, aliases=("leadsource",))
    rating: Mapped[str | None] = f.picklist("Rating", "rating", personal=True)
    industry: Mapped[str | None] = f.picklist("Industry", "industry", personal=True)
    annual_revenue: Mapped[Decimal | None] = f.money(
        "Annual revenue", personal=True, least=0, aliases=("annualrevenue",)
    )
    employees: Mapped[int | None] = f.whole("Employees", personal=True, least=0, aliases=("noofemployees",))
    business_id: Mapped[str | None] = f.text("Business ID", personal=True, max=30)
    phone: Mapped[str | None] = f.phone("Phone", personal=True)
    mobile: Mapped[str | None] = f.phone("Mobile", personal=True)
    fax: Mapped[str | None] = f.phone("Fax", personal=True)
    email: Mapped[str | None] = f.email("E-mail", personal=True, indexed=True)
    email_key: Mapped[str | None] = f.text(
        "E-mail as it is compared", personal=True, max=320, read_only=True, in_lists=False, indexed=True
    )
    secondary_email: Mapped[str | None] = f.email("Other e-mail", personal=True, aliases=("email2", "secondaryemail"))
    website: Mapped[str | None] = f.website("Website", personal=True)
    street: Mapped[str | None] = f.text("Street", personal=True, max=250, aliases=("lane",))
    po_box: Mapped[str | None] = f.text("P.O. box", personal=True, max=60, aliases=("pobox",))
    postal_code: Mapped[str | None] = f.text("Postal code", personal=True, max=20, aliases=("code",))
    city: Mapped[str | None] = f.text("City", personal=True, max=80, indexed=True)
    state: Mapped[str | None] = f.text("State", personal=True, max=80)
    country: Mapped[str | None] = f.text("Country", personal=True, max=80, mass_edit=True)
    language: Mapped[str | None] = f.picklist("Language", "language", personal=True)
    email_opt_out: Mapped[bool] = f.checkbox("E-mail opt-out", mass_edit=True, audited=True, aliases=("emailoptout",))
    email_opt_out_at: Mapped[datetime | None] = f.moment("Opted out at", read_only=True)
    email_opt_out_source: Mapped[str | None] = f.text("Opted out through", personal=True, max=120)
    email_opt_in: Mapped[str | None] = f.picklist("E-mail opt-in", "email_opt_in", default="none", audited=True)
    email_opt_in_at: Mapped[datetime | None] = f.moment("Opted in at", read_only=True)
    email_opt_in_source: Mapped[str | None] = f.text("Opted in through", personal=True, max=120)
    email_status: Mapped[str | None] = f.picklist("E-mail status", "email_status", default="ok")
    may_measure_opens: Mapped[str] = f.picklist("Opens may be measured", "measuring_consent", default="unknown")
    may_measure_opens_at: Mapped[datetime | None] = f.moment("Answered at", read_only=True)
    may_measure_opens_source: Mapped[str | None] = f.text("Answered through", personal=True, max=120)
    may_measure_opens_wording: Mapped[str | None] = f.long_text("Wording of the question", personal=True, max=2000)
    do_not_call: Mapped[bool] = f.checkbox("Do not call", mass_edit=True, aliases=("donotcall",))
    do_not_sms: Mapped[bool] = f.checkbox("No text messages", mass_edit=True)
    campaign_id: Mapped[int | None] = f.link(
        "Campaign", to="campaigns", mass_edit=True, only=where("active", "is", True)
    )
    score: Mapped[int | None] = f.whole(
        "Score", personal=True, read_only=True, indexed=True, default=0, help="What their events add up to by the rules"
    )
    score_grade: Mapped[str | None] = f.picklist("Warmth", "score_grade", personal=True, read_only=True, default="cold")
    first_touch: Mapped[str | None] = f.text(
        "First touch", personal=True, max=200, read_only=True, help="What led them to us first"
    )
    last_touch: Mapped[str | None] = f.text(
        "Last touch", personal=True, max=200, read_only=True, help="What led them to us last"
    )
    converted_at: Mapped[datetime | None] = f.moment("Converted at", read_only=True, indexed=True)
    converted_account_id: Mapped[int | None] = f.link("Became account", to="accounts", read_only=True)
    converted_contact_id: Mapped[int | None] = f.link("Became contact", to="contacts", read_only=True)
    description: Mapped[str | None] = f.long_text("Description", personal=True)


def when_answered(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The moments of a refusal or an agreement (contacts have more of them)."""
    before = old or {}
    stamps: dict[str, Any] = {
        f"{name}_at": now()
        for name, nothing in (("email_opt_out", False), ("email_opt_in", "none"), ("may_measure_opens", "unknown"))
        if name in values and values[name] != before.get(name, nothing) and not values.get(f"{name}_at")
    }
    if "email" in values:
        stamps["email_key"] = key_of_email(values["email"])
    return stamps


def is_not_converted(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A converted lead is a document of what it was."""
    if old is None or not old.get("converted_at"):
        return {}
    changed = {name for name, value in values.items() if value != old.get(name)}
    if changed - {"owner_id", "archived", "description"}:
        return {"": Fault("already_converted", _("This lead was converted. Change the contact or account it became."))}
    return {}


MODULE = Module(
    Lead,
    label="Lead",
    plural="Leads",
    menu="Customers",
    prefix="LEA",
    icon="target-arrow",
    title=("first_name", "last_name"),
    columns=("last_name", "first_name", "company", "lead_status", "lead_source", "email", "phone", "owner_id"),
    facts=("company", "lead_status", "rating", "email", "phone"),
    form=(
        Block("Lead", (
            "salutation", "first_name", "last_name", "company", "title", "lead_status", "lead_source", "rating",
            "campaign_id", "owner_id",
        )),
        Block("How to reach them", (
            "email", "secondary_email", "phone", "mobile", "fax", "website", "language", "email_opt_out",
            "email_opt_in", "email_opt_in_source", "email_status", "may_measure_opens", "do_not_call", "do_not_sms",
        )),
        Block("Company", ("business_id", "industry", "annual_revenue", "employees")),
        Block("Address", ("street", "po_box", "postal_code", "city", "state", "country")),
        Block("Converted to", ("converted_at", "converted_account_id", "converted_contact_id")),
        Block("More", ("description",)),
    ),
    search=("first_name", "last_name", "company", "number", "email", "phone", "mobile"),
    filters=(
        Filter("open", "Open", {"$and": [
            where("converted_at", "is empty"), where("lead_status", "none of", ENDED),
        ]}, sort=("-created_at",)),
        Filter("hot", "Hot", where("lead_status", "one of", ["Hot", "Qualified"])),
        Filter(
            "by_score", "By score", where("converted_at", "is empty"), sort=("-score",),
            columns=("last_name", "first_name", "company", "score", "score_grade", "first_touch", "last_touch", "owner_id"),
        ),
        Filter("converted", "Converted", where("converted_at", "is not empty")),
    ),
    shows_on={
        "campaigns": Related(by="campaign_id", label="Leads from here", columns=("last_name", "company", "lead_status")),
        "accounts": Related(by="converted_account_id", label="Came from leads", columns=("last_name", "company")),
        "contacts": Related(by="converted_contact_id", label="Came from leads", columns=("last_name", "company")),
    },
    duplicates=("email",),
    picklists=(STATUSES, LEAD_SOURCE),
    derives=(when_answered,),
    checks=(is_not_converted,),
    asks=(keeps_their_word,),
)  # fmt: skip
