"""Documents on cards: made of the templates of their module, in the background where a PDF is wanted; the workbook of a person."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import db
from crm.documents import bundling, converting, making, personal_data, templates
from crm.engine import exports, outbox, search
from crm.engine.attachments import StoredFile
from crm.engine.outbox import Standing
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui.cards import Deed, add_deed
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("documents", __name__, url_prefix="/crm")
FILES, DRAFTS = "/crm/files/", "/crm/sendouts/"  # where what a job made can be


def href_of(asks: Viewer, row: Row) -> str:
    """The page of documents of a record; "" when no template is offered for it."""
    return f"/crm/{row.module}/{row.id}/documents" if templates.offered(row) else ""


for choice in templates.MODULES.choices:
    add_deed(choice.key, Deed("documents", "Documents", "file-text", href_of))


@bp.get("/<key>/<int:id>/documents")
def show(key: str, id: int, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    """The templates for a record; with `job` or `file` what was made of one."""
    module = module_of(key)
    row = search.one(viewer(), module, id)
    page = render_template(
        "documents.html", module=module, here=module.key, row=row, offered=templates.offered(row), languages=LANGUAGES, faults=faults or {},
        job=standing_of(request.args.get("job", type=int)), file=file_of(request.args.get("file", type=int)),
        has_engine=converting.engine() is not None,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/<key>/<int:id>/documents")
def make(key: str, id: int) -> Any:
    """Make a document: a file in the format of the template at once, a PDF by a worker."""
    module = module_of(key)
    row = search.one(viewer(), module, id)
    template = next((one for one in templates.offered(row) if one.id == request.form.get("template", type=int)), None)
    if template is None:
        raise Missing
    language = _language()
    if request.form.get("format") == "pdf":
        job = making.start(viewer(), template.id, id, language)
        commit()
        return go(f"/crm/{key}/{id}/documents?job={job}")
    try:
        file = making.keep(viewer(), making.filled(viewer(), template, id, language), key, id)
        commit()
    except Refused as refused:
        db.session.rollback()
        return show(key, id, _told(refused), 422)
    return go(f"/crm/{key}/{id}/documents?file={file}")


@bp.post("/<key>/<int:id>/documents/joined")
def join(key: str, id: int) -> Any:
    """One PDF of several templates, in the order they stand on the page."""
    module_of(key)
    try:
        job = bundling.start(viewer(), key, id, _ticked(), _language())
        commit()
    except Refused as refused:
        db.session.rollback()
        return show(key, id, _told(refused), 422)
    return go(f"/crm/{key}/{id}/documents?job={job}")


def _ticked() -> list[int]:
    return list(dict.fromkeys(request.form.getlist("template", type=int)))


def _language() -> str:
    said = request.form.get("language", "")
    return said if said in LANGUAGES else ""


def _told(refused: Refused) -> dict[str, str]:
    return {"": refused.sentences}


@bp.get("/documents/jobs/<int:job>")
def progress(job: int) -> str:
    """How far a document is; asked again by the page until it is done."""
    found = standing_of(job)
    if found is None:
        raise Missing
    return render_template("_document_job.html", job=found)


def standing_of(job: int | None) -> Standing | None:
    """A job of the viewer that makes documents; None for any other."""
    found = outbox.standing(db.session, job) if job is not None else None
    if (
        found is None
        or found.created_by_id != viewer().id
        or found.task not in {making.TASK, bundling.TASK, "send_certificates", "make_sign_in_sheet"}
    ):
        return None
    return found


def file_of(id: int | None) -> StoredFile | None:
    """A file that the viewer made."""
    found = db.session.get(StoredFile, id) if id is not None else None
    return found if found is not None and found.creator_id == viewer().id else None


@bp.app_template_filter("document_button")
def says_what_it_makes(format: str) -> str:
    """The words of the button that makes a file in the format of its template."""
    words = {
        "docx": _("Make a Word file"), "odt": _("Make a Writer file"), "xlsx": _("Make an Excel file"), "ods": _("Make a Calc file"),
        "rtf": _("Make a rich text file"),
    }  # fmt: skip
    return words.get(format, _("Make a file"))


@bp.app_template_filter("document_message")
def split_message(message: str) -> tuple[str, str]:
    """What a job says, and the address of its file ("" when there is none)."""
    said, _space, href = message.rpartition(" ")
    is_address = href.startswith((FILES, DRAFTS)) and href.isascii()
    return (said.rstrip(": "), href) if is_address else (message, "")


# personal data


def personal_href(asks: Viewer, row: Row) -> str:
    return f"/crm/contacts/{row.id}/personal-data" if may(asks, "export", "contacts") else ""


add_deed("contacts", Deed("personal_data", "Personal data", "file-spreadsheet", personal_href))


@bp.get("/contacts/<int:id>/personal-data")
def ask_personal_data(id: int) -> str:
    """What of a person the workbook holds."""
    row = search.one(viewer(), "contacts", id)
    return render_template(
        "personal_data.html", here="contacts", row=row, related=personal_data.related_to(viewer()), offered=templates.offered(row, ("personal_data",)),
        may_add=may(viewer(), "create", "document_templates")
    )  # fmt: skip


@bp.post("/contacts/<int:id>/personal-data")
def personal_workbook(id: int) -> AnyResponse:
    """The workbook of a person with the chosen modules."""
    body = personal_data.workbook(viewer(), id, request.form.getlist("module"))
    db.session.rollback()
    answer = Response(body, content_type=exports.MEDIA_TYPES["xlsx"])
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="personal-data-{id}-{clock.today().isoformat()}.xlsx"'
    )
    return answer
