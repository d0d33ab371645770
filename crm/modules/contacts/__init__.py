"""Contacts: persons, usually inside an account, with what they have agreed to."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Mapped

from crm.clock import now
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module, PortalExposure, Related
from crm.engine.pictures import is_picture_of_its_own
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.consent import REFUSED, keeps_their_word
from crm.modules.rules import key_of_email, makes_circle
from crm.modules.shared_lists import EMAIL_OPT_IN, EMAIL_STATUS, MEASURING, SALUTATION, SCORE_GRADE
from crm.words import _

TYPES = PicklistSeed.of("contact_type", "Contact type", "Client", "Supplier", "Partner", "Competitor")
TEMPERATURES = PicklistSeed.of(
    "temperature", "Temperature",
    Choice("Cold", colour="azure"), Choice("Warm", colour="orange"), Choice("Hot", colour="red"),
)  # fmt: skip


class Contact(Record):
    """A person. When and how somebody agreed or refused stands beside the answer, as evidence."""

    __tablename__ = "contacts"
    salutation: Mapped[str | None] = f.picklist("Salutation", "salutation", personal=True)
    first_name: Mapped[str | None] = f.text("First name", personal=True, max=60, indexed=True, aliases=("firstname",))
    last_name: Mapped[str] = f.text("Last name", personal=True, max=80, aliases=("lastname",))
    account_id: Mapped[int | None] = f.link("Account", personal=True, to="accounts")
    title: Mapped[str | None] = f.text("Job title", personal=True, max=80)
    department: Mapped[str | None] = f.text("Department", personal=True, max=80)
    reports_to_id: Mapped[int | None] = f.link("Reports to", personal=True, to="contacts")
    contact_type: Mapped[str | None] = f.picklist("Type", "contact_type", personal=True, aliases=("type",))
    temperature: Mapped[str | None] = f.picklist("Temperature", "temperature", personal=True)
    email: Mapped[str | None] = f.email("E-mail", personal=True, indexed=True, audited=True)
    email_key: Mapped[str | None] = f.text(
        "E-mail as it is compared", personal=True, max=320, read_only=True, in_lists=False, indexed=True
    )
    secondary_email: Mapped[str | None] = f.email(
        "Other e-mail", personal=True, indexed=True, aliases=("email2", "secondaryemail")
    )
    phone: Mapped[str | None] = f.phone("Phone", personal=True)
    mobile: Mapped[str | None] = f.phone("Mobile", personal=True)
    home_phone: Mapped[str | None] = f.phone("Home phone", personal=True, aliases=("homephone",))
    fax: Mapped[str | None] = f.phone("Fax", personal=True)
    assistant: Mapped[str | None] = f.text("Assistant", personal=True, max=80)
    assistant_phone: Mapped[str | None] = f.phone("Assistant's phone", personal=True, aliases=("assistantphone",))
    born_on: Mapped[date | None] = f.day("Birthdate", personal=True, aliases=("birthdate", "birthday"), sensitive=True)
    language: Mapped[str | None] = f.picklist("Language", "language", personal=True)
    lead_source: Mapped[str | None] = f.picklist("Source", "lead_source", personal=True, aliases=("leadsource",))
    reference: Mapped[bool] = f.checkbox("Reference", mass_edit=True, help="Willing to speak for us")
    notify_owner: Mapped[bool] = f.checkbox("Notify owner of changes", mass_edit=True)
    passive: Mapped[bool] = f.checkbox("Passive", mass_edit=True)

    email_opt_out: Mapped[bool] = f.checkbox(
        "E-mail opt-out", mass_edit=True, audited=True, indexed=True, aliases=("emailoptout",),
        help="Gets no mass mail and no automatic mail",
    )  # fmt: skip
    email_opt_out_at: Mapped[datetime | None] = f.moment("Opted out at", read_only=True)
    email_opt_out_source: Mapped[str | None] = f.text("Opted out through", personal=True, max=120)
    email_opt_in: Mapped[str | None] = f.picklist("E-mail opt-in", "email_opt_in", default="none", audited=True)
    email_opt_in_at: Mapped[datetime | None] = f.moment("Opted in at", read_only=True)
    email_opt_in_source: Mapped[str | None] = f.text("Opted in through", personal=True, max=120)
    email_status: Mapped[str | None] = f.picklist("E-mail status", "email_status", default="ok", audited=True)
    do_not_call: Mapped[bool] = f.checkbox("Do not call", mass_edit=True, audited=True, aliases=("donotcall",))
    do_not_sms: Mapped[bool] = f.checkbox("No text messages", mass_edit=True, audited=True)
    may_measure_opens: Mapped[str] = f.picklist(
        "Opens may be measured", "measuring_consent", default="unknown", audited=True
    )
    may_measure_opens_at: Mapped[datetime | None] = f.moment("Answered at", read_only=True)
    may_measure_opens_source: Mapped[str | None] = f.text("Answered through", personal=True, max=120)
    may_measure_opens_wording: Mapped[str | None] = f.long_text("Wording of the question", personal=True, max=2000)

    mailing_street: Mapped[str | None] = f.text("Street", personal=True, max=250, aliases=("mailingstreet", "street"))
    mailing_po_box: Mapped[str | None] = f.text("P.O. box", personal=True, max=60, aliases=("mailingpobox",))
    mailing_postal_code: Mapped[str | None] = f.text(
        "Postal code", personal=True, max=20, aliases=("mailingzip", "mailing_zip")
    )
    mailing_city: Mapped[str | None] = f.text(
        "City", personal=True, max=80, indexed=True, aliases=("mailingcity", "city")
    )
    mailing_state: Mapped[str | None] = f.text("State", personal=True, max=80, aliases=("mailingstate",))
    mailing_country: Mapped[str | None] = f.text(
        "Country", personal=True, max=80, aliases=("mailingcountry", "country"), mass_edit=True
    )
    other_street: Mapped[str | None] = f.text("Other street", personal=True, max=250, aliases=("otherstreet",))
    other_po_box: Mapped[str | None] = f.text("Other P.O. box", personal=True, max=60, aliases=("otherpobox",))
    other_postal_code: Mapped[str | None] = f.text("Other postal code", personal=True, max=20, aliases=("otherzip",))
    other_city: Mapped[str | None] = f.text("Other city", personal=True, max=80, aliases=("othercity",))
    other_state: Mapped[str | None] = f.text("Other state", personal=True, max=80, aliases=("otherstate",))
    other_country: Mapped[str | None] = f.text("Other country", personal=True, max=80, aliases=("othercountry",))
    description: Mapped[str | None] = f.long_text("Description", personal=True)
    score: Mapped[int | None] = f.whole(
        "Score", personal=True, read_only=True, indexed=True, default=0, help="What their events add up to by the rules"
    )
    score_grade: Mapped[str | None] = f.picklist("Warmth", "score_grade", personal=True, read_only=True, default="cold")
    picture_id: Mapped[int | None] = f.file("Picture", personal=True, in_lists=False)


def when_answered(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The moments of a refusal or an agreement, stamped when the answer changes and no moment comes with it."""
    before: Mapping[str, Any] = old or {}
    stamps: dict[str, Any] = {}
    for name, nothing in (("email_opt_out", False), ("email_opt_in", "none"), ("may_measure_opens", "unknown")):
        answer = values.get(name, before.get(name))
        if name not in values or answer == before.get(name, nothing) or values.get(f"{name}_at"):
            continue
        stamps[f"{name}_at"] = now()
    if values.get("email_opt_in") in REFUSED and not before.get("email_opt_out"):
        stamps |= {"email_opt_out": True, "email_opt_out_at": now()}
    if "email" in values:
        stamps["email_key"] = key_of_email(values["email"])
        if stamps["email_key"] != before.get("email_key") and before.get("email_status", "ok") != "ok":
            stamps.setdefault("email_status", "ok")  # what bounced was the other address
    return stamps


def reports_to_nobody_below(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Nobody reports to himself, not even through others."""
    if makes_circle(Contact.__table__.c.reports_to_id, values, old):
        return {"reports_to_id": Fault("cycle", _("Nobody can report to himself or to somebody below."))}
    return {}


MODULE = Module(
    Contact,
    label="Contact",
    plural="Contacts",
    menu="Customers",
    prefix="CON",
    icon="user",
    title=("first_name", "last_name"),
    columns=("last_name", "first_name", "account_id", "title", "email", "phone", "mailing_city", "owner_id"),
    facts=("account_id", "title", "email", "mobile", "email_opt_out", "email_status"),
    form=(
        Block("Contact", (
            "salutation", "first_name", "last_name", "account_id", "title", "department", "reports_to_id",
            "contact_type", "temperature", "lead_source", "owner_id",
        )),
        Block("How to reach them", (
            "email", "secondary_email", "phone", "mobile", "home_phone", "fax", "assistant", "assistant_phone",
            "language",
        )),
        Block("What they agreed to", (
            "email_opt_out", "email_opt_out_at", "email_opt_out_source", "email_opt_in", "email_opt_in_at",
            "email_opt_in_source", "email_status", "do_not_call", "do_not_sms", "may_measure_opens",
            "may_measure_opens_at", "may_measure_opens_source", "may_measure_opens_wording",
        )),
        Block("Address", (
            "mailing_street", "mailing_po_box", "mailing_postal_code", "mailing_city", "mailing_state",
            "mailing_country",
        )),
        Block("Other address", (
            "other_street", "other_po_box", "other_postal_code", "other_city", "other_state", "other_country",
        )),
        Block("More", ("born_on", "reference", "passive", "description")),
    ),
    search=("first_name", "last_name", "number", "email", "secondary_email", "phone", "mobile", "title"),
    sort=("last_name", "first_name"),
    filters=(
        Filter("mailable", "May be mailed", {"$and": [
            where("email", "is not empty"), where("email_opt_out", "is", False),
            where("email_status", "none of", ["hard_bounced", "complained"]),
        ]}),
        Filter("opted_out", "Opted out of e-mail", where("email_opt_out", "is", True)),
        Filter("no_email", "Without e-mail", where("email", "is empty")),
        Filter(
            "hot", "Hot by score", where("score_grade", "is", "hot"), sort=("-score",),
            columns=("last_name", "first_name", "score", "score_grade", "account_id", "email", "owner_id"),
        ),
    ),
    shows_on={
        "accounts": Related(by="account_id", columns=("last_name", "first_name", "title", "email", "phone")),
        "contacts": Related(by="reports_to_id", label="Reports", columns=("last_name", "first_name", "title", "email")),
    },
    follows="account_id",
    duplicates=("email",),
    picklists=(SALUTATION, TYPES, TEMPERATURES, EMAIL_OPT_IN, EMAIL_STATUS, MEASURING, SCORE_GRADE),
    derives=(when_answered,),
    portal=PortalExposure(by_contact="id", by_account="account_id", is_split=False),
    checks=(reports_to_nobody_below, is_picture_of_its_own),
    asks=(keeps_their_word,),
)  # fmt: skip
