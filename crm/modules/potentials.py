"""Potentials: possible sales, from first talk to won or lost."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.clock import today
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module, PortalExposure, Related, Timeline
from crm.engine.picklists import choices
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after
from crm.words import _


def _stage(key: str, probability: int, colour: str, kind: str = "Open") -> Choice:
    return Choice(key, colour=colour, carries={"probability": probability, "kind": kind})


STAGES = PicklistSeed.of(
    "sales_stage", "Sales stage",
    _stage("Prospecting", 10, "azure"),
    _stage("Qualification", 20, "azure"),
    _stage("Needs Analysis", 30, "blue"),
    _stage("Value Proposition", 40, "blue"),
    _stage("Id. Decision Makers", 50, "indigo"),
    _stage("Perception Analysis", 60, "indigo"),
    _stage("Proposal or Price Quote", 70, "purple"),
    _stage("Negotiation or Review", 80, "orange"),
    _stage("Closed Won", 100, "green", "Won"),
    _stage("Closed Lost", 0, "red", "Lost"),
)  # fmt: skip
CLOSED = ["Closed Won", "Closed Lost"]
TYPES = PicklistSeed.of("potential_type", "Potential type", "New Business", "Existing Business")
BID_TYPES = PicklistSeed.of(
    "bid_type", "Bid type",
    Choice("fixed", "Fixed"), Choice("hour", "Per hour"), Choice("day", "Per day"), Choice("week", "Per week"),
    Choice("month", "Per month"), Choice("year", "Per year"),
)  # fmt: skip
LOST_REASONS = PicklistSeed.of(
    "lost_reason", "Lost reason", "Price", "Competitor", "No budget", "No decision", "Timing", "Product", "Other"
)
AREAS = PicklistSeed.of("business_area", "Business area", "Products", "Services", "Support", "Other")


class Potential(Record):
    """A possible sale to an account."""

    __tablename__ = "potentials"
    name: Mapped[str] = f.text("Potential name", max=120, aliases=("potential_name", "potentialname"))
    account_id: Mapped[int | None] = f.link("Account", to="accounts", aliases=("related_to",))
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    stage: Mapped[str] = f.picklist(
        "Sales stage", "sales_stage", default="Prospecting", audited=True, aliases=("sales_stage",), indexed=True
    )
    probability: Mapped[Decimal | None] = f.percent("Probability", scale=0, mass_edit=True)
    amount: Mapped[Decimal | None] = f.money("Amount", audited=True)
    bid_type: Mapped[str | None] = f.picklist("Amount is", "bid_type", default="fixed")
    bid_periods: Mapped[int | None] = f.whole("Periods", least=1, most=1200)
    currency: Mapped[str | None] = f.picklist("Currency", "currency", default="EUR")
    weighted_amount: Mapped[Decimal | None] = f.money("Weighted amount", read_only=True)
    closes_on: Mapped[date | None] = f.day(
        "Expected close date", aliases=("closing_date", "closingdate"), indexed=True, mass_edit=True
    )
    closed_on: Mapped[date | None] = f.day("Closed on", read_only=True, aliases=("actual_close",))
    lost_reason: Mapped[str | None] = f.picklist("Lost reason", "lost_reason")
    potential_type: Mapped[str | None] = f.picklist("Type", "potential_type", aliases=("type", "opportunity_type"))
    business_area: Mapped[str | None] = f.picklist("Business area", "business_area")
    lead_source: Mapped[str | None] = f.picklist("Source", "lead_source", aliases=("leadsource",))
    lead_id: Mapped[int | None] = f.link("Came from lead", to="leads", read_only=True)
    campaign_id: Mapped[int | None] = f.link(
        "Campaign", to="campaigns", aliases=("campaignid",), only=where("active", "is", True)
    )
    first_touch: Mapped[str | None] = f.text("First touch", max=200, read_only=True, help="What led them to us first")
    last_touch: Mapped[str | None] = f.text("Last touch", max=200, read_only=True, help="What led them to us last")
    next_step: Mapped[str | None] = f.text("Next step", max=250, aliases=("nextstep",))
    competitors: Mapped[str | None] = f.text("Competitors", max=250)
    billing_starts_on: Mapped[date | None] = f.day("Billing starts")
    billing_months: Mapped[int | None] = f.whole("Billing months", least=1, most=600)
    description: Mapped[str | None] = f.long_text("Description")


def won_stages() -> list[str]:
    """The stages that mean won, as the list of stages says."""
    return [choice.key for choice in choices("sales_stage") if choice.carries.get("kind") == "Won"]


def what_stage_brings(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A new stage brings its probability, unless one is given with it, and stamps or clears the day of closing."""
    before: Mapping[str, Any] = old or {}
    brought: dict[str, Any] = {}
    if "stage" in values and values["stage"] != before.get("stage"):
        carried = {choice.key: choice.carries for choice in choices("sales_stage")}.get(values["stage"], {})
        if values.get("probability") is None and "probability" in carried:
            brought["probability"] = Decimal(carried["probability"])
        is_closed = carried.get("kind") in {"Won", "Lost"}
        brought["closed_on"] = (before.get("closed_on") or today()) if is_closed else None
        if carried.get("kind") != "Lost" and before.get("lost_reason"):
            brought["lost_reason"] = None
    then = {**before, **values, **brought}
    if then.get("amount") is None or then.get("probability") is None:
        weighted = None
    else:
        weighted = (then["amount"] * then["probability"] / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if weighted != before.get("weighted_amount"):
        brought["weighted_amount"] = weighted
    return brought


def starts_before_it_ends(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Months of billing need the day on which billing starts."""
    then = after(values, old)
    if then.get("billing_months") and not then.get("billing_starts_on"):
        return {"billing_starts_on": Fault("required", _("Say when billing starts, or leave the months empty."))}
    return {}


MODULE = Module(
    Potential,
    label="Potential",
    plural="Potentials",
    menu="Sales",
    prefix="POT",
    icon="coins",
    columns=("name", "account_id", "stage", "amount", "probability", "closes_on", "owner_id"),
    facts=("stage", "amount", "weighted_amount", "closes_on", "account_id"),
    form=(
        Block("Potential", (
            "name", "account_id", "contact_id", "stage", "probability", "closes_on", "closed_on", "lost_reason",
            "next_step", "owner_id",
        )),
        Block("Value", (
            "amount", "bid_type", "bid_periods", "currency", "weighted_amount", "billing_starts_on", "billing_months",
        )),
        Block("Where it comes from", (
            "potential_type", "business_area", "lead_source", "campaign_id", "lead_id", "first_touch", "last_touch",
            "competitors",
        )),
        Block("More", ("description",)),
    ),
    search=("name", "number", "next_step"),
    sort=("-created_at",),
    filters=(
        Filter("open", "Open", where("stage", "none of", CLOSED), sort=("closes_on",)),
        Filter("won", "Won", where("stage", "is", "Closed Won"), sort=("-closed_on",)),
        Filter("lost", "Lost", where("stage", "is", "Closed Lost"), sort=("-closed_on",)),
    ),
    actions=(
        Action("win", "Mark as won", lambda potential: {"stage": "Closed Won"},
               when=where("stage", "is not", "Closed Won"), icon="trophy"),
        Action("lose", "Mark as lost", lambda potential: {"stage": "Closed Lost"},
               when=where("stage", "is not", "Closed Lost"), icon="mood-sad"),
        Action("reopen", "Reopen", lambda potential: {"stage": "Negotiation or Review"},
               when=where("stage", "one of", CLOSED), icon="rotate"),
    ),
    shows_on={
        "accounts": Related(
            by="account_id", columns=("name", "stage", "amount", "closes_on"),
            timeline=Timeline("created_at", "Potential {name} was opened", icon="coins", category="sales", columns=("name",)),
        ),
        "contacts": Related(
            by="contact_id", columns=("name", "stage", "amount", "closes_on"),
            timeline=Timeline("created_at", "Potential {name} was opened", icon="coins", category="sales", columns=("name",)),
        ),
        "campaigns": Related(by="campaign_id", columns=("name", "account_id", "stage", "amount")),
        "leads": Related(by="lead_id", label="Became potentials", columns=("name", "account_id", "stage", "amount")),
    },
    follows="account_id",
    portal=PortalExposure(by_contact="contact_id", by_account="account_id", status="stage"),
    picklists=(STAGES, TYPES, BID_TYPES, LOST_REASONS, AREAS),
    derives=(what_stage_brings,),
    checks=(starts_before_it_ends,),
)  # fmt: skip
