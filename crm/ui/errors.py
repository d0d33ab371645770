"""Refusals as pages and as parts: what went wrong in one sentence, and what to do next."""

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from crm.db import db
from crm.engine.attachments import MEGABYTE
from crm.engine.conditions import BadCondition
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused, Stale, UnknownName
from crm.ui.face import face
from crm.ui.page import is_part, local_path

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Answer the engine's refusals, HTTP errors and faults of our own."""

    def refused(fault: Refused) -> Response:
        sentences = [one.message for found in fault.faults.values() for one in found]
        return problem(422, _("That could not be saved"), " ".join(sentences), code="refused")

    def forbidden(fault: Forbidden) -> Response:
        return problem(403, _("You may not do that"), str(fault), icon="lock", code=fault.code)

    def missing(_fault: Missing) -> Response:
        return problem(
            404, _("There is nothing here"), _("It may have been deleted, or you may not see it."), icon="map-search"
        )

    def stale(fault: Stale) -> Response:
        return problem(409, _("Somebody else was faster"), str(fault), icon="git-compare")

    def conflict(fault: Conflict) -> Response:
        return problem(409, _("That cannot be done now"), str(fault), icon="hand-stop", code=fault.code)

    def unknown(fault: UnknownName) -> Response:
        status = 404 if fault.what == "module" else 400
        return problem(
            status,
            _("There is nothing here") if status == 404 else _("That cannot be read"),
            str(fault),
            icon="map-search",
        )

    def bad_condition(fault: BadCondition) -> Response:
        return problem(400, _("This filter cannot be used"), str(fault), icon="filter-off")

    def too_large(_fault: Exception) -> Response:
        return problem(400, _("That cannot be read"), _("A number in it is larger than any that is kept here."))

    def http(fault: HTTPException) -> Any:
        if fault.response is not None or (fault.code or 500) < 400:
            return fault
        titles = {
            404: (_("There is nothing here"), _("Check the address, or search for what you need."), "map-search"),
            405: (_("That is not how this page works"), _("Go back and use the button on the page."), "alert-circle"),
            413: (_("That is too large"), _too_much(), "file-alert"),
            429: (_("Too many attempts"), fault.description or "", "clock-pause"),
        }
        title, sentence, icon = titles.get(
            fault.code or 500, (_("That did not work"), fault.description or "", "alert-circle")
        )
        return problem(fault.code or 500, title, sentence, icon=icon)

    def broken(fault: Exception) -> Response:
        db.session.rollback()
        log.error("%s %s failed", request.method, request.path, exc_info=fault)
        sentence = _("The error was written to the log. Try again; if it stays, tell whoever runs this site.")
        return problem(500, _("Something broke on our side"), sentence, icon="bug")

    app.register_error_handler(Refused, refused)
    app.register_error_handler(Forbidden, forbidden)
    app.register_error_handler(Missing, missing)
    app.register_error_handler(Stale, stale)
    app.register_error_handler(Conflict, conflict)
    app.register_error_handler(UnknownName, unknown)
    app.register_error_handler(BadCondition, bad_condition)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(OverflowError, too_large)
    app.register_error_handler(DataError, too_large)
    if not app.config.get("PROPAGATE_EXCEPTIONS"):
        app.register_error_handler(Exception, broken)


def _too_much() -> str:
    """How much may be sent here at once; limits have a little room for the form around the files, which is not told."""
    most = (request.max_content_length or 0) // MEGABYTE
    return _("At most %(most)s MB can be sent at once.", most=most - most % 10 or most) if most else ""


def problem(status: int, title: str, sentence: str, icon: str = "alert-circle", code: str = "") -> Response:
    """A page (or, for htmx, a notice) that says what went wrong."""
    db.session.rollback()
    values = {"title": title, "sentence": sentence, "icon_name": icon, "code": code, "status": status}
    if is_part() and status != 500:
        answer = make_response(render_template("_problem.html", **values), status)
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#toasts", "beforeend"
        return answer
    values["back"] = _came_from()
    template = "problem.html" if g.get("viewer") is not None else "gate_problem.html"
    return make_response(render_template(template, **values), status)


def _came_from() -> str:
    """The page that led here, when it is another one of this app: whoever pressed a button there goes back to it."""
    said = urlsplit(request.referrer or "")
    path = local_path(said.path, "")
    if said.netloc != request.host or path == request.path or not path.startswith(f"{face().prefix}/"):
        return ""
    return f"{path}?{said.query}" if said.query else path
