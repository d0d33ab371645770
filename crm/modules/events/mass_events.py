"""Mass events: open or by registration, with a registration window, spare places, and sub-events with seats of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.clock import site_zone
from crm.db import db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.pictures import is_picture_of_its_own
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.events import pictured, rules
from crm.modules.events.lists import CATEGORIES, EVENT_TYPE, GROUP_RULE, MASS_EVENT_STATUS
from crm.modules.rules import after
from crm.words import _, ngettext


class MassEvent(Record):
    """An event for many, or a part of one (`parent_id`) with its own seats."""

    __tablename__ = "mass_events"
    name: Mapped[str] = f.text("Event name", max=200)
    status: Mapped[str] = f.picklist("Status", "mass_event_status", default="draft", audited=True, mass_edit=False)
    event_type: Mapped[str] = f.picklist("Type", "event_type", default="need_registration", mass_edit=False)
    starts_at: Mapped[datetime] = f.moment("Starts", indexed=True, aliases=("event_starts",))
    ends_at: Mapped[datetime] = f.moment("Ends", indexed=True, aliases=("event_ends",))
    registration_starts_at: Mapped[datetime | None] = f.moment("Registration starts", aliases=("registration_starts",))
    registration_ends_at: Mapped[datetime | None] = f.moment("Registration ends", aliases=("registration_ends",))
    cancel_until: Mapped[datetime | None] = f.moment("Cancelling is possible until")
    time_zone: Mapped[str] = f.text(
        "Time zone", max=60, default=site_zone, help="Of the place: guests read times so; you write them in your own"
    )
    capacity: Mapped[int | None] = f.whole("Capacity", least=0, most=1_000_000, audited=True, help="Empty: no limit")
    spare_capacity: Mapped[int] = f.whole("Spare places", least=0, most=1_000_000, default=0, audited=True)
    parent_id: Mapped[int | None] = f.link("Part of", to="mass_events", on_delete="CASCADE")
    sub_event_rule: Mapped[str] = f.picklist("Choosing sub-events", "sub_event_rule", default="any")
    location: Mapped[str | None] = f.text("Location", max=250)
    online_url: Mapped[str | None] = f.website("Address of the online event")
    category: Mapped[str | None] = f.picklist("Category", "event_category")
    language: Mapped[str | None] = f.picklist("Language", "language")
    picture_id: Mapped[int | None] = f.file("Picture", in_lists=False, aliases=("image_id",))
    picture_path: Mapped[str | None] = f.text("Address of the picture", max=60, read_only=True, in_lists=False)
    description: Mapped[str | None] = f.html("Description")
    product_id: Mapped[int | None] = f.link("Product", to="products", only=where("active", "is", True))
    survey_id: Mapped[int | None] = f.link("Survey when registering", to="surveys")
    campaign_id: Mapped[int | None] = f.link("Campaign used for inviting", to="campaigns")
    public_form: Mapped[bool] = f.checkbox("Public form", help="Anybody with the address may register")
    listing_visible: Mapped[bool] = f.checkbox("Shown in listings", default=True, mass_edit=True)
    confirm_email: Mapped[bool] = f.checkbox(
        "Address must be confirmed", help="Seats from the public page are held 30 minutes"
    )
    show_counts: Mapped[bool] = f.checkbox("Show free seats to customers", default=True)
    spare_promotion: Mapped[str] = f.picklist("Free seats go to spare places", "spare_promotion", default="automatic")
    promotion_cutoff_hours: Mapped[int] = f.whole(
        "Not later than hours before the start", least=0, most=8760, default=24
    )
    is_full: Mapped[bool] = f.checkbox("Full", read_only=True, help="All seats and spare places are taken")
    slug: Mapped[str | None] = f.text("Public name", max=40, read_only=True, unique=True, in_lists=False)
    public_link: Mapped[str | None] = f.website("Public link", read_only=True)
    cancel_reason: Mapped[str | None] = f.long_text("Why it was called off", max=2000)
    mail_warning: Mapped[str | None] = f.text("Warning about mails", max=500, read_only=True, in_lists=False)


def periods_hold(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The event and its registration end after they begin, and registration ends with the event at the latest."""
    then, faults = after(values, old), {}
    starts, ends = then.get("starts_at"), then.get("ends_at")
    opens, closes = then.get("registration_starts_at"), then.get("registration_ends_at")
    if starts and ends and ends <= starts:
        faults["ends_at"] = Fault("bad_period", _("An event cannot end before it starts."))
    if opens and closes and closes <= opens:
        faults["registration_ends_at"] = Fault("bad_period", _("Registration cannot end before it starts."))
    if closes and ends and closes > ends:
        faults["registration_ends_at"] = Fault("bad_period", _("Registration cannot end after the event."))
    if then.get("cancel_until") and ends and then["cancel_until"] > ends:
        faults["cancel_until"] = Fault("bad_period", _("Nobody can cancel after the event."))
    return faults


def is_one_level_deep(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A sub-event belongs to an event that is none itself, and has no sub-events."""
    parent = values.get("parent_id")
    if parent is None:
        return {}
    table = MassEvent.__table__
    above = db.session.execute(select(table.c.parent_id).where(table.c.id == parent)).scalar()
    own = (old or {}).get("id")
    has_parts = (
        own is not None
        and db.session.execute(
            select(table.c.id).where(table.c.parent_id == own, table.c.deleted_at.is_(None)).limit(1)
        ).first()
    )
    if above is not None or parent == own or has_parts:
        return {"parent_id": Fault("bad_value", _("Sub-events go one level deep: this cannot be a part of that."))}
    return {}


def leaves_its_registrations(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, str]:
    """Who makes an event open to all while people are registered is asked once more: their places stay, nobody follows."""
    if old is None or old.get("event_type") == "open" or values.get("event_type") != "open":
        return {}
    taken = rules.occupied(old["id"])
    if not taken:
        return {}
    said = ngettext(
        "%(num)s person is registered and keeps the place. Nobody can register by a form any more.",
        "%(num)s people are registered and keep their places. Nobody can register by a form any more.", taken,
    )  # fmt: skip
    return {"event_type": said}


def is_shown(event: Mapping[str, Any]) -> bool:
    """Whether a mass event has a public page: it is published, and no mere part of another."""
    return event.get("status") == "published" and event.get("parent_id") is None


MODULE = Module(
    MassEvent,
    label="Mass event",
    plural="Mass events",
    menu="Events",
    prefix="MEV",
    icon="calendar-star",
    columns=("name", "status", "event_type", "starts_at", "location", "capacity", "spare_capacity", "owner_id"),
    facts=("status", "event_type", "starts_at", "ends_at", "location", "capacity"),
    keeps={"surveys": "survey_id"},
    form=(
        Block("Event", (
            "name", "status", "event_type", "starts_at", "ends_at", "time_zone", "location", "online_url", "category",
            "language", "owner_id", "description",
        )),
        Block("Registration", (
            "registration_starts_at", "registration_ends_at", "cancel_until", "capacity", "spare_capacity", "spare_promotion",
            "promotion_cutoff_hours", "public_form", "listing_visible", "confirm_email", "show_counts", "public_link",
            "survey_id", "campaign_id", "product_id",
        )),
        Block("Sub-events", ("parent_id", "sub_event_rule")),
    ),
    search=("name", "number", "location"),
    sort=("-starts_at",),
    filters=(
        Filter("upcoming", "Upcoming", {"$and": [where("ends_at", "after", "$now"), where("status", "one of", ["draft", "published"]), where("parent_id", "is empty")]}, sort=("starts_at",)),
        Filter("mine", "Mine", where("owner_id", "is", "$me")),
        Filter("past", "Past", where("ends_at", "before", "$now")),
        Filter("full", "Full", where("is_full", "is", True)),
    ),
    shows_on={
        "mass_events": Related(by="parent_id", label="Sub-events", columns=("name", "starts_at", "capacity", "spare_capacity")),
        "campaigns": Related(by="campaign_id", label="Mass events", columns=("name", "status", "starts_at", "capacity")),
        "products": Related(by="product_id", label="Mass events", columns=("name", "status", "starts_at")),
    },
    picklists=(MASS_EVENT_STATUS, EVENT_TYPE, GROUP_RULE, CATEGORIES),
    derives=(rules.published(is_shown), pictured.follow),
    checks=(
        rules.zone_is_known, rules.product_is_active, rules.holds_who_joined("capacity"), periods_hold, is_one_level_deep,
        is_picture_of_its_own, rules.form_has_names,
    ),
    doubts=(leaves_its_registrations,),
    before_delete=(pictured.hide,),
)  # fmt: skip
