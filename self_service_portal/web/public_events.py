"""/portal/public/events: the list of events for everybody, as a page, as feeds, and in a frame of somebody else's site."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from icalendar import Calendar

from crm.engine import picklists
from crm.identity.sealing import public_base
from crm.modules.events.calendar import entries_of
from crm.modules.events.listing import Listed, for_everybody
from crm.modules.events.rules import public_address
from crm.ui.public_face import Unknown, guard
from crm.ui.public_page import page, speaking
from self_service_portal.web import facing

bp = Blueprint("public_events", __name__, template_folder="../templates")
guard(bp)
bp.register_error_handler(facing.Closed, facing.say_closed)
MOST = 200


@bp.get("/portal/public/events")
def listing() -> Response:
    """The list, with filters."""
    return _list("events/list", is_framed=False)


@bp.get("/portal/embed/events")
def embedded() -> Response:
    """The same in a frame: `category`, `lang`, `limit`."""
    return _list("events/list", is_framed=True)


@bp.get("/portal/embed/events.js")
def frame_script() -> Response:
    """For pages that hold a frame: makes it as high as what is in it."""
    answer = Response(script("host.js"), mimetype="text/javascript")
    answer.headers |= {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
    return answer


@bp.get("/portal/public/events.json")
def as_json() -> Response:
    """The list for programs; any site may read it."""
    answer = jsonify({"events": [_plain(one) for one in _asked()]})
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@bp.get("/portal/public/events.ics")
def as_calendar() -> Response:
    """The list as a calendar that one subscribes to."""
    calendar = Calendar()
    calendar.add("prodid", "-//customerhub//events//EN")
    calendar.add("version", "2.0")
    for one in _asked():
        for entry in entries_of(one.event, is_cancelled=one.state == "called_off"):
            calendar.add_component(entry)
    answer = Response(bytes(calendar.to_ical()), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="events.ics"'
    return answer


def _list(template: str, is_framed: bool) -> Response:
    portal = facing.demand_portal()
    language = facing.language_now()
    with speaking(language):
        found = _asked(language="" if not is_framed else request.args.get("lang", ""))
        return page(
            template, language=language, script=script("frame.js") if is_framed else "",
            framed_by=facing.framers(portal) if is_framed else "'none'", found=found, is_framed=is_framed,
            categories=[] if is_framed else picklists.choices("event_category"), category=request.args.get("category", ""),
            text=_text(), times=facing.times_in_words, said=facing.state_on_list, languages=facing.languages(portal),
            address="/portal/embed/events" if is_framed else "/portal/public/events",
        )  # fmt: skip


def _asked(language: str = "") -> list[Listed]:
    """The events that the request asks for. Raises Unknown where the portal lists none."""
    if not facing.demand_portal().events_listing_enabled:
        raise Unknown
    said = request.args.get("limit", "")
    limit = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else MOST
    if request.path.endswith((".json", ".ics")):
        language = request.args.get("lang", "")
    return for_everybody(language[:10], request.args.get("category", "")[:120], _text(), max(1, min(limit, MOST)))


def _text() -> str:
    return " ".join(request.args.get("q", "").split())[:100]


def _plain(one: Listed) -> dict[str, Any]:
    event = one.event
    return {
        "name": event.name, "slug": event.slug, "url": public_address(event.slug), "starts_at": _moment(event.starts_at),
        "ends_at": _moment(event.ends_at), "time_zone": event.zone, "location": event.location, "online_url": event.online_url,
        "category": one.category, "language": event.language, "description": event.plain_description, "state": one.state,
        "has_public_form": event.has_form and event.is_public, "free_seats": one.free,
        "picture": f"{public_base()}{event.picture}" if event.picture else None,
        "registration_ends_at": _moment(event.closes_at) if event.has_form else None,
    }  # fmt: skip


def _moment(said: Any) -> str | None:
    return said.isoformat() if said is not None else None


@cache
def script(name: str) -> str:
    """One of the two small scripts of frames."""
    return (Path(__file__).parent.parent / "templates/events" / name).read_text()
