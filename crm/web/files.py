"""Files on cards: listed, attached; given out by crm/web/exports.py, always as a download."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.modules.portals import documents
from crm.modules.portals.portal_users import first_portal
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("card_files", __name__, url_prefix="/crm")


@bp.get("/<key>/<int:id>/files")
def files(key: str, id: int) -> Any:
    """The files of a record and the box that attaches one."""
    return _draw(key, id)


def _draw(key: str, id: int, fault: str = "", status: int = 200) -> Any:
    module = module_of(key)
    if not module.is_record:
        raise Missing
    found = attachments.files_of(viewer(), key, id)
    may_add = module.editable and may(viewer(), "edit", module)
    shared = documents.shared_ids(id) if key == "contacts" and first_portal() is not None else None
    page = render_template(
        "_files.html", module=module, id=id, files=found, may_add=may_add, fault=fault, shared=shared
    )
    return make_response(page, status)


@bp.post("/contacts/<int:id>/files/<int:file_id>/share")
def share(id: int, file_id: int) -> AnyResponse:
    """Let the contact see a file in the portal (share=1), or no longer."""
    documents.share(viewer(), id, file_id, request.form.get("share") == "1")
    commit()
    return _draw("contacts", id)  # type: ignore[no-any-return]


@bp.post("/<key>/<int:id>/files")
def attach(key: str, id: int) -> AnyResponse:
    """Keep a file and hang it on the record."""
    module_of(key)
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Refused.because("required", _("Choose a file first."), "file")
        kept = attachments.store(viewer(), sent.filename, sent.stream, sent.mimetype or "application/octet-stream")
        db.session.flush()
        attachments.attach(viewer(), key, id, kept.id, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        sentence = refused.sentences
        return _draw(key, id, sentence, 422)  # type: ignore[no-any-return]
    return _draw(key, id)  # type: ignore[no-any-return]
