"""The one algorithm that gives out seats (spec 2.2), for both kinds of events and for every way in.

Whoever gives, takes or moves a seat locks the event's row first (`kinds.lock`, several events in the order of their ids)
and counts only then, so that of any number of people who want the last seat one gets it, on both databases. While people
wait on spare places a newcomer queues behind them, also when a seat is free that the organiser gives by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from crm import clock
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Fault, Refused
from crm.identity.viewer import Viewer
from crm.modules.events import codes, kinds, mails, standings, waiting, windows
from crm.modules.events.acting import acting, change_attendees, is_staff
from crm.modules.events.kinds import Event
from crm.modules.events.lists import GONE, OPEN_STATES
from crm.modules.events.standings import Standing
from crm.words import _

HELD_FOR = timedelta(minutes=30)


@dataclass(frozen=True)
class Place:
    """What somebody was given: joined, held, spare (with a place in the queue), or full (nothing is stored).

    `is_new`: False when it had been given before. `parts`: the same for the sub-events that were chosen.
    """

    event_id: int
    status: str
    attendee_id: int | None = None
    queue_no: int | None = None
    is_new: bool = True
    parts: tuple["Place", ...] = ()


@dataclass(frozen=True)
class Held:
    """An event that is locked with its family, and how full it is since then."""

    events: Mapping[int, Event]
    standing: Standing


@dataclass(frozen=True)
class Wish:
    """How people want in. `facts`: more fields of their rows. `takes_spare`: a spare place will do."""

    source: str
    channel: Channel
    role: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    takes_spare: bool = True
    tells: bool = True  # whether mails are sent


# register


def hold(event_id: int, sub_event_ids: Sequence[int] = (), known: Event | None = None) -> Held:
    """Lock an event with its family until the transaction ends, take back what was held too long, and count.

    `known`: the event, where it was read before. Raises Missing, Refused (no such sub-event).
    """
    events = standings.lock_family(event_id, sub_event_ids, known)
    return Held(events, _count(events[event_id]))


def _count(event: Event) -> Standing:
    waiting.release(event)
    return standings.standing_of([event.id])[event.id]


def register(
    viewer: Viewer, event_id: int, contact_id: int, source: str, channel: Channel = Channel.PORTAL, *,
    sub_event_ids: Sequence[int] = (), role: str | None = None, facts: Mapping[str, Any] | None = None,
    takes_spare: bool = True, tells: bool = True, held: Held | None = None,
) -> Place:  # fmt: skip
    """Give a contact a place at an event and at the chosen sub-events; asked again, what was given is told again.

    `source`: crm, portal, public, invitation_link, import, api. What the viewer may do with the event, and whose contact it
    is, is the caller's to ask. Raises Conflict (event_cancelled, registration_not_open, registration_closed, main_event_first),
    Refused (sub-events against the rule), Missing. The caller commits, and locks nothing before but by `hold`.
    """
    held = held or hold(event_id, sub_event_ids)
    events = held.events
    event = events[event_id]
    parts = [events[id] for id in sorted(set(sub_event_ids))]
    windows.demand_open(events[event.parent_id] if event.parent_id else event, source, is_staff(viewer))
    _demand_rule(event, parts, viewer, source)
    if event.parent_id and standings.state_of(event.parent_id, contact_id) not in OPEN_STATES:
        raise Conflict(_("Register for “%(name)s” first.", name=events[event.parent_id].name), "main_event_first")
    wish = Wish(source, channel, role, facts or {}, takes_spare, tells)
    # The mail about the event tells of its parts too, so they are given first.
    (place,) = _place(viewer, event, [contact_id], replace(wish, tells=tells and not parts), held.standing)
    if place.status == "full":
        return place
    given = [_place(viewer, part, [contact_id], wish, _count(part))[0] for part in parts]
    if tells and parts and place.is_new:
        _tell(event, [place])
    return Place(event_id, place.status, place.attendee_id, place.queue_no, place.is_new, tuple(given))


def add_many(
    viewer: Viewer, event_id: int, contact_ids: Sequence[int], channel: Channel, source: str = "crm", role: str | None = None,
    tells: bool = True,
) -> list[Place]:  # fmt: skip
    """Add people by hand: seats first, then spare places, the rest is told full. Raises Conflict, Missing. The caller commits."""
    held = hold(event_id)
    event = held.events[event_id]
    windows.demand_open(event, source, is_staff(viewer))
    contacts = list(dict.fromkeys(contact_ids))
    return _place(viewer, event, contacts, Wish(source, channel, role, tells=tells), held.standing)


def _demand_rule(event: Event, chosen: Sequence[Event], viewer: Viewer, source: str) -> None:
    """That the sub-events chosen are as many as the event asks for; staff may add people without."""
    if event.group_rule == "any" or (is_staff(viewer) and source in {"crm", "import"}):
        return
    known = kinds.sub_events(event.id)
    if not known:
        return
    if not chosen or (event.group_rule == "exactly_one" and len(chosen) != 1):
        said = (
            _("Choose one part of the event.")
            if event.group_rule == "exactly_one"
            else _("Choose at least one part of the event.")
        )
        raise Refused(sub_event_ids=Fault("required", said))


def _place(viewer: Viewer, event: Event, contact_ids: Sequence[int], wish: Wish, standing: Standing) -> list[Place]:
    """Places for people at one event that is held, in their order; a few statements, however many they are."""
    people = standings.people(contact_ids)
    known = standings.rows_of(event.id, contact_ids)
    per_account = standings.per_account(event)
    made: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    found: dict[int, Place] = {}
    for id in contact_ids:
        row = known.get(id)
        if row is not None and row["status"] in OPEN_STATES:
            found[id] = Place(event.id, row["status"], row["id"], row["queue_no"], is_new=False)
            continue
        status = decide(event, standing, wish, per_account, people[id]["account_id"])
        if status == "full":
            found[id] = Place(event.id, "full")
            continue
        values = values_of(event, standing, status, people[id], wish)
        found[id] = Place(event.id, status, row["id"] if row else None, values["queue_no"])
        if row is None:
            made.append(
                {"event_id": event.id, "contact_id": id, "code": codes.fresh(), "owner_id": event.owner_id, **values}
            )
        else:
            changed[row["id"]] = values | {"seat_version": row["seat_version"] + 1}
    ids = records.create_many(acting(viewer), "attendees", made, wish.channel).ids if made else []
    if changed:
        records.update_many(acting(viewer), "attendees", changed, wish.channel)
    if (made or changed) and standings.room_of(event, standing) == "full":
        standings.note_full(event, standing)
    fresh = {row["contact_id"]: id for row, id in zip(made, ids, strict=True)}
    places = [_with_id(found[id], fresh.get(id)) for id in contact_ids]
    if wish.tells:
        _tell(event, [place for place in places if place.is_new and place.attendee_id])
    return places


def _with_id(place: Place, id: int | None) -> Place:
    return place if id is None else Place(place.event_id, place.status, id, place.queue_no, place.is_new)


def decide(event: Event, standing: Standing, wish: Wish, per_account: dict[int, int], account_id: int | None) -> str:
    """Which place the next one gets: joined, held, spare, full; `standing` and `per_account` (places by company) count it in.

    Raises Conflict (account_full, only_spare)."""
    if event.max_per_account and account_id is not None:
        if per_account.get(account_id, 0) >= event.max_per_account:
            raise Conflict(_("Nobody else of this company can register."), "account_full")
        per_account[account_id] = per_account.get(account_id, 0) + 1
    if not standing.waiting and (event.seats is None or standing.taken < event.seats):
        standing.taken += 1
        return "held" if event.confirm_email and wish.source == "public" else "joined"
    if standing.waiting < event.spare_places:
        if not wish.takes_spare:
            raise Conflict(_("Only a spare place is left. Do you want it?"), "only_spare")
        standing.waiting += 1
        standing.last_no += 1
        return "spare"
    return "full"


def values_of(event: Event, standing: Standing, status: str, person: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
    """The fields of a row that was given a place as `status`, whatever it was before."""
    now = clock.now()
    return {
        "name": person["name"], "account_id": person["account_id"], "status": status, "source": wish.source,
        "queue_no": standing.last_no if status == "spare" else None, "registered_at": now, "promoted_at": None,
        "cancelled_at": None, "cancel_reason": None, "attended_at": None,
        "held_until": now + HELD_FOR if status == "held" else None,
        **({"role": wish.role} if wish.role else {}), **wish.facts,
    }  # fmt: skip


def _tell(event: Event, places: Iterable[Place]) -> None:
    steps: dict[str, list[int]] = {}
    for place in places:
        if place.attendee_id is not None:
            steps.setdefault({"joined": "join", "held": "confirm"}.get(place.status, "spare"), []).append(
                place.attendee_id
            )
    for step, ids in steps.items():
        mails.tell(event, ids, step)


# confirm, cancel, decline


def confirm(viewer: Viewer, attendee_id: int, channel: Channel = Channel.PORTAL) -> Place:
    """The held seat is taken: the link in the mail was followed. Raises Missing, Conflict (hold_ended). The caller commits."""
    event, row = standings.lock_of(attendee_id)
    waiting.release(event)
    row = standings.row_of(attendee_id)
    if row["status"] in {"cancelled", "declined"} or event.state == "cancelled":
        raise Conflict(_("The seat was held for 30 minutes and is given on. Please register again."), "hold_ended")
    if row["status"] == "held":
        change_attendees(viewer, {attendee_id: {"status": "joined", "held_until": None}}, channel)
        mails.tell(event, [attendee_id], "join")
        return Place(event.id, "joined", attendee_id)
    return Place(event.id, row["status"], attendee_id, row["queue_no"], is_new=False)


def cancel(
    viewer: Viewer, attendee_id: int, channel: Channel = Channel.PORTAL, *, reason: str = "", tells: bool = True
) -> Place:
    """Give up a place, and with that of the main event those of its parts; the next ones move up.

    Customers may until the deadline; the house always. Cancelling twice changes nothing. Raises Conflict
    (cancel_deadline_passed, event_cancelled), Missing. The caller commits.
    """
    event, row = standings.lock_of(attendee_id)
    if row["status"] in GONE:
        return Place(event.id, row["status"], attendee_id, is_new=False)
    if row["status"] == "invited":
        change_attendees(viewer, {attendee_id: {"status": "declined", "cancelled_at": clock.now()}}, channel)
        return Place(event.id, "declined", attendee_id)
    if not is_staff(viewer):
        windows.demand_cancellable(event)
    parts = kinds.lock([part.id for part in kinds.sub_events(event.id)]) if event.module == "mass_events" else {}
    mine = {event.id: attendee_id} | standings.open_rows(parts, row["contact_id"])
    values = {
        "status": "cancelled",
        "cancelled_at": clock.now(),
        "cancel_reason": reason[:500] or None,
        "queue_no": None,
        "held_until": None,
    }
    change_attendees(viewer, dict.fromkeys(mine.values(), values), channel)
    for event_id, id in sorted(mine.items()):
        one = event if event_id == event.id else parts[event_id]
        if tells:
            mails.tell(one, [id], "cancel")
        waiting.move_up(one, viewer, channel)
    return Place(event.id, "cancelled", attendee_id)


def decline(viewer: Viewer, event_id: int, contact_id: int, source: str, channel: Channel = Channel.PORTAL) -> Place:
    """Say no to an invitation; who had joined cancels by it. Raises Conflict, Missing. The caller commits."""
    event = standings.lock_family(event_id, ())[event_id]
    row = standings.rows_of(event_id, [contact_id]).get(contact_id)
    if row is not None and row["status"] in OPEN_STATES:
        return cancel(viewer, row["id"], channel)
    if row is not None:
        if row["status"] not in GONE:
            change_attendees(viewer, {row["id"]: {"status": "declined", "cancelled_at": clock.now()}}, channel)
        return Place(event_id, "declined", row["id"], is_new=row["status"] not in GONE)
    person = standings.people([contact_id])[contact_id]
    values = {
        "event_id": event_id, "contact_id": contact_id, "name": person["name"], "account_id": person["account_id"],
        "status": "declined", "source": source, "cancelled_at": clock.now(), "owner_id": event.owner_id, "code": codes.fresh(),
    }  # fmt: skip
    return Place(event_id, "declined", records.create(acting(viewer), "attendees", values, channel))


# the organiser moves somebody


def give_seat(viewer: Viewer, attendee_id: int, channel: Channel, tells: bool = True) -> Place:
    """The organiser gives a free seat to somebody on a spare place. Raises Conflict (event_full, not_waiting), Missing."""
    event, row = standings.lock_of(attendee_id)
    if row["status"] != "spare":
        raise Conflict(_("This person waits for no seat."), "not_waiting")
    if event.seats is not None and standings.standing_of([event.id])[event.id].taken >= event.seats:
        raise Conflict(_("No seat is free. Add seats first."), "event_full")
    waiting.seat(viewer, event, [row], channel, tells)
    standings.note_full(event)
    return Place(event.id, "joined", attendee_id)


def to_spare(viewer: Viewer, attendee_id: int, channel: Channel, tells: bool = True) -> Place:
    """The organiser moves somebody who joined to the end of the spare places. Raises Conflict, Missing."""
    event, row = standings.lock_of(attendee_id)
    if row["status"] not in {"joined", "held"}:
        raise Conflict(_("Only who has joined can be moved to a spare place."), "not_joined")
    number = standings.standing_of([event.id])[event.id].last_no + 1
    values = {"status": "spare", "queue_no": number, "held_until": None, "seat_version": row["seat_version"] + 1}
    change_attendees(viewer, {attendee_id: values}, channel)
    standings.note_full(event)
    if tells:
        mails.tell(event, [attendee_id], "spare")
    return Place(event.id, "spare", attendee_id, number)
