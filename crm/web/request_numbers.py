"""/crm/service_requests/dashboard: what needs attention, and how it went; every number leads to its list."""

import json
from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext as _

from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.identity.viewer import Viewer
from crm.modules.service_requests import numbers, settings
from crm.ui.charts import Chart, Point
from crm.ui.menu import Link, add_links
from crm.ui.page import address
from crm.ui.session import viewer

bp = Blueprint("request_numbers", __name__, url_prefix="/crm/service_requests")
HERE = "/crm/service_requests/dashboard"


@bp.get("/dashboard")
def dashboard() -> str:
    """What needs attention; every number is the length of the list behind it."""
    if not may(viewer(), "view", "service_requests"):
        raise Missing
    who = viewer()
    figures = [(_(one.label), numbers.count_of(who, one.where), _list(one.where)) for one in numbers.BOXES]
    charts = [
        Chart(_(one.title), [Point(_named(one, label), count, _list(where)) for label, count, where in numbers.groups(who, one)], "bars", label_heading=_(one.heading), value_heading=_("Requests"))
        for one in numbers.CHARTS
    ]  # fmt: skip
    rated = [
        (_(one.title), _(one.heading), [(row, _list(row.where)) for row in numbers.ratings(who, one)])
        for one in numbers.RATED
    ]
    return render_template(
        "sr_dashboard.html",
        here="request_numbers",
        figures=figures,
        charts=charts,
        times=numbers.medians(who),
        rated=rated,
    )


def _named(chart: numbers.Grouped, label: str) -> str:
    """Priorities have names of their own."""
    return settings.name_of(int(label)) if chart.field == "priority" and label.isdecimal() else label


def _list(where: Any) -> str:
    return address("/crm/service_requests", where=json.dumps(where, separators=(",", ":")))


def links(who: Viewer) -> list[Link]:
    """The line of the menu."""
    if not may(who, "view", "service_requests"):
        return []
    return [Link(_("Service dashboard"), HERE, "chart-bar", "request_numbers")]


add_links("Service", links)
