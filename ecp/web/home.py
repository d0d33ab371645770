"""The portal's first page: what is under way, what the last sendouts came to, what is left of the month's quota."""

from flask import Blueprint, render_template

from crm.engine import search
from crm.engine.conditions import where
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.ui.session import viewer

bp = Blueprint("home", __name__, url_prefix="/ecp")
COLUMNS = (
    "name",
    "state",
    "scheduled_at",
    "started_at",
    "audience_count",
    "sent_count",
    "read_count",
    "clicked_count",
    "unsubscribed_count",
)
UNDER_WAY = ["scheduled", "preparing", "sending", "paused"]


@bp.get("/")
def show() -> str:
    """Under way, lately sent, and where to begin."""
    running, done = [], []
    if may(viewer(), "view", "sendouts"):
        said = where("state", "one of", UNDER_WAY)
        running = search.find(viewer(), "sendouts", where=said, columns=COLUMNS, limit=10, count="none").rows
        said = {"$and": [where("state", "is", "sent"), where("is_automatic", "is", False)]}
        done = search.find(
            viewer(), "sendouts", where=said, columns=COLUMNS, sort=("-started_at",), limit=8, count="none"
        ).rows
    return render_template(
        "ecp_home.html", running=running, done=done, here="home", state=modules["sendouts"].fields["state"]
    )
