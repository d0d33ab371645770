"""Staff pages of scoring, for the CRM and the portal: the whole model in one screen with a preview, and what brings customers."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import picklists, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, may
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.charts import Chart, Point
from crm.ui.face import face
from crm.ui.menu import Link, add_links
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from web_tracking.scoring import counting, model, tasks
from web_tracking.scoring.web import on_cards, sources

NUMBERS = ("points", "most_points", "half_life_days")
TICKS = ("active", "once_a_day")
COLUMNS = ("name", "kind", "pattern", "tracked_page_id", "website_form_id", "event_id", "survey_id", "least", "most", "source",
           "conditions", "problem", *NUMBERS, *TICKS)  # fmt: skip
BUCKETS = 16
MOST_RULES = 200


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint("scoring", __name__, url_prefix=prefix, template_folder="../../templates")
    made.add_url_rule("/scoring", "show", show)
    made.add_url_rule("/scoring", "save", save, methods=["POST"])
    if prefix == "/crm":  # leads and potentials have their pages there
        made.add_url_rule("/sources", "sources", sources.report)
        made.add_url_rule("/sources.csv", "sources_csv", sources.as_csv)
    return made


def show() -> AnyResponse:
    """The rules with their points, the model's own settings, and how many people have which score."""
    demand(viewer(), "view", "score_rules")
    return _draw(_rows(), vars(model.load()))


def _rows() -> list[dict[str, Any]]:
    page = search.find(viewer(), "score_rules", columns=COLUMNS, sort=("kind", "name"), limit=MOST_RULES)
    return [dict(row) | {"id": row.id, "about": _about(row)} for row in page.rows]


def _about(row: Any) -> str:
    """What narrows a rule, in a few words."""
    links = [
        row.label_of(name) for name in ("tracked_page_id", "website_form_id", "event_id", "survey_id") if row[name]
    ]
    numbers = [
        f"≥ {row['least'].normalize():f}" if row["least"] is not None else "",
        f"≤ {row['most'].normalize():f}" if row["most"] is not None else "",
    ]
    whose = {"contacts": _("contacts only"), "leads": _("leads only")}.get(row["source"] or "", "")
    said = [
        row["pattern"] or "",
        *(one or "" for one in links),
        *numbers,
        whose,
        _("with a condition") if row["conditions"] else "",
    ]
    return ", ".join(one for one in said if one)


def save() -> AnyResponse:
    """Save what was typed, or show what it would come to."""
    demand(viewer(), "edit", "score_rules")
    rows = _rows()
    faults: dict[str, str] = {}
    changes: dict[int, dict[str, Any]] = {}
    for row in rows:
        typed, wrong = _typed(row["id"], request.form)
        changes[row["id"]] = {name: value for name, value in typed.items() if value != row[name]}
        row |= {name: request.form.get(f"r{row['id']}.{name}", "") for name in wrong} | typed
        faults |= {f"r{row['id']}.{name}": f"{row['name']}: {said}" for name, said in wrong.items()}
    settings: Mapping[str, Any] = {name: request.form.get(name, "") for name in model.LIMITS}
    try:
        read = model.read(request.form)
    except Refused as refused:
        faults |= {name: said[0].message for name, said in refused.faults.items()}
    if faults:
        return _draw(rows, settings, faults)
    if request.form.get("do") == "preview":
        return _draw(rows, vars(read), is_preview=True)
    try:
        for id, changed in changes.items():
            if changed:
                records.update(viewer(), "score_rules", id, changed, Channel.FORM)
    except Refused as refused:
        db.session.rollback()
        return _draw(rows, settings, {"": refused.sentences})
    model.save(read)
    tasks.put_everything()
    commit()
    tell(_("Saved. All scores are counted anew now; that takes some seconds."))
    return go(f"{face().prefix}/scoring")


def _typed(id: int, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """(values, faults) of one line."""
    fields = modules["score_rules"].fields
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name in NUMBERS:
        said = form.get(f"r{id}.{name}", "").strip().replace("\N{MINUS SIGN}", "-")
        least, most = fields[name].least, fields[name].most
        digits = said.removeprefix("-")
        if not said and name != "points":
            values[name] = None
        elif not (digits.isascii() and digits.isdecimal() and len(digits) < 9 and least <= int(said) <= most):
            faults[name] = _("A whole number from %(least)s to %(most)s.", least=least, most=most)
        elif name == "points" and int(said) == 0:
            faults[name] = _("A rule gives points, or takes some.")
        else:
            values[name] = int(said)
    values |= {name: form.get(f"r{id}.{name}") == "1" for name in TICKS}
    return values, faults


def _draw(
    rows: list[dict[str, Any]], settings: Mapping[str, Any], faults: Mapping[str, str] | None = None, is_preview: bool = False
) -> AnyResponse:  # fmt: skip
    asked = request.values.get("at_least", "").strip()
    set_now = model.load() if faults else model.Model(**{name: settings[name] for name in model.LIMITS})
    least = int(asked) if asked.isascii() and asked.removeprefix("-").isdecimal() and len(asked) < 8 else set_now.hot_at
    found = counting.distribution([row for row in _whole(rows) if row["active"]], set_now) if is_preview else _present()
    found.pop(0, None)  # points that took each other away are no score, as among those that are kept
    grades = dict.fromkeys(("cold", "warm", "hot"), 0)
    for score, people in found.items():
        grades[set_now.grade_of(score)] += people
    return make_response(
        render_template(
            "scoring/model.html", here="scoring", rows=rows, settings=settings, faults=faults or {}, is_preview=is_preview, least=least,
            reached=sum(people for score, people in found.items() if score >= least), people=sum(found.values()), grades=grades,
            chart=_histogram(found), may_edit=may(viewer(), "edit", "score_rules"), may_create=may(viewer(), "create", "score_rules"),
            counted_at=model.counted_at(), home=f"{face().prefix}/score_rules", words_of=lambda name, key: _(picklists.label(name, key)) or key,
        ),
        422 if faults else 200,
    )  # fmt: skip


def _whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules as counting reads them, with what was typed over it."""
    table = modules["score_rules"].table
    said = select(table).where(table.c.id.in_([row["id"] for row in rows]))
    stored = {row["id"]: dict(row) for row in db.session.execute(said).mappings()}
    return [stored[row["id"]] | {name: row[name] for name in (*NUMBERS, *TICKS)} for row in rows if row["id"] in stored]


def _present() -> dict[int, int]:
    """Score → how many people have it, of those whom the viewer may see and who have any."""
    found: dict[int, int] = {}
    for key in ("contacts", "leads"):
        if not may(viewer(), "view", key):
            continue
        table = modules[key].table
        said = select(table.c.score, func.count()).where(table.c.id.in_(search.ids(viewer(), key)), table.c.score != 0)
        for score, people in db.session.execute(said.group_by(table.c.score)):
            found[score] = found.get(score, 0) + people
    return found


def _histogram(found: Mapping[int, int]) -> Chart:
    """People by score, in steps of equal width; the last one holds all beyond."""
    points: list[Point] = []
    if found:
        low, high = min(found), max(found)
        width = next(one for one in (5, 10, 20, 50, 100, 250, 1000, 10_000, 10**7) if (high - low) / one < BUCKETS)
        counts: dict[int, int] = {}
        for score, people in found.items():
            counts[score // width] = counts.get(score // width, 0) + people
        points = [
            Point(f"{at * width} – {at * width + width - 1}", counts.get(at, 0))
            for at in range(low // width, high // width + 1)
        ]
    return Chart(_("People by score"), points, "columns", "number", _("Score"), _("People"))


def links(asks: Viewer) -> list[Link]:
    """The pages in the menu."""
    prefix = face().prefix
    found = (
        [Link(_("Lead scoring"), f"{prefix}/scoring", "flame", "scoring")] if may(asks, "view", "score_rules") else []
    )
    if prefix == "/crm" and may(asks, "view", "potentials") and may(asks, "view", "leads"):
        found.append(Link(_("What brings customers"), "/crm/sources", "route", "sources"))
    return found


on_cards.register()
add_links("Marketing", links)
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
