"""One commit a mail: the outcome of the last one together with “the text of the next one begins”, if it still may.

The statements are built once (`quick`); a connection of its own keeps them off the pool and has the durability that was asked
for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, exists, literal, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import Select

from crm.db import reading
from crm.mail.outcome import Outcome
from crm.mail.sending.deliveries import Delivery, Run
from crm.mail.sending.kinds import KINDS, Claimed, Rendered
from crm.mail.sending.prepared import slot
from crm.mail.sending.quick import IS_HELD_BY_US, Begin, Entry, QuickCommit
from crm.mail.sending.settle import Settlement
from crm.mail.sending.together import Together

Context = Callable[[], AbstractContextManager[Any]]
_D = Delivery.__table__.c
_OURS = (_D.id == slot("row"), _D.fence == slot("held_fence"), IS_HELD_BY_US)
_ONE_WRITER = threading.Lock()


@dataclass(frozen=True, slots=True)
class Beginning:
    """A mail that is ready: its row, its bytes, and the moment by which its beginning is known again after a lost commit."""

    row: Claimed
    rendered: Rendered
    at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be recorded of a mail that was tried (`outcome` None: it could not even be rendered)."""

    row: Claimed
    outcome: Outcome | None
    settlement: Settlement


class Ledger:
    """The ledger of one worker on one database connection. `sync`: power or process.

    On PostgreSQL each sending thread has its own. SQLite lets one write at a time, so there all threads share one: with a
    connection each, every commit of one would make the others read their pages of the file again (33 reads a mail)."""

    def __init__(self, engine: Engine, worker_id: int, sync: str, context: Context = nullcontext) -> None:
        self.engine = engine
        self.context = context
        self.worker_id = worker_id
        self.sync = sync
        self._connection: Connection | None = None
        self._begin: dict[tuple[str, int | None], tuple[Begin, Select[Any], Select[Any]]] = {}
        self._quick = QuickCommit(engine.dialect)
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        # SQLite lets one write; threads of this process queue here rather than in its sleeping busy handler.
        self.is_shared = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = _ONE_WRITER if self.is_shared else nullcontext()
        self._together = Together(_ONE_WRITER, self._commit)

    def record(self, ending: Ending | None, beginning: Beginning | None) -> bool:
        """Commit an outcome and the beginning of the next text in one transaction; whether that one may begin.

        Raises SQLAlchemy's DBAPIError when the ledger cannot be written; calling again with the same values is safe."""
        try:
            is_usual = ending is None or ending.settlement.state == "sent"
            entry = self._entry(ending if is_usual else None, beginning)  # before any turn: a kind may read for it
            if ending is not None and not is_usual:
                with self._turn, (connection := self._open()).begin():
                    self._write(connection, ending)
            return self._record_quickly(entry) if entry.is_sent or entry.begin else False
        except Exception:
            self.close()
            raise

    def _record_quickly(self, entry: Entry) -> bool:
        """The usual case (it was sent, the next begins) on the driver itself: two statements, one commit."""
        try:
            if self.is_shared:
                return self._together.run(entry)
            self._quick.run(self._raw(), entry)
        except self._errors as problem:
            raise OperationalError("the sending ledger", None, problem) from problem
        return entry.may_begin

    def _entry(self, ending: Ending | None, beginning: Beginning | None) -> Entry:
        """What is to be recorded, as the statements want it."""
        values: dict[str, Any] = {"worker": self.worker_id}
        if ending:
            values |= ending.settlement.values
            values["sent_row"], values["sent_fence"] = ending.row.id, ending.row.fence
        if beginning:
            row = beginning.row
            values["row"], values["held_fence"] = row.id, row.fence
            values["begun"], values["mid"] = beginning.at, beginning.rendered.message_id
        return Entry(values, ending is not None, self._statements(beginning.row)[0] if beginning else None)

    def _commit(self, entries: Sequence[Entry]) -> None:
        self._quick.run_together(self._raw(), entries)

    def _raw(self) -> Any:
        return self._open().connection.dbapi_connection

    def may_still(self, beginning: Beginning) -> bool:
        """Ask again right before the text, when it had to wait: is it still ours, the run open, nothing against it?"""
        return self._is_row(self._statements(beginning.row)[1], self._key(beginning.row) | {"begun": beginning.at})

    def why_not(self, row: Claimed) -> str | None:
        """Why a beginning was refused: a skip reason, "" when the row is ours but its run is not open, None when it is lost."""
        statement = self._statements(row)[2]
        with self._turn, reading(), (connection := self._open()).begin():
            found = connection.execute(statement, self._key(row)).one_or_none()
        return None if found is None else (found[0] or "")

    def close(self) -> None:
        """Let go of the connection; it is opened again when needed."""
        with self._turn:
            connection, self._connection = self._connection, None
            if connection:
                try:
                    connection.close()
                except Exception:  # noqa: BLE001 - it is broken already, that is why it is closed
                    connection.invalidate()

    def _write(self, connection: Connection, ending: Ending) -> None:
        settlement = ending.settlement
        states = ("leased", "uncertain") if settlement.is_sure else ("leased",)
        statement = update(Delivery).where(*_OURS, _D.state.in_(states))
        changed = connection.execute(
            statement.values(state=settlement.state, **settlement.values), self._key(ending.row)
        )
        if changed.rowcount and settlement.state in ("failed", "uncertain"):
            with self.context():
                KINDS[ending.row.kind].settled(connection, ending.row, settlement.state, ending.outcome)

    def _key(self, row: Claimed) -> dict[str, Any]:
        return {"row": row.id, "held_fence": row.fence, "worker": self.worker_id}

    def _is_row(self, statement: Select[Any], values: dict[str, Any]) -> bool:
        with self._turn, reading(), (connection := self._open()).begin():
            return connection.execute(statement, values).first() is not None

    def _statements(self, row: Claimed) -> tuple[Begin, Select[Any], Select[Any]]:
        """For one kind and sendout: begin the text; may it still; and why not."""
        key = (row.kind, row.sendout_id)
        if key not in self._begin:
            with self.context(), reading():
                refusal = KINDS[row.kind].refusal(row.sendout_id)
            may = [*_OURS, _D.state == "leased"]
            if row.sendout_id is not None:
                may.append(exists(select(literal(1)).where(Run.sendout_id == row.sendout_id, Run.state == "open")))
            if refusal is not None:
                may.append(refusal.is_(None))
            fresh = or_(_D.text_begun_at.is_(None), _D.text_begun_at == slot("begun"))
            begin = (
                update(Delivery.__table__)
                .where(*may, fresh)
                .values(text_begun_at=slot("begun"), message_id=slot("mid"))
            )
            self._begin[key] = (
                self._quick.prepare(begin),
                select(_D.id).where(*may, _D.text_begun_at == slot("begun")),
                select(literal(None) if refusal is None else refusal)
                .select_from(Delivery)
                .where(*_OURS, _D.state == "leased"),
            )
        return self._begin[key]

    def _open(self) -> Connection:
        if self._connection is None:
            connection = self.engine.connect()
            try:
                connection.detach()  # it keeps settings of its own, so it never goes back to the pool
                _be_durable(connection, self.sync)
            except self._errors as problem:
                connection.close()
                raise OperationalError("the sending ledger", None, problem) from problem
            except Exception:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _be_durable(connection: Connection, sync: str) -> None:
    """`power`: a commit is on the disk when it returns; `process`: it survives the end of this process."""
    if (
        connection.dialect.name == "sqlite"
    ):  # not changeable inside a transaction, so not by SQLAlchemy, which begins one
        raw = connection.connection.dbapi_connection
        if raw is not None:
            raw.execute(f"PRAGMA synchronous = {'FULL' if sync == 'power' else 'NORMAL'}")
            raw.execute("PRAGMA cache_size = -4000")  # it goes through the rows once; pages seen need not be kept
        return
    with connection.begin():
        connection.exec_driver_sql(f"SET synchronous_commit TO {'on' if sync == 'power' else 'off'}")
        # The locks of a process that is frozen in the middle of a transaction end with its session.
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout TO '30s'")
