"""The verbs of a request: respond, resolve, complete, cancel, another status. Each takes the request for itself first.

All raise Missing, Forbidden, Refused, Conflict; the caller commits. Staff only: customers accept by accepting.py.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import history, outbox, records, relations
from crm.engine.channels import Channel
from crm.engine.picklists import is_key
from crm.engine.refusals import Conflict, Fault, Refused
from crm.engine.registry import modules
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.activities import ENDED as DONE
from crm.modules.rules import demand_record
from crm.modules.service_requests import categories, statuses, steps, transitions, types
from crm.modules.service_requests.lists import ENDED, MOVES, STATE_OF_STEP
from crm.modules.tickets.commenting import checked
from crm.words import _, ngettext

TABLE = "service_requests"


def locked(viewer: Viewer, id: int) -> dict[str, Any]:
    """The request as it is now, held until the end of the transaction."""
    demand_record(viewer, TABLE, id, "edit")
    table = modules[TABLE].table
    row = db.session.execute(select(table).where(table.c.id == id).with_for_update()).mappings().one()
    if row["state"] in ENDED:
        raise Conflict(_("This request has ended; it is not changed any more."), "ended")
    return dict(row)


def _demand_user(request: Mapping[str, Any]) -> None:
    if request["accepted_by_id"] is None:
        raise Conflict(_("Somebody must take this request first."), "nobody")


def _target(viewer: Viewer, request: Mapping[str, Any], state: str, status_id: int | None) -> Any:
    """The status that follows; the rules of the type decide whether this viewer may make the move."""
    type = types.one(request["type_id"])
    row = statuses.one(status_id) if status_id else types.status_of(type, state)
    allowed = types.linked(type, "statuses") if type is not None and status_id else set()
    if row is not None and allowed and row.id not in allowed:
        raise Refused.because("not_in_list", _("Requests of this type do not have this status."), "status_id")
    if row is None or row.state != state or row.deleted_at is not None:
        raise Refused.because("other_state", _("Choose a status of the state that follows."), "status_id")
    if state != request["state"] and state not in MOVES[request["state"]]:
        raise Conflict(_("A request cannot go from this status to that one."), "illegal_move")
    if type is not None and not transitions.allows(viewer, type, request["status_id"], row.id):
        raise Conflict(_("The rules of this type do not let you make this move."), "not_allowed")
    return row


def _move(viewer: Viewer, request: Mapping[str, Any], row: Any, channel: Channel, **more: Any) -> None:
    """Write the new status with what belongs to it."""
    values = {"status_id": row.id, "status": row.name, "state": row.state} | more
    records.update(SYSTEM, TABLE, request["id"], values, Channel.SYSTEM)
    history.note_events(viewer, modules[TABLE], [request["id"]], row.name[:120], channel, clock.now())


def set_status(viewer: Viewer, id: int, status_id: int, channel: Channel) -> None:
    """Another status of the same state (other states are reached by their own verbs)."""
    request = locked(viewer, id)
    _demand_user(request)
    row = statuses.one(status_id)
    if row is None:
        raise Refused.because("not_in_list", _("Choose a status."), "status_id")
    if row.state != request["state"]:
        raise Conflict(
            _("This status is of another state: respond, resolve, complete or cancel instead."), "illegal_move"
        )
    _move(viewer, request, _target(viewer, request, row.state, status_id), channel)


def take_step(viewer: Viewer, id: int, step: str, said: Mapping[str, Any], channel: Channel) -> int:
    """Respond (`step` "response") or resolve ("temporary", "final"); gives the step's id.

    `said`: text, and where they are said category_id, at, by_id, status_id, accepted_by_id. A mail to the customer follows.
    """
    request = locked(viewer, id)
    _demand_user(request)
    if fault := hindrance(request, step):
        raise fault
    target = _target(viewer, request, STATE_OF_STEP[step], said.get("status_id"))
    row = read_step(viewer, request, step, said)
    made = records.create(SYSTEM, "sr_steps", row, Channel.SYSTEM)
    more: dict[str, Any] = {"waits_for": row["needs_acceptance"] and row["accepted_at"] is None, "rejected": False}
    if step == "response" and request["responded_at"]:
        moments = {}  # a second response after a refusal: the customer was answered by the first
    else:
        moments = moments_of(request, step, row["at"])
    _move(viewer, request, target, channel, **more | moments)
    outbox.put(db.session, "service_requests.mail_step", dedupe_key=f"sr:step:{made}", step_id=made)
    return made


def moments_of(request: Mapping[str, Any], step: str, at: datetime) -> dict[str, Any]:
    """What a step at this moment writes into the request: when it was answered or resolved, and from when the clock counts."""
    if step == "temporary":
        return {}
    if step == "final":
        return {"resolved_at": at}
    type = types.one(request["type_id"])
    return {"responded_at": at} | ({"clock_from": at} if type is not None and type["recalculates"] else {})


def hindrance(request: Mapping[str, Any], step: str) -> Conflict | None:
    """Why this step cannot be taken now; None where it can.

    What went before must be accepted where that was asked for, or refused where this is the next attempt (spec/portal.md 6.3).
    """
    if STATE_OF_STEP[step] not in MOVES[request["state"]]:
        return Conflict(_("This step cannot be taken now."), "illegal_move")
    id = request["id"]
    if step in ("temporary", "final") and not steps.is_settled(steps.newest(id, "response")):
        return Conflict(_("The customer has not accepted the response yet."), "not_accepted")
    before = steps.newest(id, "temporary")
    if step == "final" and not steps.is_settled(before):
        return Conflict(_("The customer has not accepted the temporary resolution yet."), "not_accepted")
    last = steps.newest(id, step)
    if last is not None and last["rejected_at"] is None:
        return Conflict(_("There is one already. Correct it, or wait until the customer refuses it."), "exists")
    return None


def may_follow(viewer: Viewer, request: Mapping[str, Any], status_id: int) -> bool:
    """Whether the rules of the request's type let this viewer give it that status."""
    type = types.one(request["type_id"])
    return type is None or transitions.allows(viewer, type, request["status_id"], status_id)


def read_step(viewer: Viewer, request: Mapping[str, Any], step: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a step of `request` from what was typed (see take_step). Raises Refused."""
    faults: dict[str, list[Fault]] = {}
    type, now = types.one(request["type_id"]), clock.now()
    category_id = said.get("category_id") or (type[f"{step}_category_id"] if type else None)
    category = categories.one(category_id)
    if category is None:
        faults["category_id"] = [Fault("required", _("Choose a category."))]
    elif fault := types.category_fault(type, category_id, step):
        faults["category_id"] = [fault]
    at = said.get("at") or now
    begun = request["starts_at"].replace(second=0, microsecond=0)  # forms know no seconds
    if not isinstance(at, datetime) or at > now or at < begun:
        faults["at"] = [Fault("bad_moment", _("The moment lies between the beginning of the request and now."))]
    text = ""
    try:
        text = checked(str(said.get("text") or ""))
    except Refused as refused:
        faults |= refused.faults
    by_id, accepter = said.get("by_id") or viewer.id, said.get("accepted_by_id")
    if by_id is not None and not is_staff(by_id):
        faults["by_id"] = [Fault("not_in_list", _("Choose an active user."))]
    if accepter and not is_related(request, accepter):
        faults["accepted_by_id"] = [
            Fault("unrelated", _("Only the customer or somebody of the same company can accept it."))
        ]
    if faults:
        raise Refused(faults)
    return {
        "request_id": request["id"], "step": step, "category_id": category_id, "category_path": category.path, "at": at, "asked_at": now,
        "by_id": by_id, "text": text, "needs_acceptance": bool(category.requires_acceptance),
        "accepted_at": now if accepter else None, "accepted_by_id": accepter or None, "accepted_how": "staff" if accepter else None,
    }  # fmt: skip


def is_staff(user_id: int) -> bool:
    """Whether this is an active user of the CRM: who may have answered."""
    said = select(User.id).where(User.id == user_id, User.crm_access, ~User.archived, User.deleted_at.is_(None))
    return db.session.execute(said).first() is not None


def is_related(request: Mapping[str, Any], contact_id: int) -> bool:
    """Whether a contact is the caller, or of the caller's account."""
    if contact_id == request["contact_id"]:
        return True
    table = modules["contacts"].table
    said = select(table.c.account_id).where(table.c.id == contact_id, table.c.deleted_at.is_(None))
    account = db.session.execute(said).scalar()
    return account is not None and account == request["account_id"]


def mail_again(viewer: Viewer, id: int, channel: Channel) -> None:
    """Have the newest step mailed to the customer once more. Raises Missing, Forbidden, Conflict. The caller commits."""
    locked(viewer, id)
    step = steps.newest(id)
    if step is None:
        raise Conflict(_("There is nothing to mail yet."), "nothing")
    outbox.put(db.session, "service_requests.mail_step", step_id=step["id"], again=f":{clock.now():%Y%m%d%H%M%S}")
    history.note_events(viewer, modules[TABLE], [id], "mailed again", channel, clock.now())


def complete(viewer: Viewer, id: int, channel: Channel, status_id: int | None = None) -> None:
    """All is resolved and accepted, all activities are done: no more to do. The customer is asked for feedback."""
    request = locked(viewer, id)
    _demand_user(request)
    if fault := why_open(request):
        raise fault
    _move(viewer, request, _target(viewer, request, "completed", status_id), channel, waits_for=False)
    outbox.put(db.session, "service_requests.ask_feedback", dedupe_key=f"sr:feedback:{id}", request_id=id)


def why_open(request: Mapping[str, Any]) -> Conflict | None:
    """Why the request cannot be completed now; None where it can."""
    if request["state"] != "final":
        return Conflict(_("Only what is resolved can be completed."), "illegal_move")
    last = steps.newest(request["id"], "final")
    if last is not None and last["rejected_at"] is not None:
        return Conflict(_("The customer has refused the resolution; give another one."), "refused")
    if not steps.is_settled(last):
        return Conflict(_("The customer has not accepted the resolution yet."), "not_accepted")
    if count := open_activities(request["id"]):
        said = ngettext(
            "%(num)s activity is still open. Complete or cancel it first.",
            "%(num)s activities are still open. Complete or cancel them first.",
            count,
        )
        return Conflict(said, "open_activities")
    return None


def open_activities(id: int) -> int:
    """How many linked activities are not done."""
    table = modules["activities"].table
    linked = relations.linked(TABLE, id, "activities")
    said = select(table.c.id).where(table.c.id.in_(linked), table.c.deleted_at.is_(None), table.c.status.not_in(DONE))
    return len(db.session.execute(said).all())


def cancel(
    viewer: Viewer, id: int, channel: Channel, reason: str | None = None, note: str = "", status_id: int | None = None
) -> None:
    """Only while pending, with a reason: the one said, else the type's."""
    request = locked(viewer, id)
    if request["state"] != "pending":
        raise Conflict(_("Only a pending request can be cancelled."), "illegal_move")
    type = types.one(request["type_id"])
    reason = reason or (type["cancel_reason"] if type else None)
    allowed = tuple(type["cancel_reasons"] or ()) if type else ()
    if not reason or not is_key("sr_cancel_reason", reason) or (allowed and reason not in allowed):
        raise Refused.because("required", _("Choose why it is cancelled."), "cancel_reason")
    target = _target(viewer, request, "cancelled", status_id)
    _move(viewer, request, target, channel, cancel_reason=reason, cancel_note=note.strip()[:500] or None)
