"""Mails that events send: each step once a seat (spec 2.3, 3.5), in the transaction of what caused it.

An invitation event names a template for each step, a mass event has triggers. What is missing (template, address) never
stops the step: it stands as a warning at the event or at the attendee.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, update

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.identity.tables import User
from crm.mail.letters import Letter
from crm.mail.message import Address, Attachment, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules import written_mails
from crm.modules.events import calendar, codes, firing, links, parts, tags
from crm.modules.events.attendees import TABLE
from crm.modules.events.event_times import times_of
from crm.modules.events.kinds import Event
from crm.modules.sender_addresses import default_row
from crm.modules.suppressions import Suppression
from crm.words import _, speaking

log = logging.getLogger(__name__)
UNREACHABLE = ("hard_bounced", "complained")
KEYS = {"join": "event_join", "spare": "event_spare", "cancel": "event_cancel"}


def tell(event: Event, attendee_ids: Sequence[int], step: str, is_alone: bool = False) -> None:
    """Mail attendees about a step: join, spare, cancel, or confirm (the link that takes a held seat). The caller commits.

    `is_alone`: the step was taken at this event only, such as a spare place of one part that becomes a seat.
    """
    template, triggers = event.templates.get(step), firing.of_step(event, step, is_alone)
    if template is None and not triggers and step != "confirm":
        return
    rows = rows_of(attendee_ids)
    if step == "confirm":
        for row in rows:
            _ask_to_confirm(event, row)
        return
    if template is not None:
        send(event, rows, template, lambda row: f"{KEYS[step]}:{row['id']}:{row['seat_version']}", step)
    firing.with_step(event, triggers, rows, step)


def tell_standing(event: Event, attendee_id: int) -> None:
    """Say by mail how somebody stands who registered again on a public page; at most once an hour."""
    for row in rows_of([attendee_id]):
        if row["status"] == "held":
            _ask_to_confirm(event, row)
            continue
        to = _address(row)
        if to is None:
            continue
        with speaking(tags.spoken(row["language"])):
            said = tags.values_of(event, [], row, {}, row["language"])
            there = parts.in_words(parts.of_person(event, row["contact_id"]))
            text = _(
                "You are registered for %(name)s already: %(status)s.\n\n%(when)s\n\nTo cancel, open this link:\n%(link)s",
                name=event.name, status=said["attendee.status"], when=said["event.times"] + (f"\n\n{there}" if there else ""), link=links.cancel_link(event, attendee_id),
            )  # fmt: skip
            subject = _("Your registration: %(name)s", name=event.name)
        hour = clock.now().strftime("%Y%m%d%H")
        _letter(to, subject, text + "\n", f"event_standing:{attendee_id}:{hour}", ("contacts", row["contact_id"]))


def rows_of(attendee_ids: Sequence[int]) -> list[Mapping[Any, Any]]:
    """Attendees with what mails need of their contacts, by id: a query for each thousand."""
    ids, found = sorted(attendee_ids), list[Mapping[Any, Any]]()
    for start in range(0, len(ids), 1000):
        found += db.session.execute(_to_be_told(), {"ids": ids[start : start + 1000]}).mappings()
    return found


@cache
def _to_be_told() -> Select[Any]:
    contacts = modules["contacts"].table
    return (
        select(
            TABLE, contacts.c.email, contacts.c.language, contacts.c.email_status, is_refused(contacts).label("is_refused"),
        )
        .outerjoin(contacts, (contacts.c.id == TABLE.c.contact_id) & contacts.c.deleted_at.is_(None))
        .where(TABLE.c.deleted_at.is_(None), TABLE.c.id.in_(bindparam("ids", expanding=True)))
        .order_by(TABLE.c.id)
    )  # fmt: skip


def is_refused(contacts: Any) -> Any:
    """SQL: mails to the address of a contact came back, or were complained of."""
    refused = Suppression.__table__
    return (
        select(refused.c.id)
        .where(
            refused.c.email_key == contacts.c.email_key, refused.c.scope.in_(("bounce", "complaint")), refused.c.active.is_(True),
            refused.c.deleted_at.is_(None),
        )
        .exists()
    )  # fmt: skip


def send(
    event: Event,
    rows: Sequence[Mapping[Any, Any]],
    template_id: int,
    key: Callable[[Mapping[Any, Any]], str],
    step: str,
) -> dict[int, int]:
    """Write the mail `template_id` to each of the attendees; attendee id → delivery id of those written now.

    The mail about a seat carries a calendar file and the check-in code as a picture.
    """
    if not written_mails.is_ready(template_id):
        warn(event, _("A mail could not be sent: its template is missing or not active."))
        return {}
    times = times_of(event.id) if event.module == "invitation_events" else []
    files: list[Attachment] = []
    if step == "join" and event.starts_at:
        files = [Attachment("event.ics", "text/calendar", calendar.calendar_of(event, times))]
    theirs = parts.of_people(event, [row["contact_id"] for row in rows])
    found: dict[int, int] = {}
    for row in rows:
        to = _address(row)
        if to is None:
            continue
        said = {"cancel": links.cancel_link(event, row["id"])} if step in {"join", "spare", "reminder"} else {}
        own = (
            [Attachment("check-in.png", "image/png", codes.as_png(row["code"]))]
            if step == "join" and row["code"]
            else []
        )
        delivery = written_mails.put(
            template_id, to, ("contacts", row["contact_id"]), values=tags.values_of(event, times, row, said, row["language"], theirs.get(row["contact_id"], ())),
            files=[*files, *own], dedupe_key=key(row),
        )  # fmt: skip
        if delivery is not None:
            found[row["id"]] = delivery
    return found


def _address(row: Mapping[Any, Any]) -> Address | None:
    """Where a person is written to; None, with a warning at the attendee, when nobody is to be reached there."""
    problem = ""
    if not row["email"]:
        problem = _("No mail was sent: the contact has no e-mail address.")
    elif row["is_refused"] or row["email_status"] in UNREACHABLE:
        problem = _("No mail was sent: mails to this address come back.")
    else:
        try:
            return Address(row["email"], one_line(row["name"] or ""))
        except BadAddress as bad:
            problem = _("No mail was sent: %(problem)s", problem=str(bad))
    # Not through the door: a warning is no change that anybody made, and must not make open forms of the row stale.
    db.session.execute(update(TABLE).where(TABLE.c.id == row["id"]).values(warning=problem[:300]))
    return None


def warn(event: Event, sentence: str) -> None:
    """Put a warning at the event, for the organiser and the log. (Not through the door: see above.)"""
    table = modules[event.module].table
    db.session.execute(update(table).where(table.c.id == event.id).values(mail_warning=sentence[:500]))
    log.warning("a mail of an event could not be sent", extra={"event_id": event.id})


# letters of the house itself


def _letter(to: Address, subject: str, text: str, dedupe_key: str, person: tuple[str, int] | None = None) -> bool:
    sender = default_row()
    if sender is None:
        return False
    letter = Letter(to, one_line(subject), text)
    singles.put_letter(
        db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=dedupe_key, person=person
    )
    return True


def _ask_to_confirm(event: Event, row: Mapping[Any, Any]) -> None:
    """The mail whose link takes the seat that is held for half an hour."""
    to = _address(row)
    if to is None:
        return
    with speaking(tags.spoken(row["language"])):
        text = _(
            "Your seat at %(name)s is held for 30 minutes.\n\nOpen this link and confirm to take it:\n%(link)s\n\n"
            "If you did not register, do nothing.",
            name=event.name, link=links.confirm_link(row["id"]),
        )  # fmt: skip
        subject = _("Confirm your registration: %(name)s", name=event.name)
    key = f"event_confirm:{row['id']}:{row['seat_version']}"
    if not _letter(to, subject, text + "\n", key, ("contacts", row["contact_id"])):
        warn(event, _("A mail could not be sent: there is no sender address."))


def tell_called_off(event: Event, rows: Sequence[Mapping[Any, Any]]) -> int:
    """Tell attendees once that the event is called off, by its template or in the words of the house; how many were told now."""
    template = event.templates.get("called_off")

    def key(row: Mapping[Any, Any]) -> str:
        return f"event_called_off:{row['id']}"

    if template is not None and written_mails.is_ready(template):
        return len(send(event, rows, template, key, "called_off"))
    told = 0
    for row in rows:
        to = _address(row)
        if to is None or singles.find_mail(db.session, key(row)) is not None:
            continue
        with speaking(tags.spoken(row["language"])):
            when = tags.say_period(event.starts_at, event.ends_at, event.zone)
            text = _("%(name)s is called off.\n\n%(when)s\n%(place)s\n\n%(reason)s",
                     name=event.name, when=when, place=event.location, reason=event.cancel_reason)  # fmt: skip
            subject = _("Called off: %(name)s", name=event.name)
        if not _letter(to, subject, text.strip() + "\n", key(row), ("contacts", row["contact_id"])):
            warn(event, _("A mail could not be sent: there is no sender address."))
            break
        told += 1
    return told


def tell_owner(event: Event, free: int, waiting: int) -> None:
    """Tell the organiser that seats are free which do not go to spare places by themselves: once a cancellation."""
    users = User.__table__
    owner = db.session.execute(
        select(users.c.email, users.c.first_name, users.c.last_name, users.c.locale).where(
            users.c.id == event.owner_id, users.c.archived.is_(False), users.c.deleted_at.is_(None)
        )
    ).first()  # a group has no address of its own: its members see the free seats on the event's card
    if owner is None:
        return
    cancelled = select(func.count()).where(
        TABLE.c.event_id == event.id, or_(TABLE.c.cancelled_at.is_not(None), TABLE.c.seat_version > 1)
    )
    with speaking(tags.spoken(owner.locale)):
        text = _("%(name)s: free seats %(free)s, waiting on spare places %(waiting)s. Give the seats on the page of the event.",
                 name=event.name, free=free, waiting=waiting)  # fmt: skip
        subject = _("Free seats: %(name)s", name=event.name)
    name = f"{owner.first_name or ''} {owner.last_name}".strip()
    key = f"event_free:{event.id}:{free}:{waiting}:{db.session.execute(cancelled).scalar()}"
    _letter(Address(owner.email, one_line(name)), subject, text + "\n", key)
