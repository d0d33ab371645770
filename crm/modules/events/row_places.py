"""Rows of attendees that forms, imports and programs make or delete: which place they get, and that theirs goes on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import afterwards, outbox
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Conflict, Missing
from crm.identity.viewer import SYSTEM
from crm.modules.events import codes, kinds, mails, seats, standings, waiting
from crm.modules.events.acting import change_attendees
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OPEN_STATES
from crm.modules.events.standings import Standing


def place_of_row(event_id: int, contact_id: int) -> dict[str, Any]:
    """The values of a new attendee's row that follow from the place it gets, for the writing door; locks the event.

    `status` is full, twice, called_off or account_full when there is no place. Rows of one batch are placed before any of
    them is written: what earlier ones were given is remembered until the counts change or the transaction ends.
    """
    try:
        event = kinds.lock([event_id])[event_id]
        person = standings.people([contact_id])[contact_id]
    except Missing:  # the door tells that there is no such record
        return {}
    if event.state == "cancelled":
        return {"status": "called_off"}
    waiting.release(event)
    standing, per_account, placed = _of_batch(event)
    if contact_id in placed or standings.rows_of(event_id, [contact_id]):
        return {"status": "twice"}
    try:
        status = seats.decide(event, standing, seats.Wish("crm", Channel.FORM), per_account, person["account_id"])
    except Conflict as conflict:
        return {"status": conflict.code}
    placed.add(contact_id)
    outbox.put(db.session, "events.tell_row", event_id=event_id, contact_id=contact_id)
    return seats.values_of(event, standing, status, person, seats.Wish("crm", Channel.FORM)) | {"code": codes.fresh()}


def _of_batch(event: Event) -> tuple[Standing, dict[int, int], set[int]]:
    """Standing, places a company and contacts, with those of this batch that are not written yet."""
    now = standings.standing_of([event.id])[event.id]
    counts, root = (now.taken, now.waiting), db.session().get_transaction()
    kept = db.session.info.setdefault("events_placing", {})
    transaction, before, *rest = kept.get(event.id, (None, None))
    if transaction is not root or before != counts:
        rest = [now, standings.per_account(event), set()]
    kept[event.id] = (root, counts, *rest)
    standing, per_account, placed = rest
    return standing, per_account, placed


def give_up(attendee_ids: Sequence[int]) -> None:
    """Take their places from rows that are deleted now; who waits moves up by a job. The caller commits."""
    said = select(TABLE.c.id).where(TABLE.c.id.in_(attendee_ids), TABLE.c.status.in_(OPEN_STATES), standings.LIVE)
    ids = list(db.session.execute(said).scalars())
    if ids:
        kinds.lock(db.session.execute(select(TABLE.c.event_id).where(TABLE.c.id.in_(ids)).distinct()).scalars())
        values = {"status": "cancelled", "cancelled_at": clock.now(), "queue_no": None, "held_until": None}
        change_attendees(SYSTEM, dict.fromkeys(ids, values), Channel.SYSTEM)


@task("events.tell_row")
def tell_row(progress: Progress, event_id: int, contact_id: int) -> None:
    """Tell who got a place by a row that a form, an import or a program made."""
    event, row = kinds.load_many([event_id]).get(event_id), standings.rows_of(event_id, [contact_id]).get(contact_id)
    if event is not None:
        standings.note_full(event)
    if event is not None and row is not None and row["status"] in {"joined", "spare"}:
        mails.tell(event, [row["id"]], "join" if row["status"] == "joined" else "spare")


@task("events.after_deletion")
def after_deletion(progress: Progress, ids: Sequence[int], **_more: Any) -> None:
    """Attendees were deleted: who waits moves up."""
    event_ids = db.session.execute(select(TABLE.c.event_id).where(TABLE.c.id.in_(ids)).distinct()).scalars().all()
    waiting.promote_later(progress, sorted(event_ids))


afterwards.listen("attendees", "events.after_deletion", "deleted")
