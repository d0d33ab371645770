"""Portal permissions on the contact's card: access on and off, profile, administrator, period, Send again; and requests answered."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import exists, find
from crm.identity.logins import LoginEvent
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.portals import access, locking, requests
from crm.modules.portals.portal_users import address_of, login_key, rival_of, status_of
from crm.modules.rules import key_of_email
from crm.ui.cards import Part, add_part
from crm.ui.page import tell
from crm.ui.session import commit, viewer

bp = Blueprint("portal_access", __name__, url_prefix="/crm")
FIELDS = ("profile_id", "valid_from", "valid_to")


@bp.post("/contacts/<int:id>/portal")
def change_access(id: int) -> AnyResponse:
    """Save what the element says: a log-in is made the first time. Without the right it is as if there was no such page."""
    _demand(id)
    portal_id = request.form.get("portal", 0, type=int)
    values: dict[str, Any] = {name: request.form.get(name) or None for name in FIELDS}
    values |= {"active": bool(request.form.get("active")), "is_admin": bool(request.form.get("is_admin"))}
    row = access.login_of(id, portal_id)
    try:
        if row is None and not values["active"]:
            raise Refused.because("required", _("Tick “Has access” to let this person in."))
        if row is None:
            records.create(viewer(), "portal_users", values | {"contact_id": id, "portal_id": portal_id}, Channel.FORM)
        else:
            if values["profile_id"] is None:
                del values["profile_id"]
            records.update(viewer(), "portal_users", row.id, values, Channel.FORM)
        commit()
        tell(_("Portal access is saved."))
    except Refused as refused:
        db.session.rollback()
        said = {name: found for name, found in refused.faults.items() if name != "login_key"} or refused.faults
        tell(" ".join(one.message for found in said.values() for one in found), "wrong")
    return redirect(f"/crm/contacts/{id}", 303)


def _login(id: int) -> Any:
    """The log-in of the contact that the form is about. Raises Missing when there is none."""
    _demand(id)
    row = access.login_of(id, request.form.get("portal", 0, type=int))
    if row is None:
        raise Missing
    return row


@bp.post("/contacts/<int:id>/portal/again")
def send_again(id: int) -> AnyResponse:
    """The welcome mail once more, with a new link."""
    row = _login(id)
    access.invite(viewer(), row.id)
    commit()
    tell(_("The welcome mail is on its way to %(email)s.", email=row.email))
    return redirect(f"/crm/contacts/{id}", 303)


@bp.post("/contacts/<int:id>/portal/unlock")
def unlock(id: int) -> AnyResponse:
    """Let a log-in that was guessed at in again before its time."""
    row = _login(id)
    locking.unlock(viewer(), row.id)
    commit()
    tell(_("%(email)s may log in again.", email=row.email))
    return redirect(f"/crm/contacts/{id}", 303)


@bp.post("/portal_requests/<int:id>/answer")
def answer_request(id: int) -> AnyResponse:
    """Accept a request for a contact, accept it for a new one, or reject it."""
    if not exists(viewer(), "portal_requests", id):
        raise Missing
    deed = request.form.get("deed", "")
    try:
        if deed == "reject":
            requests.reject(viewer(), id)
            tell(_("The request is rejected."))
        else:
            contact = request.form.get("contact_id", type=int)
            if deed != "new" and contact is None:
                raise Refused.because("required", _("Choose the contact that this person is."))
            requests.accept(viewer(), id, None if deed == "new" else contact)
            tell(_("The request is accepted. The welcome mail is on its way."))
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return redirect(f"/crm/portal_requests/{id}", 303)


def _demand(contact_id: int) -> None:
    if not exists(viewer(), "contacts", contact_id) or not may(viewer(), "create", "portal_users"):
        raise Missing


def of_contact(who: Viewer, row: Row) -> Mapping[str, Any] | None:
    """What the element shows: one log-in or the offer of one for each portal; None where there is no portal."""
    if not may(who, "view", "portal_users"):
        return None
    portals = find(who, "portals", columns=("name", "active"), limit=20, count="none").rows
    if not portals:
        return None
    profiles = find(who, "portal_profiles", columns=("name", "portal_id", "is_default"), limit=500, count="none").rows
    return {
        "may_change": may(who, "create", "portal_users"),
        "has_email": bool(row.get("email")) if "email" in row else True,
        "portals": [
            (
                portal,
                _seen(row.id, portal.id),
                [one for one in profiles if one["portal_id"] == portal.id],
                _rival(row.id, portal.id),
            )
            for portal in portals
        ],
    }


def _seen(contact_id: int, portal_id: int) -> dict[str, Any] | None:
    row = access.login_of(contact_id, portal_id)
    if row is None:
        return None
    return {
        "row": row, "status": status_of(row._mapping), "is_early": bool(row.valid_from and row.valid_from > clock.today(clock.site_zone())),
        "last_try": _last_try(row.id), "mail": _welcome_mail(row.id),
    }  # fmt: skip


def _rival(contact_id: int, portal_id: int) -> tuple[str, int] | None:
    """Name and id of another contact that logs in with the address of this one, which can then not be let in."""
    key, own = key_of_email(address_of(contact_id)), access.login_of(contact_id, portal_id)
    return rival_of(login_key(portal_id, key), own.id if own else None) if key else None


def _last_try(portal_user_id: int) -> Any:
    table = LoginEvent.__table__
    said = select(table.c.outcome, table.c.at).where(table.c.portal_user_id == portal_user_id)
    return db.session.execute(said.order_by(table.c.id.desc()).limit(1)).first()


def _welcome_mail(portal_user_id: int) -> Any:
    """What became of the last welcome mail."""
    table = Delivery.__table__
    said = select(table.c.state, table.c.failed_reason, table.c.bounced_at).where(
        table.c.dedupe_key.startswith(f"portal_welcome:{portal_user_id}:", autoescape=True)
    )
    return db.session.execute(said.order_by(table.c.id.desc()).limit(1)).first()


def of_request(who: Viewer, row: Row) -> Mapping[str, Any] | None:
    """The answer to an open request; None for one that was answered."""
    if row["status"] != "open" or not may(who, "edit", "portal_requests"):
        return None
    likely = []
    if row["email"] and may(who, "view", "contacts"):
        likely = find(
            who, "contacts", where={"$eq": ["email", row["email"]]}, columns=("last_name", "account_id"), limit=5
        ).rows
    return {"likely": likely, "kind": row["kind"], "contact_id": row["contact_id"], "module": modules["contacts"]}


add_part("contacts", Part("_portal_access.html", of_contact))
add_part("portal_requests", Part("_portal_request.html", of_request, place="top"))
