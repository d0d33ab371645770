"""The recycle bin: what was deleted, module by module; restored by whoever may delete, deleted for good by administrators."""

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.search import find
from crm.identity.viewer import Viewer
from crm.ui.face import face
from crm.ui.menu import Link, add_links
from crm.ui.page import tell
from crm.ui.places import has_pages
from crm.ui.session import commit, viewer
from crm.web.lists import module_of
from crm.words import ngettext

bp = Blueprint("bin", __name__, url_prefix="/crm/bin")
ROWS = 50


def links(viewer: Viewer) -> list[Link]:
    is_any = any(_is_open(viewer, module) for module in modules)
    return [Link(_("Recycle bin"), "/crm/bin", "trash", "bin")] if is_any else []


add_links("Settings", links)


def _open_modules(viewer: Viewer) -> list[str]:
    return [module.key for module in modules if _is_open(viewer, module)]


def _is_open(viewer: Viewer, module: Module) -> bool:
    return module.is_record and has_pages(module.key) and module.deletable and may(viewer, "delete", module)


@bp.get("", strict_slashes=False)
def overview() -> AnyResponse | str:
    """The first module with something in the bin, or the empty page."""
    keys = _open_modules(viewer())
    if not keys:
        raise Missing
    return show(
        next(
            (
                key
                for key in keys
                if find(viewer(), key, columns=modules[key].titles, bin=True, limit=1, count="none").rows
            ),
            keys[0],
        )
    )


@bp.get("/<key>")
def show(key: str) -> str:
    module = module_of(key)
    demand(viewer(), "delete", module)
    page = find(
        viewer(), module, columns=(*module.titles, "owner_id"), bin=True, limit=ROWS, after=request.args.get("after"), sort=("-updated_at",)
    )  # fmt: skip
    return render_template(
        "bin.html", module=module, here="bin", page=page, keys=_open_modules(viewer()), modules=modules
    )


@bp.post("/<key>")
def act(key: str) -> AnyResponse:
    """Restore the chosen records, or delete them for good."""
    module = module_of(key)
    ids = [int(one) for one in request.form.getlist("id") if one.isdecimal()]
    if not ids:
        raise Refused.because("required", _("Choose at least one record."))
    if request.form.get("do") == "purge":
        count = records.purge(viewer(), module, ids)
        commit()
        tell(ngettext("%(num)s record is gone for good.", "%(num)s records are gone for good.", count))
        return redirect(f"{face().prefix}/bin/{key}", 303)
    try:
        records.restore(viewer(), module, ids, Channel.FORM)
        commit()
        tell(ngettext("%(num)s record is back.", "%(num)s records are back.", len(ids)))
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return redirect(f"{face().prefix}/bin/{key}", 303)
