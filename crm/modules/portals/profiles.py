"""Portal profiles: how much of which modules a group of customers sees and may change (spec/portal.md 1.3)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json, db
from crm.engine import afterwards
from crm.engine import fields as f
from crm.engine.module import Block, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.portals import usual
from crm.modules.rules import after
from crm.words import _


class PortalProfile(Record):
    """One profile. `modules`, `links` and `boxes` begin as usual.py says; they are written by matrix.py alone, which checks them."""

    __tablename__ = "portal_profiles"
    name: Mapped[str] = f.text("Name", max=120)
    portal_id: Mapped[int] = f.link("Portal", to="portals", on_delete="CASCADE")
    is_default: Mapped[bool] = f.checkbox("Profile of new log-ins", help="Exactly one of each portal")
    name_key: Mapped[str | None] = f.text(
        "Name as it is compared", max=180, unique=True, read_only=True, in_lists=False
    )
    description: Mapped[str | None] = f.long_text("Description")
    modules: Mapped[dict[str, Any]] = mapped_column(Json, default=usual.matrix_of)
    links: Mapped[list[Any]] = mapped_column(Json, default=list)
    boxes: Mapped[list[Any]] = mapped_column(Json, default=lambda: list(usual.BOXES))


def is_first_of_portal(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The first profile of a portal is the one of new log-ins; the name is unique in its portal."""
    then = after(values, old)
    made: dict[str, Any] = {}
    if then.get("portal_id") and then.get("name"):
        made["name_key"] = f"{then['portal_id']}:{then['name']}"
    if old is None and then.get("portal_id") and not _others(then["portal_id"]):
        made["is_default"] = True
    return made


def keeps_one_default(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A portal always has a profile for new log-ins: another one takes over, none is just given up."""
    if old and old.get("is_default") and values.get("is_default") is False:
        return {
            "is_default": Fault("needs_one", _("Give this to another profile instead; it is then taken from here."))
        }
    if old and "portal_id" in values and values["portal_id"] != old["portal_id"]:
        return {"portal_id": Fault("fixed", _("A profile stays in its portal. Copy it instead."))}
    return {}


def is_unused(ids: list[int]) -> dict[int, Fault]:
    """A profile that log-ins have, or that new ones get, stays."""
    users, table = modules["portal_users"].table, PortalProfile.__table__
    query = select(users.c.profile_id, func.count()).where(users.c.profile_id.in_(ids), users.c.deleted_at.is_(None))
    faults = {
        id: Fault("in_use", _("%(count)s log-ins have this profile. Give them another one first.", count=count))
        for id, count in db.session.execute(query.group_by(users.c.profile_id))
    }
    defaults = select(table.c.id).where(table.c.id.in_(ids), table.c.is_default)
    for id in db.session.execute(defaults).scalars():
        faults.setdefault(
            id, Fault("is_default", _("New log-ins get this profile. Choose another one for them first."))
        )
    return faults


def _others(portal: int) -> bool:
    table = PortalProfile.__table__
    query = select(table.c.id).where(table.c.portal_id == portal, table.c.deleted_at.is_(None))
    return db.session.execute(query.limit(1)).first() is not None


MODULE = Module(
    PortalProfile,
    label="Portal profile",
    plural="Portal profiles",
    icon="layout-list",
    columns=("name", "portal_id", "is_default", "updated_at"),
    facts=("portal_id", "is_default"),
    form=(Block("Portal profile", ("name", "portal_id", "is_default", "owner_id", "description")),),
    in_search=False,
    search=("name",),
    sort=("name",),
    derives=(is_first_of_portal,),
    checks=(keeps_one_default,),
    before_delete=(is_unused,),
    importable=False,
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)

afterwards.listen("portal_profiles", "portals.one_default", "created", "updated", fields=("is_default",))
