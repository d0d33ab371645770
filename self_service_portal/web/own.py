"""One's own settings: password, language, other browsers; and log-ins of colleagues, for a portal administrator."""

from dataclasses import dataclass

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.identity import passwords
from crm.modules.portals import second_step, signing_in
from crm.modules.portals.portal_users import PortalUser
from crm.ui.page import tell
from crm.ui.session import commit
from self_service_portal.web.current import customer, portal

bp = Blueprint("own", __name__, url_prefix="/portal")


@dataclass(frozen=True)
class Standing:
    """The log-in of a colleague: `state` is "" without one."""

    contact_id: int
    state: str = ""
    is_admin: bool = False


def standing_of(contact_id: int) -> Standing:
    """The log-in of a contact in this portal."""
    table = PortalUser.__table__
    row = db.session.execute(
        select(table.c.active, table.c.is_admin, table.c.status).where(
            table.c.contact_id == contact_id, table.c.portal_id == portal().id, table.c.deleted_at.is_(None)
        )
    ).first()
    if row is None:
        return Standing(contact_id)
    return Standing(contact_id, "disabled" if not row.active else row.status, row.is_admin)


@bp.get("/settings")
def settings() -> str:
    return _draw({})


@bp.post("/settings/second-step")
def choose_second_step() -> AnyResponse:
    """Whether a mailed code is asked for, where the portal leaves it to its users."""
    if portal().second_step != "chosen":
        raise Missing
    is_wanted = bool(request.form.get("second_step"))
    second_step.choose(customer().portal_user_id, is_wanted)
    commit()
    tell(_("From now on a mailed code is asked for at log-in.") if is_wanted else _("No code is asked for any more."))
    return redirect("/portal/settings", 303)


def _draw(faults: dict[str, str]) -> str:
    table = PortalUser.__table__
    said = db.session.execute(select(table.c.second_step).where(table.c.id == customer().portal_user_id)).scalar()
    return render_template(
        "portal_settings.html", here="settings", faults=faults, least=passwords.LEAST, has_second_step=said
    )


@bp.post("/settings/password")
def change_password() -> AnyResponse:
    new = request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Refused.because("not_alike", _("The two are not alike. Type the new password again."), "again")
        old = request.form.get("old", "")
        signing_in.change_password(customer().portal_user_id, old, new, g.session_row.id)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        return make_response(_draw(faults), 422)
    tell(_("Your password is changed. Other browsers were logged out."))
    return redirect("/portal/settings", 303)
