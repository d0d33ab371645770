"""Before the log-in: log in and out, ask for a password, set one by a link, confirm an address, choose a language."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config, limits
from crm.db import db
from crm.engine.refusals import Conflict, Refused
from crm.identity import logins, passwords
from crm.limits import Limiter, Rate
from crm.modules.portals import access, second_step, signing_in
from crm.ui.page import local_path, tell
from crm.ui.session import commit, open_to_all, source
from crm.words import ngettext
from self_service_portal.face import PORTAL
from self_service_portal.myself import shortened
from self_service_portal.web.current import A_YEAR, LANGUAGE_COOKIE, offered, portal

bp = Blueprint("gate", __name__, url_prefix="/portal")
TRIES = Limiter(Rate(20, 60))  # log-ins of one source: hashing a password costs more than most requests
ASKED = Limiter(Rate(20, 600))  # forms of one source before the log-in
BAD_LINKS = Limiter(Rate(30, 600))
STEP_COOKIE = f"{PORTAL.cookie}_step"  # of a log-in that is half done


@bp.get("/login")
@open_to_all
def login() -> Any:
    wanted = local_path(request.args.get("next"), "/portal/")
    if g.viewer is not None:
        return redirect(wanted)
    return render_template("portal_login.html", wanted=wanted, email="", fault="")


@bp.post("/login")
@open_to_all
def enter() -> AnyResponse:
    wanted = local_path(request.form.get("next"), "/portal/")
    address, email = source(), request.form.get("email", "")
    wait = int(TRIES.take(limits.key_of(address)) + 0.999)
    said = None
    if not wait:
        password = request.form.get("password", "")
        try:
            said = signing_in.sign_in(portal(), email, password, address, request.user_agent.string)
        except Conflict as conflict:
            db.session.rollback()
            return _draw_login(wanted, email, str(conflict), 429)
        commit()
    if said:
        return _enter_with(said.token, wanted)
    if said is not None and said.step:
        answer = redirect(f"/portal/login/code?next={quote(wanted)}", 303)
        _set_cookie(answer, said.step, STEP_COOKIE)
        return answer
    wait = wait or (said.wait if said is not None else 0)
    return _draw_login(
        wanted, email, _shut_out(wait) or _("The e-mail address or the password is not right."), 422, wait
    )


@bp.get("/login/code")
@open_to_all
def code_form() -> AnyResponse:
    """Where the second step asks for the mailed code; a log-in that is not half done begins at the beginning."""
    wanted = local_path(request.args.get("next"), "/portal/")
    user = second_step.holder(portal(), _step())
    return redirect(PORTAL.login, 303) if user is None else _draw_code(user, wanted)


@bp.post("/login/code")
@open_to_all
def enter_code() -> AnyResponse:
    wanted = local_path(request.form.get("next"), "/portal/")
    wait = int(TRIES.take(limits.key_of(source())) + 0.999)
    user = second_step.holder(portal(), _step())
    if user is None:
        return redirect(PORTAL.login, 303)
    if not wait:
        code = request.form.get("code", "")
        said = signing_in.finish(portal(), _step(), code, source(), request.user_agent.string)
        commit()
        if said:
            return _enter_with(said.token, wanted)
        wait = said.wait
    return _draw_code(
        user, wanted, _shut_out(wait) or _("The code is not right, or its ten minutes are over."), 422, wait
    )


@bp.post("/login/code/again")
@open_to_all
def another_code() -> AnyResponse:
    wanted = local_path(request.form.get("next"), "/portal/")
    user = second_step.holder(portal(), _step())
    try:
        if user is None or not second_step.again(portal(), _step()):
            return redirect(PORTAL.login, 303)
        commit()
    except Conflict as conflict:
        db.session.rollback()
        return _draw_code(user, wanted, str(conflict), 429)
    tell(_("Another code is on its way. The older one no longer counts."))
    return redirect(f"/portal/login/code?next={quote(wanted)}", 303)


def _step() -> str:
    return request.cookies.get(STEP_COOKIE, "")


def _enter_with(token: str, wanted: str) -> AnyResponse:
    answer = make_response(redirect(wanted, 303))
    _set_cookie(answer, token)
    for name in (f"{PORTAL.cookie}_form", STEP_COOKIE):
        answer.delete_cookie(name, path=PORTAL.prefix)
    return answer


def _shut_out(wait: int) -> str:
    """The sentence for a network that tried too often; "" for one that did not."""
    if not wait:
        return ""
    return ngettext(
        "Too many attempts from your network. Try again in %(num)s minute.",
        "Too many attempts from your network. Try again in %(num)s minutes.",
        max(1, round(wait / 60)),
    )


def _draw_login(wanted: str, email: str, fault: str, status: int, wait: int = 0) -> AnyResponse:
    return _with_wait(render_template("portal_login.html", wanted=wanted, email=email[:320], fault=fault), status, wait)


def _draw_code(user: Any, wanted: str, fault: str = "", status: int = 200, wait: int = 0) -> AnyResponse:
    page = render_template("portal_code.html", wanted=wanted, address=shortened(user.email), fault=fault)
    return _with_wait(page, status, wait)


def _with_wait(page: str, status: int, wait: int) -> AnyResponse:
    answer = make_response(page, 429 if wait else status)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


@bp.post("/logout")
def logout() -> AnyResponse:
    logins.sign_out("portal", g.session_token)
    commit()
    g.session_row = None
    answer = make_response(redirect(PORTAL.login, 303))
    answer.delete_cookie(PORTAL.cookie, path=PORTAL.prefix)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@bp.get("/forgot")
@open_to_all
def forgot() -> str:
    return render_template("portal_forgot.html", is_sent=False, fault="")


@bp.post("/forgot")
@open_to_all
def ask() -> AnyResponse:
    """The same answer for every address; a job looks it up, so that it takes as long for a known one."""
    wait = ASKED.take(limits.key_of(source()))
    if wait:
        return _too_often(wait, "portal_forgot.html", is_sent=False)
    access.ask_later(portal().id, request.form.get("email", "").strip()[:320])
    commit()
    return make_response(render_template("portal_forgot.html", is_sent=True, fault=""))


@bp.get("/password/<token>")
@open_to_all
def password_form(token: str) -> AnyResponse:
    """Where a link of a mail leads. Changes nothing."""
    held = signing_in.holder(token, signing_in.SET, signing_in.RESET)
    if held is None or held.portal_id != portal().id:
        return dead_link()
    page = render_template("portal_set_password.html", email=held.email, faults={}, least=passwords.LEAST)
    return make_response(page)


@bp.post("/password/<token>")
@open_to_all
def set_password(token: str) -> AnyResponse:
    held = signing_in.holder(token, signing_in.SET, signing_in.RESET)
    if held is None or held.portal_id != portal().id:
        return dead_link()
    new = request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Refused.because("not_alike", _("The two are not alike. Type the new password again."), "again")
        if signing_in.set_password(token, new) is None:
            return dead_link()
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        page = render_template("portal_set_password.html", email=held.email, faults=faults, least=passwords.LEAST)
        return make_response(page, 422)
    tell(_("Your password is set. Log in with it."))
    return redirect(PORTAL.login, 303)


@bp.get("/confirm/<token>")
@open_to_all
def confirm_form(token: str) -> AnyResponse:
    """Asks whether an address is right. Changes nothing: scanners of mails open links too."""
    held = signing_in.holder(token, signing_in.CONFIRM)
    if held is None or held.portal_id != portal().id:
        return dead_link()
    return make_response(render_template("portal_confirm.html", email=held.email))


@bp.post("/confirm/<token>")
@open_to_all
def confirm(token: str) -> AnyResponse:
    held = signing_in.holder(token, signing_in.CONFIRM)
    if held is None or held.portal_id != portal().id or signing_in.confirm(token) is None:
        return dead_link()
    commit()
    tell(_("Your address is confirmed. Log in with it."))
    return redirect(PORTAL.login, 303)


@bp.post("/language")
@open_to_all
def language() -> AnyResponse:
    """Speak another language, from the next page on; a customer's choice is kept with the log-in."""
    said = request.form.get("language", "")
    answer = make_response(redirect(local_path(request.form.get("next"), "/portal/"), 303))
    if said in offered(portal()):
        if g.viewer is not None:
            access.choose_language(g.viewer.customer.portal_user_id, said)
            commit()
        answer.set_cookie(
            LANGUAGE_COOKIE,
            said,
            path=PORTAL.prefix,
            max_age=A_YEAR,
            samesite="Lax",
            httponly=True,
            secure=_is_secure(),
        )
    return answer


def dead_link() -> AnyResponse:
    """The one page for every link that does not hold, whatever the reason."""
    wait = BAD_LINKS.take(limits.key_of(source()))
    db.session.rollback()
    if wait:
        return _too_often(wait, "dead_link.html")
    return make_response(render_template("dead_link.html", fault=""), 410)


def _too_often(wait: float, template: str, **values: Any) -> AnyResponse:
    fault = _("Too many requests from your network. Please wait a few minutes.")
    answer = make_response(render_template(template, fault=fault, **values), 429)
    answer.headers["Retry-After"] = str(max(1, round(wait)))
    return answer


def _is_secure() -> bool:
    return request.is_secure or str(config.current().base_url).startswith("https:")


def _set_cookie(answer: AnyResponse, token: str, name: str = PORTAL.cookie) -> None:
    answer.set_cookie(name, token, path=PORTAL.prefix, httponly=True, samesite="Lax", secure=_is_secure())
