"""/portal/public/events/<slug>: the page of one event for everybody, and its registration form; the same in a frame.

Nothing that is shown tells whether an address is known: the page says what a new registration gets at that moment, and
answers to good forms take the same time, whatever there was to do.
"""

import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, request
from flask_babel import gettext as _
from sqlalchemy import select

import surveys
from crm import limits
from crm.db import db, is_sqlite, only_reading
from crm.engine.refusals import Conflict, Refused
from crm.limits import Limiter, Rate
from crm.modules.events import kinds, public
from crm.modules.events.attendees import TABLE
from crm.modules.events.calendar import calendar_of
from crm.modules.events.event_times import times_of
from crm.modules.events.kinds import Event
from crm.modules.events.listing import shown_state
from crm.ui.public_face import TooOften, Unknown, guard, source
from crm.ui.public_forms import form_token, receive, sent_token
from crm.ui.public_page import page, speaking
from self_service_portal import entering
from self_service_portal.entering import Entry
from self_service_portal.web import facing
from self_service_portal.web.public_events import script
from self_service_portal.web.recognising import frame_script, known
from surveys import looks
from surveys.kinds.file import MOST_FILES, MOST_MEGABYTES

bp = Blueprint("public_registration", __name__, template_folder="../templates")
MOST_TEXT = 1024 * 1024
guard(bp, MOST_FILES * MOST_MEGABYTES * 1024 * 1024 + MOST_TEXT)
bp.register_error_handler(facing.Closed, facing.say_closed)

FORM = "event"
FILES_OF_SOURCE = Limiter(Rate(60, 600))
ONE_AT_A_TIME = threading.Lock()  # SQLite lets one write, and does not queue who waits: so that nobody starves
ANSWERS_TAKE = 0.1  # seconds at least, so that the time does not tell a new address from a known one
ADDRESSES = ("/portal/public/events/<slug>", "/portal/embed/events/<slug>")


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a form: told (a place), faults, expired, closed, conflict; the place given or a sentence; parts with their places."""

    what: str
    said: str = ""
    parts: Pairs = ()


@bp.get(ADDRESSES[0])
@bp.get(ADDRESSES[1])
def show(slug: str) -> Response:
    """The event, and its form when one can register here now. By its id, the way to its address."""
    facing.demand_portal()
    if (by_id := _by_id(slug)) is not None:
        address = request.path.removesuffix(slug) + by_id.slug
        said = request.query_string.decode("ascii", "replace")
        return Response(status=302, headers={"Location": f"{address}?{said}" if said else address})
    portal, event, language = _enter(slug)
    with speaking(language):
        state = _state(event)
        entry = entering.open_entry(event, language) if state in {"open", "spare"} else Entry(event)
        return _draw(portal, entry, language, state)


@bp.get(f"{ADDRESSES[0]}.ics")
def calendar(slug: str) -> Response:
    """The times of the event for one's own calendar."""
    _portal, event, _language = _enter(slug)
    times = times_of(event.id) if event.module == "invitation_events" else []
    answer = Response(
        calendar_of(event, times, event.state == "cancelled"), content_type="text/calendar; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="event.ics"'
    return answer


@bp.post(ADDRESSES[0])
@bp.post(ADDRESSES[1])
def send(slug: str) -> Response:
    """Somebody registers. The database is only written to between reading the form and drawing the page, so that of many
    who come at once each holds the others up as little as can be."""
    began = time.monotonic()
    request.max_form_memory_size, request.max_form_parts = MOST_TEXT, 6_000
    only_reading(not request.files)  # uploads are kept while the form is read
    portal, event, language = _enter(slug)
    if request.files and (wait := FILES_OF_SOURCE.take(limits.key_of(source()))):
        raise TooOften(wait)
    with speaking(language):
        state = _state(event)
        entry, who = _read(portal, event, language)
        if not request.files:
            db.session.rollback()
        only_reading(False)
        with ONE_AT_A_TIME if is_sqlite() else nullcontext():
            outcome = _settle(event, state, entry, who)
        only_reading(True)
        answer = _answer(portal, event, entry, language, outcome)
        db.session.rollback()
    if answer.status_code in {200, 409}:
        time.sleep(max(0.0, ANSWERS_TAKE - (time.monotonic() - began)))
    return answer


def _settle(event: Event, state: str, entry: Entry, who: dict[str, Any]) -> Outcome:
    """Do what was asked, and commit or roll back."""
    try:
        sent = receive(FORM, event.slug, str(who["email"]), is_for_crowds=True)
        if sent.is_trap:  # the page of success, nothing done
            return Outcome("told", "spare" if state == "spare" else "held" if event.confirm_email else "joined")
        if sent.first is not None:
            return Outcome("told", sent.first.get("status", "joined"), _pairs(sent.first.get("parts")))
        if state not in {"open", "spare", "full"}:
            return Outcome("closed")
        if not entry.is_good:
            sent.release()
            db.session.commit()
            return Outcome("faults")
        if state == "full":  # as the page of this moment says: no seat is asked for, and nobody waits for the lock
            given = public.turn_away(event, str(who["email"]))
        else:
            given = entering.register_anybody(entry, who, takes_spare=_takes_spare(event, state))
        sent.keep({"status": given.status, "parts": list(given.parts)})
        db.session.commit()
        g.registered = given.attendee_id
    except Refused as refused:
        db.session.rollback()
        if "" in refused.faults:  # of the form as such
            return Outcome("expired", _sentence(refused))
        entry.faults |= {name: found[0].message for name, found in refused.faults.items()}
        return Outcome("faults")
    except Conflict as conflict:
        db.session.rollback()
        return Outcome("conflict", str(conflict))
    except BaseException:
        db.session.rollback()
        raise
    return Outcome("told", given.status, given.parts)


def _pairs(kept: Any) -> Pairs:
    return tuple((str(name), str(place)) for name, place in kept or ())


def _answer(portal: Any, event: Event, entry: Entry, language: str, outcome: Outcome) -> Response:
    """The page that says what came of it."""
    what, said = outcome.what, outcome.said
    if what == "told":
        return (
            _draw(portal, Entry(event), language, "full", 409) if said == "full" else _thanks(event, outcome, language)
        )
    if what == "expired":
        entry.faults, entry.said = {}, said
        if entry.form is not None:
            entry.form = entering.EventForm(entry.form.design, entry.form.typed, sealer=entry.form.sealer)
        return _draw(portal, entry, language, _state(event), 422, typed=request.form)
    if what == "faults":
        return _draw(portal, entry, language, _state(event), 413 if entry.is_too_large else 422, typed=request.form)
    entry.said = said
    now = kinds.load(event.id)
    return _draw(portal, entry if what == "conflict" else Entry(now), language, _state(now), 409, typed=request.form)


def _read(portal: Any, event: Event, language: str) -> tuple[Entry, dict[str, Any]]:
    """The form as it was sent, with its faults; and who it is."""
    typed = {name: request.form.get(name, "") for name in public.SAID}
    faults: dict[str, str] = {}
    try:
        who: dict[str, Any] = dict(public.check(typed))
    except Refused as refused:
        who, faults = dict(typed), {name: found[0].message for name, found in refused.faults.items()}
    is_ours = sent_token(FORM, event.slug) == request.form.get("form")
    entry = entering.read(event, language, request.form, request.files if is_ours else None, who)
    entry.faults |= faults
    if _asks_consent(portal) and not request.form.get("agrees"):
        entry.faults["agrees"] = _("Please tick that you have read this.")
    return entry, who | {"language": language}


def _thanks(event: Event, outcome: Outcome, language: str) -> Response:
    is_framed, person, status = _is_framed(), _registered(), outcome.said
    script_of_frame = f"{script('frame.js')}\n{frame_script(person)}" if is_framed else ""
    answer = page(
        "events/thanks", language=language, event=event, place=status, parts=facing.places_in_words(outcome.parts), times=facing.times_in_words(event),
        has_mail=facing.sends_mail(event, status), is_framed=is_framed, script=script_of_frame,
        framed_by=facing.framers(facing.demand_portal()) if is_framed else "'none'",
    )  # fmt: skip
    return known(answer, person)


def _registered() -> int | None:
    """The contact who registered in this request; None for one who was registered before."""
    id = g.get("registered")
    return db.session.execute(select(TABLE.c.contact_id).where(TABLE.c.id == id)).scalar() if id else None


def _draw(portal: Any, entry: Entry, language: str, state: str, status: int = 200, typed: Any = None) -> Response:
    event, is_framed = entry.event, _is_framed()
    has_form = state in {"open", "spare"} and entry.event is not None
    code = "" if entry.form is None else logic()
    return page(
        "events/event", status, language, entry=entry, event=event, state=state, typed=typed or {},
        css=looks.sheet_of(entry.form.design.row) if entry.form is not None else "",
        script="\n".join(part for part in (code, script("frame.js") if is_framed else "") if part),
        framed_by=facing.framers(portal) if is_framed else "'none'", is_framed=is_framed,
        times=facing.times_in_words(event), free=public.free_seats(event), why=("", "") if has_form else facing.state_in_words(state),
        token=_token(event) if has_form else "", portal=portal, asks_consent=_asks_consent(portal), said=facing.state_on_list,
        languages=facing.languages(portal), period=facing.times_in_words,
    )  # fmt: skip


# the parts


def _enter(slug: str) -> tuple[Any, Event, str]:
    """The portal, the event and the language of this request. Raises Closed, Unknown."""
    portal = facing.demand_portal()
    event = kinds.by_slug(slug) if len(slug) <= 40 else None
    if event is None or not facing.has_page(event):
        raise Unknown
    return portal, event, facing.language_now()


def _by_id(said: str) -> Event | None:
    """The event with this id, when anybody may know of it: those by invitation and unlisted ones keep their secret name."""
    if not (said.isascii() and said.isdecimal()) or len(said) > 18:
        return None
    event = kinds.load_many([int(said)]).get(int(said))
    return event if event is not None and facing.has_page(event) and event.is_listed else None


def _state(event: Event) -> str:
    state = shown_state(event)
    if state in {"open", "spare", "full"} and not event.is_public:
        return "log_in" if event.in_portal else "invited"
    return state


def _takes_spare(event: Event, state: str) -> bool:
    """Whether a spare place will do: the form said so, or the event does not ask."""
    return not event.ask_before_spare or (state == "spare" and request.form.get("spare") == "1")


def _token(event: Event) -> str:
    return sent_token(FORM, event.slug) if request.method == "POST" else form_token(FORM, event.slug)


def _asks_consent(portal: Any) -> bool:
    return bool(portal.privacy_url or portal.terms_url)


def _is_framed() -> bool:
    return request.path.startswith("/portal/embed/")


def _sentence(refused: Refused) -> str:
    return next(iter(refused.faults.values()))[0].message


@cache
def logic() -> str:
    """The comfort of browsers that run scripts: questions come and go as answers change."""
    return (Path(surveys.__file__).parent / "templates/surveys/answer.js").read_text()
