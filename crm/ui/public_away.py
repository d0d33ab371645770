"""What strangers and customers are told when the database is away: a page that asks it nothing, and tries again by itself."""

import logging
from typing import Any

from flask import Flask, Response, make_response, request
from flask_babel import gettext as _
from sqlalchemy.exc import InterfaceError, OperationalError

from crm.modules.organisation import Organisation
from crm.ui.away import ASK_AGAIN_SECONDS, reason_of
from crm.ui.public_page import page, speaking

log = logging.getLogger(__name__)
AGAIN = f"setTimeout(() => location.reload(), {ASK_AGAIN_SECONDS * 1000});"


def install(app: Flask) -> None:
    """An answer for `app` when the database takes or gives nothing."""
    for kind in (OperationalError, InterfaceError):
        app.register_error_handler(kind, database_away)


def database_away(fault: Exception) -> Response:
    """503 with a page, or with JSON for programs. Logged by the name of the page: the path may hold the token of a person."""
    log.error(
        "%s %s: the database does not do that", request.method, request.endpoint, extra={"reason": reason_of(fault)}
    )
    answer = _said_to_programs() if _is_program() else _page()
    answer.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_program() -> bool:
    accepted = request.accept_mimetypes
    return request.is_json or accepted["application/json"] > accepted["text/html"] or "/api/" in request.path


def _said_to_programs() -> Response:
    return make_response({"error": "database_away"}, 503)


def _page() -> Response:
    shows = request.method == "GET"
    with speaking(None):
        values: dict[str, Any] = {
            "title": _("This cannot be shown just now") if shows else _("This cannot be taken just now"),
            "sentence": _("Something that this site needs does not answer. Nothing was saved."),
            "next_step": _("This page tries again by itself.")
            if shows
            else _("Go back and save again in a moment; your browser keeps what you typed."),
        }
    return page("away", 503, whose=Organisation(), script=AGAIN if shows else "", **values)
