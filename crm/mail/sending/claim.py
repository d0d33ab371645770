"""Waiting rows become a leased batch: one conditional UPDATE, so that a row is given to one worker only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, select, update

from crm import clock
from crm.db import reading
from crm.mail.sending.deliveries import IS_CLAIMABLE, Delivery, Run
from crm.mail.sending.kinds import Claimed

_D = Delivery.__table__.c
_COLUMNS = (
    _D.id, _D.fence, _D.kind, _D.sendout_id, _D.email, _D.person_module, _D.person_id, _D.attempts, _D.drops, _D.payload,
)  # fmt: skip


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
            due = [run for run in runs if _is_any(connection, run, now)]
        claimed: list[Claimed] = []
        for run in due:
            with self.engine.begin() as connection:
                for when in (_D.due_at.is_(None), _D.due_at <= now):
                    if len(claimed) < size:
                        claimed += _lease(connection, worker_id, run, when, size - len(claimed))
            if claimed and run is not None:
                break
        return claimed

    def _runs_in_turn(self, connection: Connection) -> list[int]:
        runs = list(connection.scalars(select(Run.sendout_id).where(Run.state == "open").order_by(Run.sendout_id)))
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


def _is_any(connection: Connection, run: int | None, now: datetime) -> bool:
    for when in (_D.due_at.is_(None), _D.due_at <= now):
        if connection.scalar(select(_D.id).where(_of(run), IS_CLAIMABLE, when).limit(1)) is not None:
            return True
    return False


def _lease(connection: Connection, worker_id: int, run: int | None, when: Any, size: int) -> list[Claimed]:
    # As a common table, else PostgreSQL may run it once a row and lease more than `size`.
    chosen = (
        select(_D.id).where(_of(run), IS_CLAIMABLE, when).limit(size).with_for_update(skip_locked=True).cte("chosen")
    )
    rows = connection.execute(
        update(Delivery)
        .where(_D.id.in_(select(chosen.c.id)), IS_CLAIMABLE)
        .values(state="leased", worker_id=worker_id, fence=_D.fence + 1, text_begun_at=None)
        .returning(*_COLUMNS)
    )
    return sorted((Claimed(*row) for row in rows), key=lambda row: row.id)


def _of(run: int | None) -> Any:
    return _D.sendout_id.is_(None) if run is None else _D.sendout_id == run
