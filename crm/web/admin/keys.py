"""API keys: made, shown once, narrowed, locked, deleted."""

from datetime import UTC, datetime, time
from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import api_keys
from crm.identity.tables import User
from crm.identity.viewer import VERBS
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp

Bad = api_keys.BadKey


def _page(faults: dict[str, str] | None = None, status: int = 200, **more: Any) -> Any:
    users = db.session.execute(
        select(User.id, User.first_name, User.last_name, User.email)
        .where(User.deleted_at.is_(None), ~User.archived)
        .order_by(User.last_name)
    ).all()
    names = {row.id: f"{row.first_name or ''} {row.last_name}".strip() for row in users}
    page = render_template(
        "admin/api_keys.html", here="admin", page="api-keys", rows=api_keys.listed(), users=users, names=names, modules=list(modules),
        verbs=VERBS, faults=faults or {}, form=request.form, **more,
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/api-keys")
def keys() -> Any:
    return _page()


@bp.post("/api-keys")
def add_key() -> Any:
    """Make a key and show it, this one time."""
    until = request.form.get("expires_on", "")
    scopes: dict[str, list[str]] | None = None
    if request.form.get("narrow"):
        verbs = request.form.getlist("verb") or ["view"]
        scopes = dict.fromkeys(request.form.getlist("module") or ["*"], verbs)
    try:
        expires = datetime.combine(datetime.strptime(until, "%Y-%m-%d").date(), time(23, 59), UTC) if until else None  # noqa: DTZ007
        _id, text = api_keys.add(
            request.form.get("name", ""), request.form.get("user_id", 0, type=int), scopes=scopes, expires_at=expires,
            allowed_addresses=[one for one in request.form.get("addresses", "").replace(",", " ").split() if one],
            creator_id=viewer().id,
        )  # fmt: skip
        commit()
    except ValueError:
        return _page({"expires_on": _("This takes a date, such as 2027-01-31.")}, 422)
    except Bad as refused:
        db.session.rollback()
        return _page({refused.field: str(refused)}, 422)
    return _page(shown=text)


@bp.post("/api-keys/<int:id>/<verb>")
def act_on_key(id: int, verb: str) -> AnyResponse:
    deeds = {"lock": api_keys.lock, "unlock": api_keys.unlock, "delete": api_keys.remove}
    if verb not in deeds:
        raise Missing
    try:
        deeds[verb](id, viewer().id or 0)
        commit()
        tell(
            {
                "lock": _("The key is locked."),
                "unlock": _("The key is unlocked."),
                "delete": _("The key is gone; it works no more."),
            }[verb]
        )
    except Bad as refused:
        db.session.rollback()
        tell(str(refused), "wrong")
    return redirect("/crm/admin/api-keys", 303)
