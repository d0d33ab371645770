"""What a person may decide about one mail in the outbox: try it again, or stop it. Doubtful ones: `runs.resolve`.

Each is one conditional statement, so that a mail whose text may have begun is never touched: what is leased belongs to its
worker, what is uncertain may have arrived. The caller commits.
"""

from __future__ import annotations

from sqlalchemy import and_, func, or_, update

from crm.mail.sending.deliveries import IS_CLAIMABLE, Delivery
from crm.mail.sending.runs import Writes

_D = Delivery.__table__.c
AGAIN = ("failed", "cancelled", "retry")
MAY_ARRIVE = and_(_D.state == "failed", func.coalesce(_D.failed_reason, "") != "hard_bounce")
FRESH = {
    "state": "waiting", "due_at": None, "attempts": 0, "drops": 0, "worker_id": None, "text_begun_at": None,
    "failed_reason": None, "skip_reason": None,
}  # fmt: skip


def try_again(session: Writes, delivery_id: int) -> bool:
    """Send a mail that was refused, stopped or waits for its next try as soon as can be, with its tries counted anew.

    False when it is in another state, or what a single mail says was thrown away."""
    has_content = or_(_D.sendout_id.is_not(None), _D.payload.is_not(None))
    changed = session.execute(
        update(Delivery).where(_D.id == delivery_id, _D.state.in_(AGAIN), has_content).values(FRESH)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def try_all_again(session: Writes, sendout_id: int) -> int:
    """The same for every mail of a sendout that failed, but those to addresses that do not exist; how many."""
    changed = session.execute(update(Delivery).where(_D.sendout_id == sendout_id, MAY_ARRIVE).values(FRESH))
    return int(changed.rowcount)  # type: ignore[attr-defined]


def stop(session: Writes, delivery_id: int) -> bool:
    """Cancel a mail whose text has not begun; False when it began, or is over."""
    not_begun = or_(IS_CLAIMABLE, and_(_D.state == "leased", _D.text_begun_at.is_(None)))
    cancelled = {"state": "cancelled", "skip_reason": "cancelled", "due_at": None, "worker_id": None}
    changed = session.execute(update(Delivery).where(_D.id == delivery_id, not_begun).values(cancelled))
    return bool(changed.rowcount)  # type: ignore[attr-defined]
