"""Mail merge by mail over REST: `POST /api/v1/<module>/document_mails` starts the job that makes documents and draft."""

from flask import Blueprint, Response

from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, ids_of, only
from crm.documents import mail_merge
from ecp import merged

bp = Blueprint("mailed_documents_rest", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)
MODULES = f"<any({','.join(mail_merge.KEYS)}):key>"


@bp.post(f"/{MODULES}/document_mails")
@once
def start(key: str) -> Response:
    """One mail with a document for each record: {"ids", "document_template_id", "email_template_id", "list_type_id", "as_pdf"}."""
    said = only(body(), "ids", "document_template_id", "email_template_id", "list_type_id", "as_pdf")
    for name in ("document_template_id", "email_template_id", "list_type_id"):
        if type(said.get(name)) is not int and (said.get(name) is not None or name != "list_type_id"):
            raise BadRequest(f"“{name}” is an id.", name, 422, "bad_ids")
    wanted = merged.Wanted(
        key, ids_of(said, "ids"), said["document_template_id"], said["email_template_id"], said.get("list_type_id"),
        said.get("as_pdf") is not False,
    )  # fmt: skip
    job = merged.start(viewer(), wanted)
    return answer({"data": {"type": "document_merges", "id": str(job), "attributes": {"module": key}}}, 202)
