"""Mails of a sendout that failed, tried again by a person: also when it has ended, which opens it once more (M116).

Everything else is as the first time: the content that was frozen, the rules of who may be mailed, the quota of this month. What
was sent is never touched, so nobody gets it twice.
"""

from __future__ import annotations

from sqlalchemy import select, update

from crm.db import db
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.identity.viewer import Viewer
from crm.mail.sending import decisions, runs
from crm.mail.sending.deliveries import Delivery
from crm.words import _
from ecp import quotas
from ecp.pipeline import actions
from ecp.pipeline.frozen import SendoutContent

RUNNING, ENDED = ("sending", "paused"), ("sent", "failed")
STATES = (*RUNNING, *ENDED)  # of sendouts whose mails may be tried again
_D = Delivery.__table__.c


def try_failed(viewer: Viewer, sendout_id: int, delivery_id: int | None = None, channel: Channel = Channel.API) -> int:
    """Send one mail that failed once more, or all but those whose address does not exist; how many. The caller commits.

    Raises Missing, Forbidden, Conflict (the sendout does not send, the mail has moved on), Refused (quota)."""
    sendout = actions.load(viewer, sendout_id)
    _demand_open(sendout)
    if delivery_id is None:
        count = decisions.try_all_again(db.session, sendout_id)
    else:
        _demand_of(sendout_id, delivery_id)
        count = int(decisions.try_again(db.session, delivery_id))
    return _opened(viewer, sendout, count, channel)


def is_any_to_try(sendout_id: int) -> bool:
    """Whether a mail of the sendout failed whose address may take one."""
    said = select(_D.id).where(_D.sendout_id == sendout_id, decisions.MAY_ARRIVE).limit(1)
    return db.session.execute(said).first() is not None


def send_uncertain(viewer: Viewer, sendout_id: int, delivery_id: int, channel: Channel = Channel.API) -> int:
    """The same for one of which nobody knows whether it arrived: only a person may decide that. Raises as `try_failed`."""
    sendout = actions.load(viewer, sendout_id)
    _demand_open(sendout)
    _demand_of(sendout_id, delivery_id)
    return _opened(viewer, sendout, int(runs.resolve(db.session, delivery_id, "again")), channel)


def _demand_open(sendout: actions.Sendout) -> None:
    if sendout.state not in STATES:
        raise Conflict(_("A mail is tried again while its sendout sends, or after it was sent."), "wrong_state")


def _demand_of(sendout_id: int, delivery_id: int) -> None:
    said = select(_D.id).where(_D.id == delivery_id, _D.sendout_id == sendout_id)
    if db.session.execute(said).first() is None:
        raise Missing


def _opened(viewer: Viewer, sendout: actions.Sendout, count: int, channel: Channel) -> int:
    if not count:
        raise Conflict(_("There is no failed mail to try again. Look at the recipients once more."), "wrong_state")
    if sendout.state in ENDED:
        if not actions.move(viewer, sendout.id, ENDED, "sending", channel, finished_at=None, state_note=None):
            raise Conflict(_("Somebody else was faster. Look at the sendout again."), "wrong_state")
        _promise(sendout.id, count)
        runs.open_run(db.session, sendout.id)
    return count


def _promise(sendout_id: int, count: int) -> None:
    """Take the mails from the quota of this month; what was counted when the sendout ended stays counted there."""
    content = SendoutContent
    changed = db.session.execute(
        update(content)
        .where(content.sendout_id == sendout_id, content.prepared_at.is_not(None))
        .values(quota_month=quotas.reserve(count), quota_count=count, settled_at=None)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise Refused.because("no_content", _("The content of this sendout is not there any more."))
