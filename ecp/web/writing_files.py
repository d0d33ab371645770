"""What is put into a mail from its editor: attached files, pictures, and rows that are kept for later mails."""

from flask import jsonify, make_response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.db import db
from crm.engine import attachments, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from ecp import pictures
from ecp.web import visual_kit
from ecp.web.writing_seen import KEY, WRITTEN
from ecp.web.writing_sheet import MOST_OF_A_FILE, draw, form_of, home


def add_file(id: int) -> AnyResponse:
    """Attach a file: 5 MB each and together."""
    try:
        part = request.files.get("file")
        if part is None or not part.filename:
            raise Refused.because("required", _("Choose a file."), "file")
        together = sum(one.size for one in attachments.files_of(viewer(), KEY, id))
        made = attachments.store(viewer(), part.filename, part.stream, part.mimetype, MOST_OF_A_FILE)
        if together + made.size > MOST_OF_A_FILE:
            message = _(
                "The files of a mail may have 5 MB together; with “%(name)s” they would have more.", name=made.name
            )
            raise Refused.because("file_too_large", message, "file")
        attachments.attach(viewer(), KEY, id, made.id, Channel.FORM)
        commit()
        tell(_("“%(name)s” is attached.", name=made.name))
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
        if refused.is_too_large:
            row = search.one(viewer(), KEY, id)
            return draw(row, form_of(row), {name: row[name] or "" for name in WRITTEN}, row.version, 413)
    return redirect(f"{home()}/{id}/write#files", 303)


def add_picture() -> AnyResponse:
    """Publish a picture for mails: {"src"} is its address, or 422/413 with {"message"}. At most 5 MB, no SVG.

    A page that asks what the picture shows sends `alt`, and it may not be empty."""
    demand(viewer(), "edit", modules[KEY])
    part = request.files.get("file")
    try:
        if "alt" in request.form and not request.form["alt"].strip():
            raise Refused.because("required", _("Say what the picture shows."), "alt")
        if part is None or not part.filename:
            raise Refused.because("required", _("Choose a picture."), "file")
        stored = attachments.store(viewer(), part.filename, part.stream, part.mimetype, MOST_OF_A_FILE)
        path = pictures.publish(stored)
        commit()
    except Refused as refused:
        db.session.rollback()
        status = 413 if refused.is_too_large else 422
        return make_response(jsonify(message=refused.sentences), status)
    settings = config.current()
    return jsonify(src=(settings.public_url or settings.base_url).rstrip("/") + path)


def add_row() -> AnyResponse:
    """Keep a row of a mail for later ones: {"id", "name", "mjml"}, or 422 with {"message"}."""
    demand(viewer(), "create", modules["html_snippets"])
    try:
        row = visual_kit.keep_row(request.form.get("name", ""), request.form.get("mjml", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        said = refused.sentences
        return make_response(jsonify(message=said), 422)
    return jsonify(row)


def remove_file(id: int, file_id: int) -> AnyResponse:
    if file_id not in [one.id for one in attachments.files_of(viewer(), KEY, id)]:
        raise Missing
    attachments.detach(viewer(), KEY, id, file_id, Channel.FORM)
    commit()
    return redirect(f"{home()}/{id}/write#files", 303)
