"""Events by API: people are added, get and give up places, are marked as having come; an event is closed or called off.

The same rules, rights and mails as on the screens of organisers: whoever may change the event may do all of it.
"""

from typing import Any

from flask import Response
from sqlalchemy import select

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer, resource
from crm.api.rest.asked import body, ids_of, only
from crm.api.rest.verbs import choice_of
from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.modules.events import attendance, changing, kinds, seats
from crm.modules.people import select_people
from crm.modules.rules import demand_record

EVENT = "<any(invitation_events,mass_events):key>"
ATTENDEE = "<any(attendees,mass_event_registrations):key>"


def demand_event(key: str, id: int) -> None:
    """That the caller may change this event. Raises Missing, Forbidden."""
    demand_record(viewer(), key, id, "edit")


def _demand_attendee(id: int) -> int:
    """The event of an attendee whom the caller may see, at an event that he may change. Raises Missing, Forbidden."""
    event_id: int = search.one(viewer(), "attendees", id, columns=("event_id",))["event_id"]
    demand_event(kinds.load(event_id).module, event_id)
    return event_id


def _attendee(id: int, status: int = 200) -> Response:
    return answer({"data": resource(modules["attendees"], search.one(viewer(), "attendees", id))}, status)


def _tells(said: dict[str, Any]) -> bool:
    """Whether mails are sent: yes, unless "tells" is false."""
    return said.get("tells", True) is not False


def _text(said: dict[str, Any], name: str) -> str:
    found = said.get(name) or ""
    if not isinstance(found, str):
        raise BadRequest(f"“{name}” is a text.", name, 422, "bad_value")
    return found


# at an event


@bp.post(f"/{EVENT}/<int:id>/attendees")
@once
def add_attendees(key: str, id: int) -> Response:
    """Give people places: {"contact_ids", "target_group_id" or "module" with "filter"; "role", "sub_event_ids" of one contact, "tells"}.

    Seats first, then spare places; who gets neither is counted as full. One contact alone and no place: 409 event_full.
    """
    demand_event(key, id)
    said = only(body(), "contact_ids", "target_group_id", "module", "filter", "role", "sub_event_ids", "tells")
    contacts, parts = _contacts(said), ids_of(said, "sub_event_ids")
    role = _text(said, "role") or None
    if parts and len(contacts) != 1:
        raise Refused.because("bad_value", "Parts are chosen for one contact at a time.", "sub_event_ids")
    if len(contacts) == 1:
        place = seats.register(
            viewer(), id, contacts[0], "api", Channel.API, sub_event_ids=parts, role=role, tells=_tells(said)
        )
        given = [place]
        if place.status == "full":
            raise Conflict("All seats and spare places are taken.", "event_full")
    else:
        given = seats.add_many(viewer(), id, contacts, Channel.API, "api", role, _tells(said))
    return answer({"data": [_said(place) for place in given if place.attendee_id], "meta": _counted(given)}, 201)


def _contacts(said: dict[str, Any]) -> list[int]:
    """The contacts meant, as far as the caller may see them. Raises BadRequest; Missing when one that is named is not there."""
    choice = choice_of(said)
    found: list[int] = []
    for people in select_people(viewer(), choice):
        one = people.subquery()
        found += db.session.execute(
            select(one.c.contact_id).where(one.c.contact_id.is_not(None)).order_by(one.c.contact_id)
        ).scalars()
    if set(choice.contact_ids) - set(found):
        raise Missing
    return list(choice.contact_ids) or found


def _said(place: seats.Place) -> dict[str, Any]:
    attributes = {
        "event_id": place.event_id,
        "status": place.status,
        "queue_no": place.queue_no,
        "is_new": place.is_new,
    }
    made: dict[str, Any] = {"type": "attendees", "id": str(place.attendee_id), "attributes": attributes}
    return made | ({"parts": [_said(part) for part in place.parts]} if place.parts else {})


def _counted(given: list[seats.Place]) -> dict[str, int]:
    fresh = [place.status for place in given if place.is_new]
    return {name: fresh.count(name) for name in ("joined", "held", "spare", "full")} | {
        "already_there": len(given) - len(fresh)
    }


@bp.post(f"/{EVENT}/<int:id>/check_ins")
@once
def check_in(key: str, id: int) -> Response:
    """Mark that somebody came: {"code": the check-in code} or {"attendee_id"}."""
    demand_event(key, id)
    said = only(body(), "code", "attendee_id")
    attendee = said.get("attendee_id")
    if attendee is None:
        attendee = attendance.by_code(id, _text(said, "code"))
        if attendee is None:
            raise Refused.because("no_such_record", "This code is of nobody at this event.", "code")
    if type(attendee) is not int:
        raise BadRequest("“attendee_id” is an id.", "attendee_id", 422, "bad_ids")
    attendance.mark(viewer(), id, [attendee], "attended", Channel.API)
    return _attendee(attendee)


@bp.post(f"/{EVENT}/<int:id>/closings")
@once
def close_registration(key: str, id: int) -> Response:
    """End registration now."""
    demand_event(key, id)
    only(body())
    changing.close(viewer(), id, Channel.API)
    return answer(None, 204)


@bp.post(f"/{EVENT}/<int:id>/cancellations")
@once
def call_off(key: str, id: int) -> Response:
    """Call the event off: {"reason"}; everybody who has a place is told once by mail."""
    demand_event(key, id)
    changing.call_off(viewer(), id, _text(only(body(), "reason"), "reason"), Channel.API)
    return answer(None, 204)


# one attendee


@bp.post(f"/{ATTENDEE}/<int:id>/cancellations")
@once
def cancel_attendee(key: str, id: int) -> Response:
    """Give a place up, with those of the parts: {"reason", "tells"}; who waits longest moves up. Twice changes nothing."""
    _demand_attendee(id)
    said = only(body(), "reason", "tells")
    seats.cancel(viewer(), id, Channel.API, reason=_text(said, "reason"), tells=_tells(said))
    return _attendee(id)


@bp.post(f"/{ATTENDEE}/<int:id>/seats")
@once
def promote_attendee(key: str, id: int) -> Response:
    """Give a free seat to somebody on a spare place: {"tells"}."""
    _demand_attendee(id)
    seats.give_seat(viewer(), id, Channel.API, _tells(only(body(), "tells")))
    return _attendee(id)


@bp.post(f"/{ATTENDEE}/<int:id>/spare_places")
@once
def move_to_spare(key: str, id: int) -> Response:
    """Move somebody who joined to the end of the spare places: {"tells"}."""
    _demand_attendee(id)
    seats.to_spare(viewer(), id, Channel.API, _tells(only(body(), "tells")))
    return _attendee(id)


@bp.post(f"/{ATTENDEE}/<int:id>/confirmations")
@once
def confirm_attendee(key: str, id: int) -> Response:
    """Let a held seat be taken, as the link in the mail does."""
    _demand_attendee(id)
    only(body())
    seats.confirm(viewer(), id, Channel.API)
    return _attendee(id)


@bp.post(f"/{ATTENDEE}/<int:id>/attendances")
@once
def mark_attendance(key: str, id: int) -> Response:
    """Say whether somebody came: {"status": "attended", "no_show" or "joined" (neither is known)}."""
    event_id = _demand_attendee(id)
    status = only(body(), "status").get("status", "attended")
    if status not in ("attended", "no_show", "joined"):
        raise BadRequest("“status” is one of: attended, no_show, joined.", "status", 422, "not_in_list")
    attendance.mark(viewer(), event_id, [id], status, Channel.API)
    return _attendee(id)
