"""Who may work on a job: claiming, keeping and giving back leases, each one conditional statement on the job's row.

Leases are counted by the clock of the database, the one clock that all workers share.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, or_, select, true, update

from crm import clock
from crm.db import database_seconds, reading
from crm.engine.outbox import Job

FIRST_RETRY_SECONDS = 10
LONGEST_RETRY_SECONDS = 3600


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


def _is_due(queues: Sequence[str] | None) -> Any:
    in_queue = Job.queue.in_(queues) if queues is not None else true()
    return and_(
        in_queue,
        or_(
            and_(Job.state == "waiting", Job.run_at <= clock.now()),
            and_(Job.state == "leased", Job.lease_until < database_seconds()),
        ),
    )


def claim(engine: Engine, worker: str, lease_seconds: float, queues: Sequence[str] | None = None) -> Claimed | None:
    """Lease the job that is due first, in one of `queues` (None: any); None when there is none. Commits."""
    # Looking takes no write lock, so that idle workers hold nobody up.
    with reading(), engine.connect() as connection:
        if connection.scalar(select(Job.id).where(_is_due(queues)).limit(1)) is None:
            return None
    with engine.begin() as connection:
        _bury(connection)
        first = (
            select(Job.id)
            .where(_is_due(queues))
            .order_by(Job.run_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = connection.execute(
            update(Job)
            .where(Job.id == first)
            .values(
                state="leased",
                worker=worker,
                fence=Job.fence + 1,
                attempts=Job.attempts + 1,
                lease_until=database_seconds() + lease_seconds,
                error=None,
            )
            .returning(Job.id, Job.task, Job.arguments, Job.fence, Job.attempts, Job.max_attempts, Job.created_by_id)
        ).one_or_none()
    return Claimed(*row) if row else None


def _bury(connection: Connection) -> None:
    """A job that took its workers with it as often as it may be tried is failed, not tried for ever."""
    connection.execute(
        update(Job)
        .where(Job.state == "leased", Job.lease_until < database_seconds(), Job.attempts >= Job.max_attempts)
        .values(
            state="failed",
            error="The worker died during this job every time it was tried.",
            finished_at=clock.now(),
            lease_until=None,
        )
    )


def _ours(claimed: Claimed) -> Any:
    return and_(Job.id == claimed.id, Job.state == "leased", Job.fence == claimed.fence)


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
    return bool(connection.execute(update(Job).where(_ours(claimed)).values(**values)).rowcount)


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


def release_of(engine: Engine, worker: str) -> int:
    """Give back at once what a dead worker held (its parent has seen it die); how many jobs. Commits."""
    with engine.begin() as connection:
        _bury_of(connection, worker)
        return connection.execute(
            update(Job)
            .where(Job.state == "leased", Job.worker == worker)
            .values(state="waiting", lease_until=None, worker=None)
        ).rowcount


def _bury_of(connection: Connection, worker: str) -> None:
    connection.execute(
        update(Job).where(Job.state == "leased", Job.worker == worker).values(lease_until=database_seconds() - 1)
    )
    _bury(connection)
