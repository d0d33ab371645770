"""Pictures of records: shown, set and taken away on the card."""

from flask import Blueprint, request, send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import pictures
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.ui.downloads import boxed
from crm.ui.face import face
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("pictures", __name__, url_prefix="/crm")


@bp.get("/<key>/<int:id>/picture")
def show(key: str, id: int) -> AnyResponse:
    """The picture itself. Its address names the file, so that a browser may keep it until there is another."""
    module_of(key)
    media_type, path = pictures.open_picture(viewer(), key, id)
    answer = boxed(send_file(path, mimetype=media_type, max_age=3600))
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


@bp.post("/<key>/<int:id>/picture")
def give(key: str, id: int) -> AnyResponse:
    """Make the file that was sent the picture, or take the picture away (`remove`)."""
    module_of(key)
    sent = request.files.get("file")
    try:
        if request.form.get("remove"):
            pictures.take_away(viewer(), key, id, Channel.FORM)
            said = _("The picture is gone.")
        elif sent is None or not sent.filename:
            raise Refused.because("required", _("Choose a picture first."), "file")
        else:
            pictures.give(viewer(), key, id, sent.filename, sent.stream, Channel.FORM)
            said = _("The picture is saved.")
        commit()
        tell(said)
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "warn")
    finally:
        if sent is not None:
            sent.close()
    return go(f"{face().prefix}/{key}/{id}")
