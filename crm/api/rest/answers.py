"""JSON:API documents: how records, lists, relations and refusals are written out (jsonapi.org, spec/platform.md 6.1)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, request

from crm.engine.module import Module
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.engine.search import Row

MEDIA_TYPE = "application/vnd.api+json"


def answer(document: Mapping[str, Any] | None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response; `None` has no body (204)."""
    body = "" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    made = Response(body, status=status, mimetype=MEDIA_TYPE)
    made.headers["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        made.headers[name] = value
    return made


def resource(module: Module, row: Row, fields: Iterable[str] | None = None) -> dict[str, Any]:
    """One record as a resource object. `fields`: of sparse fieldsets; default: all that the row has."""
    known = module.fields
    wanted = set(fields) if fields is not None else None
    attributes, relationships = {}, {}
    for name in row:
        said = known.get(name)
        if said is None or (wanted is not None and name not in wanted):
            continue
        attributes[name] = said.kind.json(row[name])
        if said.is_link and len(said.to) == 1 and said.to[0] in modules:
            data = None if row[name] is None else {"type": said.to[0], "id": str(row[name])}
            relationships[said.relation] = {"data": data}
    made: dict[str, Any] = {"type": module.key, "id": str(row.id), "attributes": attributes}
    if relationships:
        made["relationships"] = relationships
    made["links"] = {"self": f"/api/v1/{module.key}/{row.id}"}
    if row.version:
        made["meta"] = {"version": row.version}
    return made


def errors(status: int, found: Iterable[Mapping[str, Any]], headers: Mapping[str, str] | None = None) -> Response:
    """An answer that names what is wrong."""
    said = [{"status": str(status), **one} for one in found]
    return answer({"errors": said}, status, headers)


def error(status: int, code: str, detail: str, **more: Any) -> Response:
    """An answer with one error; `more` may hold `source` and `meta`."""
    return errors(status, [{"code": code, "title": TITLES.get(status, "Error"), "detail": detail, **more}])


def fault_errors(faults: Mapping[str, Iterable[Fault]]) -> list[dict[str, Any]]:
    """Refusals by field as JSON:API errors with a pointer to the attribute."""
    made = []
    for name, found in faults.items():
        for fault in found:
            one: dict[str, Any] = {"code": fault.code, "title": TITLES[422], "detail": fault.message}
            if name:
                one["source"] = {"pointer": f"/data/attributes/{name}"}
            made.append(one)
    return made


TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too many requests",
    500: "Internal error",
    503: "Not ready",
}


def page_links(number: int | None, size: int, total: int | None, after: str | None) -> dict[str, str]:
    """The links of a list: self, and first, prev, next, last as far as they are known."""
    from urllib.parse import urlencode

    def link(**page: Any) -> str:
        kept = [
            (key, value)
            for key, value in request.args.items(multi=True)
            if not key.startswith("page[") and key != "offset"
        ]
        return f"{request.path}?{urlencode(kept + [(f'page[{key}]', value) for key, value in page.items()])}"

    links = {"self": request.full_path.rstrip("?")}
    if number is not None:
        links["first"] = link(number=1, size=size)
        if number > 1:
            links["prev"] = link(number=number - 1, size=size)
        if total is not None:
            last = max(1, -(-total // size))
            links["last"] = link(number=last, size=size)
            if number < last:
                links["next"] = link(number=number + 1, size=size)
    if after:
        links["next_after"] = link(after=after, size=size)
    return links
