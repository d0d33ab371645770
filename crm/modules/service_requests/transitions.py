"""Which move a type allows to whom: rules from a status to a status, for everybody, a user or a group."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine.module import Block, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.identity.viewer import Viewer
from crm.modules.rules import after
from crm.modules.service_requests import statuses
from crm.modules.service_requests.lists import MOVES
from crm.words import _


class SrRule(Record):
    """One allowed move. Without `from_status_id`: from any; without `allowed_id`: to everybody."""

    __tablename__ = "sr_rules"
    name: Mapped[str | None] = f.text("Rule", max=200, read_only=True)
    type_id: Mapped[int] = f.link("Type", to="sr_types", on_delete="CASCADE", mass_edit=False)
    from_status_id: Mapped[int | None] = f.link(
        "From", to="sr_statuses", mass_edit=False, help="Empty: from any status"
    )
    to_status_id: Mapped[int] = f.link("To", to="sr_statuses", on_delete="CASCADE", mass_edit=False)
    allowed_id: Mapped[int | None] = f.link("Allowed to", to=("users", "groups"), help="Empty: everybody")
    note: Mapped[str | None] = f.long_text("Note", max=2000)


TABLE = SrRule.__table__


def named(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The rule in words."""
    then = after(values, old)
    first, last = statuses.one(then.get("from_status_id")), statuses.one(then.get("to_status_id"))
    return {"name": f"{first.name if first else '…'} → {last.name if last else '…'}"[:200]}


def fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The states allow the move; while the rules count, the end stays in reach."""
    from crm.modules.service_requests import types

    then = after(values, old)
    first, last = statuses.one(then.get("from_status_id")), statuses.one(then.get("to_status_id"))
    if first is not None and last is not None and not is_legal(first.state, last.state):
        return {"to_status_id": Fault("illegal_move", _("A request cannot go from this status to that one."))}
    type = types.one(then.get("type_id"))
    if (
        old is not None
        and type is not None
        and type["rules_count"]
        and not reaches_the_end(type, but=old["id"], plus=then)
    ):
        return {"to_status_id": Fault("unreachable", _("Then no request of this type could ever be completed."))}
    return {}


def keeps_a_way(ids: list[int]) -> dict[int, Fault]:
    """A rule without which the end could not be reached stays, while the rules count."""
    from crm.modules.service_requests import types

    found = {}
    for row in db.session.execute(select(TABLE.c.id, TABLE.c.type_id).where(TABLE.c.id.in_(ids))):
        type = types.one(row.type_id)
        if (
            type is not None
            and type["deleted_at"] is None
            and type["rules_count"]
            and not reaches_the_end(type, but=row.id)
        ):
            found[row.id] = Fault("unreachable", _("Without it no request of this type could ever be completed."))
    return found


def is_legal(old: str, new: str) -> bool:
    """Whether states allow the move at all; within a state every status may follow every other."""
    return new in MOVES[old] or (old == new and old not in ("completed", "cancelled"))


def of_type(type_id: int) -> list[Any]:
    return list(db.session.execute(select(TABLE).where(TABLE.c.type_id == type_id, TABLE.c.deleted_at.is_(None))))


def reaches_the_end(type: Mapping[str, Any], but: int | None = None, plus: Mapping[str, Any] | None = None) -> bool:
    """Whether by the rules a request of this type can come from its first status to a completed one."""
    from crm.modules.service_requests import types

    table = statuses.SrStatus.__table__
    state_of = {
        row.id: row.state
        for row in db.session.execute(select(table.c.id, table.c.state).where(table.c.deleted_at.is_(None)))
    }
    moves = [(row.from_status_id, row.to_status_id) for row in of_type(type["id"]) if row.id != but]
    if plus is not None:
        moves.append((plus.get("from_status_id"), plus["to_status_id"]))
    first = types.status_of(type, "pending")
    seen, waiting = set[int](), [first.id] if first is not None else []
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        if state_of.get(here) == "completed":
            return True
        waiting += [
            to for start, to in moves
            if start in (None, here) and to in state_of and is_legal(state_of[here], state_of[to])
        ]  # fmt: skip
    return False


def allows(viewer: Viewer, type: Mapping[str, Any], old_status: int | None, new_status: int) -> bool:
    """Whether the rules of the type let this viewer make the move."""
    if viewer.is_system or not type["rules_count"] or old_status == new_status:
        return True
    return any(
        rule.from_status_id in (None, old_status) and rule.to_status_id == new_status
        and (rule.allowed_id is None or rule.allowed_id in viewer.principals or rule.allowed_id == viewer.id)
        for rule in of_type(type["id"])
    )  # fmt: skip


MODULE = Module(
    SrRule,
    label="Rule of service requests",
    plural="Rules of service requests",
    icon="arrows-right",
    columns=("type_id", "from_status_id", "to_status_id", "allowed_id"),
    form=(Block("Rule", ("type_id", "from_status_id", "to_status_id", "allowed_id", "note")),),
    in_search=False,
    search=("name",),
    sort=("type_id",),
    shows_on={
        "sr_types": Related(
            by="type_id", label="Allowed moves", columns=("from_status_id", "to_status_id", "allowed_id")
        )
    },
    derives=(named,),
    checks=(fits,),
    before_delete=(keeps_a_way,),
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)
