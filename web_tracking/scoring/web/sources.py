"""The report "What brings customers": leads, potentials, won ones and their value by source or campaign."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from flask import Response, render_template, request
from flask_babel import gettext as _

from crm import clock
from crm.engine import picklists
from crm.engine.exports import plain
from crm.engine.permissions import demand, readable
from crm.ui.charts import Chart, Point
from crm.ui.downloads import csv_download
from crm.ui.formats import own
from crm.ui.session import viewer
from web_tracking.scoring import attributing
from web_tracking.scoring.attributing import HOUSE, SHARES, Brought, Share, currencies

DAYS = (30, 90, 365, 0)
MOST_DRAWN = 12


def report() -> str:
    """The page."""
    asked = _asked()
    rows = _read(asked)
    has_value = "amount" in readable(viewer(), "potentials")
    say = say_campaign if asked["by"] == "campaign" else say_source
    charts = (
        [_of_money(rows, money, say) for money in currencies(rows) or [HOUSE]] if has_value else [_of_won(rows, say)]
    )
    came = sorted(rows, key=lambda row: -row.leads)[:MOST_DRAWN]
    leads = Chart(
        _("Leads"), [Point(say(row.name), round(row.leads, 1)) for row in came if row.leads], "bars", "number", _("Source"), _("Leads")
    )  # fmt: skip
    return render_template(
        "scoring/sources.html", here="sources", rows=rows, charts=[*charts, leads], say_values=say_values, has_value=has_value, say=say, choices=DAYS, **asked,
        shares=[("first", _("First touch")), ("last", _("Last touch")), ("even", _("Evenly split"))],
        ways=[("label", _("By source")), ("campaign", _("By campaign"))],
    )  # fmt: skip


def _of_money(rows: Sequence[Brought], money: str, say: Callable[[str], str]) -> Chart:
    """What was won in one currency."""
    drawn = sorted((row for row in rows if row.values.get(money)), key=lambda row: -row.values[money])[:MOST_DRAWN]
    title = _("Value of what was won")
    return Chart(
        title if money == HOUSE else f"{title}, {money}", [Point(say(row.name), row.values[money]) for row in drawn], "bars",
        "money" if money == HOUSE else "number", _("Source"), _("Value"),
    )  # fmt: skip


def _of_won(rows: Sequence[Brought], say: Callable[[str], str]) -> Chart:
    """How many were won, for who may not see amounts."""
    drawn = sorted((row for row in rows if row.won), key=lambda row: -row.won)[:MOST_DRAWN]
    points = [Point(say(row.name), round(row.won, 1)) for row in drawn]
    return Chart(_("What was won"), points, "bars", "number", _("Source"), _("Won"))


def say_values(values: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies beside each other; "–" for none."""
    said = [
        own().money(values[money])
        if money == HOUSE
        else f"{own().number(values[money], 0 if values[money] == int(values[money]) else 2)}\xa0{money}"
        for money in sorted(values, key=lambda money: (money != HOUSE, money))
    ]
    return " · ".join(said) or "–"


def as_csv() -> Response:
    """The same numbers as a file that spreadsheets read as UTF-8; a column for each currency."""
    out = io.StringIO()
    write = csv.writer(out)
    has_value = "amount" in readable(viewer(), "potentials")
    asked = _asked()
    rows = _read(asked)
    monies = (currencies(rows) or [HOUSE]) if has_value else []
    first = _("Campaign") if asked["by"] == "campaign" else _("Source")
    write.writerow([first, _("Leads"), _("Potentials"), _("Won"), *(f"{_('Value')} {money}" for money in monies)])
    for row in rows:
        name = say_campaign(row.name) if asked["by"] == "campaign" else say_source(row.name)
        write.writerow(
            [
                plain(name),
                round(row.leads, 2),
                round(row.potentials, 2),
                round(row.won, 2),
                *(row.values.get(money, 0) for money in monies),
            ]
        )
    return csv_download(out.getvalue(), "sources.csv")


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
