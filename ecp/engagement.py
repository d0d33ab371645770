"""Whether a person has read a mail or followed a link of it: the one place to ask for all that acts on it.

Opens and clicks are judged when they come (`ecp.measuring`), and again when what comes after them shows a machine: a gateway
that opens all links looks like a person at its first one. Whoever starts something because of a reading (follow-ups,
automations, rules) therefore asks with `until=settled()`: what is younger than SETTLES may still turn out a machine's.

    select(Delivery.id).where(Delivery.sendout_id == 7, has_clicked(until=settled()))
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists

from crm import clock
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery

# After an event: longer than any rule looks ahead, and a round of the clock that judges again.
SETTLES = timedelta(minutes=5)

_D = Delivery.__table__.c


def settled() -> datetime:
    """The latest moment (UTC) whose events nothing makes a machine's any more, but for a change of the rules."""
    return clock.now() - SETTLES


def has_read(until: datetime | None = None) -> ColumnElement[bool]:
    """A condition on rows of deliveries: a person has read this mail (opened it, or followed a link), not a machine.

    `until`: not later than this moment (UTC); without it up to now, as reports count. Moments are in `first_read_at`.
    Machines and events that may be either's never count; nor does anything of who may not be measured.
    """
    return _D.first_read_at.is_not(None) if until is None else _D.first_read_at <= until


def has_clicked(link_number: int | None = None, until: datetime | None = None) -> ColumnElement[bool]:
    """The same for links: a person has followed one, or the one with `link_number`. Moments are in `first_click_at`."""
    if link_number is None:
        return _D.first_click_at.is_not(None) if until is None else _D.first_click_at <= until
    clicks = modules["clicks"].table.c
    said = [clicks.delivery_id == _D.id, clicks.link_number == link_number, clicks.made_by == "human"]
    if until is not None:
        said.append(clicks.at <= until)
    return exists().where(and_(*said))
