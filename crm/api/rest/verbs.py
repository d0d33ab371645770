"""What is done to records beyond create, read, change and delete: nouns with addresses of their own (house.md 6)."""

from dataclasses import asdict
from typing import Any

from flask import Response

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, ids_of, only
from crm.engine.channels import Channel
from crm.modules.campaigns import members
from crm.modules.leads.convert import Wanted, convert
from crm.modules.people import Choice
from crm.modules.target_groups import refresh


def choice_of(said: dict[str, Any]) -> Choice:
    """Who is meant: {"contact_ids", "lead_ids"}, {"target_group_id"}, or {"module", "filter"}. Raises BadRequest (422)."""
    group, where = said.get("target_group_id"), said.get("filter") or {}
    if group is not None and type(group) is not int:
        raise BadRequest("“target_group_id” is an id.", status=422, code="bad_ids")
    if not isinstance(where, dict):
        raise BadRequest("“filter” is a JSON object.", status=422, code="bad_filter")
    chosen = Choice(
        contact_ids=ids_of(said, "contact_ids"), lead_ids=ids_of(said, "lead_ids"), target_group_id=group,
        module=str(said.get("module") or ""), where=where,
    )  # fmt: skip
    if not (chosen.contact_ids or chosen.lead_ids or chosen.module or group is not None):
        message = "Say who: “contact_ids”, “lead_ids”, “target_group_id”, or “module” with a “filter”."
        raise BadRequest(message, status=422, code="required")
    return chosen


WHO = ("contact_ids", "lead_ids", "target_group_id", "module", "filter")


@bp.post("/campaigns/<int:id>/members")
@once
def add_members(id: int) -> Response:
    """Add people to a campaign; `mode`: add (default), replace or remove. Says what came of it, in people."""
    said = only(body(), *WHO, "mode")
    mode = said.get("mode", "add")
    if mode not in ("add", "replace", "remove"):
        raise BadRequest("“mode” is one of: add, replace, remove.", status=422, code="not_in_list")
    way = "api" if said.get("target_group_id") is None else ""
    return answer({"meta": asdict(members.change(viewer(), id, choice_of(said), Channel.API, mode, way))})


@bp.post("/campaigns/<int:id>/previews")
def preview_members(id: int) -> Response:
    """What adding these people would do. Writes nothing."""
    said = only(body(), *WHO)
    return answer({"meta": asdict(members.preview(viewer(), id, choice_of(said)))})


@bp.post("/campaigns/<int:id>/results")
@once
def set_result(id: int) -> Response:
    """Write down what came of it with one person: {"person_id", "result_code", "result_note"}."""
    said = only(body(), "person_id", "result_code", "result_note")
    if type(said.get("person_id")) is not int:
        raise BadRequest("“person_id” is an id.", status=422, code="required")
    members.set_result(viewer(), id, said["person_id"], said.get("result_code"), said.get("result_note"))
    return answer(None, 204)


@bp.post("/target_groups/<int:id>/refreshes")
@once
def refresh_group(id: int) -> Response:
    """Evaluate the conditions of a target group now."""
    only(body())
    return answer({"meta": asdict(refresh.refresh(viewer(), id, Channel.API))})


@bp.post("/target_groups/<int:id>/exclusions")
@once
def exclude(id: int) -> Response:
    """Take people out of a target group by hand, for good: {"person_ids": […], "back": false}."""
    said = only(body(), "person_ids", "back")
    count = refresh.exclude(viewer(), id, ids_of(said, "person_ids"), Channel.API, back=said.get("back") is True)
    return answer({"meta": {"count": count}})


@bp.post("/leads/<int:id>/conversions")
@once
def convert_lead(id: int) -> Response:
    """Turn a lead into account, contact and potential: {"account": {…} | true | false, "contact": …, "potential": …}."""
    said = only(body(), "account", "contact", "potential", "delete_lead")
    made: dict[str, Any] = {"delete_lead": said.get("delete_lead") is True}
    for key, default in (("account", True), ("contact", True), ("potential", False)):
        wanted = said.get(key, default)
        if not isinstance(wanted, bool | dict):
            raise BadRequest(f"“{key}” is true, false or an object of values.", status=422, code="bad_value")
        made[f"make_{key}"] = wanted is not False
        made[key] = wanted if isinstance(wanted, dict) else {}
    found = convert(viewer(), id, Wanted(**made), Channel.API)
    return answer({"meta": {
        "account_id": found.account_id, "contact_id": found.contact_id, "potential_id": found.potential_id, "made": sorted(found.made),
    }})  # fmt: skip
