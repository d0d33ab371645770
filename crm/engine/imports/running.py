"""Running an import: batches of rows through the writing door, one commit each, so that a kill costs at most one batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from crm import clock
from crm.db import Entity, db, fold, fold_text
from crm.engine import records, storing
from crm.engine.channels import Channel
from crm.engine.duplicates import holders
from crm.engine.fields import Field
from crm.engine.imports.plans import Import, ImportedRun, ImportFault
from crm.engine.imports.reading import Line, header, lines
from crm.engine.kinds import LONGEST_TEXT, BadValue
from crm.engine.module import Module
from crm.engine.permissions import scope
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

AT_ONCE = 2_000
MOST_FAULTS = 100_000  # rows whose refusal is kept whole; a file beyond that is the wrong file
UNDO_DAYS = 7
QUOTED = tuple("=+-@")

Step = Callable[[int, int], None]


@dataclass
class Report:
    """What an import did, or would do (`is_dry`)."""

    is_dry: bool
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    faults: list[tuple[int, bool, str, list[str]]] = field(
        default_factory=list
    )  # line, is it a refusal, message, cells
    most_faults: int = MOST_FAULTS
    after_batch: "Callable[[list[_Row], Report], None] | None" = None
    """Of a dry run: what the rows of earlier batches, taken back by now, forbid these; marks and counts them itself."""


@dataclass
class _Row:
    line: Line
    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    fault: str = ""
    was_made: bool = False


def check(
    viewer: Viewer, plan: Import, step: Step | None = None, most: int | None = None, into: Report | None = None
) -> Report:
    """A dry run: everything is done and taken back. `most`: stop after that many rows; `into`: the report to fill."""
    return _run(viewer, plan, is_dry=True, step=step, most=most, into=into)


def run(viewer: Viewer, plan: Import, step: Step | None = None) -> Report:
    """Run a plan, or go on where it was stopped. Commits batch by batch; `step(done, total)` may raise to stop it."""
    plan.state = "running"
    db.session.commit()
    try:
        report = _run(viewer, plan, is_dry=False, step=step)
    except Refused as refused:
        db.session.rollback()
        plan.state, plan.message, plan.finished_at = "failed", str(refused), clock.now()
        db.session.commit()
        raise
    plan.state, plan.finished_at = "done", clock.now()
    db.session.commit()
    return report


def _run(
    viewer: Viewer,
    plan: Import,
    is_dry: bool,
    step: Step | None,
    most: int | None = None,
    into: Report | None = None,
) -> Report:
    module, report = modules[plan.module], into or Report(is_dry)
    path = Path(plan.path)
    total, width = _count(path, plan), len(header(path, plan.how))
    fields = module.fields
    columns = [(index, fields[name]) for index, name in plan.columns.items() if name in fields]
    batch: list[_Row] = []
    keys: set[Any] = set()
    done, match, for_all = 0 if is_dry else plan.done_line, plan.match, plan.for_all
    for line in lines(path, plan.how):
        if line.number <= done:
            continue
        row = _read(columns, for_all, line, width)
        key = fold_text(str(row.values.get(match) or "")) if match else None
        if len(batch) == AT_ONCE or (key and key in keys):  # a second row for the same record must see the first one's
            _finish_batch(viewer, module, plan, batch, report, total, step)
            batch, keys = [], set()
        batch.append(row)
        if key:
            keys.add(key)
        if most is not None and report.rows + len(batch) >= most:
            break
    _finish_batch(viewer, module, plan, batch, report, total, step)
    return report


def _count(path: Path, plan: Import) -> int:
    return sum(1 for _ in lines(path, plan.how))


def _finish_batch(
    viewer: Viewer, module: Module, plan: Import, batch: list[_Row], report: Report, total: int, step: Step | None
) -> None:
    if not batch:
        return
    with _taken_back() if report.is_dry else _kept():
        made, faults = _write(viewer, module, plan, batch, report)
        if report.after_batch:
            report.after_batch(batch, report)
            faults = _faults(plan, batch)
        report.rows += len(batch)
        refused = sum(1 for fault in faults if fault["is_refusal"])
        report.refused += refused
        if len(report.faults) < report.most_faults:
            report.faults += [(one["line"], one["is_refusal"], one["message"], one["cells"]) for one in faults]
        if not report.is_dry:
            connection = db.session.connection()
            if faults and plan.refused_count < MOST_FAULTS:
                connection.execute(insert(ImportFault.__table__), faults)
            runs = [{"import_id": plan.id, "first_id": first, "last_id": last} for first, last in _runs(made)]
            storing.insert_rows(ImportedRun.__table__, runs)
            plan.row_count += len(batch)
            plan.refused_count += refused
            plan.done_line = batch[-1].line.number
    if step:
        step(report.rows if report.is_dry else plan.row_count, total)


def _runs(ids: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each run of ids that follow one another without a gap."""
    ordered = sorted(ids)
    gaps = [place for place in range(1, len(ordered)) if ordered[place] != ordered[place - 1] + 1]
    return [(ordered[start], ordered[end - 1]) for start, end in pairwise([0, *gaps, len(ordered)]) if start < end]


@contextmanager
def _taken_back() -> Iterator[None]:
    nested = db.session.begin_nested()
    try:
        yield
    finally:
        nested.rollback()


@contextmanager
def _kept() -> Iterator[None]:
    yield
    db.session.commit()


def _read(columns: Sequence[tuple[int, Field]], for_all: Mapping[str, Any], line: Line, width: int) -> _Row:
    """One line as values by field; what does not fit the table as a fault."""
    row = _Row(line, {})
    if len(line.cells) < width or any(cell.strip() for cell in line.cells[width:]):
        row.fault = _("The row has %(count)s cells; the first line has %(width)s.", count=len(line.cells), width=width)
        return row
    for index, said in columns:
        cell = line.cells[index]
        if cell[:1] == "'" and cell[1:2] in QUOTED:  # our own export put the quote there, against formulas
            cell = cell[1:]
        most = said.max or LONGEST_TEXT
        if len(cell) > most and said.kind.is_text and said.kind.cut(cell, said) != cell:
            row.remarks.append(
                _(
                    "“%(label)s” was cut to %(most)s characters (it has %(count)s).",
                    label=_(said.label),
                    most=most,
                    count=len(cell),
                )
            )
        row.values[said.name] = cell
    for name, value in for_all.items():
        if not row.values.get(name):
            row.values[name] = value
    return row


def _write(
    viewer: Viewer, module: Module, plan: Import, batch: list[_Row], report: Report
) -> tuple[list[int], list[dict[str, Any]]]:
    """Create and update what the rows say; gives the ids made and the faults found."""
    _find_links(viewer, module, batch)
    found = _find_matches(viewer, module, plan, batch)
    new, changed = [], []
    for index, row in enumerate(batch):
        if row.fault:
            continue
        if index in found:
            changed.append(index)
        elif plan.mode == "update":
            row.fault = _("No record has this “%(label)s”.", label=_(module.fields[plan.match].label))
        else:
            new.append(index)
    made: list[int] = []
    if new:
        rows = [_said(module, batch[index].values) for index in new]
        outcome = records.create_many(viewer, module, rows, Channel.IMPORT, keep_going=True)
        made = [id for id in outcome.ids if id is not None]
        for index, id in zip(new, outcome.ids, strict=True):
            batch[index].was_made = id is not None
        for place, fault in outcome.refused.items():
            batch[new[place]].fault = _sentence(module, fault)
        report.created += len(made)
    if changed:
        changes = {found[index]: _given(batch[index].values, plan) for index in changed}
        outcome = records.update_many(viewer, module, changes, Channel.IMPORT, keep_going=True)
        for place, fault in outcome.refused.items():
            batch[changed[place]].fault = _sentence(module, fault)
        touched = sum(1 for change in outcome.changes.values() if change.changed)
        report.updated += touched
        report.unchanged += len(outcome.changes) - touched
    if not report.is_dry:
        plan.created_count, plan.updated_count = plan.created_count + len(made), plan.updated_count
        if changed:
            plan.updated_count += touched
            plan.unchanged_count += len(outcome.changes) - touched
    return made, _faults(plan, batch)


def _said(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says of a new record: where an empty cell meets a field with a default, the default holds."""
    return {
        name: value for name, value in values.items()
        if name != "number" and not (value == "" and name in module.fields and module.fields[name].default is not None)
    }  # fmt: skip


def _given(values: Mapping[str, Any], plan: Import) -> dict[str, Any]:
    """What a row says of a record that exists: an empty cell leaves the field as it is."""
    return {name: value for name, value in values.items() if value not in ("", None) and name not in {"number", "id"}}


def _faults(plan: Import, batch: list[_Row]) -> list[dict[str, Any]]:
    found = []
    for row in batch:
        said = [(True, row.fault)] if row.fault else [(False, remark) for remark in row.remarks]
        found += [
            {"import_id": plan.id, "line": row.line.number, "is_refusal": is_refusal, "message": message,
             "cells": [cell[:2_000] for cell in row.line.cells] if is_refusal else []}
            for is_refusal, message in said
        ]  # fmt: skip
    return found


def _sentence(module: Module, fault: Exception) -> str:
    if isinstance(fault, Refused):
        parts = []
        for name, found in fault.faults.items():
            label = module.fields[name].label + ": " if name in module.fields else ""
            parts += [label + one.message for one in found]
        return " ".join(parts)
    if isinstance(fault, Forbidden | Missing):
        return _("You may not change this record.")
    return str(fault)


def _find_matches(viewer: Viewer, module: Module, plan: Import, batch: list[_Row]) -> dict[int, int]:
    """Row index → id of the record it is about, for updates."""
    if plan.mode == "create" or not plan.match:
        return {}
    wanted: dict[Any, list[int]] = {}
    match, said = plan.match, module.fields.get(plan.match)
    for index, row in enumerate(batch):
        raw = row.values.get(match)
        if row.fault or raw in (None, ""):
            continue
        try:
            value = said.kind.clean(raw, said, viewer.timezone) if said else int(raw)
        except (BadValue, ValueError):
            continue
        wanted.setdefault(fold_text(str(value)) if said and said.kind.is_text else value, []).append(index)
    if not wanted:
        return {}
    held = holders(module, match, list(wanted), viewer)
    return {index: held[key] for key, indexes in wanted.items() if key in held for index in indexes}


def _find_links(viewer: Viewer, module: Module, batch: list[_Row]) -> None:
    """Turn what a link's cell says (a number, an id or the exact name) into the id: one query a target module."""
    for name in {name for row in batch for name in row.values}:
        said = module.fields.get(name)
        if said is None or not said.is_link or said.kind.name == "file":
            continue
        wanted = {str(row.values[name]).strip() for row in batch if row.values.get(name) not in (None, "")}
        if not wanted:
            continue
        known = _named(viewer, said, wanted)
        for row in batch:
            text = str(row.values.get(name) or "").strip()
            if not text:
                continue
            if fold_text(text) in known:
                row.values[name] = known[fold_text(text)]
            elif not text.isdigit():
                row.fault = row.fault or _(
                    "%(label)s: there is no “%(said)s” that you may see.", label=_(said.label), said=text
                )


def _named(viewer: Viewer, said: Field, wanted: set[str]) -> dict[str | None, int]:
    """Folded number or name → the lowest id that has it, among records that the viewer may see."""
    cards, folded = Entity.__table__, [fold_text(text) for text in wanted]
    known: dict[str | None, int] = {}
    for start in range(0, len(folded), 400):
        part = folded[start : start + 400]
        for key in said.to:
            query = select(cards.c.id, cards.c.number, cards.c.label).where(
                cards.c.module == key,
                cards.c.deleted_at.is_(None),
                cards.c.number.in_([text.upper() for text in part if text] + list(wanted))
                | fold(cards.c.label).in_(part),
            )
            narrowing = scope(viewer, modules[key], "view") if key in modules and said.kind.name == "link" else None
            if narrowing is not None:
                query = query.where(cards.c.id.in_(select(modules[key].table.c.id).where(narrowing)))
            for id, number, label in db.session.execute(query.order_by(cards.c.id.desc())):
                known[fold_text(label)] = id
                if number:
                    known[fold_text(number)] = id
    return known


def undo(viewer: Viewer, plan: Import) -> int:
    """Put the records that an import made, and nobody has touched since, into the bin. Raises Refused after seven days."""
    if plan.state not in {"done", "failed", "cancelled"} or not plan.created_count:
        raise Refused.because("not_offered", _("There is nothing to undo."))
    if clock.now() - plan.created_at > timedelta(days=UNDO_DAYS):
        raise Refused.because("out_of_range", _("An import can be undone for %(count)s days.", count=UNDO_DAYS))
    module = modules[plan.module]
    table, runs = module.table, ImportedRun.__table__
    said = select(table.c.id).join(runs, table.c.id.between(runs.c.first_id, runs.c.last_id))
    said = said.where(runs.c.import_id == plan.id, table.c.version == 1, table.c.deleted_at.is_(None))
    outcome = records.delete_many(
        viewer, module, list(db.session.execute(said).scalars()), Channel.IMPORT, keep_going=True
    )
    plan.undone_count = sum(1 for id in outcome.ids if id is not None)
    plan.state = "undone"
    return plan.undone_count


def refused_rows(plan: Import) -> Iterator[list[str]]:
    """The refused rows as the file had them, with line and reason in front: what the person mends and imports again."""
    file = Path(plan.path)  # erasing a person takes the whole file away
    yield ["Line", "Reason", *(header(file, plan.how) if file.is_file() else [])]
    said = (
        select(ImportFault).where(ImportFault.import_id == plan.id, ImportFault.is_refusal).order_by(ImportFault.line)
    )
    for fault in db.session.execute(said).scalars():
        yield [str(fault.line), fault.message, *fault.cells]


def faults_of(plan: Import, limit: int = 200) -> list[ImportFault]:
    """The first remarks on an import's rows."""
    said = select(ImportFault).where(ImportFault.import_id == plan.id).order_by(ImportFault.line, ImportFault.id)
    return list(db.session.execute(said.limit(limit)).scalars())


def count_of_faults(plan: Import) -> int:
    """How many remarks there are."""
    said = select(func.count()).select_from(ImportFault).where(ImportFault.import_id == plan.id)
    return int(db.session.execute(said).scalar() or 0)
