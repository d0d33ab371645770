"""Own mail servers: a list, a form, a button that tests one (M92)."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.db import db
from crm.engine.refusals import Refused
from crm.ui.page import tell
from crm.ui.session import commit
from ecp import servers
from ecp.web.admin import demand_portal_admin

HOME = "/ecp/mail_servers"
TEXTS = ("name", "host", "port", "security", "username", "weight", "per_hour", "from_domains")
bp = Blueprint("mail_servers", __name__, url_prefix=HOME)


@bp.get("")
def all_servers() -> str:
    """Every server with its share, its limit and its last test."""
    demand_portal_admin()
    rows = servers.all_servers()
    whole = sum(row.weight for row in rows if row.active)
    return render_template(
        "ecp_mail_servers.html",
        here="mail_servers",
        rows=rows,
        whole=whole,
        base=bool(config.current().smtp_url),
        in_words=servers.in_words,
    )


@bp.get("/new")
def new() -> Response:
    """An empty form."""
    demand_portal_admin()
    return _draw(None, {"security": "starttls", "weight": "1", "active": True})


@bp.get("/<int:id>")
def one(id: int) -> Response:
    """A server to change; its password is not shown."""
    demand_portal_admin()
    row = servers.find(id)
    return _draw(id, {name: getattr(row, name) for name in (*TEXTS, "active")})


def _draw(id: int | None, typed: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    page = render_template(
        "ecp_mail_server.html",
        here="mail_servers",
        id=id,
        typed=typed,
        faults=faults or {},
        row=servers.find(id) if id else None,
    )
    return make_response(page, status)


@bp.post("/new")
@bp.post("/<int:id>")
def save(id: int | None = None) -> AnyResponse:
    """Keep it, and test it at once."""
    asks = demand_portal_admin()
    typed = {name: request.form.get(name, "") for name in (*TEXTS, "active", "password")}
    try:
        kept = servers.save(typed, id)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        return _draw(id, typed | {"active": typed["active"] == "1"}, 422, faults)
    _tell(servers.test(asks, kept))
    return redirect(HOME, 303)


def _tell(is_good: bool) -> None:
    if is_good:
        tell(_("Saved, and the server lets us in. It is used within half a minute."))
    else:
        tell(_("Saved, but the server does not let us in; the list says why."), "warn")


@bp.post("/<int:id>/test")
def test(id: int) -> AnyResponse:
    """Log in and say good-bye."""
    if servers.test(demand_portal_admin(), id):
        tell(_("The server lets us in."))
    else:
        tell(_("The server does not let us in; the list says why."), "warn")
    return redirect(HOME, 303)


@bp.post("/<int:id>/delete")
def delete(id: int) -> AnyResponse:
    """Take a server away with its password."""
    demand_portal_admin()
    servers.remove(id)
    commit()
    tell(_("The server is deleted. Mails leave by the others."))
    return redirect(HOME, 303)
