"""The warm-up of a sender address's domain over REST: `/api/v1/sender_addresses/<id>/warm_ups`, as on the page of the domain."""

from typing import Any

from flask import Blueprint, Response

from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, only
from crm.db import db
from crm.engine import search
from crm.engine.refusals import Forbidden, Missing
from ecp.domains import warming
from ecp.domains.checking import domain_of

bp = Blueprint("warm_up_rest", __name__, url_prefix="/api/v1/sender_addresses/<int:id>/warm_ups")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)


@bp.get("")
def show(id: int) -> Response:
    """The warm-up of the address's domain: today's ceiling, what left and waits, and what each day before brought."""
    return _told(_domain(id))


@bp.post("")
@once
def begin(id: int) -> Response:
    """Begin it: {"start": mails on the first day, "goal": mails a day}."""
    domain = _domain(id, to_change=True)
    said = only(body(), "start", "goal")
    numbers = {name: said.get(name, usual) for name, usual in (("start", warming.START), ("goal", warming.GOAL))}
    for name, number in numbers.items():
        if type(number) is not int:
            raise BadRequest(f"“{name}” is a whole number.", name, 422, "bad_value")
    warming.begin(domain, **numbers)
    db.session.commit()
    return _told(domain, 201)


@bp.delete("")
def end(id: int) -> Response:
    """End it: everything that is held back leaves."""
    domain = _domain(id, to_change=True)
    warming.stop(domain)
    db.session.commit()
    return _told(domain)


def _domain(id: int, *, to_change: bool = False) -> str:
    """The domain of an address that the caller may see. Raises Missing, Forbidden."""
    address = str(search.one(viewer(), "sender_addresses", id, columns=("address",))["address"])
    if to_change and "ecp_admin" not in viewer().flags:
        raise Forbidden("Only an administrator of the Email Contact Portal may do that.", "forbidden_action")
    return domain_of(address)


def _told(domain: str, status: int = 200) -> Response:
    said = warming.standing(domain)
    if said is None:
        raise Missing
    plan = said.plan
    days: list[dict[str, Any]] = [
        {name: getattr(one, name) for name in ("ceiling", "sent", "bounced", "complained", "verdict")}
        | {"day": one.day.isoformat()}
        for one in said.days
    ]
    attributes = {
        "domain": domain, "state": plan.state, "start": plan.start, "goal": plan.goal, "begun_at": plan.begun_at.isoformat(timespec="seconds"),
        "day": plan.day.isoformat(), "ceiling": plan.ceiling, "sent": said.today.sent, "bounced": said.today.bounced,
        "complained": said.today.complained, "held": said.held,
        "braked_at": plan.braked_at.isoformat(timespec="seconds") if plan.braked_at else None, "days": days,
    }  # fmt: skip
    return answer({"data": {"type": "warm_ups", "id": domain, "attributes": attributes}}, status)
