"""Who makes the mails of a delivery: a kind, registered by name by the room that knows how (the sendouts' pipeline, letters)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql import ColumnElement

from crm.mail.message import Envelope, Settled
from crm.mail.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery row that this worker holds."""

    id: int
    fence: int
    kind: str
    sendout_id: int | None
    email: str
    person_module: str | None
    person_id: int | None
    attempts: int
    drops: int
    payload: dict[str, Any] | None

    @property
    def domain(self) -> str:
        """The recipient's domain, for the throttle."""
        return self.email.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished mail: `data` from `assemble`, and its Message-ID for the ledger."""

    envelope: Envelope
    data: bytes | Settled
    message_id: str


def _nothing(rows: Sequence[Claimed]) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """How the deliveries of one kind are made and judged. All but `render` run inside an app context.

    `load(rows)`: what rendering a batch needs, read set-wise once a batch (db.session, reading only; rows may be of several
        sendouts); the result is given to each `render`, also of another thread.
    `render(row, loaded)`: the finished mail. Outside of any app context, touches no database (unless `render_reads`: for kinds
        of few mails, then like `load`); whatever it raises fails this row only, reason `render`.
    `refusal(sendout_id)`: an SQL expression over the columns of `deliveries` (a scalar subquery correlates by itself) that is
        the skip reason, NULL when the mail may go. Built once a sendout, thread and process; evaluated in the very statement
        that begins the text. None: nothing can refuse.
    `settled(connection, row, state, outcome)`: called in the recording transaction (`connection`) when a row becomes failed or
        uncertain; not for sent, nor when a dead worker is buried. `outcome` is None for a row that could not be rendered.
    `trouble(sendout_id, code, sentence)`: told once when a run was paused by us (`policy`) or the server has not been reachable
        for ten minutes (`unreachable`; sendout_id None when only single mails wait); may write and commit."""

    name: str
    render: Callable[[Claimed, Any], Rendered]
    load: Callable[[Sequence[Claimed]], Any] = _nothing
    refusal: Callable[[int | None], ColumnElement[str | None] | None] = lambda sendout_id: None
    settled: Callable[[Connection, Claimed, str, Outcome | None], None] = lambda connection, row, state, outcome: None
    trouble: Callable[[int | None, str, str], None] = lambda sendout_id, code, sentence: None
    render_reads: bool = False


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known; a second one of the same name takes the place of the first."""
    KINDS[kind.name] = kind
    return kind
