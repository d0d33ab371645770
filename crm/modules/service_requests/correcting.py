"""A step is corrected until the next one is taken, with the reason kept; the customer is told again, and older links end."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from crm import clock
from crm.db import db
from crm.engine import history, outbox, records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.service_requests import moving, steps
from crm.modules.service_requests.lists import STATE_OF_STEP
from crm.words import _

MOST_REASON = 300
KEPT = ("category_id", "category_path", "text", "needs_acceptance", "at", "by_id", "asked_at")


def may_correct(viewer: Viewer, request: Mapping[str, Any], step: Any) -> bool:
    """Whether this viewer may correct this newest step now: who holds the request, who wrote the step, administrators."""
    if step is None or STATE_OF_STEP[step["step"]] != request["state"] or step["accepted_at"] or step["rejected_at"]:
        return False
    return viewer.is_system or viewer.is_admin or viewer.id in (request["accepted_by_id"], step["by_id"])


def correct(viewer: Viewer, id: int, step_id: int, said: Mapping[str, Any], reason: str, channel: Channel) -> None:
    """Mend text, category or moment of a step until the next state is reached, while nobody has accepted or refused it.

    Raises Missing, Forbidden, Refused, Conflict. The caller commits; a mail to the customer follows.
    """
    request = moving.locked(viewer, id)
    row = steps.newest(id)
    if row is None or row["id"] != step_id or STATE_OF_STEP[row["step"]] != request["state"]:
        raise Conflict(_("The next step was taken; this one stays as it is."), "too_late")
    if row["accepted_at"] or row["rejected_at"]:
        raise Conflict(_("The customer has decided about it; it stays as it is."), "decided")
    if not may_correct(viewer, request, row):
        raise Conflict(
            _("Only who holds the request, who wrote the step, or an administrator corrects it."), "not_yours"
        )
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason or len(reason) > MOST_REASON:
        sentence = _("Say in at most %(limit)s characters why it is corrected.", limit=MOST_REASON)
        raise Refused.because("required", sentence, "correction")
    before = {name: row[name] for name in ("category_id", "at", "by_id", "text")}
    made = moving.read_step(viewer, request, row["step"], before | {name: said[name] for name in said if said[name]})
    edition = (row["edition"] or 1) + 1
    kept = {name: made[name] for name in KEPT} | {"edition": edition, "correction": reason}
    db.session.execute(update(steps.TABLE).where(steps.TABLE.c.id == step_id).values(**kept))
    moments = moving.moments_of(request, row["step"], made["at"]) if made["at"] != row["at"] else {}
    records.update(SYSTEM, moving.TABLE, id, {"waits_for": made["needs_acceptance"]} | moments, Channel.SYSTEM)
    what = f"corrected {row['step']}"
    history.note_events(viewer, modules[moving.TABLE], [id], what, channel, clock.now())
    outbox.put(db.session, "service_requests.mail_step", dedupe_key=f"sr:step:{step_id}:{edition}", step_id=step_id)
