"""Who holds a request: a unit gives it to the first member who takes it, and gets it back when it is released."""

from typing import Any

from sqlalchemy import select, update

from crm import clock
from crm.db import db, rows_changed
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict, Missing
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.modules.service_requests.lists import ENDED
from crm.words import _


def take(viewer: Viewer, id: int, channel: Channel) -> None:
    """Take a request of one's own unit: of two who do it at once, one gets it and the other is told who has it.

    Raises Missing, Forbidden, Conflict. The caller commits.
    """
    demand_record(viewer, "service_requests", id, "view")
    demand(viewer, "edit", "service_requests")
    table = modules["service_requests"].table
    if viewer.id is None:
        raise Missing
    said = update(table).where(
        table.c.id == id, table.c.accepted_by_id.is_(None), table.c.state.not_in(ENDED), table.c.deleted_at.is_(None),
        table.c.unit_id.in_(sorted(viewer.principals)) if not viewer.is_admin else table.c.id == id,
    )  # fmt: skip
    if not rows_changed(said.values(accepted_by_id=viewer.id)):
        raise _why_not(viewer, id)
    records.update(SYSTEM, "service_requests", id, {"owner_id": viewer.id}, Channel.SYSTEM)
    history.note_events(viewer, modules["service_requests"], [id], "taken", channel, clock.now())


def _why_not(viewer: Viewer, id: int) -> Conflict:
    row = _row(id)
    if row.state in ENDED:
        return Conflict(_("This request has ended; it is not changed any more."), "ended")
    if row.accepted_by_id is not None:
        name = labels_of(SYSTEM, [row.accepted_by_id]).get(row.accepted_by_id) or _("Somebody")
        return Conflict(_("%(who)s has taken this request.", who=name), "taken")
    return Conflict(_("Only members of its unit take this request."), "not_your_unit")


def release(viewer: Viewer, id: int, channel: Channel) -> None:
    """Give it back to the unit. Raises Missing, Forbidden, Conflict. The caller commits."""
    demand_record(viewer, "service_requests", id, "edit")
    row = _row(id)
    if row.unit_id is None or row.accepted_by_id is None or row.state in ENDED:
        raise Conflict(_("There is no unit to give it back to."), "no_unit")
    if row.accepted_by_id != viewer.id and not viewer.is_admin:
        raise Conflict(_("Only who has taken it gives it back."), "not_yours")
    records.update(SYSTEM, "service_requests", id, {"owner_id": row.unit_id}, Channel.SYSTEM)
    history.note_events(viewer, modules["service_requests"], [id], "released", channel, clock.now())


def _row(id: int) -> Any:
    table = modules["service_requests"].table
    return db.session.execute(select(table).where(table.c.id == id).with_for_update()).one()
