"""What public pages of events need: the state of a page, and a registration by somebody who only typed a name and an address.

Nothing here tells whether an address is known: the page says what a new registration would get at that moment, the mail says
what is true. What was typed never overwrites a contact; differences stand at the attendee for the organiser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, bindparam, select

from crm import clock
from crm.db import db, fold, fold_text
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.message import BadAddress, clean_addr
from crm.modules.contacts import resolve
from crm.modules.events import doubtful, mails, seats, standings, windows
from crm.modules.events.kinds import Event
from crm.modules.rules import key_of_email
from crm.words import _

State = Literal["open", "spare", "full", "not_open", "closed", "past", "called_off"]
SAID = ("first_name", "last_name", "email")
CHECKED = ("first_name", "last_name", "phone", "mobile")


@dataclass(frozen=True)
class Answer:
    """What the page says after a registration: joined, held, spare or full, as a new one would get it.

    `is_new`: whether a place was given now; never to be shown, as it tells who is registered.
    """

    status: str
    attendee_id: int | None = None
    is_new: bool = True
    parts: tuple[tuple[str, str], ...] = ()  # (name, place) of each part that was chosen, as a new one would get it


def state_of(event: Event, standing: standings.Standing | None = None) -> State:
    """What a public page shows now: a form (open, spare), or the reason why there is none. Counts are read live.

    `standing`: how full it is, where the caller has asked that for many events at once.
    """
    if event.state == "cancelled":
        return "called_off"
    if windows.is_over(event) or windows.has_begun(event):
        return "past"
    now = clock.now()
    if event.state == "planned" or (event.opens_at is not None and now < event.opens_at):
        return "not_open"
    if event.state == "closed" or (event.closes_at is not None and now >= event.closes_at):
        return "closed"
    return standings.room_of(event, standing or standings.standing_of([event.id])[event.id])


def free_seats(event: Event, standing: standings.Standing | None = None) -> int | None:
    """How many seats are free; None: no limit, or the organiser does not show it."""
    if event.seats is None or not event.show_counts:
        return None
    standing = standing or standings.standing_of([event.id])[event.id]
    return max(event.seats - standing.taken, 0)


def check(typed: Mapping[str, str]) -> dict[str, str]:
    """Name and address as they were typed, trimmed. Raises Refused with the faults of each field."""
    values = {name: " ".join(typed.get(name, "").split()) for name in SAID}
    labels = {"first_name": _("First name"), "last_name": _("Last name"), "email": _("E-mail")}
    faults: dict[str, list[Fault]] = {}
    for name, label in labels.items():
        if not values[name]:
            faults[name] = [Fault("required", _("“%(label)s” must be filled in.", label=label))]
    for name, most in (("first_name", 60), ("last_name", 80)):
        if len(values[name]) > most:
            faults[name] = [Fault("too_long", _("At most %(most)s characters.", most=most))]
    if values["email"] and "email" not in faults:
        try:
            values["email"] = clean_addr(values["email"])
        except BadAddress as bad:
            faults["email"] = [Fault("bad_email", str(bad))]
    if faults:
        raise Refused(faults)
    return values


def register(
    viewer: Viewer, event_id: int, typed: Mapping[str, Any], *, sub_event_ids: tuple[int, ...] = (), facts: Mapping[str, Any] | None = None,
    takes_spare: bool = True, known: Event | None = None,
) -> Answer:  # fmt: skip
    """Register whoever typed `typed` (first_name, last_name, email; perhaps phone, company, language) on a public page.

    `known`: the event as the page read it; it is read again once it is locked.

    The event is locked before anything is looked up, so that two posts of one new address make one contact. Raises Conflict
    as seats.register does (also for a full event, code event_full, whoever asks), Refused. The caller commits.
    """
    held = seats.hold(event_id, sub_event_ids, known)
    event = held.events[event_id]
    windows.demand_open(event, "public", is_staff=False)
    room = standings.room_of(event, held.standing)
    given = check({name: str(typed.get(name) or "") for name in SAID})
    if room == "full":
        return turn_away(event, given["email"])
    if room == "spare" and not takes_spare:
        raise Conflict(_("Only a spare place is left. Do you want it?"), "only_spare")
    chosen = _parts_given([held.events[id] for id in sorted(set(sub_event_ids))])
    who = _contact(event, given | {name: str(typed.get(name) or "") for name in ("phone", "language")})
    noted = _facts(who, given | {"company": str(typed.get("company") or "")}) | dict(facts or {})
    place = seats.register(
        viewer,
        event_id,
        who.id,
        "public",
        Channel.PORTAL,
        sub_event_ids=sub_event_ids,
        facts=noted,
        takes_spare=takes_spare,
        held=held,
    )
    if not place.is_new and place.attendee_id is not None:
        mails.tell_standing(event, place.attendee_id)
    would_be = "spare" if room == "spare" else "held" if event.confirm_email else "joined"
    return Answer(would_be, place.attendee_id, place.is_new, chosen)


def _parts_given(parts: Sequence[Event]) -> tuple[tuple[str, str], ...]:
    """What a new registration gets at each of the locked parts: joined, held, spare, full."""
    if not parts:
        return ()
    standing = standings.standing_of([part.id for part in parts])
    said = {"open": "joined", "spare": "spare", "full": "full"}
    given = [(part, said[standings.room_of(part, standing[part.id])]) for part in parts]
    return tuple((part.name, "held" if place == "joined" and part.confirm_email else place) for part, place in given)


def turn_away(event: Event, email: str) -> Answer:
    """The page said full already: nothing is locked or counted again. The caller commits."""
    _remind(event, email)
    return Answer("full")


def _remind(event: Event, email: str) -> None:
    """An address that is registered learns its state by mail, from a page that says full to everybody."""
    ids = _contacts_of(email)
    if not ids:
        return
    table = modules["attendees"].table
    said = select(table.c.id).where(
        table.c.event_id == event.id,
        table.c.contact_id.in_(ids),
        table.c.status.in_(("joined", "held", "spare")),
        table.c.deleted_at.is_(None),
    )
    for id in db.session.execute(said).scalars():
        mails.tell_standing(event, id)


def _contacts_of(email: str) -> list[int]:
    """Live contacts with this address in either of their fields."""
    key = key_of_email(email)
    if key is None:
        return []
    return list(db.session.execute(_with_address(), {"key": key, "folded": fold_text(email)}).scalars())


@cache
def _with_address() -> Select[Any]:
    table = modules["contacts"].table
    either = (fold(table.c.email_key) == bindparam("key")) | (fold(table.c.secondary_email) == bindparam("folded"))
    return select(table.c.id).where(either, table.c.deleted_at.is_(None))


@dataclass(frozen=True)
class Who:
    """The contact of an address. `is_doubtful`: others have it too, so that somebody should check."""

    id: int
    is_new: bool = False
    is_doubtful: bool = False


def _contact(event: Event, given: Mapping[str, str]) -> Who:
    """The contact of an address, made when there is none.

    Of several: the same last name first, then active before passive, then the one changed last.
    """
    ids = _contacts_of(given["email"])
    if not ids:
        values: dict[str, Any] = {
            name: given[name] for name in ("first_name", "last_name", "phone", "language") if given.get(name)
        }
        made = resolve.resolve(SYSTEM, given["email"], Channel.PORTAL, values | {"owner_id": event.owner_id})
        if made is not None and made.person.module == "contacts":
            return Who(made.person.id, made.is_new)
        # a lead has the address: an attendee is a contact all the same
        values |= {"email": given["email"], "owner_id": event.owner_id}
        return Who(records.create(SYSTEM, "contacts", values, Channel.PORTAL), is_new=True, is_doubtful=True)
    if len(ids) == 1:
        return Who(ids[0])
    table = modules["contacts"].table
    rows = db.session.execute(
        select(table.c.id, table.c.last_name, table.c.passive, table.c.updated_at).where(table.c.id.in_(ids))
    ).all()
    name = fold_text(given["last_name"])
    best = max(rows, key=lambda row: (fold_text(row.last_name) == name, not row.passive, row.updated_at, row.id))
    return Who(best.id, is_doubtful=True)


def _facts(who: Who, given: Mapping[str, str]) -> dict[str, Any]:
    """What the attendee's row keeps: what was typed otherwise than it is known."""
    different = [] if who.is_new else _differences(who.id, given)
    return {
        "check_identity": who.is_doubtful or bool(different) or doubtful.is_of_nobody(given["email"]), "differences": "\n".join(different)[:4000] or None,
        "company": given.get("company", "")[:200] or None,
    }  # fmt: skip


def _differences(contact_id: int, given: Mapping[str, str]) -> list[str]:
    table = modules["contacts"].table
    row = db.session.execute(select(table).where(table.c.id == contact_id)).mappings().one()
    return [
        f"{modules['contacts'].fields[name].label}: {given[name]}"
        for name in CHECKED
        if given.get(name) and fold_text(given[name]) != fold_text(row[name] or "")
    ]
