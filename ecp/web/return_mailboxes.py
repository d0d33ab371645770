"""Mailboxes for what comes back: set up, tried against the real server before they are saved, read at once on request."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import outbox
from crm.engine.refusals import Refused
from crm.modules.tickets.scanning.entry import Secrets
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from ecp.bounces import mailboxes
from ecp.web.admin import demand_portal_admin

PAGE = "/ecp/deliverability"
bp = Blueprint("return_mailboxes", __name__, url_prefix=f"{PAGE}/mailboxes")
FRESH = {"port": 993, "encryption": "ssl", "auth": "password", "validates_certificate": True, "active": True, "folder": "INBOX"}  # fmt: skip


@bp.get("/new")
def new() -> Any:
    """An empty form."""
    demand_portal_admin()
    return _draw(FRESH)


@bp.get("/<int:id>")
def show(id: int) -> Any:
    """The mailbox as it is kept; secrets are never shown."""
    demand_portal_admin()
    return _draw(mailboxes.one(id), id)


def _draw(row: Any, id: int | None = None, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    page = render_template("ecp_return_mailbox.html", here="deliverability", row=row, id=id, faults=faults or {})
    return make_response(page, status)


@bp.post("/new")
def add() -> Any:
    """Try the connection, then keep it."""
    return _save(None)


@bp.post("/<int:id>")
def change(id: int) -> Any:
    """The same for one that is there."""
    return _save(id)


def _save(id: int | None) -> Any:
    demand_portal_admin()
    form = request.form
    row: dict[str, Any] = {name: form.get(name, "").strip() for name in mailboxes.TEXTS}
    row |= {name: bool(form.get(name)) for name in mailboxes.TICKS} | {"port": form.get("port", type=int)}
    secrets = Secrets(
        form.get("password", ""), form.get("client_secret", "").strip(), form.get("refresh_token", "").strip()
    )
    try:
        made = mailboxes.save(row, secrets, id)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return _draw(row, id, faults, 422)
    tell(_("The connection works, and the mailbox is saved."))
    return redirect(f"{PAGE}/mailboxes/{made}", 303)


@bp.post("/<int:id>/read")
def read_now(id: int) -> AnyResponse:
    """Have a worker read it at once."""
    demand_portal_admin()
    mailboxes.one(id)
    outbox.put(db.session, "returns.read", mailbox_id=id, created_by_id=viewer().id)
    commit()
    tell(_("The mailbox is being read."))
    return redirect(PAGE, 303)


@bp.post("/<int:id>/delete")
def delete(id: int) -> AnyResponse:
    """Forget the mailbox and its secrets."""
    demand_portal_admin()
    mailboxes.remove(id)
    commit()
    tell(_("The mailbox is no longer read; what it brought stays."))
    return redirect(PAGE, 303)
