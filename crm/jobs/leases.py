"""Who may work on a job: claiming, keeping and giving back leases, each one conditional statement on the job's row.

Leases are counted by the clock of the database, the one clock that all workers share.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from crm import clock
from crm.db import database_seconds, reading
from crm.engine.outbox import Job

FIRST_RETRY_SECONDS = 10
LONGEST_RETRY_SECONDS = 3600
_J = Job.__table__.c


@dataclass(frozen=True)
class Claimed:
    """A job whose lease is ours as long as the row has this fence."""

    id: int
    task: str
    arguments: dict[str, Any]
    fence: int
    attempts: int
    max_attempts: int
    created_by_id: int | None


_EXPIRED = and_(_J.state == "leased", _J.lease_until < database_seconds())
_BURIED = and_(_EXPIRED, _J.attempts >= _J.max_attempts)
_ANYBODY_TO_BURY = select(_J.id).where(_BURIED).limit(1)


@dataclass(frozen=True)
class _Statements:
    """Built once for each set of queues: that takes longer than running them."""

    look: Select[Any]
    claim: ReturningUpdate[Any]


@lru_cache(maxsize=32)
def _statements(queues: tuple[str, ...] | None) -> _Statements:
    due = or_(and_(_J.state == "waiting", _J.run_at <= bindparam("now")), and_(_EXPIRED, _J.attempts < _J.max_attempts))
    if queues is not None:
        due = and_(_J.queue.in_(queues), due)
    first = (
        select(_J.id).where(due).order_by(_J.run_at, _J.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    )
    claim = (
        update(Job.__table__)
        .where(_J.id == first)
        .values(
            state="leased",
            worker=bindparam("name"),
            fence=_J.fence + 1,
            attempts=_J.attempts + 1,
            lease_until=database_seconds() + bindparam("seconds"),
            error=None,
        )
        .returning(_J.id, _J.task, _J.arguments, _J.fence, _J.attempts, _J.max_attempts, _J.created_by_id)
    )
    return _Statements(select(_J.id).where(due).limit(1), claim)


def claim(
    engine: Engine, worker: str, lease_seconds: float, queues: Sequence[str] | None = None, *, look: bool = True
) -> Claimed | None:
    """Lease the job that is due first, in one of `queues` (None: any); None when there is none. Commits.

    `look` first whether there is one: that takes no write lock, so that idle workers hold nobody up.
    """
    statements = _statements(tuple(queues) if queues is not None else None)
    now = clock.now()
    if look:
        with reading(), engine.connect() as connection:
            anybody_to_bury = connection.scalar(_ANYBODY_TO_BURY) is not None
            anything_due = connection.scalar(statements.look, {"now": now}) is not None
        if anybody_to_bury:
            with engine.begin() as connection:
                _bury(connection)
        if not anything_due:
            return None
    with engine.begin() as connection:
        given = {"now": now, "name": worker, "seconds": lease_seconds}
        row = connection.execute(statements.claim, given).one_or_none()
    return Claimed(*row) if row else None


def _bury(connection: Connection) -> None:
    """A job that took its workers with it as often as it may be tried is failed, not tried for ever."""
    connection.execute(
        update(Job)
        .where(_BURIED)
        .values(
            state="failed",
            error="The worker died during this job every time it was tried.",
            finished_at=clock.now(),
            lease_until=None,
        )
    )


def _ours(claimed: Claimed) -> Any:
    return and_(_J.id == claimed.id, _J.state == "leased", _J.fence == claimed.fence)


def keep(engine: Engine, claimed: Claimed, lease_seconds: float) -> bool:
    """Lengthen the lease; False when it is no longer ours. Commits."""
    with engine.begin() as connection:
        return bool(
            connection.execute(
                update(Job).where(_ours(claimed)).values(lease_until=database_seconds() + lease_seconds)
            ).rowcount
        )


def note(connection: Any, claimed: Claimed, **values: Any) -> bool:
    """Write `values` to the job's row in the caller's transaction; False when the lease is no longer ours."""
    return bool(connection.execute(update(Job.__table__).where(_ours(claimed)).values(**values)).rowcount)


def finish(connection: Any, claimed: Claimed, state: str, message: str | None = None, error: str | None = None) -> bool:
    """Close the job in the caller's transaction; False when the lease is no longer ours."""
    values = {"state": state, "error": error, "lease_until": None, "finished_at": clock.now()}
    return note(connection, claimed, **(values | ({"message": message} if message is not None else {})))


def put_back(connection: Any, claimed: Claimed, seconds: float, *, counted: bool, **values: Any) -> bool:
    """Let the job wait for `seconds` and be claimed again, in the caller's transaction; False when it is not ours.

    `counted`: this was an attempt that failed.
    """
    attempts = Job.attempts - (0 if counted else 1)
    run_at = clock.now() + timedelta(seconds=seconds)
    values = {name: value for name, value in values.items() if value is not None}
    return note(
        connection, claimed, state="waiting", run_at=run_at, lease_until=None, worker=None, attempts=attempts, **values
    )


def pause_before_retry(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th failure: 10, 40, 160 … at most an hour, each ± 20 %."""
    seconds: float = min(FIRST_RETRY_SECONDS * 4 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return seconds * random.uniform(0.8, 1.2)


def release_of(engine: Engine, worker: str, *, counted: bool = True) -> int:
    """Give back at once what a dead worker held (its parent has seen it die); how many jobs. Commits.

    `counted`: the job may be what it died of. One that was told to end did nothing wrong, and neither did its jobs.
    """
    with engine.begin() as connection:
        if counted:
            _bury_of(connection, worker)
        return connection.execute(
            update(Job)
            .where(Job.state == "leased", Job.worker == worker)
            .values(state="waiting", lease_until=None, worker=None, attempts=Job.attempts - (0 if counted else 1))
        ).rowcount


def _bury_of(connection: Connection, worker: str) -> None:
    connection.execute(
        update(Job).where(Job.state == "leased", Job.worker == worker).values(lease_until=database_seconds() - 1)
    )
    _bury(connection)
