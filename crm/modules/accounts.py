"""Accounts: organisations of every kind: customers, partners, prospects, competitors."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.formulas import Formula
from crm.engine.module import Block, Filter, Module, PortalExposure
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after, is_business_id, makes_circle
from crm.modules.shared_lists import CURRENCY, INDUSTRY, LANGUAGE, RATING
from crm.words import _

TYPES = PicklistSeed.of(
    "account_type", "Account type",
    Choice("Customer", colour="green"), Choice("Prospect", colour="azure"), Choice("Partner", colour="purple"),
    Choice("Competitor", colour="orange"), "Supplier", "Other",
)  # fmt: skip
INVOICE_DELIVERY = PicklistSeed.of(
    "invoice_delivery", "Delivery of invoices",
    Choice("e-invoice", "E-invoice"), Choice("e-mail", "E-mail"), Choice("letter", "Letter"),
)  # fmt: skip


class Account(Record):
    """An organisation. Addresses are flat fields, so that lists, conditions and tags reach each part."""

    __tablename__ = "accounts"
    name: Mapped[str] = f.text("Account name", max=160, aliases=("account_name", "accountname"))
    account_type: Mapped[str | None] = f.picklist("Type", "account_type", aliases=("type", "accounttype"), audited=True)
    parent_id: Mapped[int | None] = f.link("Member of", to="accounts")
    business_id: Mapped[str | None] = f.text("Business ID", max=30, indexed=True)
    vat_id: Mapped[str | None] = f.text("VAT number", max=30)
    phone: Mapped[str | None] = f.phone("Phone")
    fax: Mapped[str | None] = f.phone("Fax")
    email: Mapped[str | None] = f.email("E-mail", indexed=True, aliases=("email1",))
    website: Mapped[str | None] = f.website("Website")
    industry: Mapped[str | None] = f.picklist("Industry", "industry")
    rating: Mapped[str | None] = f.picklist("Rating", "rating")
    employees: Mapped[int | None] = f.whole("Employees", least=0, mass_edit=True)
    annual_revenue: Mapped[Decimal | None] = f.money("Annual revenue", least=0, aliases=("annualrevenue",))
    currency: Mapped[str | None] = f.picklist("Currency", "currency", default="EUR")
    language: Mapped[str | None] = f.picklist("Language", "language")
    payment_term_days: Mapped[int | None] = f.whole("Payment term (days)", least=0, most=365, mass_edit=True)
    invoice_delivery: Mapped[str | None] = f.picklist("Delivery of invoices", "invoice_delivery")
    einvoice_address: Mapped[str | None] = f.text("E-invoice address or IBAN", max=60)
    einvoice_operator: Mapped[str | None] = f.text("E-invoice operator", max=80)
    einvoice_operator_code: Mapped[str | None] = f.text("Operator code", max=20)
    reference_customer: Mapped[bool] = f.checkbox("Reference customer", mass_edit=True)
    notify_owner: Mapped[bool] = f.checkbox("Notify owner of changes", mass_edit=True)
    email_opt_out: Mapped[bool] = f.checkbox("E-mail opt-out", mass_edit=True, aliases=("emailoptout",))
    passive: Mapped[bool] = f.checkbox("Passive", mass_edit=True)
    billing_street: Mapped[str | None] = f.text("Billing street", max=250, aliases=("bill_street",))
    billing_po_box: Mapped[str | None] = f.text("Billing P.O. box", max=60, aliases=("bill_pobox",))
    billing_postal_code: Mapped[str | None] = f.text("Billing postal code", max=20, aliases=("bill_code",))
    billing_city: Mapped[str | None] = f.text("Billing city", max=80, indexed=True, aliases=("bill_city", "city"))
    billing_state: Mapped[str | None] = f.text("Billing state", max=80, aliases=("bill_state",))
    billing_country: Mapped[str | None] = f.text("Billing country", max=80, aliases=("bill_country",), mass_edit=True)
    shipping_street: Mapped[str | None] = f.text("Shipping street", max=250, aliases=("ship_street",))
    shipping_po_box: Mapped[str | None] = f.text("Shipping P.O. box", max=60, aliases=("ship_pobox",))
    shipping_postal_code: Mapped[str | None] = f.text("Shipping postal code", max=20, aliases=("ship_code",))
    shipping_city: Mapped[str | None] = f.text("Shipping city", max=80, aliases=("ship_city",))
    shipping_state: Mapped[str | None] = f.text("Shipping state", max=80, aliases=("ship_state",))
    shipping_country: Mapped[str | None] = f.text("Shipping country", max=80, aliases=("ship_country",))
    description: Mapped[str | None] = f.long_text("Description")


def has_true_business_id(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A business ID in the Finnish form must have the right check digit; ones of other countries pass."""
    text = values.get("business_id")
    if not text:
        return {}
    country = str(after(values, old).get("billing_country") or "").strip().lower()
    finnish = country in {"finland", "suomi", "fi"}
    if (finnish or re.fullmatch(r"\d{6,7}-\d", text)) and not is_business_id(text):
        return {
            "business_id": Fault(
                "bad_business_id", _("The check digit of this business ID is wrong (a right one: 1572860-0).")
            )
        }
    return {}


def has_no_circle(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """No account may be a member of itself, not even through others."""
    if makes_circle(Account.__table__.c.parent_id, values, old):
        return {"parent_id": Fault("cycle", _("An account cannot be a member of itself or of one of its own members."))}
    return {}


MODULE = Module(
    Account,
    label="Account",
    plural="Accounts",
    menu="Customers",
    prefix="ACC",
    icon="building",
    columns=("name", "account_type", "billing_city", "phone", "website", "industry", "owner_id"),
    facts=("account_type", "phone", "website", "industry", "billing_city"),
    form=(
        Block("Account", (
            "name", "account_type", "parent_id", "business_id", "vat_id", "industry", "rating", "employees",
            "annual_revenue", "owner_id",
        )),
        Block("How to reach it", ("phone", "fax", "email", "website", "language", "email_opt_out")),
        Block("Billing address", (
            "billing_street", "billing_po_box", "billing_postal_code", "billing_city", "billing_state", "billing_country",
        )),
        Block("Shipping address", (
            "shipping_street", "shipping_po_box", "shipping_postal_code", "shipping_city", "shipping_state",
            "shipping_country",
        )),
        Block("Invoicing", (
            "currency", "payment_term_days", "invoice_delivery", "einvoice_address", "einvoice_operator",
            "einvoice_operator_code",
        )),
        Block("More", ("reference_customer", "passive", "description")),
    ),
    search=("name", "number", "business_id", "phone", "email", "website", "billing_city"),
    sort=("name",),
    filters=(
        Filter("customers", "Customers", where("account_type", "is", "Customer")),
        Filter("prospects", "Prospects", where("account_type", "is", "Prospect")),
        Filter("partners", "Partners", where("account_type", "is", "Partner")),
    ),
    duplicates=("name", "business_id"),
    picklists=(TYPES, INDUSTRY, RATING, CURRENCY, LANGUAGE, INVOICE_DELIVERY),
    checks=(has_true_business_id, has_no_circle),
    portal=PortalExposure(by_account="id", is_split=False),
    formulas=(
        # A new account is shipped to where it is billed, unless the form says otherwise.
        Formula("create", "shipping_street", "{if $ship_street == ''}{$bill_street}{else}{$ship_street}{/if}"),
        Formula("create", "shipping_city", "{if $ship_city == ''}{$bill_city}{else}{$ship_city}{/if}"),
        Formula("create", "shipping_postal_code", "{if $ship_code == ''}{$bill_code}{else}{$ship_code}{/if}"),
        Formula("create", "shipping_country", "{if $ship_country == ''}{$bill_country}{else}{$ship_country}{/if}"),
    ),
)  # fmt: skip
