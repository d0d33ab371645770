"""The usual commit of a mail, on the database driver itself: the last one was sent, the next one's text begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, func, null, update
from sqlalchemy.sql.dml import Update

from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.prepared import Prepared, slot

_D = Delivery.__table__.c
# The row is found by its id; the worker's index, full of what was sent a moment ago, would be a detour (PostgreSQL takes it).
IS_HELD_BY_US = func.coalesce(_D.worker_id, 0) == slot("worker")
_SENT = (
    update(Delivery.__table__)
    .where(
        _D.id == slot("sent_row"), _D.fence == slot("sent_fence"), IS_HELD_BY_US,
        _D.state.in_(("leased", "uncertain")),
    )
    .values(
        state="sent", sent_at=slot("sent_at"), reply=slot("reply"), attempts=slot("attempts"), due_at=null(), payload=null()
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Begin:
    """The statement that begins a text, alone and together with the one that the last mail was sent."""

    alone: Prepared
    after_sent: Prepared | None


@dataclass(slots=True)
class Entry:
    """What one connection has to record: that its last mail `is_sent`, and that the text of its next one begins.

    `values` for the slots of both statements. Afterwards `is_done`, and `may_begin` or the `problem` of this entry."""

    values: dict[str, Any]
    is_sent: bool
    begin: Begin | None
    is_done: bool = False
    may_begin: bool = False
    problem: BaseException | None = None


class QuickCommit:
    """Both statements of a mail in one transaction. Made once a ledger."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._is_sqlite = dialect.name == "sqlite"
        self._of_database = dialect.loaded_dbapi.OperationalError  # locked, full, gone: not the fault of one entry
        self._sent = Prepared(_SENT, dialect)

    def prepare(self, begin: Update) -> Begin:
        """The statement that begins the texts of one sendout, made ready for `run`. It touches one row or none."""
        if self._is_sqlite:
            return Begin(Prepared(begin, self._dialect), None)
        both = begin.add_cte(_SENT.returning(_D.id).cte("ended"))
        return Begin(Prepared(begin, self._dialect), Prepared(both, self._dialect))

    def run(self, raw: Any, entry: Entry) -> None:
        """Commit one entry on PostgreSQL. `raw` is the driver's connection. Raises the driver's errors; then nothing was written."""
        begin, is_sent = entry.begin, entry.is_sent
        statement = self._sent if begin is None else begin.alone if not is_sent else begin.after_sent
        raw.autocommit = True  # one statement is a transaction: no way to the server for BEGIN, none for COMMIT
        try:
            touched = statement.run(_raw_cursor(raw), entry.values) if statement else 0
        finally:
            raw.autocommit = False
        entry.may_begin = begin is not None and touched > 0

    def run_together(self, raw: Any, entries: Sequence[Entry]) -> None:
        """Commit entries of several connections on SQLite at once: each is as durable, and they wait for the disk once.

        What is wrong with one entry is that one's `problem`; what is wrong with the database is everybody's."""
        left = list(entries)
        while left:
            cursor, at = raw.cursor(), None
            try:
                cursor.execute("BEGIN IMMEDIATE")
                for at in left:
                    if at.is_sent:
                        self._sent.run(cursor, at.values)
                    at.may_begin = at.begin is not None and at.begin.alone.run(cursor, at.values) > 0
                at = None
                cursor.execute("COMMIT")  # raw.commit() would read that word anew each time
                return
            except BaseException as problem:  # noqa: BLE001 - whoever brought it hears of it
                raw.rollback()
                wrong = left if at is None or isinstance(problem, self._of_database) else [at]
                for one in wrong:
                    one.problem = problem
                left = [one for one in left if one.problem is None]


def _raw_cursor(raw: Any) -> Any:
    from psycopg import RawCursor  # the driver's own places ($1); its other cursors read the text at every run

    return RawCursor(raw)
