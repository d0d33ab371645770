"""When and by which way one may register or cancel: the rules of spec 2.2, in one place for pages and for the door."""

from datetime import timedelta

from crm import clock
from crm.engine.refusals import Conflict
from crm.modules.events.kinds import Event
from crm.words import _


def has_begun(event: Event) -> bool:
    """Whether the event has started."""
    return event.starts_at is not None and clock.now() >= event.starts_at


def is_over(event: Event) -> bool:
    """Whether the event has ended."""
    end = event.ends_at or event.starts_at
    return end is not None and clock.now() >= end


def demand_open(event: Event, source: str, is_staff: bool) -> None:
    """That somebody may register by the way `source`. Raises Conflict with a code: cancelled, not_open, registration_closed.

    Staff add people also before registration opens and after it closed; nobody is added to an event that is called off.
    """
    if event.state == "cancelled":
        raise Conflict(_("This event was called off."), "event_cancelled")
    if is_staff:
        return
    now = clock.now()
    if event.state == "planned" or (event.opens_at is not None and now < event.opens_at):
        raise Conflict(_("Registration has not opened yet."), "registration_not_open")
    if event.state == "closed" or has_begun(event) or (event.closes_at is not None and now >= event.closes_at):
        raise Conflict(_("Registration is closed."), "registration_closed")
    is_refused = (
        not event.has_form
        or (source == "public" and not event.is_public)
        or (source == "portal" and not event.in_portal)
    )
    if is_refused:
        raise Conflict(_("One cannot register for this event here."), "registration_closed")


def demand_cancellable(event: Event) -> None:
    """That attendees may still cancel themselves. Raises Conflict (cancel_deadline_passed, event_cancelled)."""
    if event.state == "cancelled":
        raise Conflict(_("This event was called off."), "event_cancelled")
    if event.cancel_until is not None and clock.now() >= event.cancel_until:
        raise Conflict(
            _("It is too late to cancel by yourself. Please write to the organiser."), "cancel_deadline_passed"
        )


def is_cancellable(event: Event) -> bool:
    """Whether attendees may still cancel themselves."""
    try:
        demand_cancellable(event)
    except Conflict:
        return False
    return True


def may_promote(event: Event) -> bool:
    """Whether free seats go to spare places by themselves now."""
    if event.promotion != "automatic" or event.state == "cancelled" or has_begun(event):
        return False
    return event.starts_at is None or clock.now() <= event.starts_at - timedelta(hours=event.cutoff_hours)
