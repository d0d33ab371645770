"""Opening, pausing, resuming and cancelling the sending of one sendout, and what its rows look like. The caller commits.

Each is one or two statements in the caller's transaction, so it is wholly done or not; a worker asks for the run's state in
the statement that begins a text, so no text begins after the commit.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, scoped_session

from crm import clock
from crm.mail.sending.deliveries import IS_CLAIMABLE, OPEN, Delivery, Run

Writes = Session | scoped_session[Any] | Connection
_D = Delivery.__table__.c


def open_run(session: Writes, sendout_id: int, kind: str = "sendout") -> None:
    """Let workers claim the rows of a sendout; also resumes a paused run."""
    _put(session, sendout_id, kind, "open")


def pause_run(session: Writes, sendout_id: int, kind: str = "sendout") -> None:
    """No text begins any more; what is being sent is ended."""
    _put(session, sendout_id, kind, "paused")


def cancel_run(session: Writes, sendout_id: int, kind: str = "sendout") -> int:
    """End the run: what has not begun becomes `cancelled`; how many."""
    _put(session, sendout_id, kind, "closed")
    mine = _D.sendout_id == sendout_id
    cancelled = {"state": "cancelled", "skip_reason": "cancelled", "due_at": None, "worker_id": None}
    waiting = session.execute(update(Delivery).where(mine, IS_CLAIMABLE).values(cancelled))
    held = session.execute(
        update(Delivery).where(mine, _D.state == "leased", _D.text_begun_at.is_(None)).values(cancelled)
    )
    return int(waiting.rowcount + held.rowcount)  # type: ignore[attr-defined]


def close_run(session: Writes, sendout_id: int) -> None:
    """Forget a run that has ended."""
    session.execute(delete(Run).where(Run.sendout_id == sendout_id))


def run_state(session: Writes, sendout_id: int) -> str | None:
    """open, paused, closed; None when there is no run."""
    found: str | None = session.execute(select(Run.state).where(Run.sendout_id == sendout_id)).scalar()
    return found


def has_open_rows(session: Writes, sendout_id: int) -> bool:
    """Whether any delivery is still waiting, leased or to be tried again."""
    open_rows = select(_D.id).where(_D.sendout_id == sendout_id, _D.state.in_(OPEN)).limit(1)
    return session.execute(open_rows).first() is not None


def was_everyone_tried(session: Writes, sendout_id: int) -> bool:
    """Whether nobody waits for a first try (those of `retry` were tried): the moment for the report mail."""
    untried = case((_D.state == "leased", _D.attempts == 0), else_=True)
    rows = select(_D.id).where(_D.sendout_id == sendout_id, _D.state.in_(("waiting", "leased")), untried).limit(1)
    return session.execute(rows).first() is None


def count_states(session: Writes, sendout_id: int) -> dict[str, int]:
    """Number of deliveries by state; states without any are left out."""
    counted = select(_D.state, func.count()).where(_D.sendout_id == sendout_id).group_by(_D.state)
    return {row[0]: row[1] for row in session.execute(counted)}


def resolve(session: Writes, delivery_id: int, verdict: Literal["sent", "failed", "again"]) -> bool:
    """A person, or evidence (bounce, open, click), says what became of an uncertain mail; False when it is not uncertain.

    `again` sends it once more: only a person may decide that, since the first may have arrived."""
    outcomes: dict[str, dict[str, Any]] = {
        "sent": {"state": "sent", "sent_at": func.coalesce(_D.text_begun_at, clock.now())},
        "failed": {"state": "failed", "failed_reason": "uncertain"},
        "again": {"state": "retry", "text_begun_at": None, "worker_id": None, "due_at": None},
    }
    changed = session.execute(
        update(Delivery).where(_D.id == delivery_id, _D.state == "uncertain").values(outcomes[verdict])
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _put(session: Writes, sendout_id: int, kind: str, state: str) -> None:
    dialect = postgresql if dialect_of(session) == "postgresql" else sqlite
    session.execute(
        dialect.insert(Run)
        .values(sendout_id=sendout_id, kind=kind, state=state)
        .on_conflict_do_update(index_elements=["sendout_id"], set_={"state": state})
    )


def dialect_of(session: Writes) -> str:
    """sqlite or postgresql."""
    bind = session if isinstance(session, Connection) else session.get_bind()
    return bind.dialect.name
