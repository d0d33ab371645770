"""Calendar files (RFC 5545): the times of an event, to be put into anybody's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crm import clock, config
from crm.modules.events.kinds import Event

if TYPE_CHECKING:  # 3 MB that processes which only send do without
    from icalendar import Event as Entry


def calendar_of(event: Event, times: Sequence[Any] = (), is_cancelled: bool = False) -> bytes:
    """The event as a calendar file: one entry for each of its times (rows of subject, starts_at, ends_at), in UTC."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//customerhub//events//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for entry in entries_of(event, times, is_cancelled):
        calendar.add_component(entry)
    return bytes(calendar.to_ical())


def entries_of(event: Event, times: Sequence[Any] = (), is_cancelled: bool = False) -> list[Entry]:
    """The same as entries, for feeds of several events."""
    from icalendar import Event as Entry

    rows = [(one.subject, one.starts_at, one.ends_at) for one in times] or [(None, event.starts_at, event.ends_at)]
    host = urlsplit(config.current().base_url).hostname or "localhost"
    made = []
    for place, (subject, starts, ends) in enumerate(rows):
        if starts is None:
            continue
        entry = Entry()
        entry.add("uid", f"event-{event.id}-{place}@{host}")
        entry.add("dtstamp", clock.now())
        entry.add("summary", f"{event.name}: {subject}" if subject else event.name)
        entry.add("dtstart", starts)
        if ends is not None:
            entry.add("dtend", ends)
        if event.location or event.online_url:
            entry.add("location", event.location or event.online_url)
        if event.public_link or event.online_url:
            entry.add("url", event.public_link or event.online_url)
        if event.description:
            entry.add("description", event.plain_description)
        entry.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
        made.append(entry)
    return made
