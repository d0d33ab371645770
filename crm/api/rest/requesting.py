"""Service requests by API: steps, acceptance, notes, taking, completing, cancelling, feedback; the rules of the screens."""

from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer, resource
from crm.api.rest.asked import body, only
from crm.api.rest.sent_files import kept_files
from crm.engine import attachments, search
from crm.engine.channels import Channel
from crm.engine.kinds import BadValue
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.modules.rules import demand_record
from crm.modules.service_requests import (
    accepting,
    correcting,
    feedback,
    moving,
    note_files,
    notes,
    planning,
    steps,
    taking,
)
from crm.modules.service_requests.lists import STEPS
from crm.ui.downloads import as_download

KEY = "service_requests"


def _done(id: int, status: int = 200) -> Response:
    return answer({"data": resource(modules[KEY], search.one(viewer(), KEY, id))}, status)


def _said(*names: str, ids: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body: texts called `names`, whole numbers called `ids`. Raises BadRequest (422) for anything else."""
    said = only(body(), *names, *ids)
    for name, value in said.items():
        if value is not None and type(value) is not (int if name in ids else str):
            raise BadRequest(f"“{name}” is a {'whole number' if name in ids else 'text'}.", name, 422, "bad_value")
    return said


def _moment(raw: Any) -> Any:
    """A moment as it was written; None for none. Raises Refused."""
    field = modules["sr_steps"].fields["at"]
    try:
        return field.kind.clean(raw, field, viewer().timezone) if raw else None
    except BadValue as bad:
        raise Refused({"at": [Fault(bad.code, bad.message)]}) from bad


@bp.post("/service_requests/<int:id>/steps")
@once
def take_step(id: int) -> Response:
    """Respond or resolve: {"step": "response", "temporary" or "final", "text", "at", "category_id", "by_id", "status_id", "accepted_by_id"}."""
    said = _said("step", "text", "at", ids=("category_id", "by_id", "status_id", "accepted_by_id"))
    step = said.pop("step", None)
    if step not in STEPS:
        raise BadRequest("“step” is one of: response, temporary, final.", "step", 422, "not_in_list")
    said["at"] = _moment(said.get("at"))
    moving.take_step(viewer(), id, step, said, Channel.API)
    return _done(id, 201)


@bp.post("/service_requests/<int:id>/acceptances")
@once
def accept_step(id: int) -> Response:
    """The customer has accepted the newest step: {"contact_id"}."""
    accepting.accept_for(viewer(), id, _said(ids=("contact_id",)).get("contact_id") or 0, Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/refusals")
@once
def refuse_step(id: int) -> Response:
    """The customer says that the newest step did not help: {"reason"}."""
    accepting.refuse_for(viewer(), id, _said("reason").get("reason") or "", Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/corrections")
@once
def correct_step(id: int) -> Response:
    """Mend the newest step: {"correction": why, and of "text", "at", "category_id", "by_id" what changes}; the customer is mailed."""
    said = _said("correction", "text", "at", ids=("category_id", "by_id"))
    reason, step = said.pop("correction", None) or "", steps.newest(id)
    said["at"] = _moment(said.get("at"))
    correcting.correct(viewer(), id, step["id"] if step is not None else 0, said, reason, Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/statuses")
@once
def set_status(id: int) -> Response:
    """Another status of the same state: {"status_id"}."""
    moving.set_status(viewer(), id, _said(ids=("status_id",)).get("status_id") or 0, Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/activities")
@once
def plan_activity(id: int) -> Response:
    """Plan an activity that carries number and contact: {"activity_type", "subject", and "due_on" of a task or "starts_at" of an event}."""
    given = only(body(), "activity_type", "subject", "due_on", "due_time", "starts_at", "ends_at", "owner_id")
    made = planning.plan(viewer(), id, given, Channel.API)
    return answer({"data": resource(modules["activities"], search.one(viewer(), "activities", made))}, 201)


@bp.post("/service_requests/<int:id>/notes")
@once
def add_note(id: int) -> Response:
    """A message to the customer, who is mailed: {"text"}; or a note among staff: {"text", "visibility": "internal"}.

    Files come as parts `file` of a multipart form, with the same names as fields.
    """
    is_form = request.mimetype == "multipart/form-data"
    said = only(request.form.to_dict(), "text", "visibility") if is_form else _said("text", "visibility")
    if said.get("visibility", "public") not in ("public", "internal"):
        raise BadRequest("“visibility” is one of: public, internal.", "visibility", 422, "not_in_list")
    is_internal = said.get("visibility") == "internal"
    demand_record(viewer(), KEY, id, "view" if is_internal else "edit")
    made = notes.say(viewer(), id, said.get("text") or "", is_internal=is_internal, file_ids=kept_files())
    files = [
        {"id": str(one.id), "name": one.name, "size": one.size, "self": f"/api/v1/service_requests/{id}/files/{one.id}"}
        for one in note_files.files_of([made]).get(made, [])
    ]
    return answer({"data": {"type": "sr_notes", "id": str(made), "meta": {"files": files}}}, 201)


@bp.get("/service_requests/<int:id>/files/<int:file_id>")
def note_file(id: int, file_id: int) -> AnyResponse:
    """A file that came with a note, as a download."""
    found = note_files.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)


@bp.post("/service_requests/<int:id>/takes")
@once
def take_request(id: int) -> Response:
    """Take the request of one's unit; of two at once, one gets it (409 taken for the other)."""
    _said()
    taking.take(viewer(), id, Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/releases")
@once
def release_request(id: int) -> Response:
    """Give the request back to its unit."""
    _said()
    taking.release(viewer(), id, Channel.API)
    return _done(id)


@bp.post("/service_requests/<int:id>/completions")
@once
def complete_request(id: int) -> Response:
    """Complete what is resolved and accepted: {"status_id"}; without, the status of the type."""
    moving.complete(viewer(), id, Channel.API, _said(ids=("status_id",)).get("status_id"))
    return _done(id)


@bp.post("/service_requests/<int:id>/cancellations")
@once
def cancel_request(id: int) -> Response:
    """Cancel a pending request: {"reason", "note", "status_id"}; what is not said is taken from the type."""
    said = _said("reason", "note", ids=("status_id",))
    moving.cancel(viewer(), id, Channel.API, said.get("reason"), said.get("note") or "", said.get("status_id"))
    return _done(id)


@bp.post("/service_requests/<int:id>/feedback")
@once
def give_feedback(id: int) -> Response:
    """What a contact says about a completed request, once: {"contact_id", "rate": 0 to 10, "classification", "comment"}."""
    said = _said("classification", "comment", ids=("contact_id", "rate"))
    demand_record(viewer(), KEY, id, "edit")
    feedback.give(id, said.get("contact_id"), said)
    return _done(id, 201)
