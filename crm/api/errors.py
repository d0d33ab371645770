"""Refusals of the lower rooms as JSON answers; nothing of the inside is told."""

import logging

from flask import Blueprint, Response, request
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from crm.api.rest.answers import TITLES, error, errors, fault_errors
from crm.db import db
from crm.engine.conditions import BadCondition
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused, Stale, UnknownName

log = logging.getLogger(__name__)
ASK_AGAIN_SECONDS = 15


class BadRequest(Exception):
    """The request itself cannot be read: wrong JSON, wrong parameter. `parameter`: which one."""

    def __init__(self, message: str, parameter: str = "", status: int = 400, code: str = "bad_request") -> None:
        super().__init__(message)
        self.parameter, self.status, self.code = parameter, status, code


def register(bp: Blueprint) -> None:
    """Let a blueprint answer refusals in JSON."""

    @bp.errorhandler(Refused)
    def refused(fault: Refused) -> Response:
        codes = {one.code for found in fault.faults.values() for one in found}
        return errors(
            409 if codes == {"locked"} else 422, fault_errors(fault.faults)
        )  # the state forbids it, not a value

    @bp.errorhandler(BadRequest)
    def bad_request(fault: BadRequest) -> Response:
        more = {"source": {"parameter": fault.parameter}} if fault.parameter else {}
        return error(fault.status, fault.code, str(fault), **more)

    @bp.errorhandler(BadCondition)
    def bad_condition(fault: BadCondition) -> Response:
        return error(400, "bad_filter", str(fault), source={"parameter": "filter"})

    @bp.errorhandler(Conflict)
    def conflict(fault: Conflict) -> Response:
        return error(409, fault.code, str(fault))

    @bp.errorhandler(UnknownName)
    def unknown(fault: UnknownName) -> Response:
        return error(404 if fault.what == "module" else 400, "unknown", str(fault))

    @bp.errorhandler(Missing)
    def missing(_: Missing) -> Response:
        return error(404, "no_such_record", "There is no such record.")

    @bp.errorhandler(Forbidden)
    def forbidden(fault: Forbidden) -> Response:
        return error(403, fault.code, str(fault))

    @bp.errorhandler(Stale)
    def stale(fault: Stale) -> Response:
        return error(409, "stale", str(fault), meta={"version": fault.current})

    @bp.errorhandler(OverflowError)
    @bp.errorhandler(DataError)
    def too_large(_: Exception) -> Response:
        db.session.rollback()
        return error(400, "too_large", "A number in the request is larger than any that is kept here.")

    @bp.errorhandler(OperationalError)
    @bp.errorhandler(InterfaceError)
    def database_away(fault: Exception) -> Response:
        log.error(
            "%s %s: the database does not do that", request.method, request.path, extra={"reason": str(fault)[:300]}
        )
        made = error(503, "database_away", "The database does not answer or has no room. Nothing was saved; try again.")
        made.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
        return made

    @bp.errorhandler(HTTPException)
    def http(fault: HTTPException) -> Response:
        status = fault.code or 500
        made = error(status, TITLES.get(status, "error").lower().replace(" ", "_"), fault.description or "")
        for name, value in fault.get_headers():
            if name.lower() in {"retry-after", "www-authenticate", "allow"}:
                made.headers[name] = value
        return made

    @bp.before_app_request
    def unmatched() -> Response | None:
        """Addresses of the API that no rule has, or not for this method, are answered like the others."""
        fault = request.routing_exception
        if fault is None or (fault.code or 0) < 400 or not request.path.startswith("/api/"):
            return None
        return http(fault)
