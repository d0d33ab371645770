"""Types of service requests: which statuses, categories and activities they have, how long they may take, who may make them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine import relations
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, ManyLink, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after
from crm.modules.service_requests import categories, statuses
from crm.modules.service_requests.lists import REASONS, STEPS, UNITS
from crm.words import N_, _

SEED = N_("Service request")
STATES = ("pending", "responded", "temporary", "final", "completed", "cancelled")


class SrType(Record):
    """A type. What it does not say, it leaves open: no activity types are all of them."""

    __tablename__ = "sr_types"
    name: Mapped[str] = f.text("Name", max=120, unique=True)
    code: Mapped[str | None] = f.text("Code", max=40, unique=True, help="Empty: made from the name")
    is_default: Mapped[bool] = f.checkbox("Taken when nothing is said")
    active: Mapped[bool] = f.checkbox("Active", default=True)
    within: Mapped[int | None] = f.whole("To be completed within", least=1, most=100_000)
    within_unit: Mapped[str | None] = f.picklist("Unit", "sr_unit", default="hours")
    recalculates: Mapped[bool] = f.checkbox("Recalculate the due time on responding")
    rules_count: Mapped[bool] = f.checkbox(
        "Only moves that its rules name", help="Without: every move that states allow"
    )
    pending_status_id: Mapped[int | None] = f.link("At first", to="sr_statuses", only=where("state", "is", "pending"))
    responded_status_id: Mapped[int | None] = f.link(
        "After a response", to="sr_statuses", only=where("state", "is", "responded")
    )
    temporary_status_id: Mapped[int | None] = f.link(
        "After a temporary resolution", to="sr_statuses", only=where("state", "is", "temporary")
    )
    final_status_id: Mapped[int | None] = f.link(
        "After the final resolution", to="sr_statuses", only=where("state", "is", "final")
    )
    completed_status_id: Mapped[int | None] = f.link(
        "When completed", to="sr_statuses", only=where("state", "is", "completed")
    )
    cancelled_status_id: Mapped[int | None] = f.link(
        "When cancelled", to="sr_statuses", only=where("state", "is", "cancelled")
    )
    category_id: Mapped[int | None] = f.link("Category", to="sr_categories", only=where("tree", "is", "request"))
    unit_id: Mapped[int | None] = f.link("Unit of requests that nobody was named for", to="groups")
    response_category_id: Mapped[int | None] = f.link(
        "Category of responses", to="sr_categories", only=where("tree", "is", "response")
    )
    temporary_category_id: Mapped[int | None] = f.link(
        "Category of temporary resolutions", to="sr_categories", only=where("tree", "is", "temporary")
    )
    final_category_id: Mapped[int | None] = f.link(
        "Category of final resolutions", to="sr_categories", only=where("tree", "is", "final")
    )
    activity_types: Mapped[tuple[str, ...] | None] = f.multi("Activities that may be planned", "activity_type")
    cancel_reasons: Mapped[tuple[str, ...] | None] = f.multi("Reasons to cancel", "sr_cancel_reason")
    cancel_reason: Mapped[str | None] = f.picklist("Reason when none is said", "sr_cancel_reason")
    description: Mapped[str | None] = f.long_text("Description", max=2000)


TABLE = SrType.__table__


def code_of(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The code, where none was typed."""
    then = after(values, old)
    if then.get("code"):
        return {}
    base = "".join(one for one in str(then.get("name") or "").upper() if one.isalnum())[:30] or "TYPE"
    taken = set(
        db.session.scalars(select(TABLE.c.code).where(TABLE.c.code.like(f"{base}%"), TABLE.c.deleted_at.is_(None)))
    )
    return {"code": next(one for one in (base, *(f"{base}{n}" for n in range(2, 1000))) if one not in taken)}


def fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Each status is of its state, each category of its tree; rules that count leave a way to the end."""
    from crm.modules.service_requests import transitions

    then, faults = after(values, old), dict[str, Fault]()
    for state in STATES:
        row = statuses.one(then.get(f"{state}_status_id"))
        if row is not None and row.state != state:
            faults[f"{state}_status_id"] = Fault("other_state", _("This status is of another state."))
    for tree, name in (("request", "category_id"), *((step, f"{step}_category_id") for step in STEPS)):
        if name in values and (fault := categories.fault_of(values[name], tree)):
            faults[name] = fault
    reasons = then.get("cancel_reasons")
    if then.get("cancel_reason") and reasons and then["cancel_reason"] not in reasons:
        faults["cancel_reason"] = Fault("not_in_list", _("This is not among the reasons to cancel."))
    if old is not None and then.get("rules_count") and not transitions.reaches_the_end(then):
        faults["rules_count"] = Fault(
            "unreachable", _("With its rules no request of this type could ever be completed.")
        )
    if old is None and then.get("rules_count"):
        faults["rules_count"] = Fault("unreachable", _("Make the rules first, then let them count."))
    return faults


def is_free(ids: list[int]) -> dict[int, Fault]:
    """A type that requests have is not deleted but switched off."""
    table = modules["service_requests"].table
    used = db.session.scalars(select(table.c.type_id).where(table.c.type_id.in_(ids)).distinct())
    return {id: Fault("in_use", _("There are requests of this type. Switch it off instead.")) for id in used}


def one(id: int | None) -> Any:
    """The stored row of a type; None when there is none."""
    return db.session.execute(select(TABLE).where(TABLE.c.id == (id or 0))).mappings().first()


def default() -> Any:
    """The type that is taken when none is said: the default one, else the first; None without any."""
    said = select(TABLE).where(TABLE.c.active, TABLE.c.deleted_at.is_(None))
    return db.session.execute(said.order_by(TABLE.c.is_default.desc(), TABLE.c.id).limit(1)).mappings().first()


def open_to_all() -> list[Any]:
    """The active types that no unit keeps to itself, the default one first: what customers choose from."""
    said = (
        select(TABLE)
        .where(TABLE.c.active, TABLE.c.deleted_at.is_(None))
        .order_by(TABLE.c.is_default.desc(), TABLE.c.name)
    )
    rows = db.session.execute(said).mappings().all()
    kept = relations.having("sr_types", [row["id"] for row in rows], "units")
    return [row for row in rows if row["id"] not in kept]


def status_of(type: Any, state: str) -> Any:
    """The status that a request of this type gets with a state; None when the house has none of that state."""
    row = statuses.one(type[f"{state}_status_id"]) if type is not None else None
    if row is not None and row.deleted_at is None:
        return row
    allowed = linked(type, "statuses") if type is not None else set()
    rows = statuses.of_state(state)
    return next((one for one in rows if not allowed or one.id in allowed), rows[0] if rows else None)


def linked(type: Any, relation: str) -> set[int]:
    """The ids that a type names; none: all are meant."""
    return set(db.session.scalars(relations.linked("sr_types", type["id"], relation)))


def categories_of(type: Any, tree: str) -> list[Any]:
    """The categories of a tree that requests of this type may have: those that the type names, all where it names none of it."""
    rows = categories.choosable(tree)
    if type is None:
        return rows
    name = "category_id" if tree == "request" else f"{tree}_category_id"
    named = linked(type, "categories")
    own = [row for row in rows if row.id in named]
    return [row for row in rows if row.id in named or row.id == type[name]] if own else rows


def category_fault(type: Any, id: int | None, tree: str) -> Fault | None:
    """Why requests of this type cannot have this category; None where they can."""
    if id is None or any(row.id == id for row in categories_of(type, tree)):
        return None
    return categories.fault_of(id, tree) or Fault("not_in_list", _("Requests of this type have no such category."))


MODULE = Module(
    SrType,
    label="Type of service requests",
    plural="Types of service requests",
    icon="template",
    columns=("name", "code", "is_default", "active", "within", "within_unit", "rules_count"),
    form=(
        Block("Type", ("name", "code", "active", "is_default", "unit_id", "description")),
        Block("Times", ("within", "within_unit", "recalculates")),
        Block("Statuses", (*(f"{state}_status_id" for state in STATES), "rules_count")),
        Block("Categories", ("category_id", *(f"{step}_category_id" for step in STEPS))),
        Block("Activities and cancelling", ("activity_types", "cancel_reasons", "cancel_reason")),
    ),
    in_search=False,
    search=("name", "code"),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    links=(
        ManyLink("statuses", "sr_statuses", "types", "Statuses of this type", "Types"),
        ManyLink("categories", "sr_categories", "sr_types", "Only these categories", "Types of requests"),
        ManyLink("products", "products", "sr_types", "Only for these products", "Types of requests"),
        ManyLink("units", "groups", "sr_types", "Only these groups make such requests", "Types of requests"),
    ),
    sole=("is_default",),
    picklists=(UNITS, REASONS),
    derives=(code_of,),
    checks=(fits,),
    before_delete=(is_free,),
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)
