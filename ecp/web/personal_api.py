"""Single mails over REST: `POST /api/v1/<module>/<id>/mails` sends one to the person of a record (spec/marketing.md 6.15)."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, Response

from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, ids_of, only
from ecp.personal import sending
from ecp.personal.people import MODULES
from ecp.personal.sending import Along, Order
from ecp.personal.writing import Draft

bp = Blueprint("personal_rest", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)


@bp.post(f"/<any({','.join(MODULES)}):key>/<int:id>/mails")
@once
def send(key: str, id: int) -> Response:
    """Send one mail: {"email_template_id", "subject", "message", "file_ids", "document_template_id", "document_format": "pdf" | "same",
    "overrules": true to write somebody who has opted out}. Without subject and message the template goes as it is."""
    said = only(
        body(), "email_template_id", "subject", "message", "file_ids", "document_template_id", "document_format", "overrules"
    )  # fmt: skip
    template, document = (_id(said, name) for name in ("email_template_id", "document_template_id"))
    subject, message = (str(said.get(name) or "") for name in ("subject", "message"))
    draft = Draft(template, subject, message, is_automatic=not (subject or message))
    format = said.get("document_format", "pdf")
    if format not in ("pdf", "same"):
        raise BadRequest("“document_format” is pdf or same.", "document_format", 422, "not_in_list")
    along = Along(ids_of(said, "file_ids"), document, format == "pdf")
    sent = sending.send(viewer(), Order(key, id, draft, along, uuid4().hex, said.get("overrules") is True))
    made: dict[str, Any] = {"email_id": sent.email_id, "job_id": sent.job_id}
    return answer({"meta": made}, 202)


def _id(said: dict[str, Any], name: str) -> int | None:
    value = said.get(name)
    if value is not None and type(value) is not int:
        raise BadRequest(f"“{name}” is an id.", name, 422, "bad_ids")
    return value
