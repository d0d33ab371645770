"""Who calls the API: `Authorization: Bearer <key>`. A key acts for a user and never exceeds that user's rights."""

from flask import Response, g, request

from crm.api.rates import CALLS, WRONG, caller_address
from crm.api.rest.answers import errors
from crm.db import db, only_reading
from crm.identity import api_keys, viewers
from crm.identity.viewer import Viewer


def viewer() -> Viewer:
    """The viewer of the present call."""
    return g.api_viewer  # type: ignore[no-any-return]


def authenticate() -> Response | None:
    """Before each call: read the key. Answers 401 or 429 itself; None lets the call go on."""
    only_reading(request.method in {"GET", "HEAD", "OPTIONS"})
    if request.endpoint == "rest.docs":
        return None  # it only leads to the log-in
    address = caller_address()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = api_keys.find(token.strip(), address) if scheme.lower() == "bearer" and token else None
    found = viewers.of_key(key) if key is not None else None
    if key is None or found is None:
        if wait := WRONG.take(address):
            return _too_many(wait)
        detail = (
            "Send an API key: Authorization: Bearer <key>. This one is missing, wrong, expired or not for this address."
        )
        headers = {"WWW-Authenticate": 'Bearer realm="api"'}
        return errors(401, [{"code": "bad_key", "title": "Not authenticated", "detail": detail}], headers)
    if wait := CALLS.take(str(found.api_key_id)):
        return _too_many(wait)
    g.api_viewer, g.api_key = found, key
    return None


def _too_many(wait: float) -> Response:
    detail = f"Too many calls. Try again in {int(wait) + 1} s."
    said = [{"code": "too_many", "title": "Too many requests", "detail": detail}]
    return errors(429, said, {"Retry-After": str(int(wait) + 1)})


def finish(response: Response) -> Response:
    """After each call: what was written is committed by the call itself; anything else is taken back."""
    db.session.rollback()
    if key := g.get("api_key"):
        api_keys.touch(key)
    return response
