"""Log in, log out, and the change of a first password. Made for both staff apps: `make_blueprint` gives each its own."""

from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config, limits
from crm.db import db
from crm.engine.refusals import Refused
from crm.identity import logins, passwords
from crm.modules.users.writing import change_own_password
from crm.ui.face import face
from crm.ui.page import local_path, tell
from crm.ui.session import commit, open_to_all, source, viewer
from crm.words import ngettext

TRIES = limits.Limiter(limits.Rate(30, 60))  # of one address, whatever comes of them; the ban counts failures


def make_blueprint(prefix: str) -> Blueprint:
    """The pages of the gate under `prefix`."""
    made = Blueprint("login", __name__, url_prefix=prefix)
    made.add_url_rule("/login", "form", open_to_all(form), methods=["GET"])
    made.add_url_rule("/login", "enter", open_to_all(enter), methods=["POST"])
    made.add_url_rule("/logout", "logout", logout, methods=["POST"])
    made.add_url_rule("/password", "password", password, methods=["GET", "POST"])
    return made


def form() -> AnyResponse | str:
    wanted = local_path(request.args.get("next"), f"{face().prefix}/")
    if g.viewer is not None:
        return redirect(wanted)
    return render_template("login.html", wanted=wanted, email="", fault="")


def enter() -> AnyResponse:
    wanted = local_path(request.form.get("next"), f"{face().prefix}/")
    address, email = source(), request.form.get("email", "")
    wait = int(TRIES.take(limits.key_of(address)) + 0.999)
    agent = request.user_agent.string
    said = None if wait else logins.sign_in(face().key, email, request.form.get("password", ""), address, agent)  # type: ignore[arg-type]
    commit()
    if said:
        where = f"{face().prefix}/password?next={quote(wanted)}" if said.must_change_password else wanted
        answer = make_response(redirect(where, 303))
        _set_cookie(answer, said.token)
        answer.delete_cookie(f"{face().cookie}_form", path=face().prefix)
        return answer
    wait = wait or (said.wait if said is not None else 0)
    fault = _("The e-mail address or the password is not right.")
    if wait:
        minutes = max(1, round(wait / 60))
        fault = ngettext(
            "Too many attempts from your network. Try again in %(num)s minute.",
            "Too many attempts from your network. Try again in %(num)s minutes.",
            minutes,
        )
    answer = make_response(render_template("login.html", wanted=wanted, email=email, fault=fault), 429 if wait else 422)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def logout() -> AnyResponse:
    logins.sign_out(face().key, g.session_token)
    commit()
    g.session_row = None
    answer = make_response(redirect(face().login, 303))
    answer.delete_cookie(face().cookie, path=face().prefix)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def password() -> AnyResponse | str:
    """Change the own password; whoever has a first password must, before anything else."""
    wanted = local_path(request.values.get("next"), f"{face().prefix}/")
    me = viewer()
    faults: dict[str, str] = {}
    if request.method == "POST":
        new = request.form.get("new", "")
        try:
            if new != request.form.get("again", ""):
                raise Refused.because("not_alike", _("The two are not alike. Type the new password again."), "again")
            change_own_password(me, request.form.get("old", ""), new, g.session_row.id)
            commit()
            tell(_("Your password is changed. Other browsers were logged out."))
            return redirect(wanted, 303)
        except Refused as refused:
            db.session.rollback()
            faults = {{"password": "new"}.get(name, name): found[0].message for name, found in refused.faults.items()}
    page = render_template(
        "password.html", wanted=wanted, faults=faults, is_first=g.must_change_password, least=passwords.LEAST
    )
    return make_response(page, 422 if faults else 200)


def _set_cookie(answer: Response, token: str) -> None:
    secure = request.is_secure or config.current().base_url.startswith("https:")
    answer.set_cookie(face().cookie, token, path=face().prefix, httponly=True, samesite="Lax", secure=secure)


bp = make_blueprint("/crm")
