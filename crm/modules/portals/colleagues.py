"""What a portal administrator does about colleagues of the own company: access, and addresses that must be confirmed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.customer import Customer
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.portals import access, letters, requests
from crm.modules.portals.portal_users import PortalUser
from crm.words import _

NEW_ADDRESS = "portal_new_address"
LIFETIME = timedelta(days=7)


def demand_colleague(viewer: Viewer, contact_id: int) -> Customer:
    """The customer, when he administers the company that the contact belongs to. Raises Missing."""
    who = viewer.customer
    table = modules["contacts"].table
    account = db.session.execute(
        select(table.c.account_id).where(table.c.id == contact_id, table.c.deleted_at.is_(None))
    ).scalar()
    if who is None or not who.is_admin or account is None or account != who.account_id:
        raise Missing
    return who


def give_access(viewer: Viewer, contact_id: int) -> str:
    """Let a colleague in, or ask an agent to, as the portal is set; gives the sentence to show.

    Raises Missing, Refused (no address, address taken). The caller commits."""
    who = demand_colleague(viewer, contact_id)
    portal = access.portal_row(who.portal_id)
    row = access.login_of(contact_id, who.portal_id)
    if portal.colleague_access != "direct":
        contact = _contact(contact_id)
        if not contact.email:
            raise Refused.because(
                "needs_email", _("Your colleague needs an e-mail address first; it is the user name.")
            )
        made = requests.ask(
            "colleague", portal, email=contact.email, first_name=contact.first_name, last_name=contact.last_name,
            asked_by_id=who.contact_id, contact_id=contact_id,
        )  # fmt: skip
        if made:
            letters.tell_of_request(portal, made, contact.email or "")
        return _("We were asked to let your colleague in and will answer soon.")
    if row is None:
        values = {"contact_id": contact_id, "portal_id": who.portal_id, "owner_id": who.owner_id}
        records.create(SYSTEM, "portal_users", values, Channel.PORTAL)
    else:
        records.update(SYSTEM, "portal_users", row.id, {"active": True}, Channel.PORTAL)
    return _("Your colleague gets a mail with a link to choose a password.")


def take_access(viewer: Viewer, contact_id: int) -> None:
    """Switch a colleague's access off. Raises Missing, Conflict for the last administrator. The caller commits."""
    who = demand_colleague(viewer, contact_id)
    row = access.login_of(contact_id, who.portal_id)
    if row is None:
        raise Missing
    _demand_another_admin(who, row)
    records.update(SYSTEM, "portal_users", row.id, {"active": False}, Channel.PORTAL)


def make_admin(viewer: Viewer, contact_id: int, is_admin: bool) -> None:
    """Make a colleague an administrator of the company, or no more. Raises Missing, Conflict. The caller commits."""
    who = demand_colleague(viewer, contact_id)
    row = access.login_of(contact_id, who.portal_id)
    if row is None or not row.active:
        raise Missing
    if not is_admin:
        _demand_another_admin(who, row)
    records.update(SYSTEM, "portal_users", row.id, {"is_admin": is_admin}, Channel.PORTAL)


def _demand_another_admin(who: Customer, row: Any) -> None:
    """A company that has an administrator keeps one."""
    if not (row.is_admin and row.active):
        return
    users, contacts = PortalUser.__table__, modules["contacts"].table
    others = (
        select(func.count())
        .select_from(users.join(contacts, contacts.c.id == users.c.contact_id))
        .where(
            contacts.c.account_id == who.account_id, users.c.portal_id == who.portal_id, users.c.is_admin, users.c.active,
            users.c.id != row.id, users.c.deleted_at.is_(None), contacts.c.deleted_at.is_(None),
        )
    )  # fmt: skip
    if not db.session.execute(others).scalar():
        raise Conflict(_("This is the last administrator of your company. Make somebody else one first."), "last_admin")


def _contact(id: int) -> Any:
    table = modules["contacts"].table
    return db.session.execute(select(table).where(table.c.id == id)).one()


# a new address counts when its owner has confirmed it


def ask_new_address(viewer: Viewer, contact_id: int, email: str) -> None:
    """Send a link to a new address of a contact; until it is followed, the old one stays. The caller commits."""
    who = viewer.customer
    if who is None:
        raise Missing
    portal = access.portal_row(who.portal_id)
    tokens.revoke(NEW_ADDRESS, contact_id)
    data = {"email": email, "portal_id": who.portal_id}
    token = tokens.issue(NEW_ADDRESS, contact_id, LIFETIME, data)
    link = access.address_of_portal(portal, f"/address/{token}")
    letters.confirm_new_address(portal, _contact(contact_id), email, viewer.name, link, token)


def new_address_of(token: str, portal_id: int) -> str | None:
    """The address that a link would confirm; None for one that does not hold. Changes nothing."""
    found = tokens.peek(NEW_ADDRESS, token)
    return str(found.data["email"]) if found is not None and found.data.get("portal_id") == portal_id else None


def take_new_address(token: str, portal_id: int) -> bool:
    """The owner of the address confirmed it: the contact has it now, and logs in with it. The caller commits."""
    email = new_address_of(token, portal_id)
    found = tokens.use(NEW_ADDRESS, token) if email is not None else None
    if found is None or found.subject_id is None:
        return False
    records.update(SYSTEM, "contacts", found.subject_id, {"email": email}, Channel.PORTAL)
    for row in access.rows_of_contacts([found.subject_id]):
        access.follow(row, is_confirmed=True)
    return True
