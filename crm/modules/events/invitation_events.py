"""Invitation events: people are invited by campaigns, join or decline by personal links, wait on spare places."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Mapped

from crm.clock import site_zone
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.pictures import is_picture_of_its_own
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.events import pictured, rules
from crm.modules.events.lists import EVENT_STATUS, PROMOTION
from crm.modules.rules import after
from crm.words import _

MAILS = ("join_template_id", "spare_template_id", "cancel_template_id", "called_off_template_id")


def _mail(label: str) -> Any:
    return f.link(
        label,
        to="email_templates",
        only={"$and": [where("status", "is", "active"), where("folder", "is", rules.FOLDER)]},
    )


class InvitationEvent(Record):
    """An event to which chosen people are invited. Start and end follow from its times."""

    __tablename__ = "invitation_events"
    name: Mapped[str] = f.text("Event name", max=200)
    status: Mapped[str] = f.picklist("Status", "event_status", default="open", audited=True, mass_edit=False)
    seats: Mapped[int] = f.whole("Seats", least=0, most=1_000_000, audited=True)
    unlimited_seats: Mapped[bool] = f.checkbox("Unlimited seats")
    spare_places: Mapped[int] = f.whole("Spare places", least=0, most=1_000_000, default=0, audited=True)
    starts_at: Mapped[datetime | None] = f.moment("Starts", read_only=True, indexed=True)
    ends_at: Mapped[datetime | None] = f.moment("Ends", read_only=True, indexed=True)
    time_zone: Mapped[str] = f.text(
        "Time zone", max=60, default=site_zone, help="Of the place: guests read times so; you write them in your own"
    )
    last_registration_on: Mapped[date | None] = f.day("Last registration date", aliases=("last_registration_date",))
    last_cancellation_on: Mapped[date | None] = f.day("Last cancellation date", aliases=("last_cancellation_date",))
    location: Mapped[str | None] = f.text("Location", max=250)
    online_url: Mapped[str | None] = f.website("Address of the online event")
    description: Mapped[str | None] = f.html("Description")
    picture_id: Mapped[int | None] = f.file("Picture", in_lists=False)
    picture_path: Mapped[str | None] = f.text("Address of the picture", max=60, read_only=True, in_lists=False)
    join_template_id: Mapped[int | None] = _mail("Mail to who joined")
    spare_template_id: Mapped[int | None] = _mail("Mail to who got a spare place")
    cancel_template_id: Mapped[int | None] = _mail("Mail to who cancelled")
    called_off_template_id: Mapped[int | None] = _mail("Mail when the event is called off")
    product_id: Mapped[int | None] = f.link("Product", to="products", only=where("active", "is", True))
    price: Mapped[Decimal | None] = f.price("Price", least=0)
    survey_id: Mapped[int | None] = f.link("Survey when registering", to="surveys")
    campaign_id: Mapped[int | None] = f.link("Campaign used for inviting", to="campaigns")
    portal_visible: Mapped[bool] = f.checkbox("Visible in portal", mass_edit=True)
    public: Mapped[bool] = f.checkbox("Public visibility", aliases=("anonymous_visibility",))
    confirm_email: Mapped[bool] = f.checkbox(
        "Address must be confirmed", help="Seats from the public page are held 30 minutes"
    )
    ask_before_spare: Mapped[bool] = f.checkbox("Ask again before a spare place is taken")
    show_counts: Mapped[bool] = f.checkbox("Show free seats to customers", default=True)
    max_per_account: Mapped[int | None] = f.whole("Most from one account", least=1)
    spare_promotion: Mapped[str] = f.picklist("Free seats go to spare places", "spare_promotion", default="automatic")
    promotion_cutoff_hours: Mapped[int] = f.whole(
        "Not later than hours before the start", least=0, most=8760, default=24
    )
    is_full: Mapped[bool] = f.checkbox("Full", read_only=True, help="All seats and spare places are taken")
    slug: Mapped[str | None] = f.text("Public name", max=40, read_only=True, unique=True, in_lists=False)
    public_link: Mapped[str | None] = f.website("Public link", read_only=True)
    cancel_reason: Mapped[str | None] = f.long_text("Why it was called off", max=2000)
    mail_warning: Mapped[str | None] = f.text("Warning about mails", max=500, read_only=True, in_lists=False)


def days_fit(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Nobody can cancel after the event is over. (A last registration day after the start is only warned of.)"""
    then = after(values, old)
    last, ends = then.get("last_cancellation_on"), then.get("ends_at")
    if last and ends and last > ends.astimezone(ZoneInfo(then.get("time_zone") or "UTC")).date():
        return {"last_cancellation_on": Fault("bad_period", _("The last cancellation date is after the event."))}
    return {}


MODULE = Module(
    InvitationEvent,
    label="Invitation event",
    plural="Invitation events",
    menu="Events",
    prefix="EV",
    icon="calendar-heart",
    columns=("name", "status", "starts_at", "location", "seats", "spare_places", "owner_id"),
    facts=("status", "starts_at", "ends_at", "location", "seats", "spare_places"),
    keeps={"surveys": "survey_id"},
    form=(
        Block("Event", (
            "name", "status", "seats", "unlimited_seats", "spare_places", "time_zone", "location", "online_url",
            "last_registration_on", "last_cancellation_on", "owner_id", "description",
        )),
        Block("Who may come", (
            "portal_visible", "public", "public_link", "confirm_email", "ask_before_spare", "show_counts", "max_per_account",
            "survey_id", "campaign_id",
        )),
        Block("Spare places and mails", (
            "spare_promotion", "promotion_cutoff_hours", *MAILS,
        )),
        Block("Price", ("product_id", "price")),
    ),
    search=("name", "number", "location"),
    sort=("-starts_at",),
    filters=(
        Filter("upcoming", "Upcoming", {"$and": [where("ends_at", "after", "$now"), where("status", "is not", "cancelled")]}, sort=("starts_at",)),
        Filter("mine", "Mine", where("owner_id", "is", "$me")),
        Filter("past", "Past", where("ends_at", "before", "$now")),
        Filter("full", "Full", where("is_full", "is", True)),
    ),
    shows_on={
        "campaigns": Related(by="campaign_id", label="Events", columns=("name", "status", "starts_at", "seats")),
        "products": Related(by="product_id", label="Events", columns=("name", "status", "starts_at")),
    },
    picklists=(EVENT_STATUS, PROMOTION),
    derives=(rules.published(lambda event: event.get("public")), pictured.follow),
    checks=(
        rules.zone_is_known, rules.product_is_active, rules.mails_are_for_events(MAILS), rules.holds_who_joined("seats"), days_fit,
        is_picture_of_its_own, rules.form_has_names,
    ),
    before_delete=(pictured.hide,),
)  # fmt: skip
