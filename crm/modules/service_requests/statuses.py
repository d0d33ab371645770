"""Statuses of service requests: the organisation's words, each mapped to exactly one state."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import afterwards, relations
from crm.engine import fields as f
from crm.engine.labels import Label, of_name
from crm.engine.module import Block, Module
from crm.engine.outbox import Progress, task
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after
from crm.modules.service_requests.lists import ENDED, STATES
from crm.words import N_, _

SEEDS = (
    (N_("New"), "pending"), (N_("Responded"), "responded"), (N_("Temporary solution given"), "temporary"),
    (N_("Solved"), "final"), (N_("Completed"), "completed"), (N_("Cancelled"), "cancelled"),
)  # fmt: skip
NEEDED = ("pending", "responded", "final", "completed", "cancelled")  # states without a status would be dead ends


class SrStatus(Record):
    """One status. A deleted one still shows, by its name, on requests that have it."""

    __tablename__ = "sr_statuses"
    name: Mapped[str] = f.text("Name", max=80, unique=True)
    code: Mapped[str | None] = f.text("Code", max=20, help="Empty: the initials of the name")
    state: Mapped[str] = f.picklist("State", "sr_state", mass_edit=False)
    pauses: Mapped[bool] = f.checkbox("The clock stands while a request waits in it for the customer")
    place: Mapped[int | None] = f.whole("Place", least=0, most=999, default=0)
    description: Mapped[str | None] = f.long_text("Description", max=2000)


def initials(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The code, where none was typed."""
    then = after(values, old)
    if then.get("code"):
        return {}
    return {"code": "".join(word[0] for word in str(then.get("name") or "").split()).upper()[:20] or None}


def keeps_its_state(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A status that unfinished requests have does not become another state; the last one of a needed state stays it."""
    if old is None or "state" not in values or values["state"] == old["state"]:
        return {}
    said = _why_not(old["id"], old["state"])
    return {"state": Fault("in_use", said)} if said else {}


def _why_not(id: int, state: str) -> str:
    requests, table = modules["service_requests"].table, SrStatus.__table__
    used = select(func.count()).where(
        requests.c.status_id == id, requests.c.state.not_in(ENDED), requests.c.deleted_at.is_(None)
    )
    if db.session.execute(used).scalar():
        return _("Requests that are not finished have this status.")
    types = modules["sr_types"].table
    listed = types.c.id.in_(relations.linked("sr_statuses", id, "types"))
    named = or_(listed, *(types.c[f"{name}_status_id"] == id for name in (*NEEDED, "temporary")))
    if db.session.execute(select(types.c.id).where(named, types.c.deleted_at.is_(None)).limit(1)).first():
        return _("A type of requests names this status.")
    rules = modules["sr_rules"].table
    moves = select(rules.c.id).where(
        or_(rules.c.from_status_id == id, rules.c.to_status_id == id), rules.c.deleted_at.is_(None)
    )
    if db.session.execute(moves.limit(1)).first():
        return _("A rule of a type names this status.")
    others = select(table.c.id).where(table.c.state == state, table.c.id != id, table.c.deleted_at.is_(None))
    if state in NEEDED and db.session.execute(others.limit(1)).first() is None:
        return _("It is the only status of its state.")
    return ""


def is_free(ids: list[int]) -> dict[int, Fault]:
    """Why a status cannot be deleted."""
    table = SrStatus.__table__
    rows = db.session.execute(select(table.c.id, table.c.state).where(table.c.id.in_(ids))).all()
    return {row.id: Fault("in_use", said) for row in rows if (said := _why_not(row.id, row.state))}


@task("service_requests.renamed")
def renamed(progress: Progress, module: str, event: str, ids: list[int], channel: str, actor_id: int | None) -> str:
    """Requests show a status by the name it has now; those of deleted ones keep the last."""
    table, requests = SrStatus.__table__, modules["service_requests"].table
    for row in db.session.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids))):
        db.session.execute(update(requests).where(requests.c.status_id == row.id).values(status=row.name))
    return f"{len(ids)} statuses"


def one(id: int | None) -> Any:
    """The stored row of a status, deleted ones too; None when there is none."""
    table = SrStatus.__table__
    return db.session.execute(select(table).where(table.c.id == (id or 0))).first()


def of_state(state: str) -> list[Any]:
    """The living statuses of a state, in order."""
    table = SrStatus.__table__
    said = select(table).where(table.c.state == state, table.c.deleted_at.is_(None))
    return list(db.session.execute(said.order_by(table.c.place, table.c.id)))


def labels() -> list[Label]:
    """The names of the living statuses, as an administrator may word them in each language."""
    table = SrStatus.__table__
    said = select(table.c.name).where(table.c.deleted_at.is_(None)).order_by(table.c.place, table.c.id)
    return [of_name("sr_statuses", name) for name in db.session.scalars(said)]


MODULE = Module(
    SrStatus,
    label="Status of service requests",
    plural="Statuses of service requests",
    icon="flag",
    columns=("name", "code", "state", "pauses", "place"),
    form=(Block("Status", ("name", "code", "state", "pauses", "place", "description")),),
    in_search=False,
    search=("name",),
    sort=("place",),
    picklists=(STATES,),
    derives=(initials,),
    checks=(keeps_its_state,),
    before_delete=(is_free,),
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)

afterwards.listen("sr_statuses", "service_requests.renamed", "updated", fields=("name",))
