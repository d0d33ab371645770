"""Staff pages of a followed site: its report, who is on it now, and how its snippet is put in; for the CRM and the portal."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.engine.rows import Row
from crm.identity.sealing import public_base
from crm.identity.viewer import Viewer
from crm.ui import cards
from crm.ui.cards import Deed
from crm.ui.charts import Chart, Point
from crm.ui.face import face
from crm.ui.session import viewer
from web_tracking import counting
from web_tracking.counting import Period
from web_tracking.tables import SiteSign
from web_tracking.web import widgets

DAYS = (7, 30, 90, 365)
RARE = ("campaigns", "downloads", "events")


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint(
        "web_tracking", __name__, url_prefix=f"{prefix}/tracked_sites/<int:id>", template_folder="../templates"
    )
    made.add_url_rule("/report", "report", report)
    made.add_url_rule("/report/<key>.csv", "report_csv", report_csv)
    made.add_url_rule("/live", "live", live)
    made.add_url_rule("/live/visits", "live_visits", live_visits)
    made.add_url_rule("/snippet", "snippet", snippet)
    made.add_url_rule("/snippet/state", "snippet_state", snippet_state)
    return made


def _site(id: int) -> Row:
    return search.one(viewer(), "tracked_sites", id)


def _home(id: int) -> str:
    return f"{face().prefix}/tracked_sites/{id}"


def report(id: int) -> str:
    """What the site was visited in some days up to today."""
    row, days = _site(id), _days()
    period = Period.of(days)
    people = [(_card(id), name, visits, pages) for id, name, visits, pages in counting.people(viewer(), row.id, period)]
    return render_template(
        "web_tracking/report.html", row=row, home=_home(id), here="tracked_sites", days=days, choices=DAYS,
        totals=counting.totals([row.id], period), people=people, charts=_charts(row.id, period, days),
    )  # fmt: skip


def report_csv(id: int, key: str) -> Response:
    """The numbers of a chart of the report as a file. Raises Missing."""
    row, days = _site(id), _days()
    drawn = _charts(row.id, Period.of(days), days).get(key)
    if drawn is None:
        raise Missing
    return drawn.file(key)


def _days() -> int:
    asked = request.args.get("days", "")
    return int(asked) if asked.isdecimal() and int(asked) in DAYS else 30


def _card(person_id: int) -> str:
    """The address of a person's card, of whichever module it is."""
    return f"{face().prefix}/go/{person_id}"


def _charts(id: int, period: Period, days: int) -> dict[str, Chart]:
    """Each chart by its key, in the order of the page; what is rarely used comes last and only when there is something."""

    def names(title: str, what: str, heading: str, empty: str = "") -> Chart:
        points = [Point(name or empty, count) for name, count in counting.by_name([id], period, what)]
        return Chart(title, points, "bars", "number", heading, _("Count"))

    totals = counting.totals([id], period)
    kinds = [Point(_("New"), totals["new"]), Point(_("Returning"), totals["returning"])]
    drawn = {
        "visitors": widgets.a_day(_("Visitors a day"), _("Visitors"), [id], period, "visitors"),
        "visits": widgets.visits_a_day([id], period),
        "pages": names(_("Pages seen most"), "page", _("Page")),
        "sources": names(_("Where visits come from"), "source", _("Source"), _("Directly")),
        "returning": Chart(
            _("New and returning"), kinds if totals["visits"] else [], "bars", "number", _("Visit"), _("Visits"), is_low=True
        ),
        "campaigns": names(_("Campaigns in addresses"), "campaign", _("Campaign")),
        "downloads": names(_("Downloads"), "download", _("File")),
        "events": names(_("Events"), "event", _("Event")),
    }  # fmt: skip
    return {
        key: replace(chart, csv_href=f"{_home(id)}/report/{key}.csv?days={days}")
        for key, chart in drawn.items()
        if chart.points or key not in RARE
    }


def live(id: int) -> str:
    """Who is on the site now."""
    row = _site(id)
    return render_template(
        "web_tracking/live.html", row=row, home=_home(id), here="tracked_sites", visits=_now(row.id),
    )  # fmt: skip


def live_visits(id: int) -> str:
    """The same list alone; the page asks for it again and again."""
    row = _site(id)
    return render_template("web_tracking/_live.html", home=_home(id), visits=_now(row.id))


def _now(id: int) -> list[dict[str, Any]]:
    return [
        visit | {"href": _card(int(visit["person_id"])) if visit["person"] else ""}
        for visit in counting.now_on(viewer(), id)
    ]


def snippet(id: int) -> str:
    """The line for the site's source, and whether the site was heard of."""
    row = _site(id)
    return render_template(
        "web_tracking/snippet.html", row=row, home=_home(id), here="tracked_sites", base=public_base(), sign=_sign(row.id),
        may_edit=may(viewer(), "edit", "tracked_sites"),
    )  # fmt: skip


def snippet_state(id: int) -> str:
    """Whether the site was heard of, alone."""
    row = _site(id)
    return render_template("web_tracking/_sign.html", home=_home(id), sign=_sign(row.id))


def _sign(id: int) -> object:
    table = SiteSign.__table__
    return db.session.execute(select(table).where(table.c.site_id == id)).mappings().first()


def _deed(key: str, label: str, icon: str) -> Deed:
    def href(viewer: Viewer, row: Row) -> str:
        return f"{_home(row.id)}/{key}"

    return Deed(key, label, icon, href)


for _deed_of in (_deed("report", "Report", "chart-bar"), _deed("live", "On the site now", "activity"), _deed("snippet", "Tracking snippet", "code")):  # fmt: skip
    cards.add_deed("tracked_sites", _deed_of)
widgets.register()

bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
