"""The dry run of a large file as a job: every row, batch by batch, with a bar; what it found is kept on the import.

Each batch is taken back and lets go of the database before the next one begins. So rows that contradict rows of an earlier batch
are found in a file of keys beside: memory stays flat, however long the file is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from crm.db import db, fold_text
from crm.engine import outbox
from crm.engine.imports import running
from crm.engine.imports.plans import Import
from crm.engine.imports.reading import lines
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.identity.viewers import of_user
from crm.words import _, speaking

AT_ONCE = 2_000  # rows up to which nobody needs to wait for a job
MOST_SHOWN = 100  # remarks that are kept


def is_large(plan: Import) -> bool:
    """Whether the file has more rows than are checked while somebody waits."""
    return sum(1 for _line in islice(lines(Path(plan.path), plan.how), AT_ONCE + 1)) > AT_ONCE


def put(viewer: Viewer, plan: Import) -> int:
    """Let a worker check the whole file; gives the job's id. An earlier check is given up. The caller commits."""
    give_up(plan)
    plan.job_id = outbox.put(db.session, "check_import", created_by_id=viewer.id, import_id=plan.id)
    return plan.job_id


def give_up(plan: Import) -> None:
    """Forget what a check found, and stop the one that is under way. The caller commits."""
    if plan.job_id is not None:
        outbox.cancel(db.session, plan.job_id)
    plan.job_id, plan.checked = None, None


class _Stop(Exception):
    """The check is not wanted any more."""


@outbox.task("check_import", queue="files", max_attempts=2)
def check_import(progress: outbox.Progress, import_id: int, **_more: Any) -> str | None:
    """Check every row; keep the numbers and the first remarks in `Import.checked`."""
    plan = db.session.get(Import, import_id)
    viewer = of_user(plan.user_id) if plan is not None and plan.user_id else None
    if plan is None or viewer is None or not _is_wanted(plan, progress.job_id):
        return None

    def step(done: int, total: int) -> None:
        db.session.rollback()  # nothing was meant to stay, and others want to write
        if progress.cancelled():
            raise _Stop
        progress.step(done, total)

    with speaking(viewer.locale):
        try:
            found = check_all(viewer, plan, step)
        except _Stop:
            return None
        except Refused as refused:
            found = {"fault": str(refused)}
        db.session.rollback()
        plan = db.session.get(Import, import_id)
        if plan is None or not _is_wanted(plan, progress.job_id):
            return None
        plan.checked = found
        return _("Checked")


def _is_wanted(plan: Import, job_id: int) -> bool:
    return plan.state == "ready" and plan.job_id == job_id


def check_all(viewer: Viewer, plan: Import, step: running.Step) -> dict[str, Any]:
    """What the whole file would do: rows, created, updated, unchanged, refused, and the first remarks. Raises Refused."""
    report = running.Report(is_dry=True, most_faults=MOST_SHOWN)
    module, match = modules[plan.module], plan.match
    unique = [said for said in module.fields.values() if said.unique and not said.custom]
    with _keys() as is_new:

        def compare(batch: list[running._Row], report: running.Report) -> None:
            for row in batch:
                if not row.was_made:
                    continue
                key = row.values.get(match) if match else None
                if key and not is_new("", key):  # the record that an earlier row would have made
                    report.created, report.updated = report.created - 1, report.updated + 1
                    continue
                for said in unique:
                    value = row.values.get(said.name)
                    if value not in (None, "") and not is_new(said.name, value) and not row.fault:
                        row.fault = _("Another row of the file has this “%(label)s” already.", label=_(said.label))
                        report.created -= 1

        report.after_batch = compare
        running.check(viewer, plan, step, into=report)
    counted = ("rows", "created", "updated", "unchanged", "refused")
    remarks = [(line, is_refusal, message) for line, is_refusal, message, _cells in report.faults[:MOST_SHOWN]]
    return {name: getattr(report, name) for name in counted} | {"faults": remarks}


@contextmanager
def _keys() -> Iterator[Any]:
    """`is_new(kind, value)`: False when it was asked before. Kept by SQLite, which moves to a nameless file what is large."""
    held = sqlite3.connect("", isolation_level=None)
    held.execute("CREATE TABLE keys (kind TEXT, value TEXT, PRIMARY KEY (kind, value)) WITHOUT ROWID")
    held.execute("BEGIN")

    def is_new(kind: str, value: Any) -> bool:
        said = (kind, fold_text(str(value).strip()))
        return held.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", said).rowcount == 1

    try:
        yield is_new
    finally:
        held.close()
