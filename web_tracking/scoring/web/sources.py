"""The report "What brings customers": leads, potentials, won ones and their value by source or campaign."""

import csv
import io
from datetime import date, timedelta
from typing import Any, Literal

from flask import Response, render_template, request
from flask_babel import gettext as _

from crm import clock
from crm.engine import picklists
from crm.engine.permissions import demand, readable
from crm.ui.charts import Chart, Point
from crm.ui.session import viewer
from web_tracking.scoring import attributing
from web_tracking.scoring.attributing import SHARES, Brought, Share

DAYS = (30, 90, 365, 0)
MOST_DRAWN = 12


def report() -> str:
    """The page."""
    asked = _asked()
    rows = _read(asked)
    has_value = "amount" in readable(viewer(), "potentials")
    drawn = [row for row in rows if (row.value if has_value else row.won)][:MOST_DRAWN]
    say = say_campaign if asked["by"] == "campaign" else say_source
    chart = Chart(
        _("Value of what was won") if has_value else _("What was won"),
        [Point(say(row.name), row.value if has_value else row.won) for row in drawn], "bars", "money" if has_value else "number",
        _("Source"), _("Value") if has_value else _("Won"),
    )  # fmt: skip
    came = sorted(rows, key=lambda row: -row.leads)[:MOST_DRAWN]
    leads = Chart(
        _("Leads"), [Point(say(row.name), round(row.leads, 1)) for row in came if row.leads], "bars", "number", _("Source"), _("Leads")
    )  # fmt: skip
    return render_template(
        "scoring/sources.html", here="sources", rows=rows, chart=chart, leads_chart=leads, has_value=has_value, say=say, choices=DAYS, **asked,
        shares=[("first", _("First touch")), ("last", _("Last touch")), ("even", _("Evenly split"))],
        ways=[("label", _("By source")), ("campaign", _("By campaign"))],
    )  # fmt: skip


def as_csv() -> Response:
    """The same numbers as a file."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow([_("Source"), _("Leads"), _("Potentials"), _("Won"), _("Value")])
    has_value = "amount" in readable(viewer(), "potentials")
    asked = _asked()
    for row in _read(asked):
        name = say_campaign(row.name) if asked["by"] == "campaign" else say_source(row.name)
        name = f"'{name}" if name[:1] in "=+-@\t\r" else name
        write.writerow(
            [name, round(row.leads, 2), round(row.potentials, 2), round(row.won, 2), row.value if has_value else ""]
        )
    return Response(
        out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": 'attachment; filename="sources.csv"'}
    )


def _asked() -> dict[str, Any]:
    for key in ("leads", "potentials"):
        demand(viewer(), "view", key)
    share, by, days = (request.args.get(name, "") for name in ("share", "by", "days"))
    return {
        "share": share if share in SHARES else "first", "by": "campaign" if by == "campaign" else "label",
        "days": int(days) if days.isdecimal() and len(days) < 5 and int(days) in DAYS else 365,
    }  # fmt: skip


def _read(asked: dict[str, Any]) -> list[Brought]:
    share: Share = asked["share"]
    by: Literal["label", "campaign"] = asked["by"]
    today: date = clock.today(clock.site_zone())
    first = today - timedelta(days=asked["days"] - 1) if asked["days"] else None
    return attributing.brought(viewer(), share, by, first)


def say_campaign(name: str) -> str:
    return name or _("No campaign")


def say_source(name: str) -> str:
    """A source in words; those of the house's own are translated."""
    known = {
        "": _("Unknown"), "Directly": _("Directly"), "Mail": _("Mail"), "Website form": _("Website form"), "Survey": _("Survey"),
        "Form of another site": _("Form of another site"), "Event": _("Event"), "Import": _("Import"), "Program": _("Program"),
        "By hand": _("By hand"),
    }  # fmt: skip
    if name not in known and picklists.is_key("lead_source", name):
        return _(picklists.label("lead_source", name))
    return known.get(name, name)
