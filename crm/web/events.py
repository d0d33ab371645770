"""Staff pages of events: numbers, closing, calling off, copying, and what the card of an event shows and offers."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import picklists, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.events import changing, figures, kinds, windows
from crm.modules.events.event_times import times_of
from crm.modules.events.kinds import Event
from crm.modules.events.lists import EVENTS
from crm.modules.events.oddities import oddities_of
from crm.modules.events.tags import say_period
from crm.modules.rules import demand_record
from crm.ui.cards import Deed, Part, add_deed, add_part
from crm.ui.charts import Chart, Point
from crm.ui.formats import own
from crm.ui.page import address, go, tell
from crm.ui.session import commit, viewer

bp = Blueprint("events", __name__, url_prefix="/crm")
KEY = "<any(invitation_events,mass_events):key>"


def demand_event(key: str, id: int, verb: str = "edit") -> tuple[Event, Row]:
    """The event and its row, when the viewer may do `verb` with it. Raises Missing, Forbidden."""
    demand_record(viewer(), key, id, verb)
    event = kinds.load(id)
    if event.module != key:
        raise Missing
    return event, search.one(viewer(), key, id)


def may_edit(asks: Viewer, key: str, id: int) -> bool:
    """Whether the viewer may organise this event."""
    try:
        demand_record(asks, key, id, "edit")
    except (Missing, Forbidden):
        return False
    return True


def list_of(where: Mapping[str, Any]) -> str:
    """The address of the list of attendees under a condition."""
    return address("/crm/attendees", where=json.dumps(where, separators=(",", ":")))


def sentences(refused: Refused | Conflict) -> str:
    """What was refused, as one text."""
    if isinstance(refused, Conflict):
        return str(refused)
    return refused.sentences


# the card


def event_part(asks: Viewer, row: Row) -> Mapping[str, Any] | None:
    """The counts of an event and the ways to its pages."""
    if not may(asks, "view", "attendees"):
        return None
    event = kinds.load(row.id)
    numbers = [one for one in figures.figures_of(asks, event) if one.key in {"joined", "spare", "cancelled", "free"}]
    places = sum(one.value or 0 for one in numbers if one.key in {"joined", "spare"})
    return {
        "row": row, "event": event, "home": f"/crm/{row.module}/{row.id}", "may_edit": may_edit(asks, row.module, row.id),
        "may_close": event.state == "open" and not windows.has_begun(event),
        "may_publish": event.module == "mass_events" and event.state == "planned",
        "may_make_form": event.survey_id is None and event.parent_id is None and may(asks, "create", "surveys"),
        "form": f"/crm/surveys/{event.survey_id}/build" if event.survey_id and search.exists(asks, "surveys", event.survey_id) else "",
        "new_part": _new_part(event) if row.module == "mass_events" and event.parent_id is None else "",
        "figures": [(one.label, _said(one), list_of(one.where) if one.where else "") for one in numbers],
        "times": _times(event) if row.module == "invitation_events" else [], "warning": row.get("mail_warning"),
        "oddities": oddities_of(event, row.get("last_registration_on"), places),
    }  # fmt: skip


def _new_part(event: Event) -> str:
    """The form of a new sub-event, that begins with the times and the place of its event."""
    zone = ZoneInfo(viewer().timezone)
    said: dict[str, Any] = {
        name: moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
        for name, moment in (("starts_at", event.starts_at), ("ends_at", event.ends_at))
        if moment is not None
    }
    status = "published" if event.state == "open" else "draft"
    return address(
        "/crm/mass_events/new", parent_id=event.id, time_zone=event.zone, location=event.location, status=status, **said
    )


def _times(event: Event) -> list[str]:
    return [
        (f"{one.subject}: " if one.subject else "") + say_period(one.starts_at, one.ends_at, event.zone)
        for one in times_of(event.id)
    ]


def attendee_part(asks: Viewer, row: Row) -> Mapping[str, Any] | None:
    """What an organiser does with one attendee."""
    event = kinds.load_many([row["event_id"]]).get(row["event_id"])
    if event is None or not may_edit(asks, event.module, event.id):
        return None
    return {"row": row, "event": event, "home": f"/crm/{event.module}/{event.id}"}


def _said(figure: figures.Figure) -> str:
    return (
        _("no limit")
        if figure.value is None
        else own().number(figure.value) + (f" {figure.unit}" if figure.unit else "")
    )


# numbers


@bp.get(f"/{KEY}/<int:id>/kpi")
def kpi(key: str, id: int) -> str:
    """Numbers of the event and its parts; each leads to the list that it counts."""
    event, row = demand_event(key, id, "view")
    parts = kinds.sub_events(id) if key == "mass_events" else []
    states = figures.by_state(viewer(), id)
    by_state = [
        Point(_(picklists.label("attendee_status", state)), count, list_of(figures.where_of(id, state)))
        for state, count in states.items()
        if count
    ]
    days = [Point(own().date(group.key), group.count) for group in figures.a_day(viewer(), id)]
    return render_template(
        "event_kpi.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", figures=[_shown(one) for one in figures.figures_of(viewer(), event)],
        parts=[(part, [_shown(one) for one in figures.figures_of(viewer(), part)]) for part in parts],
        charts=[
            Chart(_("Attendees by state"), by_state, "bars", label_heading=_("State"), value_heading=_("Attendees")),
            Chart(_("Registrations a day"), days, "columns", label_heading=_("Day"), value_heading=_("Registrations")),
        ],
    )  # fmt: skip


def _shown(figure: figures.Figure) -> tuple[str, str, str]:
    return figure.label, _said(figure), list_of(figure.where) if figure.where else ""


# what is done to a whole event


def _done(deed: Callable[[Viewer, int, Channel], Any], key: str, id: int, said: str) -> AnyResponse:
    """Do it, or say why not; back to the card."""
    demand_event(key, id)
    try:
        deed(viewer(), id, Channel.FORM)
        commit()
        tell(said)
    except (Refused, Conflict) as refused:
        db.session.rollback()
        tell(sentences(refused), "wrong")
    return go(f"/crm/{key}/{id}")


@bp.post(f"/{KEY}/<int:id>/close")
def close(key: str, id: int) -> AnyResponse:
    """End registration now."""
    return _done(changing.close, key, id, _("Registration is closed."))


@bp.post("/mass_events/<int:id>/publish")
def publish(id: int) -> AnyResponse:
    """A draft and its parts become public."""
    return _done(changing.publish, "mass_events", id, _("The event is published."))


@bp.post(f"/{KEY}/<int:id>/form")
def make_form(key: str, id: int) -> AnyResponse:
    """A registration form of the event's own, open in the builder."""
    demand_event(key, id)
    try:
        made = changing.make_form(viewer(), id, Channel.FORM)
        commit()
    except (Refused, Conflict) as refused:
        db.session.rollback()
        tell(sentences(refused), "wrong")
        return go(f"/crm/{key}/{id}")
    tell(_("Add the questions, then activate the form. Names and e-mail are asked anyway."))
    return go(f"/crm/surveys/{made}/build")


@bp.get(f"/{KEY}/<int:id>/call-off")
def ask_call_off(key: str, id: int, fault: str = "") -> Any:
    event, row = demand_event(key, id)
    numbers = figures.by_state(viewer(), id)
    told = sum(numbers[state] for state in ("held", "joined", "spare"))
    page = render_template(
        "event_off.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", told=told, fault=fault
    )
    return make_response(page, 422 if fault else 200)


@bp.post(f"/{KEY}/<int:id>/call-off")
def call_off(key: str, id: int) -> Any:
    """Call the event off; everybody who has a place gets a mail."""
    demand_event(key, id)
    try:
        changing.call_off(viewer(), id, request.form.get("reason", ""), Channel.FORM)
        commit()
    except (Refused, Conflict) as refused:
        db.session.rollback()
        return ask_call_off(key, id, sentences(refused))
    tell(_("The event is called off. Everybody who has a place is told by mail."))
    return go(f"/crm/{key}/{id}")


@bp.get(f"/{KEY}/<int:id>/copy")
def ask_copy(key: str, id: int, fault: str = "") -> Any:
    event, row = demand_event(key, id, "view")
    page = render_template(
        "event_copy.html",
        here=key,
        row=row,
        event=event,
        home=f"/crm/{key}/{id}",
        fault=fault,
        day=request.form.get("starts_on", ""),
    )
    return make_response(page, 422 if fault else 200)


@bp.post(f"/{KEY}/<int:id>/copy")
def copy(key: str, id: int) -> Any:
    """A copy of the event on another day."""
    demand_event(key, id, "view")
    try:
        day = date.fromisoformat(request.form.get("starts_on", ""))
        made = changing.duplicate(viewer(), id, day, Channel.FORM)
        commit()
    except ValueError:
        return ask_copy(key, id, _("Say on which day the copy begins."))
    except Refused as refused:
        db.session.rollback()
        return ask_copy(key, id, sentences(refused))
    tell(_("The copy is made. Attendees were not copied."))
    return go(f"/crm/{key}/{made}")


def _href(asks: Viewer, row: Row, tail: str) -> str:
    return f"/crm/{row.module}/{row.id}/{tail}" if may_edit(asks, row.module, row.id) else ""


for _key in EVENTS:
    add_part(_key, Part("_event_part.html", event_part, "top"))
    add_deed(_key, Deed("kpi", "Numbers", "chart-bar", lambda asks, row: f"/crm/{row.module}/{row.id}/kpi"))
    add_deed(_key, Deed("check_in", "Check in", "qrcode", lambda asks, row: _href(asks, row, "check-in")))
    add_deed(
        _key,
        Deed(
            "copy",
            "Copy",
            "copy",
            lambda asks, row: f"/crm/{row.module}/{row.id}/copy" if may(asks, "create", row.module) else "",
        ),
    )
    add_deed(
        _key,
        Deed(
            "call_off",
            "Call off",
            "calendar-off",
            lambda asks, row: _href(asks, row, "call-off") if row["status"] != "cancelled" else "",
        ),
    )
add_part("attendees", Part("_attendee_part.html", attendee_part, "top"))
