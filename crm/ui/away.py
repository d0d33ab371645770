"""What is down, on the pages: a calm line for those who run the house or send mails, and a page when the database is away."""

import logging
import time
from datetime import timedelta

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import InterfaceError, OperationalError

from crm import clock, config, disk, troubles
from crm.engine.permissions import has_area
from crm.ui import formats
from crm.ui.page import is_part

log = logging.getLogger(__name__)
FORGOTTEN_AFTER_SECONDS = 60.0
ASK_AGAIN_SECONDS = 15
_away = {"since": 0.0, "seen": float("-inf")}  # of the database, as this process met it


def install(app: Flask) -> None:
    """Words and error pages for `app`."""
    app.jinja_env.globals["lines_of_trouble"] = lines_of_trouble
    for kind in (OperationalError, InterfaceError):
        app.register_error_handler(kind, database_away)


def lines_of_trouble() -> list[str]:
    """A sentence for each thing that is down, for those whom it concerns; [] for others."""
    viewer = g.get("viewer")
    if viewer is None or not (viewer.is_admin or "ecp_admin" in viewer.flags or has_area(viewer, "send")):
        return []
    known = troubles.current()
    said = [_sentence(one.subject, formats.own().moment(one.since)) for one in known]
    # One that filled up at once takes no note of it, and other machines do not look at ours.
    if all(one.subject != "disk" for one in known) and disk.is_full(config.current().data_path):
        said.append(_("The disk is full"))
    return said


def _sentence(subject: str, since: str) -> str:
    if subject == "mail":
        return _(
            "The mail server has not answered since %(since)s. Mails wait and go out by themselves when it is back.",
            since=since,
        )
    if subject == "queue":
        return _(
            "The broker of jobs has not answered since %(since)s. Work waits and goes on by itself when it is back.",
            since=since,
        )
    return _("The disk has been almost full since %(since)s. Make room: what cannot be stored waits.", since=since)


def database_away(fault: Exception) -> Response:
    """A page that needs no database: what happened, and that it tries again by itself."""
    now = time.monotonic()
    if now - _away["seen"] > FORGOTTEN_AFTER_SECONDS:
        _away["since"] = now
    _away["seen"] = now
    log.error("%s %s: the database does not do that", request.method, request.path, extra={"reason": reason_of(fault)})
    since = formats.own().moment(clock.now() - timedelta(seconds=now - _away["since"]))
    is_full = "full" in reason_of(fault).lower() or "no space" in reason_of(fault).lower()
    title = _("The disk is full") if is_full else _("The database does not answer")
    sentence = (
        _("Nothing was saved. Whoever runs this site has to make room.")
        if is_full
        else _(
            "Nothing was saved. It has been so since %(since)s; whoever runs this site can see why in the log.",
            since=since,
        )
    )
    values = {"title": title, "sentence": sentence, "again": ASK_AGAIN_SECONDS if request.method == "GET" else 0}
    if is_part():
        answer = make_response(render_template("_problem.html", **values), 503)
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#toasts", "beforeend"
    else:
        answer = make_response(render_template("away.html", **values), 503)
    answer.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def reason_of(fault: Exception) -> str:
    """What the database said, short."""
    return str(getattr(fault, "orig", None) or fault)[:300]
