"""Users: made, changed, archived, deleted; their passwords."""

import secrets
from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db, fold
from crm.engine.refusals import Forbidden, Missing, Refused, Stale
from crm.identity.roles import all_roles
from crm.identity.tables import Role, User
from crm.modules.users import leaving, writing
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp, parties
from crm.words import say_number

FIELDS = ("first_name", "last_name", "email", "title", "phone", "mobile", "role_id")
FLAGS = ("crm_access", "crm_admin", "ecp_access", "ecp_admin")


@bp.get("/users")
def users() -> str:
    c = User.__table__.c
    query = (
        select(User.__table__, Role.name.label("role")).join(Role, Role.id == c.role_id).where(c.deleted_at.is_(None))
    )
    rows = db.session.execute(query.order_by(c.archived, fold(c.last_name), c.id)).all()
    return render_template("admin/users.html", here="admin", page="users", rows=rows)


def _form(user: Any, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    roles = [(str(role.id), role.name) for role in all_roles()]
    page = render_template("admin/user.html", here="admin", page="users", user=user, roles=roles, faults=faults or {})
    return make_response(page, status)


def _typed() -> dict[str, Any]:
    values: dict[str, Any] = {name: request.form.get(name, "") for name in FIELDS}
    return values | {name: request.form.get(name) == "1" for name in FLAGS}


@bp.get("/users/new")
def new_user() -> Any:
    return _form({"crm_access": True, "role_id": ""})


@bp.post("/users/new")
def add_user() -> AnyResponse:
    password = _fresh_password()
    try:
        id = writing.create_user(viewer(), _typed(), password)
        commit()
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        return _form(_typed(), parties.sentences(refused), 422)  # type: ignore[no-any-return]
    return _shown_once(id, password)


def _fresh_password() -> str:
    return "-".join(secrets.token_hex(2) for _part in range(4))


def _shown_once(id: int, password: str) -> AnyResponse:
    """The first password, shown this one time; it must be changed at the first log-in."""
    user = dict(db.session.execute(select(User.__table__).where(User.id == id)).mappings().one())
    return make_response(
        render_template("admin/user_password.html", here="admin", page="users", user=user, password=password)
    )


def _load(id: int) -> dict[str, Any]:
    row = db.session.execute(select(User.__table__).where(User.id == id, User.deleted_at.is_(None))).mappings().first()
    if row is None:
        raise Missing
    return dict(row)


@bp.get("/users/<int:id>")
def user(id: int) -> Any:
    return _form(_load(id))


@bp.post("/users/<int:id>")
def change_user(id: int) -> AnyResponse:
    try:
        writing.change_user(viewer(), id, _typed(), request.form.get("version", type=int))
        commit()
    except (Refused, Forbidden, Stale) as refused:
        db.session.rollback()
        return _form(_load(id) | _typed(), parties.sentences(refused), 422)  # type: ignore[no-any-return]
    tell(_("The user is saved."))
    return redirect("/crm/admin/users", 303)


@bp.post("/users/<int:id>/<verb>")
def act_on_user(id: int, verb: str) -> AnyResponse:
    try:
        if verb == "password":
            password = _fresh_password()
            writing.set_password(viewer(), id, password)
            commit()
            return _shown_once(id, password)
        if verb == "archive":
            writing.archive_user(viewer(), id)
            tell(_("The user may log in no more. The records stay."))
        elif verb == "unarchive":
            writing.unarchive_user(viewer(), id)
            tell(_("The user may log in again."))
        elif verb == "delete":
            count = leaving.delete_user(viewer(), id, request.form.get("heir", 0, type=int))
            tell(_("The user is deleted; %(count)s records have a new owner.", count=say_number(count)))
        else:
            raise Missing
        commit()
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        tell(" ".join(parties.sentences(refused).values()), "wrong")
        return redirect(f"/crm/admin/users/{id}", 303)
    return redirect("/crm/admin/users", 303)
