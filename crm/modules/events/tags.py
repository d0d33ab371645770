"""What mails of events can say: tags of the event and of one's own registration, and their values for one person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm import config
from crm.engine import picklists
from crm.modules.events import parts as places
from crm.modules.events.kinds import Event
from crm.words import N_, _, speaking

TAGS = {
    "event.name": N_("Event: name"), "event.number": N_("Event: number"), "event.times": N_("Event: times"),
    "event.starts": N_("Event: start"), "event.ends": N_("Event: end"), "event.location": N_("Event: location"),
    "event.online_url": N_("Event: address of the online event"), "event.description": N_("Event: description"),
    "event.link": N_("Event: public page"), "event.reason": N_("Event: why it was called off"),
    "attendee.name": N_("Attendee: name"), "attendee.status": N_("Attendee: status"),
    "attendee.queue_no": N_("Attendee: place in the queue"), "attendee.code": N_("Attendee: check-in code"),
    "attendee.role": N_("Attendee: role"), "attendee.parts": N_("Attendee: parts of the event, a line each"),
    "links.event": N_("Link: public page of the event"), "links.cancel": N_("Link: cancel the registration"),
    "links.confirm": N_("Link: confirm the registration"),
}  # fmt: skip


MOMENTS = {"en": "EEEE d MMMM yyyy, h:mm a", "fi": "EEEE d. MMMM yyyy, H.mm"}
"""How day and time are written, by language."""


def spoken(language: str | None) -> str:
    """The language in which the house speaks to somebody: theirs, when it knows it, else the site's."""
    return language if language in {"en", "fi"} else str(config.current().locale)


def say_moment(moment: datetime | None, zone: str, time_only: bool = False) -> str:
    """A moment in the zone of the event, as the present language writes it, with the zone when it is not the site's."""
    if moment is None:
        return ""
    from babel.dates import format_datetime, format_time, get_timezone_name
    from flask_babel import get_locale

    locale = get_locale() or "en"
    here = moment.astimezone(ZoneInfo(zone))
    if time_only:
        return format_time(here, "short", locale=locale)
    said = format_datetime(here, MOMENTS.get(str(locale), "EEEE d MMMM yyyy, HH:mm"), locale=locale)
    return (
        said
        if zone == config.current().timezone
        else f"{said} ({get_timezone_name(here, locale=locale, return_zone=False)})"
    )


def say_period(starts: datetime | None, ends: datetime | None, zone: str) -> str:
    """From when to when; the day is said once when it is one day."""
    if starts is None:
        return ""
    if ends is None:
        return say_moment(starts, zone)
    here = ZoneInfo(zone)
    is_one_day = starts.astimezone(here).date() == ends.astimezone(here).date()
    return f"{say_moment(starts, zone)} – {say_moment(ends, zone, time_only=is_one_day)}"


def values_of(
    event: Event, times: Sequence[Any], attendee: Mapping[Any, Any], links: Mapping[str, str], language: str | None,
    parts: Sequence[places.Part] = (),
) -> dict[str, str]:  # fmt: skip
    """Tag → text for one attendee of an event, in the person's language. `parts`: those where he has a place."""
    with speaking(spoken(language)):
        rows = [
            (f"{one.subject}: " if one.subject else "") + say_period(one.starts_at, one.ends_at, event.zone)
            for one in times
        ] or [say_period(event.starts_at, event.ends_at, event.zone)]
        said = {
            "event.name": event.name, "event.number": event.number, "event.times": "\n".join(rows),
            "event.starts": say_moment(event.starts_at, event.zone), "event.ends": say_moment(event.ends_at, event.zone),
            "event.location": event.location, "event.online_url": event.online_url,
            "event.description": event.plain_description, "event.link": event.public_link,
            "event.reason": event.cancel_reason, "attendee.name": attendee["name"],
            "attendee.status": _(picklists.label("attendee_status", attendee["status"])),
            "attendee.queue_no": str(attendee["queue_no"] or ""), "attendee.code": attendee["code"] or "",
            "attendee.role": _(picklists.label("attendee_role", attendee["role"])) if attendee["role"] else "",
            "attendee.parts": places.in_words(parts),
            "links.event": event.public_link, "links.cancel": links.get("cancel", ""), "links.confirm": links.get("confirm", ""),
        }  # fmt: skip
    # `{cancel_link}` of old is read as links.unsubscribe everywhere; in a mail of an event it cancels the registration.
    return said | {"links.unsubscribe": said["links.cancel"]}
