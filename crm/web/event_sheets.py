"""The sign-in sheet of an event: a page to print, an Excel file, a PDF made by a worker."""

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from crm.documents import converting, sign_in
from crm.engine import exports
from crm.engine.permissions import demand, may
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.events.lists import EVENTS
from crm.modules.events.tags import say_period
from crm.ui.cards import Deed, add_deed
from crm.ui.page import go
from crm.ui.session import commit, viewer
from crm.web.documents import standing_of
from crm.web.events import KEY, demand_event
from crm.words import N_

bp = Blueprint("event_sheets", __name__, url_prefix=f"/crm/{KEY}/<int:id>")


@bp.get("/sign-in")
def show(key: str, id: int) -> str:
    """Who is coming, with a line for each signature."""
    event, row = demand_event(key, id, "view")
    demand(viewer(), "view", "attendees")
    head, *people = sign_in.table(viewer(), id)
    return render_template(
        "event_sign_in.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", head=head, people=people,
        when=say_period(event.starts_at, event.ends_at, event.zone), job=standing_of(request.args.get("job", type=int)),
        has_engine=converting.engine() is not None, may_export=may(viewer(), "export", "attendees"),
    )  # fmt: skip


@bp.get("/sign-in.xlsx")
def xlsx(key: str, id: int) -> Response:
    """The same as an Excel file."""
    event, _row = demand_event(key, id, "view")
    demand(viewer(), "export", "attendees")
    answer = make_response(exports.xlsx_of_texts(sign_in.table(viewer(), id)))
    answer.headers["Content-Type"] = exports.MEDIA_TYPES["xlsx"]
    answer.headers["Content-Disposition"] = f'attachment; filename="sign-in-{event.number or id}.xlsx"'
    return answer


@bp.post("/sign-in")
def make_pdf(key: str, id: int) -> AnyResponse:
    """Let a worker make the PDF."""
    demand_event(key, id, "view")
    demand(viewer(), "view", "attendees")
    job = sign_in.start(viewer(), id)
    commit()
    return go(f"/crm/{key}/{id}/sign-in?job={job}")


def _href(asks: Viewer, row: Row) -> str:
    return f"/crm/{row.module}/{row.id}/sign-in" if may(asks, "view", "attendees") else ""


for _key in EVENTS:
    add_deed(_key, Deed("sign_in", N_("Sign-in sheet"), "writing-sign", _href))
