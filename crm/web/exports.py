"""Export of what a list shows: at once, or as a job when there is much; and the files that people keep."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.engine import attachments, exports
from crm.engine.permissions import demand
from crm.engine.refusals import Missing
from crm.ui import views as tabs
from crm.ui.downloads import as_download
from crm.ui.face import face
from crm.ui.lists import Wanted
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("exports", __name__, url_prefix="/crm")


@bp.get("/<key>/export.<format>")
def export(key: str, format: str) -> AnyResponse | str:
    """The file of a list; more than 10,000 rows are offered as a job first."""
    module = module_of(key)
    demand(viewer(), "export", module)
    if format not in exports.MEDIA_TYPES:
        raise Missing
    said, columns = _asked(key)
    within = [int(one) for one in request.args.getlist("id") if one.isdecimal()][:1000]
    if within:
        said = {"within": within, "sort": said["sort"]}
    elif exports.is_large(viewer(), module, said["where"], said["text"]):
        return render_template(
            "export_large.html", module=module, here=key, format=format, query=request.query_string.decode()
        )
    if format == "xlsx":
        body: Any = exports.xlsx_of(viewer(), module, columns, **said)
    else:
        body = b"\xef\xbb\xbf" + b"".join(exports.csv_of(viewer(), module, columns, **said))
    answer = Response(body, content_type=exports.MEDIA_TYPES[format])
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}-{clock.today().isoformat()}.{format}"'
    return answer


def _asked(key: str) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """What the list shows: conditions, order, words; and its columns."""
    module, wanted = module_of(key), Wanted.read(request.args)
    chosen = tabs.chosen(tabs.offered(viewer(), module), wanted.view)
    where = wanted.where if wanted.where is not None else (dict(chosen.where) or None)
    said = {"where": where, "sort": wanted.sort or tuple(chosen.sort), "text": wanted.text or None}
    return said, wanted.columns or tuple(chosen.columns) or None


@bp.post("/<key>/export.<format>")
def start(key: str, format: str) -> AnyResponse:
    """Let a worker write the file."""
    said, columns = _asked(key)
    exports.start(viewer(), module_of(key), format, columns=columns, **said)
    commit()
    tell(_("The export is being written. It appears under Exports when it is done."))
    return redirect(f"{face().prefix}/exports", 303)


@bp.get("/exports")
def mine() -> str:
    """The exports of the viewer that are done, with their files."""
    return render_template("exports.html", here="", jobs=exports.finished(viewer()))


@bp.get("/files/<int:id>")
def file(id: int) -> AnyResponse:
    """A stored file, always as a download."""
    found, path = attachments.open_file(viewer(), id)
    return as_download(path, found.name)
