"""Events of a customer who is logged in: what is ahead, one's own, registering and cancelling, also for colleagues."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.documents import verifying
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.modules.events import kinds, parts, seats, standings, windows
from crm.modules.events.calendar import calendar_of
from crm.modules.events.event_times import times_of
from crm.modules.events.kinds import Event
from crm.modules.events.listing import in_portal, is_in_portal, listed, mine
from crm.modules.events.lists import GONE, OPEN_STATES
from crm.modules.events.tags import say_moment
from crm.ui.downloads import as_download
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal import entering
from self_service_portal.entering import Entry
from self_service_portal.web import attending, facing
from self_service_portal.web.current import customer, shown

bp = Blueprint("portal_events", __name__, url_prefix="/portal", template_folder="../../surveys/templates")
KEY = "attendees"


@bp.before_request
def demand() -> None:
    if viewer().customer is None or shown(KEY) is None:
        raise Missing


@bp.get(f"/{KEY}")
@bp.get(f"/{KEY}/<int:_id>")
def elsewhere(_id: int = 0) -> AnyResponse:
    """The general pages of the module give way to these."""
    table = modules[KEY].table
    said = select(table.c.event_id).where(table.c.id == _id, table.c.contact_id.in_(attending.people()))
    event = db.session.execute(said).scalar()
    if _id and event is None:
        raise Missing
    return redirect(f"/portal/events/{event}" if event else "/portal/events")


@bp.get("/events")
def upcoming() -> str:
    """What one can register for or come to, by words and date."""
    text = " ".join(request.args.get("q", "").split())[:100]
    said, fault = request.args.get("since", ""), ""
    try:
        since = date.fromisoformat(said) if said else None
    except ValueError:
        since, fault = None, _("Write a date such as 2026-03-31.")
    found = in_portal(text, since)
    own = {one.row["event_id"]: one.row["status"] for one in mine([customer().contact_id])}
    return render_template(
        "portal_events.html", here=KEY, tab="upcoming", found=found, text=text, since=said, fault=fault, own=own,
        times=facing.times_in_words, said=facing.state_on_list, status=status_in_words,
    )  # fmt: skip


@bp.get("/events/mine")
def own_events() -> str:
    """One's own registrations, those of the company where the profile says so: ahead, and history."""
    rows = mine(attending.people())
    ahead = [
        one
        for one in rows
        if one.event is not None and not windows.is_over(one.event) and one.event.state != "cancelled"
    ]
    ahead.sort(key=lambda one: (one.event.starts_at is None, one.event.starts_at) if one.event else (True, None))
    history = [one for one in rows if one not in ahead]
    return render_template(
        "portal_my_events.html", here=KEY, tab="mine", ahead=ahead, history=history, times=facing.times_in_words,
        status=status_in_words, is_wide=len(attending.people()) > 1, me=customer().contact_id, certified={one.event_id for one in verifying.of_contact(customer().contact_id)}
    )  # fmt: skip


@bp.get("/events/<int:id>")
def event(id: int) -> Response:
    found = _event(id)
    return _draw(found, _entry(found))


@bp.get("/events/<int:id>/calendar.ics")
def calendar(id: int) -> Response:
    """The event for one's own calendar."""
    found = _event(id)
    times = times_of(id) if found.module == "invitation_events" else []
    answer = Response(
        calendar_of(found, times, found.state == "cancelled"), content_type="text/calendar; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="event.ics"'
    return answer


@bp.post("/events/<int:id>/register")
def register(id: int) -> AnyResponse:
    """Take a place for oneself, or for a colleague."""
    found = _event(id)
    person = attending.whom()
    who = attending.names(person)
    entry = entering.read(found, _language(), request.form, request.files, who)
    if not entry.is_good:
        return _draw(found, entry, 413 if entry.is_too_large else 422)
    try:
        place = seats.register(
            viewer(), id, person, "portal", sub_event_ids=tuple(entry.chosen),
            takes_spare=not found.ask_before_spare or request.form.get("spare") == "1",
        )  # fmt: skip
        if place.attendee_id is not None and place.is_new:
            entering.keep_answers(
                viewer(), entry, place.attendee_id, person, "all" if person == customer().contact_id else "never"
            )
    except Refused as refused:
        db.session.rollback()
        entry.faults |= {name: one[0].message for name, one in refused.faults.items()}
        return _draw(found, entry, 422)
    except Conflict as conflict:
        db.session.rollback()
        entry.said = str(conflict)
        return _draw(found, entry, 409)
    if place.status == "full":
        db.session.rollback()
        entry.said = _("All seats and spare places are taken.")
        return _draw(found, entry, 409)
    commit()
    tell(_("%(name)s: %(status)s", name=who["name"], status=status_in_words(place.status)))
    return redirect(f"/portal/events/{id}", 303)


@bp.post("/events/<int:id>/cancel")
def cancel(id: int) -> AnyResponse:
    """Give a place up, one's own or a colleague's; with `part` only that at one part of the event."""
    found = _event(id)
    person = attending.whom()
    row = next((one.row for one in mine([person]) if one.row["event_id"] == id), None)
    if row is None:
        raise Missing
    given_up, said = row["id"], _("The registration is cancelled.")
    if request.form.get("part"):
        places = parts.of_person(found, person)
        chosen = next((one for one in places if str(one.event.id) == request.form["part"]), None)
        if chosen is None or not parts.may_leave(found, places):
            raise Missing
        given_up = chosen.attendee_id
        said = _(
            "The place at “%(part)s” is given up. The registration for “%(event)s” stays.",
            part=chosen.event.name,
            event=found.name,
        )
    try:
        seats.cancel(viewer(), given_up)
    except Conflict as conflict:
        db.session.rollback()
        entry = _entry(found)
        entry.said = f"{conflict} {facing.organiser_of(found)}".strip()
        return _draw(found, entry, 409)
    commit()
    tell(said)
    return redirect(f"/portal/events/{id}", 303)


@bp.post("/events/<int:id>/answers")
def change_answers(id: int) -> AnyResponse:
    """Change one's own answers, until registration ends."""
    found = _event(id)
    row = _own_row(id)
    if row is None or row["status"] not in OPEN_STATES:
        raise Missing
    if not _may_change_answers(found):
        raise Conflict(_("Registration is closed."), "registration_closed")
    me = customer().contact_id
    entry = entering.read(found, _language(), request.form, request.files, attending.names(me), with_parts=False)
    if not entry.is_good:
        return _draw(found, entry, 413 if entry.is_too_large else 422)
    entering.keep_answers(viewer(), entry, row["id"], me, "all")
    commit()
    tell(_("Your answers are saved."))
    return redirect(f"/portal/events/{id}", 303)


@bp.get("/events/<int:id>/certificate")
def certificate(id: int) -> Response:
    """One's own certificate."""
    found = verifying.of_contact(customer().contact_id, id)
    if not found:
        raise Missing
    name, path = verifying.open_own(customer().contact_id, found[0].id)
    return as_download(path, name, "application/pdf")


# the parts


def status_in_words(status: str) -> str:
    """How somebody stands at an event."""
    return {
        "joined": _("Registered"), "held": _("To be confirmed"), "spare": _("On a spare place"), "cancelled": _("Cancelled"),
        "declined": _("Declined"), "invited": _("Invited"), "attended": _("Attended"), "no_show": _("Did not come"),
    }.get(status, status)  # fmt: skip


def _event(id: int) -> Event:
    """The event, when the customer may see it: it is shown in the portal, or somebody of his is registered. Raises Missing."""
    found = kinds.load(id)
    if found.parent_id is not None or (not is_in_portal(found) and not attending.rows(id)):
        raise Missing
    return found


def _own_row(event_id: int) -> Any:
    return next((one.row for one in mine([customer().contact_id]) if one.row["event_id"] == event_id), None)


def _entry(found: Event) -> Entry:
    row = _own_row(found.id)
    is_in = row is not None and row["status"] in OPEN_STATES
    answers = row["answers_response_id"] if is_in else None
    return entering.open_entry(found, _language(), customer().contact_id, answers)


def _language() -> str:
    return str(get_locale() or "en").split("_")[0]


def _may_change_answers(found: Event) -> bool:
    return found.survey_id is not None and listed([found])[0].state in {"open", "spare", "full"}


def _draw(found: Event, entry: Entry, status: int = 200) -> Response:
    one = listed([found])[0]
    rows = attending.rows(found.id)
    own = next((each.row for each in rows if each.row["contact_id"] == customer().contact_id), None)
    is_in = own is not None and own["status"] in OPEN_STATES
    taken = standings.standing_of([found.id])[found.id]
    others = [each.row for each in rows if each.row["contact_id"] != customer().contact_id]
    places = parts.of_person(found, customer().contact_id) if is_in else []
    can_register = one.state in {"open", "spare"} and found.in_portal
    page = render_template(
        "portal_event.html", here=KEY, event=found, entry=entry, state=one.state, free=one.free, taken=taken, own=own, is_in=is_in,
        others=others, times=facing.times_in_words(found), period=facing.times_in_words, said=facing.state_on_list,
        why=("", "") if can_register else facing.state_in_words(one.state) if one.state not in {"open", "spare"} else facing.state_in_words("invited"),
        status=status_in_words, can_register=can_register and not is_in, colleagues=attending.free_colleagues(others) if can_register else [],
        may_cancel=windows.is_cancellable(found), organiser=facing.organiser_of(found), may_change=is_in and entry.has_questions and _may_change_answers(found),
        has_certificate=bool(own is not None and verifying.of_contact(customer().contact_id, found.id)),
        registers_colleagues=attending.registers_colleagues(), gone=GONE, open_states=OPEN_STATES, places=places, may_leave=parts.may_leave(found, places),
        last_registration=_last(found.closes_at, found), last_cancellation=_last(found.cancel_until, found),
    )  # fmt: skip
    return make_response(page, status)


def _last(moment: Any, found: Event) -> str:
    """Until when, in words; the deadline of a day is its last minute."""
    return say_moment(moment - timedelta(seconds=1) if moment is not None else None, found.zone)
