"""What is at the root: the choice of an app, and the addresses that machines watch: alive, ready, figures."""

from flask import Blueprint, Response, abort, jsonify, request
from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from crm import config, disk, limits, troubles
from crm.db import Entity, db, only_reading
from crm.ui.public_page import page
from hub import figures

bp = Blueprint("front", __name__, template_folder="templates")


@bp.before_request
def begin() -> None:
    only_reading(True)


@bp.teardown_request
def end(_error: BaseException | None) -> None:
    only_reading(False)


@bp.get("/")
def chooser() -> Response:
    apps = [
        (config.current().crm_url or "/crm/", _("CRM"), _("Customers, sales, campaigns")),
        (config.current().portal_url or "/portal/", _("Self-Service Portal"), _("For your customers")),
        (config.current().ecp_url or "/ecp/", _("Email Contact Portal"), _("Mass mails, lists, reports")),
    ]
    return page("chooser", apps=apps)


@bp.get("/healthz")
def alive() -> Response:
    """This process answers; nothing else is asked."""
    return Response("alive\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@bp.get("/readyz")
def ready() -> tuple[Response, int]:
    """Whether database, queue and mail server answer and the disk has room; 503 and the reason when not.

    Of the mail server it is told what those who send have met last: nobody can make the house open connections."""
    found = {}
    try:
        db.session.execute(select(Entity.id).limit(1))
        db.session.execute(text("SELECT count(*) FROM jobs WHERE state = 'waiting'"))
        if any(one.subject == "mail" for one in troubles.current()):
            found["mail"] = "the mail server does not answer"
    except SQLAlchemyError as error:
        found["database"] = type(error.__cause__ or error).__name__
    if figures.trouble_of_broker(config.current()) is not None:
        found["queue"] = "the broker does not answer"  # the reason names hosts: `customerhub doctor` tells it
    if disk.is_full(config.current().data_path):
        room = disk.free_bytes(config.current().data_path) or 0
        found["disk"] = f"{room // 1_000_000} MB free in the data folder"
    answer = jsonify({"ready": not found, "troubles": found})
    answer.headers["Cache-Control"] = "no-store"
    return answer, 503 if found else 200


@bp.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus; only for this machine and the configured proxies."""
    forwarded, trusted = request.headers.get("X-Forwarded-For"), config.current().trusted_proxies
    source = limits.source_of(request.remote_addr, forwarded, trusted)
    # A forwarded request whose proxy is unknown comes from somebody we cannot name.
    if (forwarded and source == request.remote_addr) or not figures.may_be_told(source, trusted):
        abort(404)
    return Response(figures.exposition(), content_type=figures.CONTENT_TYPE, headers={"Cache-Control": "no-store"})
