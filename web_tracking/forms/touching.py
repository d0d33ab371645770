"""The first visit of the browser that sent a form: what brought it the first time is kept with the submission."""

from datetime import timedelta

from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Progress, task
from web_tracking.forms.form_submissions import FormSubmission
from web_tracking.modules.visitors import Visitor, of_cookie
from web_tracking.modules.visits import Visit

SUBMISSIONS, VISITORS, VISITS = FormSubmission.__table__, Visitor.__table__, Visit.__table__
WAITS = timedelta(seconds=60)  # the roll-up makes visits every quarter of a minute


def put(submission_id: int) -> None:
    """Look for it in a minute. The caller commits."""
    key = f"form_touch:{submission_id}"
    outbox.put(db.session, "forms.touch", dedupe_key=key, run_at=clock.now() + WAITS, submission_id=submission_id)


@task("forms.touch")
def touch(_progress: Progress | None, submission_id: int) -> str:
    """Write the first visit beside the submission, and the source of the latest one where the form's page named none."""
    said = select(SUBMISSIONS.c.cookie, SUBMISSIONS.c.received_at, SUBMISSIONS.c.source)
    row = db.session.execute(said.where(SUBMISSIONS.c.id == submission_id)).first()
    if row is None or not row.cookie:
        return "nothing to look for"
    mine = (
        select(
            VISITS.c.started_at, VISITS.c.entry, VISITS.c.source, VISITS.c.medium, VISITS.c.campaign, VISITS.c.referrer
        )
        .join(VISITORS, VISITORS.c.id == VISITS.c.visitor_id)
        .where(of_cookie(row.cookie), VISITS.c.started_at <= row.received_at)
    )
    first = db.session.execute(mine.order_by(VISITS.c.started_at).limit(1)).mappings().first()
    last = db.session.execute(mine.order_by(VISITS.c.started_at.desc()).limit(1)).mappings().first()
    if first is None or last is None:
        return "no visit"
    kept = {name: str(first[name]) for name in ("entry", "source", "medium", "campaign", "referrer") if first[name]}
    values = {"first_touch": kept | {"at": first["started_at"].isoformat()}}
    if not row.source:
        values |= {name: last[name] for name in ("source", "medium", "campaign")}
    db.session.execute(update(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id).values(values))
    return "kept"
