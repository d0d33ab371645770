"""What the home page shows of followed sites: visits a day, and the pages that are followed by name."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.identity.viewer import Viewer
from crm.ui import widgets
from crm.ui.charts import Chart, Point
from crm.ui.formats import own
from crm.ui.widgets import Widget
from web_tracking import counting
from web_tracking.counting import Period
from web_tracking.modules.tracked_sites import TrackedSite

DAYS = 30


def register() -> None:
    """Make the widgets known; nobody has them before he adds them."""
    for widget in (
        Widget("web_visits", "Web visits a day", visits, _is_offered, is_chart=True, at_first=False),
        Widget("web_sites", "Visits by followed site", sites, _is_offered, is_chart=True, at_first=False),
        Widget("web_pages", "Followed pages", pages, _is_offered, is_chart=True, at_first=False),
    ):
        widgets.add(widget)


def _is_offered(viewer: Viewer) -> bool:
    return may(viewer, "view", "tracked_sites")


def _mine(viewer: Viewer) -> list[int]:
    found: list[int] = list(db.session.execute(search.ids(viewer, "tracked_sites")).scalars())  # type: ignore[arg-type]
    return found


def a_day(title: str, heading: str, site_ids: Sequence[int], period: Period, what: str, csv_href: str = "") -> Chart:
    """Something of sites that is counted, day by day."""
    counts = counting.by_day(site_ids, period, what)
    points = [Point(own().date(day), count) for day, count in counts.items()] if any(counts.values()) else []
    return Chart(title, points, "line", "number", _("Day"), heading, csv_href)


def visits_a_day(site_ids: Sequence[int], period: Period, csv_href: str = "") -> Chart:
    """Visits of sites, day by day."""
    return a_day(_("Visits a day"), _("Visits"), site_ids, period, "visits", csv_href)


def visits(viewer: Viewer) -> Chart:
    return visits_a_day(_mine(viewer), Period.of(DAYS), "/crm/home/web_visits.csv")


def sites(viewer: Viewer) -> Chart:
    """Visits of each site in a month; each leads to its report."""
    period, table = Period.of(DAYS), TrackedSite.__table__
    mine = select(table.c.id, table.c.name).where(table.c.id.in_(_mine(viewer))).order_by(table.c.name)
    points = [
        Point(row.name, counting.totals([row.id], period)["visits"], f"/crm/tracked_sites/{row.id}/report")
        for row in db.session.execute(mine)
    ]
    heading = _("Visits in %(days)s days", days=DAYS)
    return Chart(_("Visits by followed site"), points, "bars", "number", _("Site"), heading, "/crm/home/web_sites.csv")


def pages(viewer: Viewer) -> Chart:
    """Views of the followed pages in a month."""
    found = counting.followed(_mine(viewer), Period.of(DAYS))
    points = [Point(label, views, f"/crm/tracked_sites/{site_id}/report") for label, views, site_id in found]
    heading = _("Views in %(days)s days", days=DAYS)
    return Chart(_("Followed pages"), points, "bars", "number", _("Page"), heading, "/crm/home/web_pages.csv")
