"""Forms of other sites are refused: every POST carries a token that belongs to the session, or to the log-in form's cookie."""

import hashlib
import hmac
import secrets

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext as _

from crm.engine.refusals import Forbidden
from crm.ui.face import Face

SAFE = {"GET", "HEAD", "OPTIONS"}
FIELD, HEADER = "csrf", "X-CSRF-Token"


def install(app: Flask, face: Face) -> None:
    """Check every request of `app` under its prefix that may change something."""
    form_cookie = f"{face.cookie}_form"

    def seed() -> str:
        """What the token is made of: the session's cookie, or a random one set with the form."""
        held = request.cookies.get(face.cookie) if g.get("viewer") is not None else request.cookies.get(form_cookie)
        if not held:
            held = g.setdefault("form_seed", secrets.token_urlsafe(24))
        return held

    def token() -> str:
        return _sign(seed())

    @app.before_request
    def check() -> None:
        if request.method in SAFE or not request.path.startswith(f"{face.prefix}/"):
            return  # what lies outside of the cookie's path cannot be reached with it
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Forbidden(_("This form came from another site. Open the page here and try again."), "csrf")
        given = request.headers.get(HEADER) or request.form.get(FIELD, "")
        if not hmac.compare_digest(given.encode(), token().encode()):
            raise Forbidden(_("This page was open too long. Reload it and send the form again."), "csrf")

    @app.after_request
    def set_cookie(answer: Response) -> Response:
        if g.get("form_seed") and g.get("viewer") is None:
            answer.set_cookie(
                form_cookie, g.form_seed, path=face.prefix, httponly=True, samesite="Lax", secure=request.is_secure
            )
        return answer

    app.jinja_env.globals["csrf_token"] = token


def _sign(seed: str) -> str:
    key = hashlib.sha256(b"csrf:" + str(current_app.config["SECRET_KEY"]).encode()).digest()
    return hmac.new(key, seed.encode(), hashlib.sha256).hexdigest()
