"""Waiting rows become a leased batch: one conditional UPDATE, so that a row is given to one worker only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Integer, bindparam, case, select, update

from crm import clock
from crm.db import reading
from crm.mail.sending.deliveries import IS_CLAIMABLE, Delivery, Run
from crm.mail.sending.domains import domain_of
from crm.mail.sending.kinds import Claimed

_D = Delivery.__table__.c
_COLUMNS = (
    _D.id, _D.fence, _D.kind, _D.sendout_id, _D.email, _D.person_module, _D.person_id, _D.attempts, _D.drops, _D.payload,
)  # fmt: skip
_LOOKED_AT = 4_000


class Claimer:
    """Claims for one worker: single mails first, then the open runs in turn, so that none waits for another to end."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turn = 0

    def claim(self, worker_id: int, size: int = 100) -> list[Claimed]:
        """Up to `size` rows that are due, leased to the worker; [] when there are none. Commits."""
        now = clock.now()
        with reading(), self.engine.connect() as connection:  # looking takes no write lock
            runs: list[int | None] = [None, *self._runs_in_turn(connection)]
            due = [(run, by) for run in runs if (by := _due(connection, run, now))]
        claimed: list[Claimed] = []
        for run, by in due:
            with self.engine.begin() as connection:
                for is_at_once in by:
                    if len(claimed) < size:
                        given = {"run": run, "now": now, "size": size - len(claimed), "worker": worker_id}
                        claimed += _lease(connection, _LEASE[run is None, is_at_once], given)
            if claimed and run is not None:
                break
        return claimed

    def _runs_in_turn(self, connection: Connection) -> list[int]:
        runs = list(connection.scalars(_RUNS))
        self._turn += 1
        start = self._turn % len(runs) if runs else 0
        return runs[start:] + runs[:start]


def give_back(connection: Connection, worker_id: int, rows: Sequence[Claimed], seconds: float = 0) -> None:
    """Return rows that were not begun; they are due again after `seconds`. In the caller's transaction."""
    connection.execute(
        update(Delivery)
        .where(
            _D.id.in_([row.id for row in rows]), _D.worker_id == worker_id, _D.state == "leased", _D.text_begun_at.is_(None)
        )
        .values(
            state=case((_D.attempts > 0, "retry"), else_="waiting"), worker_id=None,
            due_at=clock.now() + timedelta(seconds=seconds) if seconds else None,
        )
    )  # fmt: skip


def put_off_alike(connection: Connection, run: int, domains: Collection[str], seconds: float) -> None:
    """The next due rows of a run that go to one of these domains (in lower case) are due after `seconds`, in one go: what would
    only be claimed and given back costs the others a fifth of it so. In the caller's transaction."""
    now = clock.now()
    given = {"run": run, "now": now, "until": now + timedelta(seconds=seconds), "domains": sorted(domains)}
    for statement in _ALIKE:
        connection.execute(statement, given)


def _due(connection: Connection, run: int | None, now: datetime) -> list[bool]:
    """Which rows of a run are due: True for those that go at once, False for those whose moment has come."""
    found = connection.execute(_LOOK[run is None], {"run": run, "now": now}).one()
    return [at_once for at_once, is_due in zip((True, False), found, strict=True) if is_due]


def _lease(connection: Connection, statement: Any, given: dict[str, Any]) -> list[Claimed]:
    return sorted((Claimed(*row) for row in connection.execute(statement, given)), key=lambda row: row.id)


def _of(is_single: bool, is_at_once: bool) -> tuple[Any, ...]:
    """The rows of a run (or the single mails) that may be claimed: those without a moment, or those whose moment has come."""
    return (
        _D.sendout_id.is_(None) if is_single else _D.sendout_id == bindparam("run"),
        IS_CLAIMABLE,
        _D.due_at.is_(None) if is_at_once else _D.due_at <= bindparam("now"),
    )


def _lease_statement(*of: Any) -> Any:
    # As a common table, else PostgreSQL may run it once a row and lease more than `size`.
    some = select(_D.id).where(*of).limit(bindparam("size", type_=Integer)).with_for_update(skip_locked=True)
    chosen = some.cte("chosen")
    return (
        update(Delivery.__table__)
        .where(_D.id.in_(select(chosen.c.id)), IS_CLAIMABLE)
        .values(state="leased", worker_id=bindparam("worker"), fence=_D.fence + 1, text_begun_at=None)
        .returning(*_COLUMNS)
    )


def _alike_statement(*of: Any) -> Any:
    """Looks at so many rows and no more, so that nobody waits long for the write lock."""
    some = select(_D.id, _D.email_key).where(*of).limit(_LOOKED_AT).cte("some")
    of_domains = domain_of(some.c.email_key).in_(bindparam("domains", expanding=True))
    chosen = (
        select(_D.id)
        .where(_D.id.in_(select(some.c.id).where(of_domains)), IS_CLAIMABLE)
        .with_for_update(skip_locked=True)
    )
    return (
        update(Delivery.__table__)
        .where(_D.id.in_(select(chosen.cte("chosen").c.id)), IS_CLAIMABLE)
        .values(due_at=bindparam("until"))
    )


# Built once: SQLAlchemy takes longer to build them than the database to run them.
_WAYS = [(is_single, is_at_once) for is_single in (True, False) for is_at_once in (True, False)]
_LOOK = {
    is_single: select(*(select(_D.id).where(*_of(is_single, at_once)).exists() for at_once in (True, False)))
    for is_single in (True, False)
}
_LEASE = {way: _lease_statement(*_of(*way)) for way in _WAYS}
_ALIKE = [_alike_statement(*_of(False, at_once)) for at_once in (True, False)]
_RUNS = select(Run.sendout_id).where(Run.state == "open").order_by(Run.sendout_id)
