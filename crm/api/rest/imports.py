"""Imports by API: POST a CSV file with its settings, follow the job, read what was refused, undo."""

import json
from typing import Any

from flask import Response, request

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.resources import module_of
from crm.db import db
from crm.engine.imports import jobs, plans, running
from crm.engine.imports.plans import Import
from crm.engine.imports.reading import Dialect


def _document(plan: Import) -> dict[str, Any]:
    counts = {
        name: getattr(plan, f"{name}_count") for name in ("row", "created", "updated", "unchanged", "refused", "undone")
    }
    faults = [{"line": one.line, "refused": one.is_refusal, "message": one.message} for one in running.faults_of(plan)]
    return {"data": {"type": "imports", "id": str(plan.id), "attributes": {
        "module": plan.module, "file_name": plan.file_name, "state": plan.state, "message": plan.message, **counts,
        "mapping": plan.mapping, "dialect": plan.dialect, "mode": plan.mode, "match": plan.match, "faults": faults,
    }}}  # fmt: skip


@bp.post("/imports")
@once
def add_import() -> Response:
    """Multipart: `file`, `module`, and `settings` (JSON: mapping {column: field}, mode, match, delimiter, encoding)."""
    part = request.files.get("file")
    if part is None:
        raise BadRequest("Send the file as the part “file” of a multipart form.", "file", 422, "required")
    module = module_of(request.form.get("module", ""))
    try:
        said = json.loads(request.form.get("settings") or "{}")
    except ValueError:
        raise BadRequest("“settings” is no valid JSON.", "settings") from None
    if not isinstance(said, dict):
        raise BadRequest("“settings” is a JSON object.", "settings")
    plan = plans.begin(viewer(), module.key, part.filename or "file.csv", part.stream)
    written = {name: said[name] for name in ("encoding", "delimiter", "quote", "has_header") if name in said}
    mapping = {int(index): name for index, name in said.get("mapping", {}).items() if str(index).isdecimal()} or None
    plans.configure(
        viewer(), plan, dialect=Dialect(**{**plan.dialect, **written}), mapping=mapping,
        mode=str(said.get("mode", "create")), match=str(said.get("match", "")),
    )  # fmt: skip
    jobs.put(viewer(), plan)
    return answer(_document(plan), 202, {"Location": f"/api/v1/imports/{plan.id}"})


@bp.get("/imports/<int:id>")
def read_import(id: int) -> Response:
    """How far an import is, and what was refused (the first 200)."""
    return answer(_document(plans.load(viewer(), id)))


@bp.post("/imports/<int:id>/undos")
@once
def undo_import(id: int) -> Response:
    """Take back what an import created and nobody has touched since."""
    plan = plans.load(viewer(), id)
    running.undo(viewer(), plan)
    db.session.flush()
    return answer(_document(plan))
