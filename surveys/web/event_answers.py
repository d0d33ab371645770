"""The Answers tab of an event: attendees with what they answered, and the same as a file."""

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from crm.engine import exports
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.events import figures, kinds
from crm.modules.events.lists import EVENTS
from crm.ui.cards import Pane, add_pane
from crm.ui.page import is_part
from crm.ui.session import viewer
from crm.web.events import KEY, demand_event
from crm.words import N_
from surveys import event_answers

bp = Blueprint("event_answers", __name__, url_prefix=f"/crm/{KEY}/<int:id>", template_folder="../templates")


@bp.get("/answers")
def show(key: str, id: int) -> str:
    """The attendees of an event with their answers; alone the part that changes when htmx asks."""
    event, row = demand_event(key, id, "view")
    demand(viewer(), "view", "attendees")
    design = event_answers.design_of(viewer(), event)
    found = event_answers.portion(viewer(), event, design, request.args.get("after")) if design else None
    return render_template(
        "surveys/_event_answers.html" if is_part() else "surveys/event_answers.html", here=key, row=row, event=event,
        home=f"/crm/{key}/{id}", found=found, questions=event_answers.questions_of(design) if design else [],
        note="" if design else event_answers.note_of(event), may_export=may(viewer(), "export", "attendees"),
        states=modules["attendees"].fields["status"], is_inside=is_part(),
    )  # fmt: skip


@bp.get("/answers.<any(csv,xlsx):format>")
def export(key: str, id: int, format: str) -> Response:
    """The list of attendees with a column for each question, as a file."""
    event, _row = demand_event(key, id, "view")
    demand(viewer(), "export", "attendees")
    design = event_answers.design_of(viewer(), event)
    if design is None:
        raise Missing
    rows = event_answers.table(viewer(), event, design)
    made = exports.xlsx_of_texts(rows) if format == "xlsx" else exports.csv_of_texts(rows)
    answer = make_response(made)
    answer.headers["Content-Type"] = exports.MEDIA_TYPES[format]
    answer.headers["Content-Disposition"] = f'attachment; filename="{_("answers")}-{event.number or id}.{format}"'
    return answer


def _href(asks: Viewer, row: Row) -> str:
    if not may(asks, "view", "attendees") or event_answers.design_of(asks, kinds.load(row.id)) is None:
        return ""
    return f"/crm/{row.module}/{row.id}/answers"


for _key in EVENTS:
    add_pane(_key, Pane("answers", N_("Answers"), _href, lambda asks, row: figures.with_answers(asks, row.id)))
