"""What modules consist of (/schema/<module>), custom fields by API, and the OpenAPI document behind the docs page."""

from typing import Any

from flask import Response

from crm.api import openapi
from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.asked import body
from crm.api.rest.resources import module_of
from crm.engine import picklists
from crm.engine.custom_fields import add
from crm.engine.fields import Field
from crm.engine.permissions import may, readable, writable
from crm.engine.refusals import Forbidden
from crm.engine.registry import modules


@bp.get("/schema/<key>")
def schema(key: str) -> Response:
    """Fields, primary key and relations of a module, as far as the caller may read them."""
    module = module_of(key)
    allowed, writes = readable(viewer(), module), writable(viewer(), module)
    fields = {name: _field(said, name in writes) for name, said in module.fields.items() if name in allowed}
    relations = {
        name: {"type": "hasOne" if one.kind == "one" else "hasMany", "class": one.target or None}
        for name, one in modules.relations(module.key).items()
        if not one.target or (one.target in modules and may(viewer(), "view", one.target))
    }
    return answer({"data": {
        "type": "schema", "id": module.key, "attributes": fields, "primary_key": "id", "relations": relations,
        "meta": {"label": module.label, "plural": module.plural, "aliases": dict(module.aliases)},
    }})  # fmt: skip


def _field(said: Field, is_writable: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": said.kind.json_type, "kind": said.kind.name, "size": said.max, "scale": said.scale if said.kind.is_scaled else None,
        "nullable": not said.required, "defaultValue": None if callable(said.default) else said.kind.json(said.default),
        "label": said.label, "readOnly": not is_writable, "custom": said.custom, "uiType": said.kind.legacy_ui,
    }  # fmt: skip
    if said.is_link:
        made |= {"relationType": "hasOne", "relationName": said.relation}
        made |= {"relationModule": said.to[0]} if len(said.to) == 1 else {"relationModules": list(said.to)}
    if said.picklist:
        made["values"] = [{"key": one.key, "label": one.label or one.key} for one in picklists.choices(said.picklist)]
    return made


@bp.post("/custom_fields")
@once
def add_field() -> Response:
    """Add a custom field: {"module", "kind", "label", "indexed", "options"}. CRM administrators only."""
    if not viewer().is_admin:
        raise Forbidden("Only an administrator may add fields.")
    said = body()
    if unknown := set(said) - {"module", "kind", "label", "name", "indexed", "options"}:
        raise BadRequest(f"There is no attribute “{sorted(unknown)[0]}”.", status=422, code="unknown")
    module, options = module_of(str(said.get("module", ""))), said.get("options") or {}
    if not isinstance(options, dict):
        raise BadRequest("“options” is an object.")
    name = add(module, str(said.get("kind", "")), str(said.get("label", "")), bool(said.get("indexed")), **options)
    return answer(
        {"data": {"type": "custom_fields", "id": name, "attributes": {"module": module.key, "name": name}}}, 201
    )


@bp.get("/openapi.json")
def document() -> Response:
    """The OpenAPI description of all that the caller may use."""
    return answer(openapi.document(viewer()))
