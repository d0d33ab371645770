"""Roles: a tree; whoever is higher on a branch sees the records of those below."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing
from crm.identity import roles as written
from crm.identity.refused import Unfit
from crm.identity.tables import RoleProfile
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp, parties


@bp.get("/roles")
def roles() -> str:
    rows = {row.id: row for row in written.all_roles()}
    under: dict[int | None, list[Any]] = {}
    for row in rows.values():
        under.setdefault(row.parent_id if row.parent_id in rows else None, []).append(row)
    tree: list[tuple[int, Any]] = []

    def walk(parent: int | None, depth: int) -> None:
        for row in under.get(parent, []):
            tree.append((depth, row))
            walk(row.id, depth + 1)

    walk(None, 0)
    return render_template("admin/roles.html", here="admin", page="roles", tree=tree)


def _form(role: Any, chosen: list[str], faults: dict[str, str] | None = None, status: int = 200) -> Any:
    others = [(str(row.id), row.name) for row in written.all_roles() if row.id != role.get("id")]
    profiles = [(str(row.id), row.name) for row in written.all_profiles()]
    page = render_template(
        "admin/role.html", here="admin", page="roles", role=role, others=others, profiles=profiles, chosen=chosen, faults=faults or {}
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/roles/new")
def new_role() -> Any:
    return _form({}, [])


@bp.get("/roles/<int:id>")
def role(id: int) -> Any:
    row = next((one for one in written.all_roles() if one.id == id), None)
    if row is None:
        raise Missing
    held = db.session.execute(select(RoleProfile.profile_id).where(RoleProfile.role_id == id)).scalars()
    return _form(dict(row._mapping), [str(one) for one in held])


@bp.post("/roles/new")
@bp.post("/roles/<int:id>")
def save_role(id: int | None = None) -> AnyResponse:
    typed = {
        "name": request.form.get("name", ""), "parent_id": request.form.get("parent_id", type=int),
        "idle_minutes": request.form.get("idle_minutes", type=int),
    }  # fmt: skip
    profiles = [int(one) for one in request.form.getlist("profiles") if one.isdecimal()]
    try:
        if id is None:
            written.add_role(typed["name"], typed["parent_id"], profiles, typed["idle_minutes"])  # type: ignore[arg-type]
        else:
            written.change_role(id, **typed, profiles=profiles)
        commit()
    except Unfit as refused:
        db.session.rollback()
        return _form(
            typed | ({"id": id} if id else {}), [str(one) for one in profiles], parties.sentences(refused), 422
        )  # type: ignore[no-any-return]
    tell(_("The role is saved. It holds at once."))
    return redirect("/crm/admin/roles", 303)


@bp.post("/roles/<int:id>/delete")
def delete_role(id: int) -> AnyResponse:
    try:
        written.remove_role(id, request.form.get("replacement", 0, type=int))
        commit()
        tell(_("The role is deleted."))
    except Unfit as refused:
        db.session.rollback()
        tell(str(refused), "wrong")
        return redirect(f"/crm/admin/roles/{id}", 303)
    return redirect("/crm/admin/roles", 303)
