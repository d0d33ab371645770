"""The API's documentation for people: every call with its fields, and a console that tries it with a ten-minute key."""

from flask import Blueprint, Response, jsonify, render_template
from flask_babel import gettext as _

from crm.api import openapi
from crm.engine.refusals import Forbidden
from crm.identity import api_keys
from crm.ui.session import commit, viewer

bp = Blueprint("api_docs", __name__, url_prefix="/crm/api-docs")


@bp.get("")
def page() -> str:
    """The calls that the viewer may make, by module."""
    said = openapi.document(viewer())
    groups: dict[str, list[dict[str, object]]] = {}
    for path, methods in said["paths"].items():
        for method, call in methods.items():
            if method == "parameters":
                continue
            groups.setdefault(call["tags"][0], []).append(
                {"method": method.upper(), "path": path, "summary": call["summary"], "has_body": "requestBody" in call}
            )
    return render_template("api_docs.html", groups=groups, schemas=said["components"]["schemas"], title=_("API"))


@bp.get("/openapi.json")
def document() -> Response:
    """The OpenAPI document, for tools."""
    return jsonify(openapi.document(viewer()))


@bp.post("/keys")
def make_key() -> Response:
    """A key that acts as the viewer for ten minutes, for the console of the page."""
    user = viewer()
    if user.id is None:
        raise Forbidden
    text = api_keys.for_docs(user.id)
    commit()
    answer = jsonify(key=text)
    answer.headers["Cache-Control"] = "no-store"
    return answer
