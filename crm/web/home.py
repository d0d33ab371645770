"""The home page of the CRM: widgets that load one by one, each failing in its own box, arranged by the person."""

import logging

from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing
from crm.ui import widgets
from crm.ui.charts import Chart
from crm.ui.page import go
from crm.ui.session import commit, viewer
from crm.web import home_widgets
from crm.web.own import remember

bp = Blueprint("home", __name__, url_prefix="/crm")
log = logging.getLogger(__name__)
home_widgets.register()


@bp.get("/")
def show() -> str:
    mine = widgets.layout(viewer())
    others = [widget for widget in widgets.offered(viewer()) if widget not in mine]
    return render_template("home.html", here="home", mine=mine, others=others)


@bp.get("/home/<key>")
def widget(key: str) -> AnyResponse | str:
    """The inside of one widget; its failure stays in it."""
    found = widgets.find(viewer(), key)
    if found is None:
        raise Missing
    try:
        return render_template("_widget.html", widget=found, inside=found.draw(viewer()))
    except Exception:
        db.session.rollback()
        log.exception("The widget %s failed", key)
        return render_template("_widget.html", widget=found, inside=None)


@bp.get("/home/<key>.csv")
def numbers(key: str) -> Response:
    """The numbers of a chart as a file."""
    found = widgets.find(viewer(), key)
    drawn = found.draw(viewer()) if found is not None and found.is_chart else None
    if not isinstance(drawn, Chart):
        raise Missing
    return drawn.file(key)


@bp.post("/home")
def arrange() -> AnyResponse:
    """Keep the layout: the keys in their order; or one added, or one taken away."""
    keys = [widget.key for widget in widgets.layout(viewer())]
    if request.form.get("add"):
        keys.append(request.form["add"])
    elif request.form.get("remove"):
        keys = [key for key in keys if key != request.form["remove"]]
    elif request.form.get("reset"):
        keys = [widget.key for widget in widgets.offered(viewer()) if widget.at_first]
    else:
        keys = request.form.getlist("key")
    known = {widget.key for widget in widgets.offered(viewer())}
    remember("home", list(dict.fromkeys(key for key in keys if key in known))[: widgets.MOST])
    commit()
    if request.headers.get("HX-Request") and not request.form.get("add") and not request.form.get("reset"):
        return Response("", 204)
    return go("/crm/")
