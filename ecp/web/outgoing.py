"""Pages of single mails that wait or failed, under both staff apps: why, and what can be done about it (M116)."""

from typing import Any, cast

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Conflict, Missing
from crm.identity.viewer import Viewer
from crm.ui.face import face
from crm.ui.menu import Link, add_links
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from ecp import outgoing
from ecp.personal.people import may_write
from ecp.web.admin import demand_portal_admin


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix`: in the portal for its administrators, in the CRM for those who write from cards."""
    made = Blueprint("outgoing", __name__, url_prefix=f"{prefix}/outgoing", template_folder="../templates")
    made.add_url_rule("", "show", show)
    made.add_url_rule("/<int:id>/<any(again,stop,sent,failed):deed>", "decide", decide, methods=["POST"])
    return made


def _demand() -> Viewer:
    if face().key == "ecp":
        return demand_portal_admin()
    if not may_write(viewer()):
        raise Missing
    return viewer()


def show() -> str:
    """One tab of them, the newest first."""
    asks, tab = _demand(), request.args.get("show", "waiting")
    tab = tab if tab in outgoing.STATES else "waiting"
    text = " ".join(request.args.get("q", "").split())
    mails, before = outgoing.listed(asks, tab, request.args.get("before", type=int), text)
    return render_template(
        "outgoing.html", here="outgoing", home=f"{face().prefix}/outgoing", tabs=_tabs(), counts=outgoing.counts(asks), chosen=tab,
        mails=mails, before=before, text=text, troubled=outgoing.sendouts_with_trouble(asks), prefix=face().prefix,
        sees_all="ecp_admin" in asks.flags,
    )  # fmt: skip


def decide(id: int, deed: str) -> AnyResponse:
    """Try again, stop, or say what became of an uncertain one."""
    asks = _demand()
    try:
        outgoing.decide(asks, id, cast(Any, deed))
        commit()
        tell(_said(deed))
    except Conflict as conflict:
        db.session.rollback()
        tell(str(conflict), "warn")
    tab = request.form.get("show", "waiting")
    return redirect(f"{face().prefix}/outgoing?show={tab if tab in outgoing.STATES else 'waiting'}", 303)


def _said(deed: str) -> str:
    return {
        "again": _("It is tried again at once."), "stop": _("It will not be sent."), "sent": _("Counted as sent."),
        "failed": _("Counted as failed."),
    }[deed]  # fmt: skip


def _tabs() -> dict[str, str]:
    return {"waiting": _("Waiting"), "failed": _("Failed"), "uncertain": _("Uncertain"), "stopped": _("Stopped")}


def _crm_links(asks: Viewer) -> list[Link]:
    return [Link(_("Mails on their way"), "/crm/outgoing", "mail-forward", "outgoing")] if may_write(asks) else []


add_links("Activities", _crm_links)
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
