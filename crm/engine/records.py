"""The writing door. Every write of every module goes through here, names its channel, and is committed by its caller.

Each verb works on batches (decisions.md 3); the single verbs are a batch of one. The stages, in order: rights, cleaning,
formulas, number, write, history, search index, what comes afterwards (spec/platform.md 1.6).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select
from sqlalchemy import update as sql_update

from crm import clock
from crm.db import Entity, db, fold_text
from crm.engine import afterwards, attachments, formulas, history, numbering, statistics, storing, text_index, ways
from crm.engine.channels import RULES, Channel
from crm.engine.cleaning import Cleaner, Values
from crm.engine.conditions import matches
from crm.engine.duplicates import holders
from crm.engine.fields import Field
from crm.engine.module import Action, Module
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Fault, Forbidden, Missing, Refused, Stale, UnknownName
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _

AT_ONCE = 2_000


@dataclass(frozen=True)
class Change:
    """What a write changed: field → (old, new)."""

    id: int
    version: int
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of a batch, by the index of its rows. `ids` holds None where a row was refused."""

    ids: list[int | None] = field(default_factory=list)
    refused: dict[int, Exception] = field(default_factory=dict)
    changes: dict[int, Change] = field(default_factory=dict)  # record id → change


def create(viewer: Viewer, module: Module | str, values: Mapping[str, Any], channel: Channel) -> int:
    """Make one record; gives its id. Raises Refused (all faults by field), Forbidden."""
    return cast(int, create_many(viewer, module, [values], channel).ids[0])


def create_many(
    viewer: Viewer, module: Module | str, rows: Sequence[Mapping[str, Any]], channel: Channel, keep_going: bool = False
) -> Outcome:
    """Make records. A refused row stops the batch (raises Refused), or with `keep_going` only itself."""
    module = _module(module)
    demand(viewer, "create", module)
    _demand_writable(viewer, module, "creatable")
    cleaner = Cleaner(viewer, module, channel)
    cleaned, refused = cleaner.clean(rows)
    outcome = Outcome([None] * len(rows), dict(refused))
    if refused and not keep_going:
        raise refused[min(refused)]
    good = [index for index in range(len(rows)) if index not in refused]
    if RULES[channel].formulas:
        for index in good:
            formulas.apply(module, cleaned[index], None, channel, cleaner.typed)
    numbers = numbering.allocate(module, len(good))
    now = clock.now()
    stamps = {"creator_id": viewer.id, "updater_id": viewer.id, "created_at": now, "updated_at": now}
    made = [cleaned[index] | stamps | {"number": numbers[place]} for place, index in enumerate(good)]
    ids = _insert(module, cleaner.fields, made)
    for index, id in zip(good, ids, strict=True):
        outcome.ids[index] = id
    if module.is_record:
        history.note_events(viewer, module, ids, "created", channel, now)
        written = dict(zip(ids, made, strict=True))
        text_index.index_many(module, written, is_new=True)
        if module.sole:
            _keep_sole(module, written)
    statistics.keep(db.session.connection(), module.table.name, len(ids))
    afterwards.tell(module, "created", ids, channel, viewer)
    return outcome


def _insert(module: Module, fields: Mapping[str, Field], made: list[Values]) -> list[int]:
    if not made:
        return []
    if not module.is_record:
        said = insert(module.table).returning(module.table.c.id, sort_by_parameter_order=True)
        rows = [row | {"extra": {}} for row in made]
        return list(db.session.connection().execute(said, rows).scalars())
    cards = [{"module": module.key, "number": row["number"], "label": module.label_of(row)} for row in made]
    ids = storing.insert_identities(cards)
    custom = {name: said for name, said in fields.items() if said.custom}
    storing.insert_rows(module.table, [{**_stored(custom, row), "id": id} for id, row in zip(ids, made, strict=True)])
    return ids


NOTHING: Values = {}


def _stored(custom: Mapping[str, Field], values: Values) -> Values:
    """Values by column: custom ones gathered in `extra`."""
    if not custom:
        return {**values, "extra": NOTHING}
    row = {name: value for name, value in values.items() if name not in custom}
    row["extra"] = {
        name: custom[name].kind.store(value, custom[name])
        for name, value in values.items()
        if name in custom and value is not None
    }
    return row


def update(
    viewer: Viewer,
    module: Module | str,
    id: int,
    changes: Mapping[str, Any],
    channel: Channel,
    version: int | None = None,
) -> Change:
    """Change one record. `version`: the one that was seen; Stale when it is another by now.

    Raises Missing, Forbidden, Refused, Stale.
    """
    outcome = update_many(viewer, module, {id: changes}, channel, versions={id: version} if version is not None else {})
    return outcome.changes[id]


def update_many(
    viewer: Viewer,
    module: Module | str,
    changes: Mapping[int, Mapping[str, Any]],
    channel: Channel,
    keep_going: bool = False,
    versions: Mapping[int, int] | None = None,
) -> Outcome:
    """Change records: id → values. `Outcome.refused` is keyed by the position in `changes`."""
    module = _module(module)
    demand(viewer, "edit", module)
    _demand_writable(viewer, module, "editable")
    ids = list(changes)
    olds = _load(viewer, module, ids, "edit")
    outcome = Outcome([None] * len(ids))
    for index, id in enumerate(ids):
        if id not in olds:
            outcome.refused[index] = _absence(viewer, module, id)
        elif versions and versions.get(id) not in {None, olds[id]["version"]}:
            outcome.refused[index] = Stale(olds[id]["version"])
    good = [(index, id) for index, id in enumerate(ids) if index not in outcome.refused]
    cleaner = Cleaner(viewer, module, channel)
    cleaned, refused = cleaner.clean([changes[id] for _, id in good], [olds[id] for _, id in good])
    for place, fault in refused.items():
        outcome.refused[good[place][0]] = fault
    if outcome.refused and not keep_going:
        raise outcome.refused[min(outcome.refused)]
    fresh: dict[int, dict[str, tuple[Any, Any]]] = {}
    for place, (index, id) in enumerate(good):
        if place in refused:
            continue
        values = cleaned[place]
        if RULES[channel].formulas:
            formulas.apply(module, values, olds[id], channel, cleaner.typed)
        changed = {name: (olds[id].get(name), value) for name, value in values.items() if olds[id].get(name) != value}
        outcome.ids[index] = id
        outcome.changes[id] = Change(id, olds[id].get("version", 0) + bool(changed), changed)
        if changed:
            fresh[id] = changed
    _write(viewer, module, olds, fresh, cleaner.fields, channel)
    if module.sole:
        _keep_sole(module, {id: {name: new for name, (_, new) in changed.items()} for id, changed in fresh.items()})
    return outcome


def _keep_sole(module: Module, written: Mapping[int, Mapping[str, Any]]) -> None:
    """Take a tick that only one record may have (Module.sole) from the others when one was just given it."""
    table = module.table
    for name in module.sole:
        chosen = [id for id, values in written.items() if values.get(name) is True]
        if chosen:
            others = select(table.c.id).where(
                table.c[name].is_(True), table.c.id != chosen[-1], table.c.deleted_at.is_(None)
            )
            ids = db.session.execute(others).scalars().all()
            update_many(SYSTEM, module, {id: {name: False} for id in ids}, Channel.SYSTEM)


def _write(
    viewer: Viewer,
    module: Module,
    olds: Mapping[int, Values],
    fresh: Mapping[int, Mapping[str, tuple[Any, Any]]],
    fields: Mapping[str, Field],
    channel: Channel,
) -> None:
    if not fresh:
        return
    now = clock.now()
    groups: dict[tuple[str, ...], list[Values]] = {}
    labels: list[Values] = []
    for id, changed in fresh.items():
        row: Values = {name: new for name, (_, new) in changed.items() if not fields[name].custom}
        if any(fields[name].custom for name in changed):
            kept = {
                name: fields[name].kind.store(new, fields[name])
                for name, (_, new) in changed.items()
                if fields[name].custom
            }
            row["extra"] = {name: value for name, value in (olds[id]["extra"] | kept).items() if value is not None}
        groups.setdefault(tuple(sorted(row)), []).append(row | {"of_id": id, "of_version": olds[id].get("version")})
        if set(changed) & set(module.titles):
            label = module.label_of(olds[id] | {name: new for name, (_, new) in changed.items()})
            labels.append({"of_id": id, "label": label})
    stamps = {"updated_at": now, "updater_id": viewer.id} if module.is_record else {}
    for names, rows in groups.items():
        if not storing.update_rows(module.table, names, rows, stamps):
            raise Stale(0)  # between our reading and our writing somebody else saved one of them
    storing.update_rows(Entity.__table__, ("label",), labels, {})
    if module.is_record:
        history.note_changes(viewer, module, fresh, fields, channel, now)
        searched = {id for id, changed in fresh.items() if set(changed) & {*module.search, *module.titles}}
        if searched:
            merged = {id: olds[id] | {name: new for name, (_, new) in fresh[id].items()} for id in searched}
            text_index.index_many(module, merged)
    afterwards.tell(
        module, "updated", list(fresh), channel, viewer, changed={id: tuple(found) for id, found in fresh.items()}
    )


def delete(viewer: Viewer, module: Module | str, id: int, channel: Channel) -> None:
    """Put one record into the bin. Raises Missing, Forbidden, Refused."""
    delete_many(viewer, module, [id], channel)


def delete_many(
    viewer: Viewer, module: Module | str, ids: Sequence[int], channel: Channel, keep_going: bool = False
) -> Outcome:
    """Put records into the bin, with their links as they are."""
    module = _module(module)
    demand(viewer, "delete", module)
    _demand_writable(viewer, module, "deletable")
    outcome = Outcome(list(ids))
    olds = _load(viewer, module, ids, "delete")
    faults: dict[int, Any] = {}
    for check in module.before_delete:
        faults |= check([id for id in ids if id in olds]) or {}
    for index, id in enumerate(ids):
        if id not in olds:
            outcome.refused[index] = _absence(viewer, module, id)
        elif id in faults:
            outcome.refused[index] = Refused({"": [faults[id]]})
    if outcome.refused and not keep_going:
        raise outcome.refused[min(outcome.refused)]
    gone = [id for index, id in enumerate(ids) if index not in outcome.refused]
    outcome.ids = [id if index not in outcome.refused else None for index, id in enumerate(ids)]
    now = clock.now()
    if not module.is_record:
        for chunk in _chunks(gone):
            db.session.execute(sql_delete(module.table).where(module.table.c.id.in_(chunk)))
        return outcome
    _set_deleted(module, gone, now)
    text_index.forget(gone)
    history.note_events(viewer, module, gone, "deleted", channel, now)
    afterwards.tell(module, "deleted", gone, channel, viewer)
    return outcome


def restore(viewer: Viewer, module: Module | str, ids: Sequence[int], channel: Channel) -> None:
    """Take records out of the bin. Raises Refused, naming the rival, when a unique value has been taken meanwhile."""
    module = _module(module)
    demand(viewer, "delete", module)
    olds = _load(viewer, module, ids, "delete", bin=True)
    if missing := set(ids) - set(olds):
        raise _absence(viewer, module, min(missing))
    for name, said in module.declared.items():
        if not said.unique and not (name == "number" and module.prefix):
            continue
        for id in ids:
            value = olds[id].get(name)
            key = fold_text(value) if said.kind.is_text else value
            rival = holders(module, name, [key]).get(key) if key is not None else None
            if rival is not None:
                label = db.session.execute(select(Entity.label).where(Entity.id == rival)).scalar()
                message = _(
                    "“%(label)s” has this “%(label2)s” now. Change it there, then restore.",
                    label=label,
                    label2=_(said.label),
                )
                raise Refused({name: [Fault("not_unique", message)]})
    _set_deleted(module, ids, None)
    text_index.index_many(module, olds)
    history.note_events(viewer, module, ids, "restored", channel, clock.now())
    afterwards.tell(module, "restored", list(ids), channel, viewer)


def purge(viewer: Viewer, module: Module | str, ids: Sequence[int]) -> int:
    """Delete binned records for good; administrators only. Gives how many there were. Raises Forbidden."""
    module = _module(module)
    if not (viewer.is_admin or viewer.is_system):
        raise Forbidden(_("Only an administrator may delete for good."))
    count = 0
    for chunk in _chunks(list(ids)):
        table, cards = module.table, Entity.__table__
        known = select(table.c.id).where(table.c.id.in_(chunk), table.c.deleted_at.is_not(None))
        gone = list(db.session.execute(known).scalars())
        db.session.execute(sql_delete(table).where(table.c.id.in_(gone)))
        attachments.forget(gone)
        db.session.execute(sql_delete(cards).where(cards.c.id.in_(gone)))
        count += len(gone)
    return count


def act(viewer: Viewer, module: Module | str, id: int, action: str, channel: Channel) -> Change:
    """Do one of the module's declared actions to a record. Raises UnknownName, Refused when it is not offered now."""
    module = _module(module)
    known = {one.key: one for one in module.actions}
    if action not in known:
        raise UnknownName("action", action, known)
    old = _load(viewer, module, [id], "edit").get(id)
    if old is None:
        raise _absence(viewer, module, id)
    if not is_offered(known[action], module, old):
        raise Refused.because("not_offered", _("“%(label)s” is not possible now.", label=_(known[action].label)))
    return update(viewer, module, id, known[action].changes(old), channel)


def is_offered(action: Action, module: Module, values: Mapping[str, Any]) -> bool:
    """Whether an action may be done to a record with these values."""
    return not action.when or matches(action.when, module, values)


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module


def _demand_writable(viewer: Viewer, module: Module, what: str) -> None:
    if not viewer.is_system and not getattr(module, what):
        raise Forbidden(_("%(plural)s are written by the system only.", plural=_(module.plural)))


def _load(viewer: Viewer, module: Module, ids: Iterable[int], verb: str, bin: bool = False) -> dict[int, Values]:
    """The stored values of records that `viewer` may `verb`, locked against others until the transaction ends."""
    table = module.table
    narrowing = scope(viewer, module, verb)
    found: dict[int, Values] = {}
    custom = {name: said for name, said in module.fields.items() if said.custom}
    for chunk in _chunks(list(ids)):
        query = select(table).where(ways.among(table.c.id, chunk))
        if module.is_record:
            query = query.where(table.c.deleted_at.is_not(None) if bin else table.c.deleted_at.is_(None))
        if narrowing is not None:
            query = query.where(narrowing)
        with ways.by_index(len(chunk)):
            result = db.session.execute(query.with_for_update(of=table))
            names, rows = tuple(result.keys()), result.all()
        for row in rows:
            values = dict(zip(names, row, strict=True))
            for name, said in custom.items():
                values[name] = said.kind.unstore((values.get("extra") or {}).get(name), said)
            found[values["id"]] = values
    return found


def _absence(viewer: Viewer, module: Module, id: int) -> Exception:
    """Forbidden when the viewer sees the record but may not do that to it; else Missing, so that existence does not leak."""
    return Forbidden() if id in _load(viewer, module, [id], "view") else Missing()


def _set_deleted(module: Module, ids: Sequence[int], at: datetime | None) -> None:
    for chunk in _chunks(list(ids)):
        for table in (module.table, Entity.__table__):
            db.session.execute(sql_update(table).where(table.c.id.in_(chunk)).values(deleted_at=at))


def _chunks(items: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
