"""Imports as jobs: a bar in the page, a cancel button, going on after a restart."""

from typing import Any

from crm import clock
from crm.db import db
from crm.engine import outbox
from crm.engine.imports import running
from crm.engine.imports.plans import Import
from crm.engine.refusals import Refused
from crm.identity.viewer import Viewer
from crm.identity.viewers import of_user
from crm.words import _, speaking


class _Stop(Exception):
    """The person asked to stop; what is committed stays."""


def put(viewer: Viewer, plan: Import) -> int:
    """Let a worker run a plan that is ready; gives the job's id. Raises Refused. The caller commits."""
    if plan.state != "ready":
        raise Refused.because("not_offered", _("Set the import up first; it can be started once."))
    plan.job_id = outbox.put(db.session, "run_import", created_by_id=viewer.id, import_id=plan.id)
    plan.state = "running"
    return plan.job_id


@outbox.task("run_import", queue="files")
def run_import(progress: outbox.Progress, import_id: int, **_more: Any) -> str | None:
    """Run one import to its end, or go on where a killed worker left it."""
    plan = db.session.get(Import, import_id)
    if plan is None or plan.state not in {"running", "ready"}:
        return None
    viewer = of_user(plan.user_id) if plan.user_id else None
    if viewer is None:
        raise outbox.GiveUp(_("The person who started this import may not log in any more."))

    def step(done: int, total: int) -> None:
        if progress.cancelled():
            raise _Stop
        progress.step(done, total)

    with speaking(viewer.locale):
        try:
            report = running.run(viewer, plan, step=step)
        except _Stop:
            db.session.rollback()
            plan.state, plan.finished_at = "cancelled", clock.now()
            db.session.commit()
            return _("Stopped after %(count)s rows.", count=plan.row_count)
        except Refused as refused:
            raise outbox.GiveUp(str(refused)) from refused
        return _(
            "%(created)s created, %(updated)s updated, %(refused)s refused",
            created=report.created,
            updated=report.updated,
            refused=report.refused,
        )
