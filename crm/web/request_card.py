"""What the card of a service request shows beyond its fields: its talk in order of time, and what may be done now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from crm.db import db
from crm.engine import picklists
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.identity.tables import User
from crm.identity.viewer import Viewer
from crm.modules.service_requests import (
    correcting,
    feedback,
    moving,
    note_files,
    notes,
    planning,
    settings,
    statuses,
    steps,
    types,
)
from crm.modules.service_requests.lists import ENDED, STATE_OF_STEP, STEP_WORDS, STEPS
from crm.ui import cards

MOST_PEOPLE = 100


def part(
    viewer: Viewer, row: Row, faults: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The values of _sr_part.html. `faults` and `typed`: of a form that was refused, which says in `form` which one it is."""
    table = modules["service_requests"].table
    stored = dict(db.session.execute(select(table).where(table.c.id == row.id)).mappings().one())
    taken, said = steps.of_request(row.id), feedback.of_request(row.id)
    newest, type = (taken[-1] if taken else None), types.one(stored["type_id"])
    may_edit = may(viewer, "edit", "service_requests") and stored["state"] not in ENDED
    is_held = may_edit and stored["accepted_by_id"] is not None
    open_to = {
        one: statuses_open(viewer, stored, type, STATE_OF_STEP[one])
        for one in (STEPS if is_held else ())
        if moving.hindrance(stored, one) is None
    }
    possible = [one for one, found in open_to.items() if found]
    still_open = moving.why_open(stored) if is_held and stored["state"] == "final" else None
    written = notes.of_request(row.id)
    can_correct = may_edit and correcting.may_correct(viewer, stored, newest)
    offered = {*possible, *([newest["step"]] if can_correct and newest is not None else [])}
    people = people_near(stored)
    talk = talk_of(taken, written, said)
    return {
        "row": row, "stored": stored, "talk": talk, "newest": newest, "words": STEP_WORDS, "faults": faults or {}, "typed": typed or {},
        "names": labels_of(viewer, {*people, *(id for one in talk for id in one["people"])}), "people": people,
        "priority": settings.name_of(stored["priority"]), "possible": possible, "can_correct": can_correct,
        "categories": {one: types.categories_of(type, one) for one in offered}, "staff": staff() if possible else [],
        "statuses_of": open_to, "usual_of": {one: usual_status(type, STATE_OF_STEP[one]) for one in possible},
        "statuses": [one for one in statuses_open(viewer, stored, type, stored["state"]) if one.id != stored["status_id"]] if is_held else [],
        "files": note_files.files_of([int(str(one["id"])) for one in written]), "still_open": str(still_open or ""),
        "waits": may_edit and newest is not None and not steps.is_settled(newest) and newest["rejected_at"] is None,
        "can_take": may_edit and stored["accepted_by_id"] is None and (viewer.is_admin or stored["unit_id"] in viewer.principals),
        "can_release": may_edit and stored["unit_id"] is not None and stored["accepted_by_id"] == viewer.id,
        "can_cancel": may_edit and stored["state"] == "pending", "reasons": reasons_of(type), "can_edit": may_edit,
        "can_complete": is_held and stored["state"] == "final" and still_open is None and bool(statuses_open(viewer, stored, type, "completed")),
        "activities": planning.allowed(type) if may_edit and may(viewer, "create", "activities") else [],
    }  # fmt: skip


def talk_of(taken: Sequence[Any], said: Sequence[Any], given: Any) -> list[dict[str, Any]]:
    """Steps, notes and feedback in the order of time: `kind`, `at`, `one` (the row), `people` (ids to be named)."""
    found = [
        {"kind": "step", "at": one["at"], "one": one, "people": [id for id in (one["by_id"], one["accepted_by_id"]) if id]} for one in taken
    ]  # fmt: skip
    found += [
        {"kind": "note", "at": one["at"], "one": one, "people": [id for id in (one["user_id"], one["contact_id"]) if id]} for one in said
    ]  # fmt: skip
    if given is not None:
        found.append({"kind": "feedback", "at": given["at"], "one": given, "people": [given["contact_id"]]})
    return sorted(found, key=lambda one: one["at"])


def people_near(request: Mapping[str, Any]) -> list[int]:
    """The customer and the people of the same company, the customer first: who may accept."""
    table = modules["contacts"].table
    near = [table.c.id == request["contact_id"]]
    if request["account_id"]:
        near.append(table.c.account_id == request["account_id"])
    said = select(table.c.id).where(or_(*near), table.c.deleted_at.is_(None))
    return list(db.session.scalars(said.order_by(table.c.id != request["contact_id"], table.c.id).limit(MOST_PEOPLE)))


def staff() -> list[Any]:
    """Active users of the CRM: who may have answered."""
    said = select(User.id, User.first_name, User.last_name)
    said = said.where(User.crm_access, ~User.archived, User.deleted_at.is_(None))
    return list(db.session.execute(said.order_by(User.last_name, User.id).limit(MOST_PEOPLE)))


def statuses_of(type: Any, state: str) -> list[Any]:
    """The statuses of a state that requests of this type may have."""
    named = types.linked(type, "statuses") if type is not None else set()
    return [one for one in statuses.of_state(state) if not named or one.id in named]


def statuses_open(viewer: Viewer, stored: Mapping[str, Any], type: Any, state: str) -> list[Any]:
    """Those of them that the rules of the type let this viewer give the request now."""
    return [one for one in statuses_of(type, state) if moving.may_follow(viewer, stored, one.id)]


def usual_status(type: Any, state: str) -> int | None:
    """The status that a request gets with a state where none is chosen."""
    row = types.status_of(type, state)
    return row.id if row is not None else None


def reasons_of(type: Any) -> list[Any]:
    """The reasons to cancel of a type; all when it names none. The type's own stands first."""
    named = tuple(type["cancel_reasons"] or ()) if type is not None else ()
    usual = type["cancel_reason"] if type is not None else None
    found = [one for one in picklists.choices("sr_cancel_reason") if not named or one.key in named]
    return sorted(found, key=lambda one: one.key != usual)


cards.add_part("service_requests", cards.Part("_sr_part.html", part, place="left"))
