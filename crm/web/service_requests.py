"""What staff do to a service request from its card: steps, corrections, notes, activities, taking, completing, cancelling."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments, search
from crm.engine.channels import Channel
from crm.engine.kinds import BadValue
from crm.engine.refusals import Conflict, Fault, Refused
from crm.engine.registry import modules
from crm.modules.rules import demand_record
from crm.modules.service_requests import accepting, correcting, moving, note_files, notes, planning, taking
from crm.ui.downloads import as_download
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.web.request_card import part

bp = Blueprint("service_requests", __name__, url_prefix="/crm/service_requests")
MORNING = time(9)
MOST_FILES = 10


@bp.post("/<int:id>/<any(response, temporary, final):step>")
def take_step(id: int, step: str) -> AnyResponse:
    """Respond or resolve."""
    return _do(
        id,
        step,
        lambda: moving.take_step(viewer(), id, step, _step_typed(), Channel.FORM),
        _("Saved. The customer is told by mail."),
    )


@bp.post("/<int:id>/corrections")
def correct(id: int) -> AnyResponse:
    """Mend the newest step, with the reason."""
    step_id, reason = request.form.get("step_id", 0, type=int), request.form.get("correction", "")
    deed = lambda: correcting.correct(viewer(), id, step_id, _step_typed(), reason, Channel.FORM)  # noqa: E731
    return _do(id, "correction", deed, _("Corrected. The customer is told by mail."))


def _step_typed() -> dict[str, Any]:
    """The fields of a step. Raises Refused."""
    form = request.form
    return {
        "text": form.get("text", ""), "at": _moment("at"),
        **{name: form.get(name, type=int) for name in ("category_id", "accepted_by_id", "by_id", "status_id")},
    }  # fmt: skip


def _moment(name: str) -> datetime | None:
    field = modules["sr_steps"].fields["at"]
    try:
        found: datetime | None = field.kind.clean(request.form.get(name), field, viewer().timezone)
    except BadValue as bad:
        raise Refused({name: [Fault(bad.code, bad.message)]}) from bad
    return found


@bp.post("/<int:id>/acceptances")
def accept(id: int) -> AnyResponse:
    """The customer told staff that it is accepted."""
    contact_id = request.form.get("accepted_by_id", 0, type=int)
    return _do(
        id,
        "acceptance",
        lambda: accepting.accept_for(viewer(), id, contact_id, Channel.FORM),
        _("Noted as accepted."),
    )


@bp.post("/<int:id>/refusals")
def refuse(id: int) -> AnyResponse:
    """The customer told staff that it did not help."""
    reason = request.form.get("reason", "")
    return _do(
        id,
        "refusal",
        lambda: accepting.refuse_for(viewer(), id, reason, Channel.FORM),
        _("Noted. The next answer can be given."),
    )


@bp.post("/<int:id>/mails")
def mail_again(id: int) -> AnyResponse:
    """The newest step once more, with a fresh link."""
    return _do(
        id, "mail", lambda: moving.mail_again(viewer(), id, Channel.FORM), _("The customer is mailed once more.")
    )


@bp.post("/<int:id>/notes")
def note(id: int) -> AnyResponse:
    """A note among staff, or a message to the customer, with files."""
    is_internal = request.form.get("visibility") != "public"
    sentence = _("Noted.") if is_internal else _("Saved. The customer is told by mail.")

    def deed() -> None:
        demand_record(viewer(), "service_requests", id, "view" if is_internal else "edit")
        made = notes.say(viewer(), id, request.form.get("text", ""), is_internal=is_internal)
        note_files.keep(made, _kept_files())

    return _do(id, "note", deed, sentence)


def _kept_files() -> list[int]:
    sent = [one for one in request.files.getlist("file") if one.filename]
    if len(sent) > MOST_FILES:
        raise Refused.because("too_many", _("At most %(most)s files at once.", most=MOST_FILES), "file")
    return [attachments.store(viewer(), one.filename or "", one.stream, one.mimetype or "").id for one in sent]


@bp.get("/<int:id>/attachments/<int:file_id>")
def attachment(id: int, file_id: int) -> AnyResponse:
    """A file of a note, always as a download."""
    found = note_files.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)


@bp.post("/<int:id>/activities")
def plan(id: int) -> AnyResponse:
    """An activity with the request's number and contact."""
    return _do(
        id,
        "activity",
        lambda: planning.plan(viewer(), id, _activity_typed(), Channel.FORM),
        _("The activity is planned."),
    )


def _activity_typed() -> dict[str, Any]:
    """A task is due on a day, an event begins at a moment: of both, a day and perhaps a time is typed. Raises Refused."""
    form, fields = request.form, modules["activities"].fields
    values: dict[str, Any] = {"activity_type": form.get("activity_type", ""), "subject": form.get("subject", "")}
    try:
        day = fields["due_on"].kind.clean(form.get("day"), fields["due_on"])
        at = fields["due_time"].kind.clean(form.get("time"), fields["due_time"])
    except BadValue as bad:
        raise Refused({"day": [Fault(bad.code, bad.message)]}) from bad
    if day is None:
        raise Refused.because("required", _("Choose the day."), "day")
    if values["activity_type"] == "Task":
        return values | {"due_on": day, "due_time": at}
    return values | {"starts_at": datetime.combine(day, at or MORNING, ZoneInfo(viewer().timezone))}


@bp.post("/<int:id>/take")
def take(id: int) -> AnyResponse:
    return _do(id, "take", lambda: taking.take(viewer(), id, Channel.FORM), _("The request is yours."))


@bp.post("/<int:id>/release")
def release(id: int) -> AnyResponse:
    return _do(
        id, "release", lambda: taking.release(viewer(), id, Channel.FORM), _("The request is back with its unit.")
    )


@bp.post("/<int:id>/complete")
def complete(id: int) -> AnyResponse:
    return _do(id, "complete", lambda: moving.complete(viewer(), id, Channel.FORM), _("The request is completed."))


@bp.post("/<int:id>/cancel")
def cancel(id: int) -> AnyResponse:
    reason, words = request.form.get("cancel_reason"), request.form.get("note", "")
    return _do(
        id,
        "cancel",
        lambda: moving.cancel(viewer(), id, Channel.FORM, reason, words),
        _("The request is cancelled."),
    )


@bp.post("/<int:id>/status")
def set_status(id: int) -> AnyResponse:
    chosen = request.form.get("status_id", 0, type=int)
    return _do(id, "status", lambda: moving.set_status(viewer(), id, chosen, Channel.FORM), _("Saved."))


def _do(id: int, form: str, deed: Callable[[], Any], sentence: str) -> Any:
    """Do it and go back to the card; what is refused is told there, with its status, and what was typed in `form` is kept."""
    try:
        deed()
        commit()
    except (Conflict, Refused) as fault:
        db.session.rollback()
        faults = {"": str(fault)}
        if isinstance(fault, Refused):
            faults = {name: " ".join(one.message for one in found) for name, found in fault.faults.items()}
        row = search.one(viewer(), "service_requests", id)
        values = part(viewer(), row, faults, request.form.to_dict() | {"form": form})
        page = render_template("sr_again.html", here="service_requests", row=row, part=values)
        return make_response(page, 409 if isinstance(fault, Conflict) else 422)
    tell(sentence)
    return go(f"/crm/service_requests/{id}")
