"""The one chart of the house: rows of (label, value) as bars or a line, with a table and a CSV file behind it."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Response, render_template
from flask_babel import gettext as _
from markupsafe import Markup

from crm.engine.exports import plain
from crm.ui.downloads import csv_download
from crm.ui.formats import own


@dataclass(frozen=True)
class Point:
    """One value, and where it leads to (the list of what it counts)."""

    label: str
    value: Any
    href: str = ""


@dataclass(frozen=True)
class Chart:
    """What is drawn. `unit`: how values are written: number, money or percent. Bars lie when labels are long."""

    title: str
    points: Sequence[Point]
    kind: Literal["bars", "columns", "line"] = "bars"
    unit: Literal["number", "money", "percent"] = "number"
    label_heading: str = ""
    value_heading: str = ""
    csv_href: str = ""
    is_low: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def said(self, value: Any) -> str:
        """A value in words."""
        if self.unit == "money":
            return own().money(value)
        return own().number(value) + (" %" if self.unit == "percent" else "")

    @property
    def summary(self) -> str:
        """The chart in one sentence, for those who do not see it."""
        if not self.points:
            return _("There is nothing to show yet.")
        highest = max(self.points, key=lambda point: point.value or 0)
        return _("%(count)s values; the highest is %(label)s with %(value)s.",
                 count=len(self.points), label=highest.label, value=self.said(highest.value))  # fmt: skip

    def option(self) -> str:
        """What ECharts draws, as JSON. Colours are put in by the page, which knows the theme."""
        labels = [point.label for point in self.points]
        data = [
            {"value": float(point.value or 0), "said": self.said(point.value or 0), "href": point.href}
            for point in self.points
        ]
        category: dict[str, Any] = {"type": "category", "data": labels, "axisTick": {"show": False}}
        value: dict[str, Any] = {
            "type": "value",
            "min": 0,
            "splitNumber": 3,
            "axisLabel": {"show": self.kind == "line"},
        }
        label = {"show": True, "position": "right" if self.kind == "bars" else "top", "formatter": "{said}"}
        if self.kind == "line":
            label["show"] = False
            series: dict[str, Any] = {
                "type": "line",
                "smooth": 0.25,
                "symbolSize": 6,
                "areaStyle": {"opacity": 0.08},
                "endLabel": {"show": True, "formatter": "{said}"},
            }
        else:
            series = {"type": "bar", "barMaxWidth": 22, "itemStyle": {"borderRadius": 3}, "label": label}
            value["splitLine"] = {"show": False}
        if self.kind == "bars":
            category["inverse"] = True
        axes = {"yAxis": category, "xAxis": value} if self.kind == "bars" else {"xAxis": category, "yAxis": value}
        return json.dumps({**axes, "series": [{**series, "data": data}], **self.more}, ensure_ascii=False)

    def csv(self) -> str:
        """The numbers as a file."""
        file = io.StringIO()
        written = csv.writer(file)
        written.writerow([self.label_heading or _("Label"), self.value_heading or _("Value")])
        for point in self.points:
            written.writerow([plain(point.label), point.value if point.value is not None else 0])
        return file.getvalue()

    def file(self, name: str) -> Response:
        """The same as an answer: a download called `name`.csv that spreadsheets read as UTF-8."""
        return csv_download(self.csv(), f"{name}.csv")

    def __html__(self) -> str:
        return Markup(render_template("_chart.html", chart=self))  # noqa: S704 — a template of ours, which escapes
