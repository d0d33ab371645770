"""Statuses are an administrator's words; each is mapped to a state (open, waiting, closed), which is what logic goes by."""

from typing import Any

from sqlalchemy import insert, select, update

from crm.db import db
from crm.engine import picklists
from crm.engine.picklists import Picklist, PicklistValue
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.words import _

NAME = "ticket_status"
STATES = ("open", "waiting", "closed")
FALLBACK = {"open": "Open", "waiting": "Wait For Response", "closed": "Closed"}


def state_of(status: str) -> str:
    """The state that a status is mapped to; open when nobody said."""
    said = next((one.carries for one in picklists.choices(NAME) if one.key == status), {})
    return str(said.get("state", "open"))


def first_of(state: str) -> str:
    """The first status of a state."""
    return next(
        (one.key for one in picklists.choices(NAME) if one.carries.get("state", "open") == state), FALLBACK[state]
    )


def in_progress() -> str:
    """The status that a ticket gets when the customer has answered: In Progress, else the first open one."""
    keys = [one.key for one in picklists.choices(NAME) if one.carries.get("state", "open") == "open"]
    return "In Progress" if "In Progress" in keys else first_of("open")


def tells_customer(status: str) -> bool:
    """Whether the customer is told by mail that his ticket got this status."""
    return any(one.key == status and bool(one.carries.get("tells_customer")) for one in picklists.choices(NAME))


def change(mapped: dict[str, tuple[str, bool]], new: tuple[str, str, bool] | None = None) -> None:
    """Map statuses: key → (state, tells the customer); `new`: (name, state, tells) is added. The caller commits.

    Tickets with a status whose state changed follow at once, in one statement. Raises Refused.
    """
    _check(mapped, new)
    lists, values = Picklist.__table__, PicklistValue.__table__
    list_id = db.session.execute(select(lists.c.id).where(lists.c.name == NAME)).scalar_one()
    rows = db.session.execute(
        select(values.c.id, values.c.key, values.c.carries, values.c.place).where(values.c.picklist_id == list_id)
    ).all()
    table = modules["tickets"].table
    for row in rows:
        if row.key in mapped:
            state, tells = mapped[row.key]
            carries: dict[str, Any] = dict(row.carries or {}) | {"state": state, "tells_customer": tells}
            db.session.execute(update(values).where(values.c.id == row.id).values(carries=carries))
            if (row.carries or {}).get("state") != state:
                db.session.execute(update(table).where(table.c.status == row.key).values(state=state))
    if new is not None:
        name, state, tells = new
        place = max((row.place for row in rows), default=0) + 1
        carried = {"state": state, "tells_customer": tells}
        db.session.execute(insert(values).values(
            picklist_id=list_id, key=name, label=name, colour="", carries=carried, place=place, is_active=True,
        ))  # fmt: skip
    picklists.touch()


def _check(mapped: dict[str, tuple[str, bool]], new: tuple[str, str, bool] | None) -> None:
    known = {one.key: one.carries.get("state", "open") for one in picklists.choices(NAME)}
    states = known | {key: state for key, (state, _tells) in mapped.items()}
    if any(state not in STATES for state in states.values()) or (new and new[1] not in STATES):
        raise Refused.because("not_in_list", _("Choose a state of the list."), "state")
    if new is not None and (not new[0].strip() or len(new[0]) > 60):
        raise Refused.because("required", _("Give the status a name of at most 60 characters."), "new_name")
    if new is not None and new[0].casefold() in {key.casefold() for key in known}:
        raise Refused.because("not_unique", _("There is a status of this name."), "new_name")
    if missing := set(STATES) - set(states.values()) - ({new[1]} if new else set()):
        sentence = _("At least one status must have the state “%(state)s”.", state=sorted(missing)[0])
        raise Refused({"state": [Fault("required", sentence)]})
