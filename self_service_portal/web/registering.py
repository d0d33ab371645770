"""Registration by oneself: a form for everybody, one answer for every address, a link that confirms it."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.identity import passwords
from crm.modules.portals import registering
from crm.ui import public_forms
from crm.ui.page import tell
from crm.ui.session import commit, open_to_all
from self_service_portal.web.current import portal
from self_service_portal.web.gate import dead_link

bp = Blueprint("registering", __name__, url_prefix="/portal")
FORM = "portal_registration"


@bp.get("/register")
@open_to_all
def form() -> AnyResponse:
    _demand_open()
    return _draw(public_forms.form_token(FORM, str(portal().id)))


@bp.post("/register")
@open_to_all
def ask() -> AnyResponse:
    _demand_open()
    try:
        sent = public_forms.receive(FORM, str(portal().id), request.form.get("email", ""))
        if not sent.is_trap and sent.first is None:
            if portal().terms_url or portal().privacy_url:
                _demand_consent()
            registering.ask(portal(), request.form.to_dict())
            sent.keep({"done": True})
            commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        return _draw(public_forms.sent_token(FORM, str(portal().id)), faults, 422)
    return _draw("", is_sent=True)


@bp.get("/register/<token>")
@open_to_all
def password_form(token: str) -> AnyResponse:
    """Where the link of the mail leads. Changes nothing."""
    said = registering.holder(token, portal().id)
    if said is None:
        return dead_link()
    page = render_template("portal_set_password.html", email=said["email"], faults={}, least=passwords.LEAST)
    return make_response(page)


@bp.post("/register/<token>")
@open_to_all
def confirm(token: str) -> AnyResponse:
    said = registering.holder(token, portal().id)
    if said is None:
        return dead_link()
    new = request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Refused.because("not_alike", _("The two are not alike. Type the new password again."), "again")
        if not registering.confirm(portal(), token, new):
            return dead_link()
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        page = render_template("portal_set_password.html", email=said["email"], faults=faults, least=passwords.LEAST)
        return make_response(page, 422)
    tell(_("Your password is set. Log in with it."))
    return redirect("/portal/login", 303)


def _demand_open() -> None:
    if portal().self_registration == "off":
        raise Missing


def _demand_consent() -> None:
    if not request.form.get("agrees"):
        raise Refused.because("required", _("Please tick that you have read this."), "agrees")


def _draw(token: str, faults: dict[str, str] | None = None, status: int = 200, is_sent: bool = False) -> Any:
    page = render_template(
        "portal_register.html", token=token, faults=faults or {}, typed=request.form, is_sent=is_sent
    )
    return make_response(page, status)
