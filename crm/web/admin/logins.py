"""Log-in history: who signed in when from where, what failed; sessions to end, bans to lift."""

from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.registry import modules
from crm.identity import logins as kept
from crm.identity.tables import User
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp

ROWS = 100
OUTCOMES = {
    "signed_in": _l("signed in"), "wrong_password": _l("wrong password"), "wrong_code": _l("wrong code"), "unknown": _l("unknown address"),
    "archived": _l("archived user"), "no_access": _l("no access"), "banned": _l("shut out"),
    "locked": _l("locked"),
}  # fmt: skip


@bp.get("/logins")
def logins() -> str:
    user = request.args.get("user", type=int)
    users = db.session.execute(select(User.id, User.email).where(User.deleted_at.is_(None)).order_by(User.email)).all()
    rows = kept.history(user, ROWS, request.args.get("before", type=int))
    return render_template(
        "admin/logins.html", here="admin", page="logins", rows=rows, bans=kept.bans(), users=users, user=user, outcomes=OUTCOMES,
        customers=_customers({row.portal_user_id for row in rows}), app_names={"portal": _("Portal")},
        more=rows[-1].id if len(rows) == ROWS else None,
    )  # fmt: skip


@bp.post("/logins/end")
def end_login() -> AnyResponse:
    kept.end_session(request.form.get("session", 0, type=int))
    commit()
    tell(_("The session is over."))
    return redirect("/crm/admin/logins", 303)


@bp.post("/logins/unban")
def unban() -> AnyResponse:
    kept.unban(request.form.get("source", ""))
    commit()
    tell(_("The address may try again."))
    return redirect("/crm/admin/logins", 303)


def _customers(ids: set[int | None]) -> dict[int, tuple[int, str]]:
    """The contacts and addresses of those who log in to a portal."""
    users = modules["portal_users"].table
    said = select(users.c.id, users.c.contact_id, users.c.email).where(users.c.id.in_(ids - {None}))
    return {row.id: (row.contact_id, row.email or "") for row in db.session.execute(said)}
