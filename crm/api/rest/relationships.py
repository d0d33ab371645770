"""Relations of a record: /<module>/<id>/<relation> gives records, /relationships/<relation> gives and changes the links."""

from typing import Any

from flask import Response

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer, page_links, resource
from crm.api.rest.asked import asked, body
from crm.api.rest.resources import module_of
from crm.db import db
from crm.engine import relations, search
from crm.engine.channels import Channel
from crm.engine.permissions import readable
from crm.engine.refusals import Missing
from crm.engine.registry import Relation, modules


def _relation(key: str, name: str) -> Relation:
    found = modules.relations(key).get(name)
    if found is None:
        raise BadRequest(f"The requested relationship ({name}) does not exist.", status=404, code="unknown")
    return found


@bp.get("/<key>/<int:id>/<name>")
def related(key: str, id: int, name: str) -> Response:
    """The records at the other end."""
    module, said = module_of(key), asked()
    relation = _relation(module.key, name)
    row = search.one(viewer(), module, id)
    if relation.kind == "one":
        return answer({"data": _target(module.fields[relation.field].to, row.get(relation.field))})
    target = module_of(relation.target)
    page = search.find(
        viewer(), target, **_among(module.key, id, relation, said.where), sort=said.sort, limit=said.size,
        offset=said.offset, after=said.after, columns=tuple(n for n in target.fields if n in readable(viewer(), target)),
    )  # fmt: skip
    return answer({
        "data": [resource(target, one) for one in page.rows],
        "meta": {"total_at_least" if page.at_least else "total": page.total, "page": said.number, "page_size": said.size},
        "links": page_links(said.number, said.size, None if page.at_least else page.total, page.next),
    })  # fmt: skip


def _target(targets: tuple[str, ...], id: int | None) -> dict[str, Any] | None:
    for key in targets:
        if id is not None and key in modules:
            try:
                return resource(modules[key], search.one(viewer(), key, id))
            except Missing:
                continue
    return None


def _among(key: str, id: int, relation: Relation, where: dict[str, Any] | None) -> dict[str, Any]:
    """What `search.find` is told so that it looks among the related records only."""
    if relation.kind == "many":
        return {"within": relations.linked(key, id, relation.name), "where": where}
    own: dict[str, Any] = {relation.field: id}
    return {"where": {"$and": [own, where]} if where else own}


@bp.get("/<key>/<int:id>/relationships/<name>")
def linkage(key: str, id: int, name: str) -> Response:
    """The links themselves: type and id."""
    module = module_of(key)
    relation = _relation(module.key, name)
    row = search.one(viewer(), module, id)
    if relation.kind == "one":
        field = module.fields[relation.field]
        target = _target(field.to, row.get(relation.field))
        return answer({"data": {"type": target["type"], "id": target["id"]} if target else None})
    said = asked()
    page = search.find(viewer(), relation.target, **_among(module.key, id, relation, None), limit=said.size,
                       offset=said.offset, after=said.after)  # fmt: skip
    data = [{"type": relation.target, "id": str(one.id)} for one in page.rows]
    return answer({"data": data, "meta": {"total_at_least" if page.at_least else "total": page.total}})


@bp.post("/<key>/<int:id>/relationships/<name>")
@once
def link(key: str, id: int, name: str) -> Response:
    """Add links: {"data": [{"type", "id"}, …]}."""
    module = module_of(key)
    relations.link(viewer(), module.key, id, name, _ids(module.key, name), Channel.API)
    return answer(None, 204)


@bp.delete("/<key>/<int:id>/relationships/<name>")
def unlink(key: str, id: int, name: str) -> Response:
    """Take links away."""
    module = module_of(key)
    relations.unlink(viewer(), module.key, id, name, _ids(module.key, name), Channel.API)
    db.session.commit()
    return answer(None, 204)


def _ids(key: str, name: str) -> list[int]:
    relation = _relation(key, name)
    if relation.kind != "many":
        raise BadRequest(f"“{name}” is changed by the field that holds it.", status=405, code="method_not_allowed")
    data = body().get("data")
    if not isinstance(data, list) or len(data) > 1_000:
        raise BadRequest('Send {"data": [{"type": …, "id": …}, …]} with at most 1,000 links.')
    found = []
    for one in data:
        if not isinstance(one, dict) or one.get("type") != relation.target or not str(one.get("id", "")).isdecimal():
            raise BadRequest(f'Each link is {{"type": "{relation.target}", "id": "…"}}.')
        found.append(int(one["id"]))
    return found
