"""The OpenAPI 3.1 document, made from the declarations: what the docs page shows and tests call."""

import re
from collections.abc import Mapping
from inspect import getdoc
from typing import Any

from flask import current_app

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
    paths |= _verbs({module.key: module.plural for module in shown})
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


BASE = "/api/v1/"
ARGUMENT = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
ALTERNATIVES = re.compile(r"<any\(([\w,]+)\):\w+>")


def _verbs(plurals: Mapping[str, str]) -> dict[str, Any]:
    """What is done beyond create, read, change and delete: the calls of all rooms, told by the first line of each one's text."""
    paths: dict[str, Any] = {}
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda one: one.rule):
        if not rule.rule.startswith(BASE):
            continue
        for path in _spelled_out(rule.rule.removeprefix(BASE)):
            head, _slash, rest = path.partition("/")
            if head not in plurals or not ARGUMENT.sub("", rest).strip("/"):
                continue
            said = paths.setdefault("/" + ARGUMENT.sub(r"{\2}", path), {"parameters": _arguments(path)})
            for method in sorted(rule.methods or ()):
                if method in {"GET", "POST", "PATCH", "PUT", "DELETE"}:
                    said[method.lower()] = _verb(plurals[head], method, current_app.view_functions[rule.endpoint])
    return paths


def _spelled_out(path: str) -> list[str]:
    """A path with a choice of modules in it as one path a module."""
    found = ALTERNATIVES.match(path)
    return [path.replace(found[0], name, 1) for name in found[1].split(",")] if found else [path]


def _arguments(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if kind == "int" else "string"}}
        for kind, name in ARGUMENT.findall(path)
    ]


def _verb(tag: str, method: str, view: Any) -> dict[str, Any]:
    lines = (getdoc(view) or "").split("\n\n")[0]
    content = {"application/vnd.api+json": {"schema": {"type": "object"}}}
    answers = {"2XX": {"description": "Done", "content": content}} | {
        code: {"description": text} for code, text in ERRORS.items()
    }
    said: dict[str, Any] = {"tags": [tag], "summary": " ".join(lines.split()), "responses": answers}
    return said | ({"requestBody": {"content": content}} if method in {"POST", "PATCH", "PUT"} else {})
