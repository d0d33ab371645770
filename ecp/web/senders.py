"""Sender addresses: added with a confirmation mail, their domain checked in DNS, one of them the default."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, may
from crm.engine.refusals import Refused
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.sender_addresses import USABLE
from crm.ui.cards import Part, add_part
from crm.ui.page import go, tell
from crm.ui.places import has_pages
from crm.ui.session import commit, viewer
from ecp import senders
from ecp.domains.selectors import signers_of
from ecp.web.admin import demand_portal_admin

KEY = "sender_addresses"
bp = Blueprint("senders", __name__, url_prefix=f"/ecp/{KEY}")


@bp.get("/new")
def new() -> Response:
    """An address and the name beside it."""
    demand(viewer(), "create", KEY)
    return _draw({})


def _draw(typed: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    return make_response(render_template("ecp_new_sender.html", here=KEY, typed=typed, faults=faults or {}), status)


@bp.post("/new")
def add() -> Response:
    """Keep the address and ask its owner."""
    typed = {name: request.form.get(name, "").strip() for name in ("address", "display_name")}
    try:
        id = senders.add(viewer(), typed, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(typed, 422, {name: found[0].message for name, found in refused.faults.items()})
    tell(
        _(
            "A mail went to %(address)s. The address may be used once the link in it was followed.",
            address=typed["address"],
        )
    )
    return redirect(f"/ecp/{KEY}/{id}", 303)


def _back(id: int, said: str) -> Response:
    commit()
    tell(said)
    return go(f"/ecp/{KEY}/{id}")


@bp.post("/<int:id>/ask")
def ask(id: int) -> Response:
    """The confirmation mail once more."""
    demand_portal_admin()
    senders.ask(viewer(), id)
    return _back(id, _("The confirmation mail was sent again; the link holds for 48 hours."))


@bp.post("/<int:id>/check")
def check(id: int) -> Response:
    """Have a worker look the domain up."""
    demand_portal_admin()
    senders.ask_check(viewer(), id)
    commit()
    row = search.one(viewer(), KEY, id)
    return go(f"/ecp/{KEY}/{id}?checking={_mark(row)}")


def _mark(row: Row) -> str:
    """Which check is the last one, as an address can carry it."""
    return str(int(row["checked_at"].timestamp() * 1000)) if row["checked_at"] else "first"


@bp.post("/<int:id>/state")
def set_state(id: int) -> Response:
    """Disable an address, or let it be confirmed again."""
    demand_portal_admin()
    is_off = request.form.get("state") == "disabled"
    senders.set_state(viewer(), id, "disabled" if is_off else "pending")
    return _back(
        id, _("Nothing is sent from this address any more.") if is_off else _("The address waits for confirmation.")
    )


@bp.get("/<int:id>/checks")
def checks(id: int) -> str:
    """What the last check found; asks for itself while a check is being made."""
    row = search.one(viewer(), KEY, id)
    return render_template("ecp_sender_checks.html", part=_of_card(viewer(), row))


def _of_card(asks: Viewer, row: Row) -> dict[str, Any] | None:
    if not has_pages(KEY) or not may(asks, "view", KEY):
        return None
    checking = request.args.get("checking", "")
    domain = senders.domain_of(row["address"])
    is_admin = "ecp_admin" in asks.flags
    return {
        "row": row, "domain": domain, "findings": senders.find_findings(row["address"]), "is_admin": is_admin,
        "is_signed": bool(signers_of(domain)), "is_checking": bool(checking) and checking == _mark(row),
        "checking": checking, "is_usable": row["state"] in USABLE,
    }  # fmt: skip


def _in_portal(asks: Viewer, row: Row) -> dict[str, Any] | None:
    from crm.ui.face import face

    return _of_card(asks, row) if face().key == "ecp" else None


add_part(KEY, Part("ecp_sender_part.html", _in_portal, "top"))
