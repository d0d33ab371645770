"""The same records as JSON, for programs of a customer who is logged in: read, change, make; what pages allow, no more.

Asks for the session's cookie and, to write, the header X-CSRF-Token with the token of any form. Answers as in spec/portal.md 0.5.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_babel import gettext as _

from crm.engine.module import Module
from crm.engine.permissions import may
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.rows import Row
from crm.engine.search import find, one
from crm.ui.session import commit, viewer
from self_service_portal import saving
from self_service_portal.web.current import shown
from self_service_portal.web.records import may_edit, shown_module

bp = Blueprint("json_door", __name__, url_prefix="/portal/api")
ROWS = 100


@bp.get("/<key>")
def listing(key: str) -> Response:
    module = shown_module(key)
    page = find(viewer(), module, columns=_names(module), limit=ROWS, after=request.args.get("after") or None)
    return jsonify({"rows": [_said(module, row) for row in page.rows], "next": page.next})


@bp.get("/<key>/<int:id>")
def card(key: str, id: int) -> Response:
    module = shown_module(key)
    return jsonify(_said(module, one(viewer(), module, id)))


@bp.post("/<key>")
def create(key: str) -> tuple[Response, int]:
    module = shown_module(key)
    if not may(viewer(), "create", module):
        raise Missing
    made = saving.create(viewer(), module, _sent(module))
    commit()
    return jsonify({"id": made.id}), 201


@bp.patch("/<key>/<int:id>")
def save(key: str, id: int) -> Response:
    """Raises 422 `field_not_writable` for a field that the profile does not open, whether it is shown or not."""
    module = shown_module(key)
    one(viewer(), module, id)
    sent = _sent(module)
    if not may_edit(module, id):
        raise Missing
    saving.update(viewer(), module, id, sent, _version())
    commit()
    return jsonify(_said(module, one(viewer(), module, id)))


def _sent(module: Module) -> dict[str, Any]:
    said = request.get_json(silent=True)
    if not isinstance(said, dict):
        raise Refused.because("bad_json", _("Send a JSON object."))
    sent = {name: value for name, value in said.items() if name != "version"}
    said_of_module = shown(module.key)
    open_fields = said_of_module.editable if said_of_module else frozenset()
    closed = {
        name: [Fault("field_not_writable", _("This cannot be changed here."))]
        for name in sent
        if name not in open_fields
    }
    if closed:
        raise Refused(closed)
    return sent


def _version() -> int | None:
    said = (request.get_json(silent=True) or {}).get("version")
    return said if isinstance(said, int) else None


def _names(module: Module) -> tuple[str, ...]:
    said = shown(module.key)
    return said.names if said else ()


def _said(module: Module, row: Row) -> dict[str, Any]:
    values = {name: None if row[name] is None else _plain(module, name, row[name]) for name in _names(module)}
    return {"id": row.id, "label": row.label, "version": row.version, **values}


def _plain(module: Module, name: str, value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    return list(value) if isinstance(value, tuple) else module.fields[name].kind.text(value)
