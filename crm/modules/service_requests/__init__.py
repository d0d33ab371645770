"""Service requests: a stricter kind of request with states, steps that the customer accepts, priorities by table and key dates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import afterwards, relations
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, ManyLink, Module, PortalExposure, Related, Timeline
from crm.engine.permissions import has_area
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.identity.tables import Group
from crm.identity.viewer import Viewer
from crm.modules.rules import after
from crm.modules.service_requests import absences, areas, categories, dates, settings, types
from crm.modules.service_requests.lists import ENDED, IMPACTS, URGENCIES
from crm.words import _, say_day

FIXED = ("type_id", "contact_id", "account_id")


class ServiceRequest(Record):
    """A request. Status, state and steps change by their own verbs (moving.py), not by editing."""

    __tablename__ = "service_requests"
    __table_args__ = (
        Index("ix_service_requests_clock", "state", "alert_at"),
        Index("ix_service_requests_due", "state", "due_at"),
    )
    title: Mapped[str] = f.text("Title", max=255)
    description: Mapped[str | None] = f.long_text("Description")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts", mass_edit=False)
    account_id: Mapped[int | None] = f.link("Account", to="accounts", mass_edit=False)
    type_id: Mapped[int | None] = f.link("Type", to="sr_types", only=where("active", "is", True), mass_edit=False)
    product_id: Mapped[int | None] = f.link("Product", to="products")
    category_id: Mapped[int | None] = f.link("Category", to="sr_categories", only=where("tree", "is", "request"))
    category_path: Mapped[str | None] = f.text("Category as it was", max=500, read_only=True)
    classification: Mapped[str | None] = f.picklist("Classification", "sr_classification", read_only=True)
    status_id: Mapped[int | None] = f.link("Status chosen", to="sr_statuses", read_only=True, in_lists=False)
    status: Mapped[str | None] = f.text("Status", max=80, read_only=True, audited=True, names="sr_statuses")
    state: Mapped[str | None] = f.picklist("State", "sr_state", read_only=True, indexed=True)
    impact: Mapped[str | None] = f.picklist("Impact", "sr_impact")
    urgency: Mapped[str | None] = f.picklist("Urgency", "sr_urgency")
    priority: Mapped[int | None] = f.whole(
        "Priority", least=1, most=10, audited=True, help="Empty: by impact and urgency; 1 is the highest"
    )
    priority_by_hand: Mapped[bool] = f.checkbox("Priority set by hand", read_only=True)
    priority_reason: Mapped[str | None] = f.text("Why this priority", max=300)
    routed: Mapped[bool] = f.checkbox("To the unit of its area or type", mass_edit=False, in_lists=False)
    unit_id: Mapped[int | None] = f.link("Unit", to="groups", read_only=True)
    accepted_by_id: Mapped[int | None] = f.user("Taken by", read_only=True)
    waits_for: Mapped[bool] = f.checkbox("Waits for the customer's acceptance", read_only=True)
    rejected: Mapped[bool] = f.checkbox("Refused by the customer", read_only=True)
    starts_at: Mapped[datetime | None] = f.moment("Begun", read_only=True)
    clock_from: Mapped[datetime | None] = f.moment("Clock counted from", read_only=True, in_lists=False)
    due_at: Mapped[datetime | None] = f.moment("Due", read_only=True, audited=True)
    responded_at: Mapped[datetime | None] = f.moment("Responded at", read_only=True)
    resolved_at: Mapped[datetime | None] = f.moment("Resolved at", read_only=True)
    ended_at: Mapped[datetime | None] = f.moment("Ended at", read_only=True)
    overdue: Mapped[bool] = f.checkbox("Overdue", read_only=True)
    minutes_taken: Mapped[int | None] = f.whole("Open minutes it took", read_only=True)
    minutes_late: Mapped[int | None] = f.whole("Open minutes it was late", read_only=True)
    paused_at: Mapped[datetime | None] = f.moment("Clock stands since", read_only=True, in_lists=False)
    paused_minutes: Mapped[int | None] = f.whole("Minutes the clock stood", read_only=True, in_lists=False)
    alert_at: Mapped[datetime | None] = f.moment("Next warning", read_only=True, in_lists=False)
    alerted: Mapped[int | None] = f.whole("Warned at percent", read_only=True, in_lists=False)
    cancel_reason: Mapped[str | None] = f.picklist("Why it was cancelled", "sr_cancel_reason", read_only=True)
    cancel_note: Mapped[str | None] = f.text("Note on cancelling", max=500, read_only=True)
    rating: Mapped[int | None] = f.whole("Rating", read_only=True)
    ticket_id: Mapped[int | None] = f.link("Ticket with the conversation", to="tickets")


def what_follows(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Type, status, account, category, priority, unit and dates, in this order."""
    then, made = after(values, old), dict[str, Any]()
    if old is None:
        made |= _at_first(then)
    then |= made
    made |= _category(then, old)
    made |= _priority(values, {**then, **made}, old)
    made |= _routed({**then, **made}, old)
    made |= _owner({**then, **made}, old)
    return made | dates.follow({**then, **made}, old)


def _at_first(then: Mapping[str, Any]) -> dict[str, Any]:
    type = types.one(then.get("type_id")) or types.default()
    status = types.status_of(type, "pending")
    said = settings.current()
    table = modules["contacts"].table
    account = db.session.execute(select(table.c.account_id).where(table.c.id == then.get("contact_id"))).scalar()
    return {
        "type_id": type["id"] if type else None, "state": "pending",
        "status_id": status.id if status else None, "status": status.name if status else None,
        "account_id": then.get("account_id") or account, "impact": then.get("impact") or said.impact,
        "urgency": then.get("urgency") or said.urgency, "category_id": then.get("category_id") or (type["category_id"] if type else None),
    }  # fmt: skip


def _category(then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    if old is not None and then.get("category_id") == old.get("category_id"):
        return {}
    row = categories.one(then.get("category_id"))
    return {"category_path": row.path if row else None, "classification": row.classification if row else None}


def _priority(values: Mapping[str, Any], then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    typed = values.get("priority") if "priority" in values else None
    computed = settings.priority_of(settings.current(), then.get("impact"), then.get("urgency"))
    if typed is not None and typed != (old or {}).get("priority"):
        return {"priority_by_hand": typed != computed}
    is_emptied = "priority" in values and typed is None
    if old is not None and old.get("priority_by_hand") and not is_emptied:
        return {}
    return {"priority": computed, "priority_by_hand": False}


def _routed(then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """To a unit goes what nobody was named for, what is to go by area and type, and what was meant for somebody who is away."""
    owner, before = then.get("owner_id"), old or {}
    is_new = owner is None or (then.get("routed") and not before.get("routed"))
    is_given = owner not in (before.get("owner_id"), before.get("accepted_by_id"))
    if not is_new and not (is_given and absences.away_until(owner)):
        return {}
    type = types.one(then.get("type_id"))
    unit = areas.unit_for(type, then.get("contact_id"), then.get("account_id")) or (
        before.get("unit_id") if not is_new else None
    )
    return {"owner_id": unit or owner}


def _owner(then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A group that owns a request is its unit, and nobody has taken it; a user has taken it himself."""
    owner = then.get("owner_id")
    if old is not None and owner == old.get("owner_id"):
        return {}
    is_unit = owner is not None and db.session.execute(select(Group.id).where(Group.id == owner)).first() is not None
    return {"unit_id": owner, "accepted_by_id": None} if is_unit else {"accepted_by_id": owner}


def fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What was agreed stays; what is chosen fits; an ended request is not changed."""
    then, faults = after(values, old), dict[str, Fault]()
    if old is None and then.get("contact_id") is None:
        faults["contact_id"] = Fault("required", _("Choose whose request this is."))
    if old is None and then.get("type_id") is None:
        faults["type_id"] = Fault(
            "no_types", _("There is no active type of service requests. An administrator makes one.")
        )
    elif old is None and not types.one(then["type_id"])["active"]:
        faults["type_id"] = Fault("not_in_list", _("This type is not used any more."))
    for name in FIXED if old is not None else ():
        if name in values and values[name] != old[name]:  # type: ignore[index]
            faults[name] = Fault("fixed", _("This cannot be changed after the request was made."))
    if old is None and then.get("account_id") and then.get("contact_id"):
        table = modules["contacts"].table
        theirs = db.session.execute(select(table.c.account_id).where(table.c.id == then["contact_id"])).scalar()
        if theirs is not None and theirs != then["account_id"]:
            faults["contact_id"] = Fault("other_account", _("This contact belongs to another account."))
    if "category_id" in values and (old is None or values["category_id"] != old["category_id"]):
        fault = types.category_fault(types.one(then.get("type_id")), values["category_id"], "request")
        faults |= {"category_id": fault} if fault else {}
    said = settings.current()
    for name, off in (("impact", said.impacts_off), ("urgency", said.urgencies_off)):
        if name in values and values[name] in off and (old is None or values[name] != old[name]):
            faults[name] = Fault("not_in_list", _("This level is not used."))
    if then.get("priority_by_hand") and not then.get("priority_reason"):
        faults["priority_reason"] = Fault("required", _("Say why the priority is set by hand."))
    return faults


def may_so(viewer: Viewer, values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Units make the requests of their types; priorities are set by hand with a right; ended requests stay."""
    faults: dict[str, Fault] = {}
    if viewer.is_system:
        return faults
    if old is not None and old["state"] in ENDED:
        return {"": Fault("ended", _("This request has ended; it is not changed any more."))}
    owner = after(values, old).get("owner_id")
    is_given = owner not in ((old or {}).get("owner_id"), (old or {}).get("accepted_by_id"), viewer.id)
    if is_given and (last := absences.away_until(owner)):
        sentence = _("This user is away until %(day)s. Choose somebody else, or a unit.", day=say_day(last))
        faults["owner_id"] = Fault("away", sentence)
    type = types.one(values.get("type_id")) if old is None else None
    if type is not None:
        units = types.linked(type, "units")
        if units and viewer.kind in {"staff", "api_key"} and not viewer.is_admin and not units & viewer.principals:
            faults["type_id"] = Fault("not_your_unit", _("Your group does not make requests of this type."))
        products = types.linked(type, "products")
        if products and values.get("product_id") and values["product_id"] not in products:
            faults["product_id"] = Fault("other_product", _("This type is not for that product."))
    is_chosen = "priority" in values and values["priority"] != (old or {}).get("priority")
    if is_chosen and after(values, old).get("priority_by_hand") and not has_area(viewer, "sr_priority"):
        faults["priority"] = Fault(
            "forbidden", _("Priorities follow from impact and urgency; you have no right to set them by hand.")
        )
    return faults


def is_alone(ids: list[int]) -> dict[int, Fault]:
    """A request that anything refers to is not deleted: steps, notes, activities, related requests."""
    said = _("Steps, notes, activities or other requests belong to it. Cancel or complete it instead.")
    found = set[int]()
    for key in ("sr_steps", "sr_notes"):
        column = modules[key].table.c.request_id
        found |= set(db.session.scalars(select(column).where(column.in_(ids)).distinct()))
    for name in ("activities", "related", "related_from"):
        found |= relations.having("service_requests", ids, name)
    return {id: Fault("in_use", said) for id in found}


def _shown(by: str) -> Related:
    return Related(
        by=by, columns=("number", "title", "status", "priority", "due_at", "owner_id"),
        timeline=Timeline(
            "created_at", "Service request: {title} ({status})", icon="headset", category="ticket", columns=("title", "status"),
        ),
    )  # fmt: skip


OPEN = where("state", "none of", list(ENDED))
OVERDUE = {"$and": [OPEN, {"$lt": ["due_at", "$now"]}]}
MODULE = Module(
    ServiceRequest,
    label="Service request",
    plural="Service requests",
    menu="Service",
    prefix="SR",
    icon="headset",
    title="title",
    columns=("number", "title", "contact_id", "status", "priority", "due_at", "owner_id", "type_id"),
    facts=("status", "priority", "contact_id", "account_id", "due_at", "overdue", "accepted_by_id"),
    form=(
        Block("Service request", (
            "title", "contact_id", "account_id", "type_id", "category_id", "product_id", "owner_id", "routed", "description",
        )),
        Block("Priority", ("impact", "urgency", "priority", "priority_reason")),
        Block("State", ("status", "state", "classification", "category_path", "unit_id", "accepted_by_id", "rejected", "cancel_reason", "cancel_note")),
        Block("Times", ("starts_at", "due_at", "responded_at", "resolved_at", "ended_at", "minutes_taken", "minutes_late", "overdue", "rating")),
        Block("More", ("ticket_id",)),
    ),
    search=("title", "number", "description"),
    sort=("-created_at",),
    filters=(
        Filter("open", "Open", OPEN, sort=("due_at",)),
        Filter("overdue", "Overdue", {"$and": [OPEN, where("overdue", "is", True)]}, sort=("due_at",)),
        Filter("to_take", "To be taken", {"$and": [OPEN, where("accepted_by_id", "is empty", None)]}, sort=("due_at",)),
        Filter("acceptance", "Waiting for acceptance", {"$and": [OPEN, where("waits_for", "is", True)]}),
        Filter("refused", "Refused by the customer", {"$and": [OPEN, where("rejected", "is", True)]}),
    ),
    links=(
        ManyLink("related", "service_requests", "related_from", "Related work", "Related from"),
        ManyLink("activities", "activities", "service_requests", "Activities", "Service requests"),
    ),
    shows_on={"contacts": _shown("contact_id"), "accounts": _shown("account_id"), "products": _shown("product_id"), "tickets": _shown("ticket_id")},
    portal=PortalExposure(by_contact="contact_id", by_account="account_id", is_of_company=True, is_view_only=True, goes_to_assignee=True),
    picklists=(IMPACTS, URGENCIES),
    derives=(what_follows,),
    checks=(fits,),
    asks=(may_so,),
    before_delete=(is_alone,),
)  # fmt: skip

afterwards.listen("service_requests", "service_requests.tell", "created")
afterwards.listen("service_requests", "service_requests.tell", "updated", fields=("owner_id",))
