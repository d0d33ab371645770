"""How the portal says no: what one may not do looks like what is not there (spec/portal.md 0.5)."""

from flask import Flask, Response, make_response, request
from flask_babel import gettext as _

from crm.db import db
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused, Stale
from crm.ui import errors
from crm.ui.public_face import TooOften


def install(app: Flask) -> None:
    """Answer refusals, as pages or, under /portal/api/, as JSON."""

    def forbidden(fault: Forbidden) -> Response:
        if fault.code == "csrf":
            return _json(403, "csrf") or errors.problem(403, _("Please try again"), str(fault), code="csrf")
        return missing()

    def missing(_fault: Missing | None = None) -> Response:
        return _json(404, "not_found") or errors.problem(
            404, _("There is nothing here"), _("It may have been deleted, or it is not yours to see.")
        )

    def conflict(fault: Conflict) -> Response:
        return _json(409, "conflict", code=fault.code) or errors.problem(
            409, _("That cannot be done now"), str(fault), code=fault.code
        )

    def stale(fault: Stale) -> Response:
        return _json(409, "stale", version=fault.current) or errors.problem(
            409, _("Somebody else was faster"), str(fault)
        )

    def refused(fault: Refused) -> Response:
        fields = {name: [one.code for one in found] for name, found in fault.faults.items()}
        sentences = " ".join(one.message for found in fault.faults.values() for one in found)
        return _json(422, "validation", fields=fields) or errors.problem(422, _("That could not be saved"), sentences)

    def too_often(fault: TooOften) -> Response:
        sentence = _("Too many requests from your network. Please wait a few minutes.")
        answer = _json(429, "too_often") or errors.problem(429, _("Too many requests"), sentence)
        answer.headers["Retry-After"] = str(max(1, round(fault.seconds)))
        return answer

    app.register_error_handler(TooOften, too_often)
    app.register_error_handler(Forbidden, forbidden)
    app.register_error_handler(Missing, missing)
    app.register_error_handler(Conflict, conflict)
    app.register_error_handler(Stale, stale)
    app.register_error_handler(Refused, refused)


def _json(status: int, error: str, **more: object) -> Response | None:
    if not request.path.startswith("/portal/api/"):
        return None
    db.session.rollback()
    return make_response({"error": error, **more}, status)
