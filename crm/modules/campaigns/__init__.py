"""Campaigns: who is invited, called or written to, and what came of it. Members are in campaign_members."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules import automatic_mail
from crm.modules.rules import after
from crm.words import _

TYPES = PicklistSeed.of(
    "campaign_type", "Campaign type",
    Choice("Email", "E-mail", "blue"), "Telemarketing", "Direct Mail", "Conference", "Webinar", "Trade Show",
    "Public Relations", "Partners", "Referral Program", "Advertisement", "Banner Ads", "Others",
)  # fmt: skip
STATUSES = PicklistSeed.of(
    "campaign_status", "Campaign status",
    Choice("Planning", colour="azure"), Choice("Active", colour="green"), Choice("Inactive", colour="secondary"),
    Choice("Completed", colour="blue"), Choice("Cancelled", colour="secondary"),
)  # fmt: skip
RESPONSES = PicklistSeed.of("expected_response", "Expected response", "Excellent", "Good", "Average", "Poor")


class Campaign(Record):
    """A campaign. `active` gates its use; status and dates only describe it."""

    __tablename__ = "campaigns"
    name: Mapped[str] = f.text("Campaign name", max=255, aliases=("campaign_name", "campaignname"))
    active: Mapped[bool] = f.checkbox("Active", default=True, mass_edit=True, help="Only active campaigns can be used")
    type: Mapped[str] = f.picklist("Type", "campaign_type", default="Email", aliases=("campaign_type", "campaigntype"))
    status: Mapped[str | None] = f.picklist(
        "Status", "campaign_status", default="Planning", aliases=("campaign_status", "campaignstatus"), audited=True
    )
    starts_on: Mapped[date | None] = f.day("Start date", aliases=("start_date",))
    closes_on: Mapped[date | None] = f.day(
        "Expected close date", indexed=True, aliases=("expected_close_date", "closing_date", "closingdate")
    )
    auto_template_id: Mapped[int | None] = f.link(
        "Mail sent to new members", to="email_templates", only=automatic_mail.FOR_CAMPAIGNS,
        help="Of the folder Campaign. Goes to everybody who is added from now on, once; none: nothing is sent",
    )  # fmt: skip
    auto_mail_on: Mapped[bool] = f.checkbox("Mail to new members switched on", default=True)
    auto_mail_since: Mapped[datetime | None] = f.moment("Mail to new members since", read_only=True, in_lists=False)
    auto_mail_problem: Mapped[str | None] = f.text("Why no mail was sent", max=300, read_only=True, in_lists=False)
    product_id: Mapped[int | None] = f.link("Product", to="products", only=where("active", "is", True))
    target_audience: Mapped[str | None] = f.text("Target audience", max=255, aliases=("targetaudience",))
    target_size: Mapped[int | None] = f.whole("Target size", least=0, aliases=("targetsize",))
    sponsor: Mapped[str | None] = f.text("Sponsor", max=120)
    budget_cost: Mapped[Decimal | None] = f.money("Budget", least=0, aliases=("budgetcost",))
    actual_cost: Mapped[Decimal | None] = f.money("Actual cost", least=0, aliases=("actualcost",))
    expected_revenue: Mapped[Decimal | None] = f.money("Expected revenue", least=0, aliases=("expectedrevenue",))
    expected_response: Mapped[str | None] = f.picklist("Expected response", "expected_response")
    expected_sales: Mapped[int | None] = f.whole("Expected sales", least=0, aliases=("expectedsalescount",))
    actual_sales: Mapped[int | None] = f.whole("Actual sales", least=0, aliases=("actualsalescount",))
    description: Mapped[str | None] = f.long_text("Description")


def ends_after_it_starts(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    then = after(values, old)
    if then.get("starts_on") and then.get("closes_on") and then["closes_on"] < then["starts_on"]:
        return {"closes_on": Fault("bad_period", _("A campaign cannot close before it starts."))}
    return {}


MODULE = Module(
    Campaign,
    label="Campaign",
    plural="Campaigns",
    menu="Marketing",
    prefix="CAM",
    icon="speakerphone",
    columns=("name", "type", "status", "active", "starts_on", "closes_on", "owner_id"),
    facts=("type", "status", "active", "starts_on", "closes_on"),
    form=(
        Block("Campaign", (
            "name", "type", "status", "active", "starts_on", "closes_on", "product_id", "owner_id",
        )),
        Block("Goals", (
            "target_audience", "target_size", "sponsor", "expected_response", "expected_sales", "expected_revenue",
            "budget_cost", "actual_cost", "actual_sales",
        )),
        Block("Automatic mail", ("auto_template_id", "auto_mail_on")),
        Block("More", ("description",)),
    ),
    search=("name", "number", "target_audience"),
    sort=("-created_at",),
    filters=(
        Filter("active", "Active", where("active", "is", True)),
        Filter("mailable", "For mass mailing", {"$and": [where("active", "is", True), where("type", "is", "Email")]}),
    ),
    actions=(
        Action("activate", "Activate", lambda campaign: {"active": True}, when=where("active", "is", False), icon="check"),
        Action("deactivate", "Deactivate", lambda campaign: {"active": False}, when=where("active", "is", True), icon="ban"),
    ),
    duplicates=("name",),
    picklists=(TYPES, STATUSES, RESPONSES),
    derives=(automatic_mail.campaign_is_on_since,),
    checks=(ends_after_it_starts, automatic_mail.campaign_mail_fits),
)  # fmt: skip
