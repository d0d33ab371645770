"""Every declared module at /api/v1/<module>: create, read, change, delete, act. Derived from the declarations."""

from typing import Any

from flask import Response

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer, page_links, resource
from crm.api.rest.asked import Asked, asked, attributes, body, take_links
from crm.db import db
from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import may, readable, writable
from crm.engine.refusals import Missing, Refused, UnknownName
from crm.engine.registry import modules

MOST_AT_ONCE = 100


def module_of(key: str) -> Module:
    """The module behind a resource name; what the API does not show is unknown. Raises UnknownName."""
    module = modules[key]
    if not module.in_api or not may(viewer(), "view", module):
        raise UnknownName("module", key)
    return module


@bp.get("/<key>")
def list_records(key: str) -> Response:
    """A page of records."""
    module, said = module_of(key), asked()
    columns = _columns(module, said)
    page = search.find(
        viewer(), module, where=said.where, text=said.text, columns=columns, sort=said.sort, limit=said.size,
        offset=said.offset, after=said.after, bin=said.bin, count="exact" if said.exact else "capped",
    )  # fmt: skip
    total = {"total_at_least": page.total} if page.at_least else {"total": page.total}
    document: dict[str, Any] = {
        "data": [resource(module, row, said.fields.get(key)) for row in page.rows],
        "meta": {**total, "page": said.number, "page_size": said.size},
        "links": page_links(said.number, said.size, None if page.at_least else page.total, page.next),
    }
    if page.next:
        document["meta"]["next_after"] = page.next
    if said.include:
        document["included"] = included(module, page.rows, said)
    return answer(document)


def _columns(module: Module, said: Asked) -> tuple[str, ...]:
    allowed = readable(viewer(), module)
    wanted = said.fields.get(module.key)
    if wanted is None:
        return tuple(name for name in module.fields if name in allowed)
    names = tuple(module.resolve(name) for name in wanted)
    if unreadable := [name for name in names if name not in allowed]:
        raise UnknownName("field", unreadable[0], allowed)
    links = tuple(said_.name for said_ in module.relations.values() if said_.relation in said.include)
    return tuple(dict.fromkeys(names + links))


def included(module: Module, rows: list[search.Row], said: Asked) -> list[dict[str, Any]]:
    """The records that own links of `rows` lead to, each once: one query a relation."""
    made: dict[tuple[str, int], dict[str, Any]] = {}
    for name in said.include:
        relation = modules.relations(module.key).get(name)
        if relation is None or relation.kind != "one":
            raise BadRequest(f"The requested relationship ({name}) does not exist.", "include")
        field = module.fields[relation.field]
        for target in field.to:
            if target not in modules or not may(viewer(), "view", modules[target]):
                continue
            ids = sorted({row[field.name] for row in rows if row.get(field.name) is not None})
            if not ids:
                continue
            found = search.find(
                viewer(), target, within=ids, columns=tuple(readable(viewer(), modules[target])),
                limit=len(ids), count="none",
            )  # fmt: skip
            for row in found.rows:
                made[target, row.id] = resource(modules[target], row, said.fields.get(target))
    return list(made.values())


@bp.post("/<key>")
@once
def create(key: str) -> Response:
    """Make a record, or up to 100 of them at once: all or none."""
    module, document = module_of(key), body()
    data = document.get("data")
    if isinstance(data, list):
        if not 1 <= len(data) <= MOST_AT_ONCE:
            raise BadRequest(f"1 to {MOST_AT_ONCE} records can be made at once.", status=413, code="out_of_range")
        said = _defaults(module)
        rows = [{**said, **attributes({"data": one}, module.key)} for one in data]
        linked = [take_links(module.key, row) for row in rows]
        outcome = records.create_many(viewer(), module, rows, Channel.API)
        for id, links in zip(outcome.ids, linked, strict=True):
            _link(module, id, links)
        made = [_one(module, id) for id in outcome.ids if id is not None]
        return answer({"data": made}, 201)
    values = {**_defaults(module), **attributes(document, module.key)}
    links = take_links(module.key, values)
    id = records.create(viewer(), module, values, Channel.API)
    _link(module, id, links)
    return answer({"data": _one(module, id)}, 201, {"Location": f"/api/v1/{module.key}/{id}"})


def _defaults(module: Module) -> dict[str, Any]:
    return {name: value for name, value in module.api_defaults.items() if name in writable(viewer(), module)}


def _link(module: Module, id: int | None, links: dict[str, list[int]]) -> None:
    for name, others in links.items():
        if id is not None:
            relations.link(viewer(), module.key, id, name, others, Channel.API)


def _one(module: Module, id: int) -> dict[str, Any]:
    try:
        row = search.one(viewer(), module, id)
    except Missing:  # it was made for somebody whose records the caller may not see
        return {"type": module.key, "id": str(id)}
    return resource(module, row)


@bp.get("/<key>/<int:id>")
def read(key: str, id: int) -> Response:
    """One record."""
    module, said = module_of(key), asked()
    columns = _columns(module, said) if key in said.fields else None
    row = search.one(viewer(), module, id, columns=columns)
    document: dict[str, Any] = {"data": resource(module, row, said.fields.get(key))}
    if said.include:
        document["included"] = included(module, [row], said)
    headers = {"ETag": f'"{row.version}"'} if row.version else {}
    return answer(document, headers=headers)


@bp.patch("/<key>/<int:id>")
def change(key: str, id: int) -> Response:
    """Change a record. `If-Match: "<version>"` or meta.version refuses when somebody else saved it since."""
    module, document = module_of(key), body()
    records.update(viewer(), module, id, attributes(document, module.key, id), Channel.API, _seen_version(document))
    db.session.commit()
    return answer({"data": _one(module, id)})


def _seen_version(document: dict[str, Any]) -> int | None:
    from flask import request

    said = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    meta = (document.get("data") or {}).get("meta") if isinstance(document.get("data"), dict) else None
    raw = said or str((meta or {}).get("version", ""))
    if not raw or raw == "*":
        return None
    if not raw.isdecimal():
        raise BadRequest('If-Match takes the version of the record, such as "3".', "If-Match")
    return int(raw)


@bp.delete("/<key>/<int:id>")
def remove(key: str, id: int) -> Response:
    """Put a record into the bin."""
    module = module_of(key)
    records.delete(viewer(), module, id, Channel.API)
    db.session.commit()
    return answer(None, 204)


@bp.post("/<key>/<int:id>/restorations")
@once
def restore(key: str, id: int) -> Response:
    """Take a record out of the bin."""
    module = module_of(key)
    records.restore(viewer(), module, [id], Channel.API)
    return answer({"data": _one(module, id)})


@bp.post("/<key>/<int:id>/actions/<action>")
@once
def act(key: str, id: int, action: str) -> Response:
    """Do one of the module's declared actions."""
    module = module_of(key)
    if action not in {one.key for one in module.actions}:
        raise Refused.because("unknown", f"There is no action “{action}”.")
    records.act(viewer(), module, id, action, Channel.API)
    return answer({"data": _one(module, id)})
