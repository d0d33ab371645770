"""Several mail servers as one way out: each mail goes to one of them by weight, within its limit; one that fails is passed over.

A mail is given to the next server only while it is certain that the last one has not begun to read its text.
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select

from crm.db import db
from crm.mail import servers
from crm.mail.message import Envelope, Settled
from crm.mail.outcome import Outcome
from crm.mail.smtp import SmtpServer
from crm.mail.transport import Connection, GoAhead, Transport
from crm.outgoing import OutgoingError, checked

log = logging.getLogger(__name__)
FRESH_SECONDS = 30.0  # how long a process goes by what it read of the servers
LONGEST_PAUSE = 300.0
_FROM = re.compile(rb"(?im)^From:(?:[^\r\n]|\r\n[ \t])*?@([a-z0-9.\-]+)>?[ \t]*\r\n(?![ \t])")
NOT_OURS = Outcome(
    "refused", "mail", 550, "5.7.1 no mail server of this site is for mails from this domain", "5.7.1", "sender", is_open=True
)  # fmt: skip
FULL = "every mail server has reached its limit of this hour"


@dataclass
class Known:
    """A server as this process knows it."""

    id: int
    server: SmtpServer
    weight: int
    per_hour: int | None
    from_domains: tuple[str, ...] = ()
    tokens: int = 0
    taken_at: float = 0.0
    pause: float = 0.0
    try_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has_room(self, engine: Engine) -> bool:
        """Take one mail of the limit."""
        if self.per_hour is None:
            return True
        with self.lock:
            now = time.monotonic()
            if not self.tokens or now - self.taken_at > 60:  # a portion is what a minute may have: it is not saved up
                self.tokens, self.taken_at = servers.take(engine, self.id, self.per_hour), now
            if not self.tokens:
                return False
            self.tokens -= 1
            return True

    def takes(self, domain: str) -> bool:
        """Whether mails from this domain may go by it."""
        return not self.from_domains or any(domain == one or domain.endswith(f".{one}") for one in self.from_domains)

    def failed(self) -> None:
        """It did not let us in, or sent us away: leave it alone for a while."""
        with self.lock:
            now = time.monotonic()
            if now >= self.try_at:
                self.pause = min(max(5.0, self.pause * 2), LONGEST_PAUSE)
                self.try_at = now + self.pause

    def works(self) -> None:
        self.pause = self.try_at = 0.0


class Pool:
    """The way out of a process. `base` is used while there are no servers of one's own."""

    def __init__(self, base: Transport, engine: Engine, context: Callable[[], AbstractContextManager[Any]]) -> None:
        self.base, self.engine, self.context = base, engine, context
        self._known: dict[int, Known] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The servers, or the base."""
        return ", ".join(one.server.name for one in self.known()) or self.base.name

    @property
    def is_throttled(self) -> bool:
        return self.base.is_throttled or bool(self.known())

    def connection(self) -> PoolConnection:
        """A new connection, not yet open."""
        return PoolConnection(self)

    def known(self) -> list[Known]:
        """The servers in use, read anew every half minute; what was learned of one that has not changed is kept."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                try:
                    with self.context():
                        self._known = self._read()
                except Exception:  # the database is away, a key does not open: what was known still holds
                    log.exception("the mail servers cannot be read")
                self._read_at = time.monotonic()
            return list(self._known.values())

    def _read(self) -> dict[int, Known]:
        found = {}
        for row in db.session.scalars(select(servers.MailServer).where(servers.MailServer.active)):
            try:
                server = servers.server_of(row)
                server.connect_to = str(checked(row.host, row.port))  # so that a name cannot lead elsewhere afterwards
            except (OutgoingError, ValueError) as wrong:
                log.warning("a mail server is left out", extra={"server": row.name, "reason": str(wrong)})
                continue
            old = self._known.get(row.id)
            if old and vars_of(old.server) == vars_of(server):
                old.weight, old.per_hour, old.from_domains = row.weight, row.per_hour, tuple(row.from_domains.split())
                found[row.id] = old
            else:
                found[row.id] = Known(row.id, server, row.weight, row.per_hour, tuple(row.from_domains.split()))
        db.session.rollback()
        return found

    def barred(self, data: bytes | Settled) -> set[int]:
        """The servers that this mail may not go by, because of who it is from."""
        known = self.known()
        if not any(one.from_domains for one in known):
            return set()
        found = _FROM.search((data.head if isinstance(data, Settled) else data).partition(b"\r\n\r\n")[0] + b"\r\n")
        domain = found[1].decode("ascii").lower() if found else ""
        return {one.id for one in known if not one.takes(domain)}

    def pick(self, without: set[int]) -> Known | Outcome:
        """A server for one mail by weight, its limit counted; an outcome that says why there is none."""
        now = time.monotonic()
        left = [one for one in self.known() if one.id not in without and one.try_at <= now]
        was_full = False
        while left:
            one = random.choices(left, [each.weight for each in left])[0]
            if one.has_room(self.engine):
                return one
            was_full = True
            left.remove(one)
        words = FULL if was_full else "no mail server can be reached now"
        return Outcome("unreachable", "connect", text=words)


def vars_of(server: SmtpServer) -> tuple[Any, ...]:
    """What makes a server another one."""
    return server.host, server.port, server.user, server.password, server.is_tls, server.starttls, server.connect_to


class PoolConnection:
    """Sessions with several servers, one for each; the server of the next mail is chosen ahead. Used by one thread at a time."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._sessions: dict[int, tuple[Known | None, Connection]] = {}
        self._next: tuple[Known | None, Connection] | None = None
        self._ahead: Known | None = None

    @property
    def is_open(self) -> bool:
        """Whether the next mail has a server and a session."""
        if self._next is None:
            return False
        known, session = self._next
        return session.is_open and (known is not None or not self.pool.known())  # servers that were added take over

    def open(self) -> Outcome | None:
        """Choose a server for the next mail and open a session with it, with another one when that fails."""
        return None if self.is_open else self._choose(set())

    def _choose(self, tried: set[int]) -> Outcome | None:
        problem: Outcome | None = None
        self._next = None
        if not self.pool.known():
            known, session = self._sessions.setdefault(0, (None, self.pool.base.connection()))
            problem = session.open()
            self._next = None if problem else (known, session)
            return problem
        while True:
            picked = self._ahead if self._ahead and self._ahead.id not in tried else self.pool.pick(tried)
            self._ahead = None
            if isinstance(picked, Outcome):
                return problem or picked
            kept = self._session_of(picked)
            problem = kept[1].open()
            if problem is None:
                self._next = kept
                return None
            log.warning("mail server not reachable", extra={"server": picked.server.name, "reason": problem.sentence})
            picked.failed()
            tried.add(picked.id)

    def _session_of(self, picked: Known) -> tuple[Known | None, Connection]:
        kept = self._sessions.get(picked.id)
        if kept is None or kept[0] is not picked:  # new, or its settings were changed
            if kept is not None:
                kept[1].close()
            kept = self._sessions[picked.id] = (picked, picked.server.connection())
        return kept

    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        """One mail, by the server that was chosen for it; by another one when that ends the session before the text."""
        tried = self.pool.barred(data)
        if tried and tried >= {one.id for one in self.pool.known()}:
            return NOT_OURS
        problem = self.open()
        if problem is None and self._next and self._next[0] and self._next[0].id in tried:
            self._next[0].tokens += self._next[0].per_hour is not None  # it was counted for this mail
            problem = self._choose(tried)
        while problem is None and self._next is not None:
            known, session = self._next
            outcome = session.send(envelope, data, go_ahead)
            if known is None:
                return outcome
            if not _is_untouched(outcome):
                known.works()
                self._choose_ahead()
                return outcome
            known.failed()
            tried.add(known.id)
            if self._choose(tried) is not None:
                return outcome
        return problem or Outcome("unreachable", "connect", text="no mail server can be reached now")

    def _choose_ahead(self) -> None:
        """The server of the next mail, so that `is_open` can tell whether there is a session with it."""
        picked = self.pool.pick(set())
        if isinstance(picked, Outcome):
            self._next = self._ahead = None
            return
        kept = self._session_of(picked)
        self._next, self._ahead = (kept, None) if kept[1].is_open else (None, picked)

    def close(self) -> None:
        """Good-bye to all of them."""
        for _known, session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._next = self._ahead = None


def _is_untouched(outcome: Outcome) -> bool:
    """Whether the server surely has nothing of the text, and the reason is its own: another one may get the mail."""
    if outcome.kind == "unreachable":
        return True
    return outcome.kind == "not_sent" and outcome.stage in ("mail", "rcpt", "data")
