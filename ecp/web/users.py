"""Users of the portal: made, changed, deactivated, their passwords set. The user name is the e-mail address (M35-M37)."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import or_, select
from werkzeug.wrappers import Response

from crm.db import db, fold
from crm.engine.refusals import Forbidden, Missing, Refused, Stale
from crm.identity.tables import User
from crm.modules.users import writing
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from ecp.web.admin import demand_portal_admin

bp = Blueprint("users", __name__, url_prefix="/ecp/users")


@bp.before_request
def demand_admin() -> None:
    demand_portal_admin()


PERSON = ("first_name", "last_name", "email")
FLAGS = ("ecp_access", "ecp_admin")


@bp.get("")
def show() -> str:
    """Who may use the portal; deactivated ones last."""
    c = User.__table__.c
    query = select(User.__table__).where(c.deleted_at.is_(None), or_(c.ecp_access, ~c.crm_access))
    rows = db.session.execute(query.order_by(c.archived, fold(c.last_name), c.id)).all()
    return render_template("ecp_users.html", rows=rows, here="users")


def _draw(user: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    page = render_template(
        "ecp_user.html", user=user, here="users", faults=faults or {}, is_me=user.get("id") == viewer().id
    )
    return make_response(page, status)


def _load(id: int) -> dict[str, Any]:
    c = User.__table__.c
    row = db.session.execute(select(User.__table__).where(c.id == id, c.deleted_at.is_(None))).mappings().first()
    if row is None or not (row["ecp_access"] or not row["crm_access"]):
        raise Missing
    return dict(row)


def _typed(names: tuple[str, ...] = PERSON) -> dict[str, Any]:
    values: dict[str, Any] = {name: request.form.get(name, "").strip() for name in names}
    return values | {"ecp_admin": request.form.get("ecp_admin") == "1"}


def _sentences(refused: Refused | Forbidden | Stale) -> dict[str, str]:
    if isinstance(refused, Refused):
        return {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
    return {"": str(refused)}


@bp.get("/new")
def new() -> Response:
    """An empty form."""
    return _draw({})


@bp.post("/new")
def add() -> Response:
    """Make a user who has the portal alone."""
    values = _typed() | {"crm_access": False, "ecp_access": True}
    try:
        writing.create_user(viewer(), values, request.form.get("password", ""), must_change=True)
        commit()
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        return _draw(values, 422, _sentences(refused))
    tell(_("%(email)s may log in now, and chooses an own password at the first log-in.", email=values["email"]))
    return redirect("/ecp/users", 303)


@bp.get("/<int:id>")
def edit(id: int) -> Response:
    """One user."""
    return _draw(_load(id))


@bp.post("/<int:id>")
def save(id: int) -> Response:
    """Change a user; of users of the CRM the portal changes its own flag alone."""
    user = _load(id)
    values = _typed(() if user["crm_access"] else PERSON)
    try:
        writing.change_user(viewer(), id, values, request.form.get("version", type=int))
        commit()
    except (Refused, Forbidden, Stale) as refused:
        db.session.rollback()
        return _draw(user | values, 409 if isinstance(refused, Stale) else 422, _sentences(refused))
    tell(_("The user is saved."))
    return redirect("/ecp/users", 303)


@bp.post("/<int:id>/password")
def set_password(id: int) -> Response:
    """A new password, which its owner must change at the next log-in."""
    user = _load(id)
    try:
        writing.set_password(viewer(), id, request.form.get("password", ""))
        commit()
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        return _draw(user, 422, _sentences(refused))
    tell(_("The password is set; all sessions of %(email)s have ended.", email=user["email"]))
    return redirect("/ecp/users", 303)


@bp.post("/<int:id>/<verb>")
def act(id: int, verb: str) -> Response:
    """Deactivate or let in again; of users of the CRM only their access to the portal is taken."""
    user = _load(id)
    if verb not in {"deactivate", "activate"}:
        raise Missing
    try:
        if user["crm_access"]:
            writing.change_user(
                viewer(),
                id,
                {"ecp_access": verb == "activate", **({"ecp_admin": False} if verb == "deactivate" else {})},
            )
        elif verb == "deactivate":
            writing.archive_user(viewer(), id)
        else:
            writing.unarchive_user(viewer(), id)
        commit()
        tell(
            _("%(email)s may not log in any more.", email=user["email"])
            if verb == "deactivate"
            else _("%(email)s may log in again.", email=user["email"])
        )
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        return _draw(user, 422, _sentences(refused))
    return redirect("/ecp/users", 303)
