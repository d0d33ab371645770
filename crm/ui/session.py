"""One request of a staff app: load who asks, allow, act, commit, tell. GET requests only read."""

from typing import Any
from urllib.parse import quote

from flask import Flask, Response, current_app, g, make_response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config, limits
from crm import db as database
from crm.db import db
from crm.engine import overlay, picklists
from crm.engine.refusals import Forbidden
from crm.identity import sessions, viewers
from crm.identity.viewer import Viewer
from crm.ui.face import Face
from crm.ui.page import is_part, local_path

READS = {"GET", "HEAD", "OPTIONS"}
THEMES = ("light", "dark", "auto")
VERSIONS = (overlay.PRESENT, picklists.PRESENT)


def install(app: Flask, face: Face) -> None:
    """Find the viewer of every request under the app's prefix; send strangers to the log-in page."""

    @app.before_request
    def load() -> AnyResponse | None:
        database.only_reading(request.method in READS, alone=True)
        g.viewer = None
        if not request.path.startswith(face.prefix) or request.endpoint == "asset":
            return None
        token = request.cookies.get(face.cookie, "")
        found = viewers.signed_in(face.key, token, VERSIONS) if token else None  # type: ignore[arg-type]
        if found is None:
            return None if is_open_to_all() else _to_login(face)
        _know(*found, token)
        if (
            g.must_change_password
            and not is_open_to_all()
            and request.endpoint not in {"login.password", "login.logout"}
        ):
            return redirect(f"{face.prefix}/password?next={quote(_wanted())}")
        return None

    end_requests(app)


def end_requests(app: Flask) -> None:
    """After every request of `app`: drop what was not committed, note that the session was used, let the next one write."""

    @app.after_request
    def note_use(answer: Response) -> Response:
        row = g.get("session_row")
        if row is not None and answer.status_code < 500:
            if request.method not in READS:
                db.session.rollback()  # what was not committed by now was not meant to stay
            sessions.touch(row)
        return answer

    @app.teardown_request
    def forget(_fault: BaseException | None) -> None:
        database.only_reading(False)


def _know(viewer: Viewer, user: Any, row: Any, token: str) -> None:
    g.viewer, g.session_row, g.session_token = viewer, row, token
    overlay.know(user.overlay_version)
    picklists.know(user.picklist_version)
    g.preferences = dict(user.preferences or {})
    g.locale = user.locale or config.current().locale
    g.own_formats = {"date": user.date_format or "", "number": user.number_format or ""}
    theme = g.preferences.get("theme", "auto")
    g.theme = theme if theme in THEMES else "auto"
    g.must_change_password = bool(user.must_change_password)


def open_to_all(view: Any) -> Any:
    """Mark a view as reachable without log-in."""
    view.open_to_all = True
    return view


def is_open_to_all() -> bool:
    """Whether the view that answers now was marked with `open_to_all`."""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "open_to_all", False))


def viewer() -> Viewer:
    """Who asks. Raises Forbidden when nobody is signed in."""
    found = g.get("viewer")
    if found is None:
        raise Forbidden(_("Log in first."))
    return found  # type: ignore[no-any-return]


def demand_admin() -> Viewer:
    """Who asks, when it is an administrator of this app; else Forbidden."""
    found = viewer()
    if not found.is_admin:
        raise Forbidden(_("Only an administrator may open this page."))
    return found


def commit() -> None:
    """Make what the request did last, once, before anybody is told."""
    db.session.commit()


def source() -> str:
    """The address of whoever asks, as far as trusted proxies say."""
    return limits.source_of(
        request.remote_addr, request.headers.get("X-Forwarded-For"), config.current().trusted_proxies
    )


def _wanted() -> str:
    return local_path(request.full_path.rstrip("?"), "/") if request.method == "GET" else ""


def _to_login(face: Face) -> AnyResponse:
    where = f"{face.login}?next={quote(_wanted())}" if _wanted() not in {"", f"{face.prefix}/"} else face.login
    if is_part():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = face.login
        return answer
    return redirect(where, 303)
