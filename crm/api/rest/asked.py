"""What a call asks for, read strictly from its URL and body. Unknown or wrong parameters are named."""

import json
from dataclasses import dataclass, field
from typing import Any

from flask import request

from crm.api.errors import BadRequest
from crm.engine.registry import modules

MOST_PER_PAGE = 200
MOST_BODY = 5 * 1024 * 1024
MOST_IDS = 10_000


@dataclass(frozen=True)
class Asked:
    """The parameters of a list call."""

    size: int = 20
    number: int | None = 1
    offset: int = 0
    after: str | None = None
    sort: tuple[str, ...] = ()
    where: dict[str, Any] | None = None
    text: str | None = None
    include: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exact: bool = False
    bin: bool = False


def asked() -> Asked:
    """Read the URL's parameters. Raises BadRequest."""
    args = request.args
    fields: dict[str, tuple[str, ...]] = {}
    for name in args:
        if name.startswith("fields[") and name.endswith("]"):
            fields[name[7:-1]] = _names(args[name])
        elif name not in {
            "page[number]",
            "page[size]",
            "page[after]",
            "offset",
            "sort",
            "filter",
            "q",
            "include",
            "count",
            "bin",
        }:
            raise BadRequest(f"There is no parameter “{name}”.", name)
    size = _whole("page[size]", 20, 1, MOST_PER_PAGE)
    number = _whole("page[number]", 1, 1, 1_000_000)
    offset = _whole("offset", (number - 1) * size, 0, 100_000_000)
    after = args.get("page[after]") or None
    return Asked(
        size=size, number=None if after or "offset" in args else number, offset=0 if after else offset, after=after,
        sort=_names(args.get("sort", "")), where=_filter(args.get("filter")), text=args.get("q") or None,
        include=_names(args.get("include", "")), fields=fields, exact=args.get("count") == "exact",
        bin=args.get("bin") in {"1", "true"},
    )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole(name: str, default: int, least: int, most: int) -> int:
    raw = request.args.get(name)
    if raw is None or raw == "":
        return default
    if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
        raise BadRequest(f"“{name}” takes a whole number from {least} to {most}.", name)
    return int(raw)


def _filter(raw: str | None) -> dict[str, Any] | None:
    if not raw:
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as bad:
        place = f" at character {bad.pos + 1}" if isinstance(bad, json.JSONDecodeError) else ""
        raise BadRequest(f"The filter is no valid JSON{place}.", "filter", code="bad_filter") from None
    if not isinstance(found, dict):
        raise BadRequest("The filter is a JSON object.", "filter", code="bad_filter")
    return found


def body() -> dict[str, Any]:
    """The JSON object of the call's body. Raises BadRequest (400, 413, 415)."""
    if request.content_length and request.content_length > MOST_BODY:
        raise BadRequest(f"The body is larger than {MOST_BODY // 1024 // 1024} MB.", status=413, code="too_large")
    if request.mimetype not in {"application/json", "application/vnd.api+json", ""}:
        raise BadRequest("Send JSON: Content-Type application/vnd.api+json.", status=415, code="bad_media_type")
    try:
        found = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest("The body is no valid JSON.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body is a JSON object.")
    return found


def attributes(document: dict[str, Any], module: str, id: int | None = None) -> dict[str, Any]:
    """The attributes of a resource document, or of a plain object (decisions.md 27). Raises BadRequest (409 for a wrong type)."""
    data = document.get("data", document)
    if not isinstance(data, dict):
        raise BadRequest("“data” is an object.")
    if "attributes" not in data and "type" not in data:
        return dict(data)
    said_type = data.get("type", module)
    if not (isinstance(said_type, str) and said_type in modules and modules[said_type].key == module):
        raise BadRequest(f"The type is “{module}” here.", status=409, code="wrong_type")
    if id is not None and str(data.get("id", id)) != str(id):
        raise BadRequest("The id in the body is not that of the address.", status=409, code="wrong_id")
    found = data.get("attributes", {})
    if not isinstance(found, dict):
        raise BadRequest("“attributes” is an object.")
    values = dict(found)
    for name, said in (data.get("relationships") or {}).items():
        target = said.get("data") if isinstance(said, dict) else None
        if target is None or isinstance(target, dict):
            values[f"{name}_id"] = target.get("id") if target else None
        elif isinstance(target, list):
            values[_ids_name(name)] = [_whole_id(one.get("id") if isinstance(one, dict) else None) for one in target]
    return values


def _ids_name(relation: str) -> str:
    """What a many-link is called as an attribute: portal_target_groups → portal_target_group_ids."""
    return f"{relation.removesuffix('s')}_ids"


def _whole_id(said: Any) -> int:
    if not str(said).isdecimal():
        raise BadRequest("Each link is an object with “type” and “id”.", "relationships")
    return int(said)


def take_links(module: str, values: dict[str, Any]) -> dict[str, list[int]]:
    """Take the many-links out of the attributes of a new record: relation → ids. Raises BadRequest (422)."""
    found = {}
    for name, relation in modules.relations(module).items():
        if relation.kind == "many" and _ids_name(name) in values:
            found[name] = ids_of(values, _ids_name(name))
            del values[_ids_name(name)]
    return found


def only(said: dict[str, Any], *known: str) -> dict[str, Any]:
    """The body of a verb, refused when it says something that is not known there. Raises BadRequest (422)."""
    if unknown := set(said) - set(known):
        raise BadRequest(f"There is no attribute “{min(unknown)}”.", status=422, code="unknown")
    return said


def ids_of(said: dict[str, Any], name: str) -> list[int]:
    """A list of ids in a verb's body. Raises BadRequest (422)."""
    found = said.get(name) or []
    if not isinstance(found, list) or len(found) > MOST_IDS or not all(type(id) is int and id > 0 for id in found):
        raise BadRequest(f"“{name}” is a list of at most {MOST_IDS:,} ids.", status=422, code="bad_ids")
    return found
