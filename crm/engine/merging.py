"""Two records that are one: everything that points at the one that goes points at the one that stays, set-wise.

Rooms whose rows need a judgement of their own (a better seat, an older log-in) say so with `before`; the rest follows from
the keys of the tables. What goes lies in the bin and points at what stays.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint, and_, delete, exists, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Base, BigId, Entity, UtcDateTime, db
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import demand, may, readable, scope, writable
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import one
from crm.identity.viewer import Verb, Viewer
from crm.words import _

VERBS: tuple[Verb, ...] = ("merge", "edit", "delete")
Hook = Callable[[Viewer, int, int, Channel], None]
STAY = frozenset({"change_log.entity_id", "merged_records.entity_id"})
"""Keys that go on telling of the record that goes: its own history."""

_before: dict[str, list[Hook]] = {}
_offered: set[str] = set()
_judged: dict[str, set[str]] = {}


class MergedRecord(db.Model):  # type: ignore[name-defined]
    """That a record went into another one."""

    __tablename__ = "merged_records"
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    into_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    module: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def offer(*keys: str) -> None:
    """Let records of these modules be merged by people."""
    _offered.update(keys)


def before(key: str, hook: Hook) -> None:
    """Call hook(viewer, kept id, gone id, channel) before rows that point at a record of `key` are moved."""
    hooks = _before.setdefault(key, [])
    if hook not in hooks:
        hooks.append(hook)


def judge(key: str, *names: str) -> None:
    """Say that a hook decides these fields (consents): nobody chooses them."""
    _judged.setdefault(key, set()).update(names)


def may_merge(viewer: Viewer, module: Module) -> bool:
    """Whether the viewer may merge records of this module."""
    return module.key in _offered and all(may(viewer, verb, module) for verb in VERBS)


def fields_of(viewer: Viewer, module: Module) -> list[Field]:
    """The fields whose value can be chosen."""
    names = (readable(viewer, module) & writable(viewer, module)) - _judged.get(module.key, set())
    return [
        said for name, said in module.fields.items()
        if name in names and not said.read_only and said.kind.name not in {"file", "conditions", "source"} and name != "owner_id"
    ]  # fmt: skip


def pair(viewer: Viewer, module: Module, kept_id: int, gone_id: int) -> tuple[Row, Row]:
    """The two rows, when the viewer may edit the one and delete the other. Raises Missing, Forbidden, Refused."""
    if module.key not in _offered:
        raise Missing
    for verb in VERBS:
        demand(viewer, verb, module)
    if kept_id == gone_id:
        raise Refused.because("required", _("Choose two records."))
    _demand_reach(viewer, module, kept_id, "edit")
    _demand_reach(viewer, module, gone_id, "delete")
    return one(viewer, module, kept_id), one(viewer, module, gone_id)


def _demand_reach(viewer: Viewer, module: Module, id: int, verb: Verb) -> None:
    table, narrowing = module.table, scope(viewer, module, verb)
    said = select(table.c.id).where(table.c.id == id, table.c.deleted_at.is_(None))
    if db.session.execute(said if narrowing is None else said.where(narrowing)).first() is None:
        raise Missing


def merge(
    viewer: Viewer, key: str, kept_id: int, gone_id: int, chosen: Sequence[str] = (), channel: Channel = Channel.FORM
) -> None:
    """Make two records one. `chosen`: fields whose value is taken from the one that goes.

    Raises Missing, Forbidden, Refused, UnknownName. The caller commits."""
    module = modules[key]
    _kept, gone = pair(viewer, module, kept_id, gone_id)
    known = {said.name for said in fields_of(viewer, module)}
    if unknown := [name for name in chosen if module.resolve(name) not in known]:
        raise Refused.because("read_only", _("“%(name)s” cannot be chosen.", name=unknown[0]))
    values = {name: gone[name] for name in map(module.resolve, chosen)}
    for hook in _before.get(module.key, []):
        hook(viewer, kept_id, gone_id, channel)
    db.session.flush()
    move_links(module.key, kept_id, gone_id)
    db.session.execute(update(MergedRecord).where(MergedRecord.into_id == gone_id).values(into_id=kept_id))
    records.delete(viewer, module, gone_id, channel)
    if values:
        records.update(viewer, module, kept_id, values, channel)
    db.session.execute(
        insert(MergedRecord).values(entity_id=gone_id, into_id=kept_id, module=module.key, at=clock.now())
    )
    history.note_events(viewer, module, [kept_id, gone_id], "merged", channel, clock.now())


def where_is(id: int) -> int | None:
    """The record that another one went into; None when it never did."""
    return db.session.execute(select(MergedRecord.into_id).where(MergedRecord.entity_id == id)).scalar()


def merged_into(ids: Sequence[int]) -> list[int]:
    """The records that went into these."""
    said = select(MergedRecord.entity_id).where(MergedRecord.into_id.in_(ids)).order_by(MergedRecord.entity_id)
    return list(db.session.execute(said).scalars())


def move_links(key: str, kept_id: int, gone_id: int) -> None:
    """Let every key to the record that goes point at the one that stays. Where that would be there twice, one is enough."""
    targets = (modules[key].table.c.id, Entity.__table__.c.id)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            is_key = any(link.column is target for link in column.foreign_keys for target in targets)
            is_itself = column.primary_key and len(table.primary_key.columns) == 1  # a record is its identity
            if is_key and not is_itself and f"{table.name}.{column.name}" not in STAY:
                _move(table, column, kept_id, gone_id)
    mine = modules[key].table
    for column in mine.columns:  # nobody reports to himself
        if any(link.column is mine.c.id for link in column.foreign_keys):
            db.session.execute(update(mine).where(mine.c.id == kept_id, column == kept_id).values({column.name: None}))


def _move(table: Table, column: Column[Any], kept_id: int, gone_id: int) -> None:
    for others in _sets(table, column):
        twin = table.alias()
        same = [twin.c[other.name] == table.c[other.name] for other in others]
        doubled = and_(column == gone_id, exists().where(twin.c[column.name] == kept_id, *same).correlate(table))
        if column.nullable:
            db.session.execute(update(table).where(doubled).values({column.name: None}))
        else:
            db.session.execute(delete(table).where(doubled))
    db.session.execute(update(table).where(column == gone_id).values({column.name: kept_id}))


def _sets(table: Table, column: Column[Any]) -> list[list[Column[Any]]]:
    """The other columns of every set of columns that is unique together with this one."""
    found = [list(index.columns) for index in table.indexes if index.unique]
    found += [list(said.columns) for said in table.constraints if isinstance(said, UniqueConstraint)]
    found.append(list(table.primary_key.columns))
    return [[other for other in said if other is not column] for said in found if any(own is column for own in said)]
