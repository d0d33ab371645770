"""The page of the timetable: whether what is scheduled will leave, for administrators of the portal."""

from flask import Blueprint, render_template

from ecp import timetable
from ecp.web.admin import demand_portal_admin

bp = Blueprint("clockwork", __name__, url_prefix="/ecp/timetable")


@bp.get("")
def show() -> str:
    """The self-check, made anew with each look."""
    check = timetable.check(demand_portal_admin())
    return render_template("ecp_timetable.html", here="timetable", check=check)
