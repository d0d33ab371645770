"""The OpenAPI 3.1 document, made from the declarations: what the docs page shows and tests call."""

from typing import Any

from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may, readable, writable
from crm.engine.registry import modules
from crm.identity.viewer import Viewer

TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["string", "null"], "description": "A decimal number, as text"},
    "boolean": {"type": "boolean"},
    "date": {"type": ["string", "null"], "format": "date"},
    "datetime": {"type": ["string", "null"], "format": "date-time"},
    "time": {"type": ["string", "null"], "format": "time"},
    "object": {"type": ["object", "null"]},
    "array": {"type": "array", "items": {"type": "string"}},
}
ERRORS = {
    "400": "The request cannot be read; the parameter is named",
    "401": "The API key is missing or wrong",
    "403": "The caller may not do that",
    "404": "There is no such record, or the caller may not know that there is",
    "409": "Somebody else saved the record since, or it is not in the right state",
    "422": "Values were refused; each error points to its attribute",
    "429": "Too many calls",
}


def document(viewer: Viewer) -> dict[str, Any]:
    """All that `viewer` may use."""
    shown = [module for module in modules if module.in_api and may(viewer, "view", module)]
    paths: dict[str, Any] = {}
    for module in shown:
        paths |= _paths(viewer, module)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "customerhub",
            "version": "1",
            "description": "JSON:API. Every POST takes an Idempotency-Key.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {module.key: _schema(viewer, module) for module in shown},
        },
    }


def _schema(viewer: Viewer, module: Module) -> dict[str, Any]:
    allowed, writes = readable(viewer, module), writable(viewer, module)
    fields = {name: _property(said, name in writes) for name, said in module.fields.items() if name in allowed}
    return {"type": "object", "title": module.label, "properties": fields}


def _property(said: Field, is_writable: bool) -> dict[str, Any]:
    made = dict(TYPES[said.kind.json_type]) | {"title": said.label}
    if said.max and said.kind.is_text:
        made["maxLength"] = said.max
    return made if is_writable else made | {"readOnly": True}


def _paths(viewer: Viewer, module: Module) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{module.key}"}
    attributes = {"type": "object", "properties": {"type": {"const": module.key}, "attributes": schema}}
    content = {"application/vnd.api+json": {"schema": {"type": "object", "properties": {"data": attributes}}}}
    id = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    sent = {"required": True, "content": content}

    def call(summary: str, good: str, **more: Any) -> dict[str, Any]:
        said = {good: {"description": summary, **({"content": content} if good != "204" else {})}}
        answers = said | {code: {"description": text} for code, text in ERRORS.items()}
        return {"tags": [module.plural], "summary": summary, "responses": answers, **more}

    listing = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (("page[number]", "integer"), ("page[size]", "integer"), ("page[after]", "string"),
                           ("sort", "string"), ("filter", "string"), ("q", "string"), ("include", "string"))
    ]  # fmt: skip
    many: dict[str, Any] = {"get": call(f"List {module.plural.lower()}", "200", parameters=listing)}
    one: dict[str, Any] = {"parameters": [id], "get": call(f"Read one of {module.plural.lower()}", "200")}
    if module.creatable and may(viewer, "create", module):
        many["post"] = call(f"Create: {module.label.lower()}", "201", requestBody=sent)
    if module.editable and may(viewer, "edit", module):
        one["patch"] = call(f"Change: {module.label.lower()}", "200", requestBody=sent)
    if module.deletable and may(viewer, "delete", module):
        one["delete"] = call(f"Delete: {module.label.lower()}", "204")
    return {f"/{module.key}": many, f"/{module.key}/{{id}}": one}
