"""The portal's verbs of the REST interface: sendouts, target groups, list types. Plain JSON in, JSON:API out."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, only
from crm.engine.channels import Channel
from ecp import groups, statistics
from ecp.automatic import joining
from ecp.modules.sendouts import MODULE as SENDOUTS
from ecp.pipeline import actions, again, testing
from ecp.why import story as why

bp = Blueprint("ecp_rest", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)


def on_sendout(method: str, noun: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Answer at /sendouts/<id>/<noun>, and at the other names of sendouts too (mass_mailings)."""

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        for name in (SENDOUTS.key, *SENDOUTS.also):
            bp.add_url_rule(f"/{name}/<int:id>/{noun}", view_func=view, methods=[method])
        return view

    return register


def _state(id: int, state: str) -> Response:
    return answer({"data": {"type": "sendouts", "id": str(id), "attributes": {"state": state}}})


@on_sendout("POST", "starts")
@once
def start(id: int) -> Response:
    """Send now."""
    only(body())
    return _state(id, actions.start(viewer(), id))


@on_sendout("POST", "schedules")
@once
def schedule(id: int) -> Response:
    """Send at a moment: {"at": "2026-11-30T14:05:00+02:00"}."""
    said = only(body(), "at", "scheduled_at")
    raw = said.get("at") or said.get("scheduled_at")
    try:
        at = datetime.fromisoformat(str(raw).replace("Z", "+00:00"))
    except ValueError:
        raise BadRequest(
            "“at” is a moment with its zone, such as 2026-11-30T14:05:00+02:00.", "at", 422, "bad_date"
        ) from None
    return _state(id, actions.schedule(viewer(), id, at))


@on_sendout("DELETE", "schedules")
def unschedule(id: int) -> Response:
    """Make a draft again of a scheduled sendout."""
    from crm.db import db

    state = actions.unschedule(viewer(), id)
    db.session.commit()
    return _state(id, state)


@bp.post("/campaigns/<int:id>/automatic_mails")
@once
def send_automatic_mail(id: int) -> Response:
    """Send the mail to new members by hand: once more to {"person_ids": [1, 2]}, or (empty) to those who were left out."""
    people = only(body(), "person_ids").get("person_ids")
    if people is None:
        sent = joining.send_left_out(viewer(), id)
    elif isinstance(people, list) and all(type(one) is int for one in people):
        made = joining.resend(viewer(), id, people[:5000], joining.times_sent(viewer(), id))
        sent = [] if made is None else [made]
    else:
        raise BadRequest("“person_ids” is a list of ids.", "person_ids", 422, "bad_value")
    return answer({"data": {"type": "campaigns", "id": str(id), "attributes": {"sendout_ids": sent}}}, 201)


@on_sendout("POST", "pauses")
@once
def pause(id: int) -> Response:
    """Stop for now."""
    only(body())
    return _state(id, actions.pause(viewer(), id))


@on_sendout("POST", "resumes")
@once
def resume(id: int) -> Response:
    """Go on."""
    only(body())
    return _state(id, actions.resume(viewer(), id))


@on_sendout("POST", "retries")
@once
def retry(id: int) -> Response:
    """Try mails again that failed: {"delivery_id": 7}, or (empty) all whose address may still take one."""
    one = only(body(), "delivery_id").get("delivery_id")
    if one is not None and type(one) is not int:
        raise BadRequest("“delivery_id” is an id.", "delivery_id", 422, "bad_ids")
    return answer({"meta": {"count": again.try_failed(viewer(), id, one)}}, 202)


@on_sendout("POST", "cancellations")
@once
def cancel(id: int) -> Response:
    """End it; what was sent stays sent."""
    only(body())
    return _state(id, actions.cancel(viewer(), id))


@on_sendout("POST", "tests")
@once
def send_tests(id: int) -> Response:
    """Send the mail as a test: {"addresses": […], "contact_id": whose data fills it}."""
    said = only(body(), "addresses", "contact_id")
    addresses, contact = said.get("addresses"), said.get("contact_id")
    if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
        raise BadRequest("“addresses” is a list of e-mail addresses.", "addresses", 422, "required")
    if contact is not None and type(contact) is not int:
        raise BadRequest("“contact_id” is an id.", "contact_id", 422, "bad_ids")
    count = testing.send_tests(viewer(), id, addresses, contact)
    return answer({"meta": {"count": count}}, 202)


@on_sendout("GET", "report")
def report(id: int) -> Response:
    """What came of it, in people (contract.md)."""
    numbers = statistics.report(viewer(), id)
    return answer({"data": {"type": "reports", "id": str(id), "attributes": numbers}})


@on_sendout("GET", "stories")
def story(id: int) -> Response:
    """Why one person got it or did not: `?person_id=7` or `?email=anna@example.com`."""
    said = request.args.get("person_id") or request.args.get("email") or ""
    if not said:
        raise BadRequest("Say who: “person_id” or “email”.", "person_id", 422, "required")
    person_id = why.person_by(viewer(), said)
    told = why.story(viewer(), id, person_id)
    return answer({"data": {"type": "stories", "id": f"{id}-{person_id}", "attributes": told.as_json()}})


@bp.post("/portal_target_groups/imports")
@once
def import_group() -> Response:
    """Import a campaign as a target group: {"campaign_id", "list_type_id", "name"}."""
    said = only(body(), "campaign_id", "list_type_id", "name")
    for name in ("campaign_id", "list_type_id"):
        if type(said.get(name)) is not int:
            raise BadRequest(f"“{name}” is an id.", name, 422, "required")
    id, taken = groups.take_in(
        viewer(), said["campaign_id"], said["list_type_id"], str(said.get("name") or ""), Channel.API
    )
    document: dict[str, Any] = {"data": {"type": "portal_target_groups", "id": str(id)}, "meta": asdict(taken)}
    return answer(document, 201, {"Location": f"/api/v1/portal_target_groups/{id}"})


@bp.post("/portal_target_groups/<int:id>/refreshes")
@once
def refresh_group(id: int) -> Response:
    """Bring a target group up to date with its campaign."""
    only(body())
    return answer({"meta": asdict(groups.refresh(viewer(), id, Channel.API))})
