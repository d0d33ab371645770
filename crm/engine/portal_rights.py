"""What customers may do: the portal profile's modules and fields, and only records of the contact or of its account.

Asked by engine.permissions for viewers of the kind "customer", so every page, list, search and address obeys alike
(spec/portal.md 1.1, 1.3). A module takes part when it declares a PortalExposure.
"""

from typing import Any

from sqlalchemy import and_, false, or_, select, true
from sqlalchemy.sql import ColumnElement

from crm.engine.module import Module, PortalExposure
from crm.engine.registry import modules
from crm.identity.customer import Customer, Shown
from crm.identity.viewer import SYSTEM, Viewer

KEPT = frozenset({"owner_id", "creator_id", "updater_id"})  # never written by customers, whatever a profile says


def shown(viewer: Viewer, module: Module) -> tuple[Customer, Shown, PortalExposure] | None:
    """The customer, what the profile says of `module`, and how the module is exposed; None when it is not shown."""
    if viewer.customer is None or module.portal is None:
        return None
    key = modules[module.portal.through_module].key if module.portal.through_module else module.key
    said = viewer.customer.modules.get(key)
    return None if said is None else (viewer.customer, said, module.portal)


def may(viewer: Viewer, verb: str, module: Module) -> bool:
    """Whether the profile grants the verb. Customers see, create and edit; they never delete, export or import."""
    found = shown(viewer, module)
    if found is None or verb not in {"view", "create", "edit"}:
        return False
    who, said, exposure = found
    if exposure.through or exposure.is_view_only:
        return verb == "view"
    if verb == "create":
        return module.creatable and said.can_create and (module.key != "contacts" or who.is_admin)
    return verb == "view" or (module.editable and said.can_edit)


def scope(viewer: Viewer, module: Module, verb: str, table: Any) -> ColumnElement[bool]:
    """The records of `module` that belong to the customer, as a condition on `table`."""
    found = shown(viewer, module)
    if found is None or not may(viewer, verb, module):
        return false()
    who, said, exposure = found
    if exposure.through:
        parent = modules[exposure.through_module]
        other = parent.table.alias()
        reach = select(other.c.id).where(scope(viewer, parent, "view", other), other.c.deleted_at.is_(None))
        return and_(table.c[exposure.through].in_(reach), _fits(module, exposure.where, table))
    fits = [_fits(module, exposure.where, table)]
    if verb == "edit":
        fits.append(_fits(module, exposure.edit_where, table))
    return and_(_belongs(who, said, module, exposure, verb, table), *fits)


def _belongs(
    who: Customer, said: Shown, module: Module, exposure: PortalExposure, verb: str, table: Any
) -> ColumnElement[bool]:
    if not exposure.by_contact and not exposure.by_account:
        return true()
    mine = [table.c[exposure.by_contact] == who.contact_id] if exposure.by_contact else []
    is_wide = said.scope == "account" or not exposure.by_contact or (exposure.is_of_company and who.is_admin)
    if (
        module.key == "contacts"
    ):  # a colleague's card is the portal administrator's to change, whatever the profile says
        is_wide = who.is_admin or (verb == "view" and is_wide)
    if is_wide and exposure.by_account and who.account_id is not None:
        mine.append(table.c[exposure.by_account] == who.account_id)
    return or_(false(), *mine)


def _fits(module: Module, where: dict[str, Any], table: Any) -> ColumnElement[bool]:
    if not where:
        return true()
    from crm.engine import conditions  # conditions ask permissions, which ask this file

    return conditions.compile(where, module, SYSTEM, table)


def readable(viewer: Viewer, module: Module) -> frozenset[str]:
    """The fields that the profile shows."""
    found = shown(viewer, module)
    if found is None:
        return frozenset()
    _who, said, exposure = found
    return (frozenset(exposure.fields) if exposure.through else said.visible) & frozenset(module.fields)


def writable(viewer: Viewer, module: Module) -> frozenset[str]:
    """The fields that the profile opens for writing: visible ones only, never an owner, a system field, or what scopes."""
    found = shown(viewer, module)
    if found is None or found[2].through or found[2].is_view_only:
        return frozenset()
    _who, said, exposure = found
    return frozenset(
        name for name in said.editable & said.visible
        if name in module.fields and is_open_to_customers(module, name) and name not in {exposure.by_contact, exposure.by_account}
    )  # fmt: skip


def is_open_to_customers(module: Module, name: str) -> bool:
    """Whether a profile may make the field editable at all."""
    exposure = module.portal
    scoping = {exposure.by_contact, exposure.by_account, *exposure.kept} if exposure else set()
    return not module.fields[name].read_only and name not in KEPT and name not in scoping


def imposed(viewer: Viewer, module: Module) -> dict[str, Any]:
    """What every record made by this customer carries, whatever was sent: whose it is and who looks after it."""
    found = shown(viewer, module)
    if found is None:
        return {}
    who, _said, exposure = found
    owner_id = who.assignee_id if exposure.goes_to_assignee else who.owner_id
    values: dict[str, Any] = {"owner_id": owner_id} if "owner_id" in module.fields else {}
    values |= exposure.gives
    if exposure.by_contact and exposure.by_contact != "id":
        values[exposure.by_contact] = who.contact_id
    if exposure.by_account and exposure.by_account != "id":
        values[exposure.by_account] = who.account_id
    return values
