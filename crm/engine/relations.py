"""Many-links: any number of records of one module with any number of another, without a key on either side."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, Select, String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db
from crm.engine import history
from crm.engine.channels import Channel
from crm.engine.module import ManyLink, Module
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Missing, UnknownName
from crm.engine.registry import Relation, modules
from crm.identity.viewer import Viewer


class EntityLink(db.Model):  # type: ignore[name-defined]
    """One pair of a many-link. `a` is on the side that declared it."""

    __tablename__ = "entity_links"
    __table_args__ = (Index("ix_entity_links_back", "relation", "b_id", "a_id"),)
    relation: Mapped[str] = mapped_column(String(80), primary_key=True)  # "activities.contacts"
    a_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    b_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def many_link(module: str, relation: str) -> Relation:
    """The many-link called `relation` as seen from `module`. Raises UnknownName."""
    known = {name: found for name, found in modules.relations(module).items() if found.kind == "many"}
    if relation not in known:
        raise UnknownName("relation", relation, known)
    return known[relation]


def key_of(module: str, relation: Relation) -> str:
    """The name under which the pairs are kept."""
    link = cast(ManyLink, relation.link)
    return f"{module if relation.is_forward else relation.target}.{link.name}"


def link(viewer: Viewer, module: str, id: int, relation: str, other_ids: Iterable[int], channel: Channel) -> int:
    """Link a record to others; pairs that exist stay. Gives how many were new. Raises Missing, Forbidden, UnknownName.

    Linking needs the right to edit the one record and to read the others (spec/platform.md 1.1).
    """
    found = many_link(module, relation)
    others = list(dict.fromkeys(other_ids))
    _demand_pair(viewer, module, id, found.target, others)
    now = clock.now()
    rows = [
        {"relation": key_of(module, found), "a_id": a, "b_id": b, "created_at": now}
        for a, b in (((id, other) if found.is_forward else (other, id)) for other in others)
    ]
    if not rows:
        return 0
    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    said = make(EntityLink.__table__).values(rows).on_conflict_do_nothing().returning(EntityLink.b_id)
    made = len(db.session.execute(said).all())  # psycopg counts no inserted rows
    if made:
        history.note_events(viewer, modules[module], [id], f"linked {relation}", channel, now)
    return made


def unlink(viewer: Viewer, module: str, id: int, relation: str, other_ids: Iterable[int], channel: Channel) -> int:
    """Take pairs away; gives how many there were. Raises Missing, Forbidden, UnknownName."""
    found = many_link(module, relation)
    others = list(other_ids)
    _demand_pair(viewer, module, id, found.target, [])
    table = EntityLink.__table__
    near, far = (table.c.a_id, table.c.b_id) if found.is_forward else (table.c.b_id, table.c.a_id)
    said = delete(table).where(table.c.relation == key_of(module, found), near == id, far.in_(others))
    done = db.session.execute(said)
    if done.rowcount > 0:  # type: ignore[attr-defined]
        history.note_events(viewer, modules[module], [id], f"unlinked {relation}", channel, clock.now())
    return int(done.rowcount)  # type: ignore[attr-defined]


def linked(module: str, id: Any, relation: str) -> Select[tuple[int]]:
    """A select of the ids linked to a record; give it to `search.find` as a condition on ids, which knows the rights."""
    found = many_link(module, relation)
    table = EntityLink.__table__
    near, far = (table.c.a_id, table.c.b_id) if found.is_forward else (table.c.b_id, table.c.a_id)
    return select(far).where(table.c.relation == key_of(module, found), near == id)


def having(module: str, ids: list[int], relation: str) -> set[int]:
    """Those of `ids`, records of `module`, that are linked with anything by this many-link."""
    found = many_link(module, relation)
    table = EntityLink.__table__
    near = table.c.a_id if found.is_forward else table.c.b_id
    said = select(near).where(table.c.relation == key_of(module, found), near.in_(ids)).distinct()
    return set(db.session.execute(said).scalars())


def move_all(from_id: int, to_id: int, relation: str, forward: bool) -> None:
    """Let every pair of one many-link that held `from_id` hold `to_id` (conversion, merge)."""
    table = EntityLink.__table__
    near, far = (table.c.a_id, table.c.b_id) if forward else (table.c.b_id, table.c.a_id)
    mine = select(far).where(table.c.relation == relation, near == to_id)
    db.session.execute(delete(table).where(table.c.relation == relation, near == from_id, far.in_(mine)))
    db.session.execute(table.update().where(table.c.relation == relation, near == from_id).values({near.name: to_id}))


def _demand_pair(viewer: Viewer, module: str, id: int, other_module: str, others: list[int]) -> None:
    demand(viewer, "edit", module)
    if _visible(viewer, modules[module], [id], "edit") != {id}:
        raise Missing
    if others and _visible(viewer, modules[other_module], others, "view") != set(others):
        raise Missing


def _visible(viewer: Viewer, module: Module, ids: list[int], verb: str) -> set[int]:
    table = module.table
    said = select(table.c.id).where(table.c.id.in_(ids))
    if module.is_record:
        said = said.where(table.c.deleted_at.is_(None))
    narrowing = scope(viewer, module, verb)
    if narrowing is not None:
        said = said.where(narrowing)
    return set(db.session.execute(said).scalars())
