"""“Send an e-mail” on cards: to the person, or to the contact of a record; a template as it is, or own words with a preview."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from crm.db import db
from crm.documents import converting, templates
from crm.engine import attachments, outbox, search
from crm.engine.attachments import MEGABYTE, StoredFile
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui.cards import Deed, add_deed
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of
from ecp.content.preview import PREVIEW_CSP
from ecp.personal import people, sending, writing
from ecp.personal.sending import Along, Order
from ecp.personal.writing import Draft
from ecp.pipeline.frozen import MOST_ATTACHED
from ecp.web.sendout_outlook import words_of
from surveys.links import active_surveys

bp = Blueprint("personal_mail", __name__, url_prefix="/crm", template_folder="../templates")
MOST_FILES = 10


def href_of(asks: Viewer, row: Row) -> str:
    """The page for a mail to the person of a record; "" when there is nobody to write to, or no right to."""
    has_person = row.get("email") if row.module in people.PERSONS else row.get(people.LINK)
    return f"/crm/{row.module}/{row.id}/send-email" if has_person and people.may_write(asks) else ""


for key in people.MODULES:
    add_deed(key, Deed("send_email", "Send an e-mail", "send", href_of))


@bp.get("/<key>/<int:id>/send-email")
def show(key: str, id: int) -> Any:
    """The form; `template` fills in the subject of one."""
    row, template = _row(key, id), request.args.get("template", type=int)
    typed: dict[str, Any] = {"template": template, "subject": "", "message": "", "once": uuid4().hex, "files": set()}
    faults: dict[str, str] = {}
    try:
        person = people.person_of(viewer(), row)
        if template is None:
            typed["message"] = _signature()
        else:
            typed["subject"] = writing.subject_of(viewer(), template, person)
    except Refused as refused:
        faults = _faults(refused)
    return _draw(row, typed, faults)


@bp.post("/<key>/<int:id>/send-email")
def send(key: str, id: int) -> Any:
    """Send it, or say what is in the way; what was typed stays."""
    row = _row(key, id)
    try:
        order = Order(
            key,
            id,
            _draft(),
            _along(),
            request.form.get("once", "")[:64] or uuid4().hex,
            request.form.get("overrules") == "1",
        )
        sent = sending.send(viewer(), order)
        commit()
    except Refused as refused:
        db.session.rollback()
        chosen = {int(one) for one in request.form.getlist("file_id") if one.isdecimal()}
        typed: dict[str, Any] = {name: request.form.get(name, "") for name in ("subject", "message", "once")}
        typed |= {"template": request.form.get("template", type=int), "files": chosen}
        return _draw(row, typed, _faults(refused), 413 if refused.is_too_large else 422)
    if sent.job_id is not None:
        return go(f"/crm/{key}/{id}/send-email?job={sent.job_id}")
    tell(_("The mail is on its way. Its e-mail below says when it was taken."))
    return go(f"/crm/{key}/{id}")


@bp.post("/<key>/<int:id>/send-email/preview")
def preview(key: str, id: int) -> Response:
    """The posted mail as a document for the sandboxed frame; nothing is sent or kept."""
    row = _row(key, id)
    try:
        shown = writing.write(viewer(), people.person_of(viewer(), row), _draft())
        document = shown.shown_html or render_template("ecp_text_preview.html", text=shown.text)
    except Refused as refused:
        document = render_template("ecp_text_preview.html", text="\n".join(_faults(refused).values()))
    db.session.rollback()
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@bp.get("/personal-mails/jobs/<int:job>")
def progress(job: int) -> str:
    """How far the document of a mail is; asked again by the page until the mail is on its way."""
    found = _job(job)
    if found is None:
        raise Missing
    return render_template("_personal_mail_job.html", job=found)


def _row(key: str, id: int) -> Row:
    module = module_of(key)
    if key not in people.PERSONS and people.LINK not in modules[key].fields:
        raise Missing
    if not people.may_write(viewer()):
        raise Missing
    return search.one(viewer(), module, id)


def _job(id: int | None) -> outbox.Standing | None:
    found = outbox.standing(db.session, id) if id is not None else None
    return found if found and found.created_by_id == viewer().id and found.task == sending.MAKE else None


def _draft() -> Draft:
    said = request.form
    is_automatic = said.get("mode") == "automatic"
    return Draft(said.get("template", type=int), said.get("subject", ""), said.get("message", ""), is_automatic)


def _along() -> Along:
    ids = [int(one) for one in request.form.getlist("file_id") if one.isdecimal()]
    sent = [one for one in request.files.getlist("file") if one.filename]
    if len(sent) + len(ids) > MOST_FILES:
        raise Refused.because("too_many", _("At most %(most)s files at once.", most=MOST_FILES), "file")
    for one in sent:
        stored = attachments.store(
            viewer(), one.filename or "", one.stream, one.mimetype or "application/octet-stream", MOST_ATTACHED
        )
        ids.append(int(stored.id))
    document, _comma, format = request.form.get("document", "").partition(":")
    return Along(ids, int(document) if document.isdecimal() else None, format != "same")


def _draw(row: Row, typed: dict[str, Any], faults: dict[str, str], status: int = 200) -> Response:
    person = None
    try:
        person = people.person_of(viewer(), row)
    except Refused as refused:
        faults = faults | _faults(refused)
    page = render_template(
        "personal_mail.html", here=row.module, module=modules[row.module], row=row, person=person, typed=typed, faults=faults,
        offered=writing.offered(viewer()), documents=templates.offered(row, ("document",)), has_engine=converting.engine() is not None,
        files=_files_of(row, person), most=MOST_ATTACHED // MEGABYTE, words_of=words_of, job=_job(request.args.get("job", type=int)),
        surveys=active_surveys() if may(viewer(), "view", "surveys") else [],
    )  # fmt: skip
    return make_response(page, status)


def _files_of(row: Row, person: people.Person | None) -> list[StoredFile]:
    """What hangs on the record and on its person, small enough for a mail."""
    places = {(row.module, row.id)} | ({(person.module, person.id)} if person else set())
    found = {file.id: file for module, id in sorted(places) for file in attachments.files_of(viewer(), module, id)}
    return [file for _id, file in sorted(found.items(), reverse=True) if file.size <= MOST_ATTACHED][:30]


def _signature() -> str:
    found = search.one(viewer(), "users", viewer().id or 0, columns=("signature",)).get("signature")
    return f"\n\n{found}" if found else ""


def _faults(refused: Refused) -> dict[str, str]:
    names = {"email_template_id": "template", "document_template_id": "document"}
    return {names.get(name, name): found[0].message for name, found in refused.faults.items()}
