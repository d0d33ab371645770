"""Profiles: what one may do, module by module and field by field; given to roles."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import roles as written
from crm.identity.refused import Unfit
from crm.identity.viewer import AREAS, VERBS
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp, parties

VERB_NAMES = {
    "view": _l("See"), "create": _l("Make"), "edit": _l("Change"), "delete": _l("Delete"), "import": _l("Import"),
    "export": _l("Export"), "mass_edit": _l("Edit several"), "merge": _l("Merge"), "convert": _l("Convert"),
}  # fmt: skip


@bp.get("/profiles")
def profiles() -> str:
    return render_template(
        "admin/profiles.html",
        here="admin",
        page="profiles",
        rows=written.all_profiles(),
        pairs=[(row.id, row.name) for row in written.all_profiles()],
    )


@bp.post("/profiles")
def copy_profile() -> AnyResponse:
    """A new profile begins as a copy of another."""
    try:
        id = written.copy_profile(request.form.get("base", 0, type=int), request.form.get("name", ""))
        commit()
    except Unfit as refused:
        db.session.rollback()
        tell(str(refused), "wrong")
        return redirect("/crm/admin/profiles", 303)
    return redirect(f"/crm/admin/profiles/{id}", 303)


def _load(id: int) -> dict[str, Any]:
    for row in written.all_profiles():
        if row.id == id:
            return dict(row._mapping)
    raise Missing


def _form(profile: Any, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    page = render_template(
        "admin/profile.html", here="admin", page="profiles", profile=profile, modules=list(modules), verbs=VERBS,
        verb_names=VERB_NAMES, areas=AREAS, faults=faults or {},
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/profiles/<int:id>")
def profile(id: int) -> Any:
    return _form(_load(id))


@bp.post("/profiles/<int:id>")
def save_profile(id: int) -> AnyResponse:
    """The table of ticks; a module that is ticked like the “other modules” row is left to it."""
    otherwise = [verb for verb in VERBS if request.form.get(f"otherwise.{verb}")]
    said: dict[str, Any] = {}
    for module in modules:
        verbs = [verb for verb in VERBS if request.form.get(f"m.{module.key}.{verb}")]
        hidden = [name for name in request.form.getlist(f"hidden.{module.key}") if name in module.fields]
        read_only = [name for name in request.form.getlist(f"read_only.{module.key}") if name in module.fields]
        if set(verbs) != set(otherwise) or hidden or read_only:
            said[module.key] = {"verbs": verbs, "hidden": hidden, "read_only": read_only}
    values = {
        "name": request.form.get("name", ""), "description": request.form.get("description", ""),
        "view_all": bool(request.form.get("view_all")), "edit_all": bool(request.form.get("edit_all")), "otherwise": otherwise,
        "modules": said, "areas": [area for area in AREAS if request.form.get(f"area.{area}")],
    }  # fmt: skip
    try:
        written.change_profile(id, **values)
        commit()
    except Unfit as refused:
        db.session.rollback()
        return _form(_load(id) | values, parties.sentences(refused), 422)  # type: ignore[no-any-return]
    tell(_("The profile is saved. It holds at once."))
    return redirect("/crm/admin/profiles", 303)


@bp.post("/profiles/<int:id>/delete")
def delete_profile(id: int) -> AnyResponse:
    try:
        written.remove_profile(id)
        commit()
        tell(_("The profile is deleted."))
    except Unfit as refused:
        db.session.rollback()
        tell(str(refused), "wrong")
        return redirect(f"/crm/admin/profiles/{id}", 303)
    return redirect("/crm/admin/profiles", 303)
