"""Quick mailings over REST: `POST /api/v1/quick_mailings` makes the draft of a sendout. Administrators only."""

from flask import Blueprint, Response

from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, ids_of, only
from crm.engine.channels import Channel
from crm.modules.people import Choice
from ecp import quick
from ecp.pipeline import prepare

bp = Blueprint("quick_mailing_rest", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)


@bp.post("/quick_mailings")
@once
def make() -> Response:
    """The draft of a sendout: {"contact_ids", "lead_ids"} or {"module", "where", "text_search"}, with {"subject",
    "email_template_id" | "text", "list_type_id"}; it is started like any other, by POST /sendouts/<id>/starts."""
    quick.demand(viewer())
    said = only(
        body(), "contact_ids", "lead_ids", "module", "where", "text_search", "subject", "text", "email_template_id", "list_type_id"
    )  # fmt: skip
    for name in ("email_template_id", "list_type_id"):
        if said.get(name) is not None and type(said[name]) is not int:
            raise BadRequest(f"“{name}” is an id.", name, 422, "bad_ids")
    for name in ("module", "text_search", "subject", "text"):
        if not isinstance(said.get(name, ""), str):
            raise BadRequest(f"“{name}” is a text.", name, 422, "not_a_text")
    if not isinstance(said.get("where", {}), dict):
        raise BadRequest("“where” is a tree of conditions.", "where", 422, "bad_conditions")
    people = Choice(
        contact_ids=ids_of(said, "contact_ids"), lead_ids=ids_of(said, "lead_ids"), module=said.get("module", ""),
        where=said.get("where", {}), text=said.get("text_search", ""),
    )  # fmt: skip
    wanted = quick.Wanted(
        people, said.get("subject", ""), said.get("text", ""), said.get("email_template_id"), said.get("list_type_id")
    )
    id = quick.make(viewer(), wanted, Channel.API)
    prepare.make_keys()
    meta = {"people": quick.count_of(id)}
    return answer({"data": {"type": "sendouts", "id": str(id)}, "meta": meta}, 201)
