"""Processes that send, each with a row and a heartbeat; what a silent one held is given back or becomes uncertain."""

from __future__ import annotations

from sqlalchemy import Engine, case, delete, insert, select, update

from crm.db import database_seconds, reading
from crm.mail.sending.deliveries import IS_LEASED, Delivery, MailWorker

HEARTBEAT_SECONDS = 5.0

_D = Delivery.__table__.c
# Who was buried and does not know it yet may claim once more; nobody's heartbeat would end that lease.
_BURIED_HOLDERS = select(_D.worker_id).where(IS_LEASED, _D.worker_id.not_in(select(MailWorker.id))).distinct()


def enlist(engine: Engine, name: str) -> int:
    """A new worker row; its id. Commits."""
    with engine.begin() as connection:
        return int(
            connection.execute(
                insert(MailWorker).values(name=name, seen_at=database_seconds()).returning(MailWorker.id)
            ).scalar_one()
        )


def beat(engine: Engine, worker_id: int) -> bool:
    """Renew the heartbeat; False when the worker has been buried meanwhile and must enlist anew. Commits."""
    with engine.begin() as connection:
        renewed = connection.execute(
            update(MailWorker).where(MailWorker.id == worker_id).values(seen_at=database_seconds())
        )
        return bool(renewed.rowcount)


def holds(engine: Engine, worker_id: int) -> bool:
    """Whether the worker holds any mail."""
    with reading(), engine.connect() as connection:
        held = select(_D.id).where(_D.worker_id == worker_id, IS_LEASED).limit(1)
        return connection.execute(held).first() is not None


def bury_silent(engine: Engine, lease_seconds: float) -> int:
    """Bury every worker that has been silent for `lease_seconds`; how many deliveries became uncertain. Commits."""
    silent = MailWorker.seen_at < database_seconds() - lease_seconds
    with reading(), engine.connect() as connection:
        looks = (select(MailWorker.id).where(silent).limit(1), _BURIED_HOLDERS.limit(1))
        if all(connection.scalar(look) is None for look in looks):
            return 0
    return _bury(engine, silent)


def bury_named(engine: Engine, name: str) -> int:
    """Bury the workers of a process that is known to be dead (its parent saw it end). Commits."""
    return _bury(engine, MailWorker.name == name)


def retire(engine: Engine, worker_id: int) -> None:
    """End of a worker that ends itself: what it holds and has not begun goes back at once. Commits."""
    _bury(engine, MailWorker.id == worker_id)


def _bury(engine: Engine, which: object) -> int:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # A frozen worker may hold locks on its rows: then it is buried the next time, and nobody stands still for it.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        connection.execute(delete(MailWorker).where(which))  # type: ignore[arg-type]
        dead = list(connection.scalars(_BURIED_HOLDERS))
        if not dead:
            return 0
        held = (_D.state == "leased", _D.worker_id.in_(dead))
        # worker_id and fence stay on an uncertain row: a worker that was only slow may still say that it was sent.
        uncertain = connection.execute(
            update(Delivery)
            .where(*held, _D.text_begun_at.is_not(None))
            .values(
                state="uncertain",
                attempts=_D.attempts + 1,
                reply="The sending process ended in the middle of this mail.",
            )
        ).rowcount
        connection.execute(
            update(Delivery)
            .where(*held, _D.text_begun_at.is_(None))
            .values(state=case((_D.attempts > 0, "retry"), else_="waiting"), worker_id=None)
        )
        return int(uncertain)
