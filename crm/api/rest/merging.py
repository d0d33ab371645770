"""Documents for several records by REST: a POST starts the job that makes them, a GET says how far it is."""

from typing import Any

from flask import Response

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, ids_of, only
from crm.db import db
from crm.documents import mail_merge
from crm.engine import outbox
from crm.engine.outbox import Standing
from crm.engine.refusals import Missing

MODULES = f"<any({','.join(mail_merge.KEYS)}):key>"


@bp.post(f"/{MODULES}/document_merges")
@once
def start_merge(key: str) -> Response:
    """Make one document for each record: {"ids", "document_template_id", "output": "one_pdf" | "pdfs" | "same"}."""
    said = only(body(), "ids", "document_template_id", "output")
    template = said.get("document_template_id")
    if type(template) is not int:
        raise BadRequest("“document_template_id” is an id.", "document_template_id", 422, "required")
    job = mail_merge.start(viewer(), key, ids_of(said, "ids"), template, str(said.get("output") or "one_pdf"))
    return _told(outbox.standing(db.session, job), key, 202)


@bp.get(f"/{MODULES}/document_merges/<int:job>")
def show_merge(key: str, job: int) -> Response:
    """How far it is; when it is done, `message` names the file."""
    found = outbox.standing(db.session, job)
    if found is None or found.task not in mail_merge.TASKS or found.created_by_id != viewer().id:
        raise Missing
    return _told(found, key)


def _told(job: Standing | None, key: str, status: int = 200) -> Response:
    assert job is not None  # noqa: S101 - it was just written, or looked for
    said: dict[str, Any] = {
        "state": job.state, "done": job.done_count, "total": job.total_count, "message": job.message, "error": job.error, "module": key,
    }  # fmt: skip
    return answer({"data": {"type": "document_merges", "id": str(job.id), "attributes": said}}, status)
