"""Whose turn it is to read a mailbox: one worker at a time, and after a failure later and later.

For tables with the columns busy_until, last_run_at, next_run_at, last_error, failures and an id.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from crm import clock
from crm.db import database_seconds, db, rows_changed

BUSY_SECONDS = 300
LONGEST_PAUSE = timedelta(hours=4)


def take(model: Any, id: int) -> bool:
    """Take the mailbox for this worker, unless another has it and lives. Commits."""
    free = or_(model.busy_until.is_(None), model.busy_until < database_seconds())
    said = update(model).where(model.id == id, free)
    taken = rows_changed(said.values(busy_until=database_seconds() + BUSY_SECONDS))
    db.session.commit()
    return bool(taken)


def renew(model: Any, id: int) -> None:
    """Keep it for longer. Commits."""
    db.session.execute(update(model).where(model.id == id).values(busy_until=database_seconds() + BUSY_SECONDS))
    db.session.commit()


def give_back(model: Any, id: int) -> None:
    """Let others read it. Commits."""
    db.session.execute(update(model).where(model.id == id).values(busy_until=None))
    db.session.commit()


def note_success(model: Any, id: int) -> None:
    """It was read to the end. Commits."""
    fine = {"failures": 0, "last_error": None, "last_run_at": clock.now(), "next_run_at": None}
    db.session.execute(update(model).where(model.id == id).values(**fine))
    db.session.commit()


def note_failure(model: Any, id: int, sentence: str) -> int:
    """Wait longer each time: 1, 2, 4 … minutes. Gives how many failures there were in a row. The caller commits."""
    failures: int = (db.session.scalar(select(model.failures).where(model.id == id)) or 0) + 1
    pause = min(timedelta(minutes=2 ** min(failures - 1, 10)), LONGEST_PAUSE)
    now = clock.now()
    values = {"failures": failures, "last_error": sentence[:1000], "last_run_at": now, "next_run_at": now + pause}
    db.session.execute(update(model).where(model.id == id).values(**values))
    return failures


def is_due(row: Any) -> bool:
    """Whether the clock should look into this mailbox now."""
    return bool(row["active"]) and (row["next_run_at"] is None or row["next_run_at"] <= clock.now())
