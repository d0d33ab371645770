"""The report of a form: views, submissions, where they came from; and its variants, which are tried against each other."""

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Refused
from crm.ui.charts import Chart, Point
from crm.ui.formats import own
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from web_tracking.forms import counting, designing
from web_tracking.forms.design import BESIDE, FIRST, PLAIN, Design
from web_tracking.forms.keeping import SUBMISSIONS
from web_tracking.forms.web.building import home, values_of

DAYS = (7, 30, 90, 365)


def report(id: int) -> AnyResponse:
    """What came of the form in some days up to today."""
    return _draw(id, {})


def _draw(id: int, faults: dict[str, str]) -> AnyResponse:
    found = values_of(id, "report")
    asked = request.args.get("days", "")
    days = int(asked) if asked.isdecimal() and int(asked) in DAYS else 30
    design: Design = found["design"]
    numbers = counting.by_variant(id, days)
    running = {FIRST, *(one["letter"] for one in design.variants if one["active"])}
    seen = {one.letter: one for one in numbers}
    rows = [seen.get(letter, counting.Numbers(letter)) for letter in sorted((running | seen.keys()) - {BESIDE, PLAIN})]
    rates = Chart(
        _("Sent of a hundred views, by variant"),
        [Point(_("Variant %(letter)s", letter=one.letter), round(one.rate * 100, 1)) for one in rows] if any(one.views for one in rows) else [],
        "bars", "percent", _("Variant"), _("Rate"), is_low=True,
    )  # fmt: skip
    sent = counting.by_day(id, days, "sent")
    points = [Point(own().date(day), count) for day, count in sent.items()] if any(sent.values()) else []
    views, total = sum(one.views for one in numbers), sum(one.sent for one in numbers)
    of_views = total - (seen[PLAIN].sent if PLAIN in seen else 0)
    return make_response(
        render_template(
            "website_forms/report.html", **found, days=days, choices=DAYS, views=views, sent=total,
            rate=_percent(of_views / views) if views else "–", percent=_percent, kept=_kept(id), rates=rates, rows=rows, running=running,
            sentence=counting.sentence(rows), by_day=Chart(_("Submissions a day"), points, "line", "number", _("Day"), _("Submissions"), f"{home(id)}/report.csv?days={days}"),
            sources=Chart(_("Where submissions came from"), _sources(id), "bars", "number", _("Source"), _("Submissions")),
            optional=[one for one in design.asked if not one.required], faults=faults, typed=request.form,
        ),
        422 if faults else 200,
    )  # fmt: skip


def report_csv(id: int) -> Response:
    """The numbers of days as a file."""
    values_of(id, "report")
    asked = request.args.get("days", "")
    days = int(asked) if asked.isdecimal() and int(asked) in DAYS else 30
    points = [Point(day.isoformat(), count) for day, count in counting.by_day(id, days, "sent").items()]
    return Chart("", points, "line", "number", _("Day"), _("Submissions")).file("submissions")


def add_variant(id: int) -> AnyResponse:
    said = request.form
    try:
        letter = designing.add_variant(viewer(), id, {**said.to_dict(), "left_out": said.getlist("left_out")})
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(id, refused.by_field)
    tell(_("Variant %(letter)s runs: visitors get one of the variants by chance, each always the same.", letter=letter))
    return go(f"{home(id)}/report#variants")


def switch_variant(id: int, letter: str) -> AnyResponse:
    designing.switch_variant(viewer(), id, letter[:2], request.form.get("active") == "1")
    commit()
    return go(f"{home(id)}/report#variants")


def _percent(share: float) -> str:
    return f"{own().number(round(share * 100, 1))} %"


def _kept(id: int) -> dict[str, int]:
    c = SUBMISSIONS.c
    rows = db.session.execute(select(c.outcome, func.count()).where(c.form_id == id).group_by(c.outcome))
    return {key: int(count) for key, count in rows}


def _sources(id: int) -> list[Point]:
    c = SUBMISSIONS.c
    name = func.coalesce(c.source, c.referrer, "")
    said = select(name, func.count()).where(c.form_id == id, c.outcome.in_(("made", "known", "waiting", "failed")))
    rows = db.session.execute(said.group_by(name).order_by(func.count().desc(), name).limit(10))
    return [Point(source or _("Directly"), int(count)) for source, count in rows]
