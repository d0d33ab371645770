"""/act/<token>: what a personal link of an event leads to: join, decline, cancel, confirm, change answers.

A GET only shows; the button acts. Every link that does not hold gets one page, whatever the reason, and is counted.
"""

import logging
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from crm import limits
from crm.db import db
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.limits import Limiter, Rate
from crm.modules.events import parts, seats, windows
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.links import Acting, read
from crm.modules.events.listing import shown_state
from crm.modules.events.lists import GONE, OPEN_STATES
from crm.ui.public_face import TooOften, guard, say_too_often, source, writing
from crm.ui.public_page import page, speaking
from self_service_portal import entering
from self_service_portal.entering import Entry
from self_service_portal.web import facing
from self_service_portal.web.public_registration import MOST_TEXT, logic
from self_service_portal.web.recognising import known
from surveys import looks
from surveys.kinds.file import MOST_FILES, MOST_MEGABYTES

bp = Blueprint("acting", __name__, template_folder="../templates")
guard(bp, MOST_FILES * MOST_MEGABYTES * 1024 * 1024 + MOST_TEXT)
log = logging.getLogger(__name__)
BAD_LINKS = Limiter(Rate(30, 600))


class DeadLink(Exception):
    """The link does not hold."""


@bp.errorhandler(DeadLink)
def say_dead(_dead: DeadLink) -> Response:
    """The one page for all links that do not hold, and one line for who looks into the log."""
    who = limits.key_of(source())
    wait = BAD_LINKS.take(who)
    if wait:
        return say_too_often(TooOften(wait))
    log.warning("a personal link that does not hold was opened", extra={"source": who})
    text = _("It may be too old, or the event may be over. Write to the organiser if you need help.")
    return page("words", status=410, heading=_("This link is no longer valid"), text=text)


@bp.get("/act/<token>")
def show(token: str) -> Response:
    """What the link is about, and what can be done. Changes nothing."""
    asked, person, language = _enter(token)
    with speaking(language):
        return _draw(asked, person, _entry(asked, person, language), language)


@bp.post("/act/<token>")
@writing
def act(token: str) -> Response:
    """Do what the button says: `deed` is join, decline, cancel, confirm or answers."""
    request.max_form_memory_size, request.max_form_parts = MOST_TEXT, 6_000
    asked, person, language = _enter(token)
    deed = request.form.get("deed", "")
    with speaking(language):
        if (deed, person["status"]) in DONE_BEFORE:  # the same button once more
            return _draw(asked, person, _entry(asked, person, language), language)
        if deed not in _deeds(asked, person["status"]):
            deed = ""
        try:
            if deed:
                return known(DEEDS[deed](asked, person, language), asked.contact_id)
            return _draw(
                asked, person, _entry(asked, person, language), language, 409, _("This cannot be done now.")
            )  # fmt: skip
        except Missing as gone:
            db.session.rollback()
            raise DeadLink from gone
        except Conflict as conflict:
            db.session.rollback()
            return _draw(asked, person, _entry(asked, person, language), language, 409, str(conflict))


def _enter(token: str) -> tuple[Acting, dict[str, Any], str]:
    """What the link stands for, whose it is, and the language of the page. Raises DeadLink."""
    asked = read(token) if len(token) <= 200 else None
    if asked is None or asked.contact_id is None:
        raise DeadLink
    contacts = modules["contacts"].table
    mine = (TABLE.c.contact_id == contacts.c.id) & (TABLE.c.event_id == asked.event.id) & TABLE.c.deleted_at.is_(None)
    row = db.session.execute(
        select(
            contacts.c.first_name, contacts.c.last_name, contacts.c.email, contacts.c.language, TABLE.c.id.label("attendee_id"),
            TABLE.c.status, TABLE.c.answers_response_id, TABLE.c.queue_no,
        )
        .outerjoin(TABLE, mine)
        .where(contacts.c.id == asked.contact_id, contacts.c.deleted_at.is_(None))
    ).mappings().first()  # fmt: skip
    if row is None:
        raise DeadLink
    said = request.args.get("language") or row["language"]
    return asked, dict(row), said if said in {"en", "fi"} else facing.language_now()


def _deeds(asked: Acting, status: str | None) -> set[str]:
    """What can be done with this link as things stand."""
    found: set[str] = set()
    if status in OPEN_STATES:
        if status == "held" and asked.purpose == "confirm":
            found.add("confirm")
        found |= {"cancel", "leave"} if asked.purpose != "decline" else {"decline"}
        if _may_change_answers(asked.event):
            found.add("answers")
    elif asked.purpose == "join" or (asked.purpose == "decline" and status not in GONE):
        found |= {"join", "decline"} if status not in GONE else {"join"}
    elif asked.purpose == "confirm":
        found.add("confirm")  # says why the seat is gone
    return found


def _may_change_answers(event: Event) -> bool:
    return event.survey_id is not None and shown_state(event) in {"open", "spare", "full"}


def _entry(asked: Acting, person: dict[str, Any], language: str) -> Entry:
    """The form of the page, when there is something to fill in."""
    deeds = _deeds(asked, person["status"])
    if "answers" in deeds or ("join" in deeds and shown_state(asked.event) in {"open", "spare"}):
        return entering.open_entry(asked.event, language, asked.contact_id, person["answers_response_id"])
    return Entry(asked.event)


# deeds


def _viewer(person: dict[str, Any]) -> Viewer:
    return Viewer(kind="link", name=f"{person['first_name'] or ''} {person['last_name']}".strip())


def _join(asked: Acting, person: dict[str, Any], language: str) -> Response:
    entry = _sent(asked.event, person, language)
    if not entry.is_good:
        return _draw(asked, person, entry, language, 413 if entry.is_too_large else 422)
    try:
        place = seats.register(
            _viewer(person), asked.event.id, asked.contact_id or 0, "invitation_link", sub_event_ids=tuple(entry.chosen),
            takes_spare=not asked.event.ask_before_spare or request.form.get("spare") == "1",
        )  # fmt: skip
    except Refused as refused:
        db.session.rollback()
        entry.faults |= {name: found[0].message for name, found in refused.faults.items()}
        return _draw(asked, person, entry, language, 422)
    if place.status == "full":
        return _draw(asked, person, Entry(asked.event), language, 409, _("All seats and spare places are taken."))
    if place.attendee_id is not None:
        entering.keep_answers(_viewer(person), entry, place.attendee_id, asked.contact_id, "all")
    status = place.status if place.status in {"joined", "spare"} else "joined"
    names = {one.event.id: one.event.name for one in entry.parts}
    given = [(names.get(one.event_id, ""), one.status) for one in place.parts]
    return page(
        "events/thanks", language=language, event=asked.event, place=status, parts=facing.places_in_words(given), times=facing.times_in_words(asked.event),
        has_mail=facing.sends_mail(asked.event, status), is_framed=not _has_public_page(asked.event),
    )  # fmt: skip


def _answers(asked: Acting, person: dict[str, Any], language: str) -> Response:
    entry = _sent(asked.event, person, language, with_parts=False)
    if not entry.is_good:
        return _draw(asked, person, entry, language, 413 if entry.is_too_large else 422)
    try:
        entering.keep_answers(_viewer(person), entry, person["attendee_id"], asked.contact_id, "all")
    except Refused as refused:
        db.session.rollback()
        return _draw(asked, person, entry, language, 422, next(iter(refused.faults.values()))[0].message)
    return _said(asked.event, language, _("Your answers are saved"))


def _cancel(asked: Acting, person: dict[str, Any], language: str) -> Response:
    seats.cancel(_viewer(person), person["attendee_id"])
    return _said(asked.event, language, _("Your registration is cancelled"))


def _leave(asked: Acting, person: dict[str, Any], language: str) -> Response:
    """Give up the place at one part of the event, and keep the others."""
    places = parts.of_person(asked.event, asked.contact_id)
    chosen = next((one for one in places if str(one.event.id) == request.form.get("part")), None)
    if chosen is None or not parts.may_leave(asked.event, places):
        return _draw(asked, person, _entry(asked, person, language), language)
    seats.cancel(_viewer(person), chosen.attendee_id)
    return _said(asked.event, language, _("Your place at this part is cancelled"), chosen.event.name)


def _decline(asked: Acting, person: dict[str, Any], language: str) -> Response:
    seats.decline(_viewer(person), asked.event.id, asked.contact_id or 0, "invitation_link")
    return _said(asked.event, language, _("Thank you for your answer"), _("You have declined the invitation."))


def _confirm(asked: Acting, person: dict[str, Any], language: str) -> Response:
    if asked.attendee_id is None:
        raise Missing
    seats.confirm(_viewer(person), asked.attendee_id)
    return _said(asked.event, language, _("Your registration is confirmed"), _("You have a seat."))


DONE_BEFORE = (
    {("cancel", one) for one in GONE}
    | {("decline", one) for one in GONE}
    | {("join", one) for one in OPEN_STATES}
    | {("confirm", "joined")}
)
DEEDS = {
    "join": _join,
    "answers": _answers,
    "cancel": _cancel,
    "leave": _leave,
    "decline": _decline,
    "confirm": _confirm,
}


# pages


def _sent(event: Event, person: dict[str, Any], language: str, with_parts: bool = True) -> Entry:
    who = {name: person[name] or "" for name in ("first_name", "last_name", "email")}
    return entering.read(event, language, request.form, request.files, who, with_parts)


def _said(event: Event, language: str, heading: str, text: str = "") -> Response:
    return page(
        "events/done",
        language=language,
        event=event,
        heading=heading,
        text=text,
        times=facing.times_in_words(event),
    )


def _draw(
    asked: Acting, person: dict[str, Any], entry: Entry, language: str, status: int = 200, said: str = ""
) -> Response:
    event, standing = asked.event, person["status"]
    state = shown_state(event)
    deeds = _deeds(asked, standing)
    places = parts.of_person(event, asked.contact_id) if "leave" in deeds else []
    said_of = facing.places_in_words((one.event.name, one.status) for one in places)
    why = facing.state_in_words(state) if state not in {"open", "spare"} and standing not in OPEN_STATES else ("", "")
    return page(
        "events/act", status, language, asked=asked, event=event, entry=entry, person=person, deeds=deeds, state=state, why=why,
        said=said or entry.said, name=_viewer(person).name, times=facing.times_in_words(event), period=facing.times_in_words,
        standing=_standing(standing), may_cancel=windows.is_cancellable(event), public_link=event.public_link if event.is_public else "",
        places=[(one, how) for one, (_name, how) in zip(places, said_of, strict=True)], may_leave=parts.may_leave(event, places),
        organiser=facing.organiser_of(event), on_list=facing.state_on_list, script=logic() if entry.form is not None else "",
        css=looks.sheet_of(entry.form.design.row) if entry.form is not None else "",
    )  # fmt: skip


def _standing(status: str | None) -> str:
    """How somebody stands, in words."""
    return {
        "joined": _("You are registered."), "held": _("Your seat is held until you confirm it."),
        "spare": _("You are on a spare place."), "cancelled": _("Your registration is cancelled."),
        "declined": _("You have declined the invitation."), "attended": _("You were at the event."),
    }.get(status or "", "")  # fmt: skip


def _has_public_page(event: Event) -> bool:
    return bool(event.public_link)
