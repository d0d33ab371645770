"""What public pages of events share: the portal they belong to, their language, the words about an event."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from crm.db import db
from crm.identity.tables import User
from crm.modules.events.event_times import times_of
from crm.modules.events.event_triggers import EventTrigger
from crm.modules.events.kinds import Event
from crm.modules.events.tags import say_period
from crm.modules.portals import sites_of
from crm.ui.i18n import LANGUAGES
from crm.ui.public_page import choose_language, page
from self_service_portal.web.current import offered, portal_here

ACTIONS = {"joined": "with_registration", "spare": "with_spare_registration"}


class Closed(Exception):
    """There is no portal, or it is not active: its public pages are closed too."""


def demand_portal() -> Any:
    """The portal that answers now. Raises Closed."""
    found = portal_here()
    if found is None or not found.active:
        raise Closed
    return found


def has_page(event: Event) -> bool:
    """Whether everybody may see the page of the event: what its public link says."""
    if event.module == "invitation_events":
        return event.is_public
    return event.state != "planned" and event.parent_id is None


def say_closed(_closed: Closed) -> Response:
    return page("words", 503, heading=_("This page is closed"), text=_("Please come back later."))


def language_now() -> str:
    """The language of the page: what the address says, else what the browser asks for."""
    said = request.args.get("language") or request.args.get("lang")
    return said if said in LANGUAGES else choose_language(None)


def framers(portal: Any) -> str:
    """The sites that may show pages of events in a frame, for the CSP."""
    return " ".join(["'self'", *sites_of(portal.embed_sites)])


def languages(portal: Any) -> list[tuple[str, str]]:
    """(key, name) of the languages to choose from."""
    return [(key, str(LANGUAGES[key])) for key in offered(portal)]


def times_in_words(event: Event) -> list[str]:
    """From when to when, one line for each of its times, in the language that is spoken now."""
    rows = times_of(event.id) if event.module == "invitation_events" else []
    if not rows:
        return [said] if (said := say_period(event.starts_at, event.ends_at, event.zone)) else []
    return [
        (f"{one.subject}: " if one.subject else "") + say_period(one.starts_at, one.ends_at, event.zone) for one in rows
    ]


TRIGGER = EventTrigger.__table__
TRIGGER_OF = (  # asked by every registration: built once
    select(TRIGGER.c.id)
    .where(
        TRIGGER.c.event_id == bindparam("event_id"), TRIGGER.c.active, TRIGGER.c.action == bindparam("action"),
        TRIGGER.c.deleted_at.is_(None),
    )
    .limit(1)
)  # fmt: skip


def sends_mail(event: Event, status: str) -> bool:
    """Whether somebody who got this place is sent a mail about it."""
    if status == "held":
        return True
    if event.module == "invitation_events":
        return event.templates.get("join" if status == "joined" else status) is not None
    said = {"event_id": event.id, "action": ACTIONS.get(status, "")}
    return db.session.execute(TRIGGER_OF, said).first() is not None


State = Callable[[], str]
STATES: dict[str, tuple[State, State]] = {
    "full": (lambda: _("The event is full"), lambda: _("All seats and spare places are taken.")),
    "not_open": (lambda: _("Registration has not opened yet"), lambda: _("Please come back later.")),
    "closed": (lambda: _("Registration is closed"), lambda: _("Nobody can register for this event any more.")),
    "past": (lambda: _("This event has begun or is over"), lambda: _("Nobody can register for it any more.")),
    "called_off": (lambda: _("This event is called off"), lambda: ""),
    "no_form": (lambda: _("Open to all"), lambda: _("Nobody needs to register for this event.")),
    "log_in": (lambda: _("Registration is for our customers"), lambda: _("Log in to the portal to register.")),
    "invited": (lambda: _("Registration is by invitation"), lambda: _("Use the link in your invitation to register.")),
}
"""Why a page has no form: heading and text."""


def state_in_words(state: str) -> tuple[str, str]:
    """Heading and text of a page without a form."""
    heading, text = STATES[state]
    return heading(), text()


def state_on_list(state: str) -> str:
    """The state of an event in a few words, for lists."""
    said: dict[str, State] = {
        "open": lambda: _("Seats are free"), "spare": lambda: _("Spare places only"), "full": lambda: _("Full"),
        "not_open": lambda: _("Registration opens later"), "closed": lambda: _("Registration is closed"),
        "past": lambda: _("Has begun"), "called_off": lambda: _("Called off"), "no_form": lambda: _("Open to all"),
    }  # fmt: skip
    return said[state]()


def places_in_words(parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(name, place) of parts of an event, the place in words."""
    said: dict[str, State] = {
        "joined": lambda: _("You have a seat."), "spare": lambda: _("You are on a spare place."),
        "held": lambda: _("Your seat is held until you confirm it."),
        "full": lambda: _("Full: you have no place there."),
        "attended": lambda: _("You were there."),
    }  # fmt: skip
    return [(name, said[place]() if place in said else "") for name, place in parts]


def organiser_of(event: Event) -> str:
    """Whom to write to when it is too late; empty when a group organises."""
    table = User.__table__
    said = select(table.c.first_name, table.c.last_name, table.c.email).where(table.c.id == event.owner_id)
    row = db.session.execute(said).first()
    if row is None:
        return ""
    return _("Organiser: %(name)s, %(email)s", name=f"{row.first_name or ''} {row.last_name}".strip(), email=row.email)
