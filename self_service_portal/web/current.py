"""One request of the portal: which portal, whose session, which language. What is closed says so and lets nobody in."""

from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, g, make_response, redirect, render_template, request
from sqlalchemy import Select, select
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm import db as database
from crm.db import db
from crm.engine.registry import modules
from crm.identity import sessions
from crm.identity.customer import Shown
from crm.identity.viewer import Viewer
from crm.modules.organisation import organisation
from crm.modules.portals import access, matrix
from crm.modules.portals.customers import viewer_of
from crm.modules.portals.portal_users import PortalUser
from crm.ui.i18n import LANGUAGES
from crm.ui.page import local_path
from crm.ui.session import READS, end_requests, is_open_to_all, viewer
from self_service_portal.face import PORTAL, worded

LANGUAGE_COOKIE = "ch_portal_language"
A_YEAR = 31_536_000
MOST_BYTES_OF_STRANGERS = 1024 * 1024


def install(app: Flask) -> None:
    """Find the portal and the customer of every request; strangers are sent to the log-in page."""

    @app.before_request
    def load() -> Any:
        database.only_reading(request.method in READS)
        g.viewer, g.portal_links, g.portal_boxes = None, [], []
        if request.endpoint == "asset":
            return None
        g.portal = portal_here()
        g.locale = _language(None)
        if g.portal is None or not g.portal.active:
            return None if request.endpoint == "look.sheet" else make_response(render_template("closed.html"), 503)
        token = request.cookies.get(PORTAL.cookie, "")
        row = sessions.find(PORTAL.key, token) if token else None
        found = viewer_of(row.portal_user_id, g.portal.id) if row is not None and row.portal_user_id else None
        if found is None or row is None:
            request.max_content_length = MOST_BYTES_OF_STRANGERS
            return None if is_open_to_all() else _to_login()
        _know(found, row, token)
        return None

    end_requests(app)

    @app.context_processor
    def know() -> dict[str, Any]:
        said = organisation()
        here = g.get("portal")
        return {
            "portal": here,
            "organisation": said,
            "logo": (here.logo if here is not None else "") or said.logo,
            "portal_name": here.name if here is not None else said.name,
            "offered": {key: LANGUAGES[key] for key in offered(here)},
            "external_links": links_now(),
            "next_path": local_path(request.full_path.rstrip("?"), "/portal/")
            if request.method == "GET"
            else "/portal/",
            "look_mark": f"{here.id}-{here.version}" if here is not None else "0",
        }


def _know(found: Viewer, row: Any, token: str) -> None:
    g.viewer, g.session_row, g.session_token = found, row, token
    users = PortalUser.__table__
    who = customer()
    said = db.session.execute(
        select(users.c.language, users.c.profile_id, users.c.valid_to).where(users.c.id == who.portal_user_id)
    ).one()
    held = matrix.read(said.profile_id)
    g.portal_links, g.portal_boxes, g.access_row = held["links"], held["boxes"], said
    g.locale = _language(said.language)


def portal() -> Any:
    """The row of the portal that answers now."""
    return g.portal


def customer() -> Any:
    """Who asks, as a customer. Raises Forbidden for a stranger."""
    return viewer().customer


def shown(key: str) -> Shown | None:
    """What the profile of the customer says of a module; None when it is not shown."""
    found: Shown | None = customer().modules.get(key)
    return found


def offered(here: Any) -> list[str]:
    """The languages of a portal."""
    said = [key for key in (here.languages or ()) if key in LANGUAGES] if here is not None else []
    return said or list(LANGUAGES)


def _language(chosen: str | None) -> str:
    """The customer's choice, else what the browser asks for, else that of the portal."""
    here = g.get("portal")
    known = offered(here)
    first = here.default_language if here is not None else config.current().locale
    for said in (chosen, request.cookies.get(LANGUAGE_COOKIE)):
        if said in known:
            return str(said)
    return request.accept_languages.best_match(known) or (first if first in known else known[0])


def portal_here() -> Any:
    """The portal of this host name, else the first one."""
    rows = db.session.execute(_portals()).all()
    host = request.host.lower()
    for row in rows:
        if row.base_url and urlsplit(row.base_url).netloc.lower() == host:
            return row
    return rows[0] if rows else None


@cache
def _portals() -> Select[Any]:
    table = modules["portals"].table
    return select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.kind, table.c.id)


def hosts_of_portals() -> set[str]:
    """Host names under which portals answer."""
    table = modules["portals"].table
    said = select(table.c.base_url).where(table.c.base_url.is_not(None), table.c.deleted_at.is_(None))
    return {urlsplit(url).hostname or "" for url in db.session.execute(said).scalars()}


def links_now() -> list[tuple[str, str]]:
    """(label, address) of the profile's links to other sites, in the language of the page."""
    language = g.get("locale", "en")
    return [(worded(one["label"], language), one["url"]) for one in g.get("portal_links", []) if one.get("label")]


def days_left() -> int | None:
    """Days until access ends, when it is time to say so."""
    return access.ends_soon(g.access_row, portal().support_expiry_notice_days)


def _to_login() -> AnyResponse:
    wanted = local_path(request.full_path.rstrip("?"), "/") if request.method == "GET" else ""
    if request.path.startswith("/portal/api/"):
        return make_response({"error": "unauthenticated"}, 401)
    tail = f"?next={quote(wanted)}" if wanted not in {"", "/portal/"} else ""
    return redirect(f"{PORTAL.login}{tail}", 303)
