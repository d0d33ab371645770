"""Log-ins of colleagues, for the portal administrator of a company; and the link that confirms a new address."""

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.modules.portals import colleagues
from crm.ui.page import tell
from crm.ui.session import commit, open_to_all, viewer
from self_service_portal.web.current import portal
from self_service_portal.web.gate import dead_link

bp = Blueprint("colleagues", __name__, url_prefix="/portal")


@bp.post("/contacts/<int:id>/access")
def change_access(id: int) -> AnyResponse:
    """Give or take access, make administrator or not: `deed` says which."""
    deed = request.form.get("deed", "")
    try:
        if deed == "give":
            said = colleagues.give_access(viewer(), id)
        elif deed == "take":
            colleagues.take_access(viewer(), id)
            said = _("Access is switched off.")
        elif deed in {"admin", "no_admin"}:
            colleagues.make_admin(viewer(), id, deed == "admin")
            said = _("Your changes are saved.")
        else:
            raise Missing
        commit()
        tell(said)
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return redirect(f"/portal/contacts/{id}", 303)


@bp.get("/address/<token>")
@open_to_all
def address_form(token: str) -> AnyResponse:
    """Asks whether an address is right. Changes nothing."""
    email = colleagues.new_address_of(token, portal().id)
    if email is None:
        return dead_link()
    return make_response(render_template("portal_confirm.html", email=email))


@bp.post("/address/<token>")
@open_to_all
def take_address(token: str) -> AnyResponse:
    if not colleagues.take_new_address(token, portal().id):
        return dead_link()
    commit()
    tell(_("Your address is confirmed."))
    return redirect("/portal/login", 303)
