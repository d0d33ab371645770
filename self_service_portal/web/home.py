"""The home page: a welcome, what waits, and the boxes that the profile shows."""

from flask import Blueprint, g, render_template

from crm.ui.session import viewer
from self_service_portal.pages import boxes

bp = Blueprint("home", __name__, url_prefix="/portal")


@bp.get("/")
def home() -> str:
    drawn = []
    for box in boxes():
        if box.key in g.portal_boxes or box.key in ALWAYS:
            values = box.draw(viewer())
            if values is not None:
                drawn.append((box, values))
    return render_template("portal_home.html", here="home", boxes=drawn)


ALWAYS = frozenset({"ending"})
