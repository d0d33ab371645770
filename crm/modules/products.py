"""Products: the catalogue of goods, services and expenses. Stock comes later."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after
from crm.words import _

TYPES = PicklistSeed.of(
    "product_type", "Product type", Choice("good", "Good"), Choice("service", "Service"), Choice("expense", "Expense")
)
UNITS = PicklistSeed.of("usage_unit", "Usage unit", "pcs", "hours", "days", "km", "kg", "m", "month", "set")
CATEGORIES = PicklistSeed.of("product_category", "Product category", "Hardware", "Software", "Service", "Other")
INTERVALS = PicklistSeed.of(
    "recurring_interval", "Recurring interval",
    Choice("monthly", "Monthly"), Choice("quarterly", "Quarterly"), Choice("annually", "Annually"),
)  # fmt: skip


class Product(Record):
    """Something that is sold, or a kind of work or expense."""

    __tablename__ = "products"
    name: Mapped[str] = f.text("Product name", max=160, aliases=("product_name", "productname"))
    code: Mapped[str | None] = f.text("Code (SKU)", max=60, unique=True, aliases=("sku", "productcode"))
    active: Mapped[bool] = f.checkbox("Active", default=True, mass_edit=True)
    product_type: Mapped[str] = f.picklist("Type", "product_type", default="good", aliases=("type",))
    category: Mapped[str | None] = f.picklist("Category", "product_category", aliases=("productcategory",))
    manufacturer: Mapped[str | None] = f.text("Manufacturer", max=120)
    sales_start_on: Mapped[date | None] = f.day("Sold from", aliases=("sales_start_date",), mass_edit=True)
    sales_end_on: Mapped[date | None] = f.day("Sold until", aliases=("sales_end_date",), mass_edit=True)
    unit_price: Mapped[Decimal | None] = f.price("Unit price", least=0)
    purchase_price: Mapped[Decimal | None] = f.price("Purchase price", least=0)
    usage_unit: Mapped[str | None] = f.picklist("Unit", "usage_unit", default="pcs", aliases=("usageunit",))
    qty_per_unit: Mapped[Decimal | None] = f.number("Quantity a unit", scale=4, least=0, default=Decimal(1))
    tax_percent: Mapped[Decimal | None] = f.percent("Tax", mass_edit=True)
    commission_product: Mapped[bool] = f.checkbox("Brings commission", mass_edit=True)
    commission_percent: Mapped[Decimal | None] = f.percent("Commission", mass_edit=True)
    internal_product: Mapped[bool] = f.checkbox("Internal", mass_edit=True)
    recurring: Mapped[bool] = f.checkbox("Recurring", mass_edit=True)
    recurring_interval: Mapped[str | None] = f.picklist("Interval", "recurring_interval")
    requires_approval: Mapped[bool] = f.checkbox("Needs approval", mass_edit=True)
    gl_account: Mapped[str | None] = f.text("Ledger account", max=40)
    description: Mapped[str | None] = f.long_text("Description")


def is_sold_for_some_time(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The sale ends after it began, and what recurs says how often."""
    then, faults = after(values, old), {}
    if then.get("sales_start_on") and then.get("sales_end_on") and then["sales_end_on"] < then["sales_start_on"]:
        faults["sales_end_on"] = Fault("bad_period", _("The sale cannot end before it starts."))
    if then.get("recurring") and not then.get("recurring_interval"):
        faults["recurring_interval"] = Fault("required", _("A recurring product needs an interval."))
    return faults


MODULE = Module(
    Product,
    label="Product",
    plural="Products",
    menu="Sales",
    prefix="PRO",
    icon="package",
    columns=("name", "code", "product_type", "category", "unit_price", "usage_unit", "active"),
    facts=("code", "product_type", "unit_price", "usage_unit", "active"),
    form=(
        Block("Product", (
            "name", "code", "product_type", "category", "manufacturer", "active", "sales_start_on", "sales_end_on",
            "owner_id",
        )),
        Block("Price", ("unit_price", "purchase_price", "usage_unit", "qty_per_unit", "tax_percent", "gl_account")),
        Block("Rules", (
            "commission_product", "commission_percent", "recurring", "recurring_interval", "internal_product",
            "requires_approval",
        )),
        Block("More", ("description",)),
    ),
    search=("name", "number", "code", "manufacturer"),
    sort=("name",),
    filters=(
        Filter("active", "Active", where("active", "is", True)),
        Filter("services", "Services", where("product_type", "is", "service")),
    ),
    actions=(
        Action("activate", "Activate", lambda product: {"active": True}, when=where("active", "is", False), icon="check"),
        Action("deactivate", "Deactivate", lambda product: {"active": False}, when=where("active", "is", True), icon="ban"),
    ),
    duplicates=("name",),
    picklists=(TYPES, UNITS, CATEGORIES, INTERVALS),
    checks=(is_sold_for_some_time,),
)  # fmt: skip
