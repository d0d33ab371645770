"""The rows that a process holds and has not begun: shared by its sending threads, handed out as the throttle allows."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from crm import clock
from crm.db import reading
from crm.mail.sending.claim import Claimer, give_back, put_off_alike
from crm.mail.sending.kinds import KINDS, Claimed, Rendered
from crm.mail.sending.ledger import Beginning, Ending
from crm.mail.sending.pace import Pacer
from crm.mail.sending.settle import Settlement
from crm.mail.sending.throttle import Throttle

log = logging.getLogger(__name__)
SIZE = 100
_AHEAD_SECONDS = 10.0  # of a slow domain no more rows are held than may go in this time
_AT_ONCE, _AT_ONCE_OCTETS = 8, 1_000_000  # so many mails are made in one go


@dataclass(frozen=True, slots=True)
class _Made:
    """A row whose mail is made, or why it could not be."""

    row: Claimed
    loaded: Any
    mail: Rendered | Ending

    def handed_out(self) -> Beginning | Ending:
        return self.mail if isinstance(self.mail, Ending) else Beginning(self.row, self.mail, clock.now())


class Batch:
    """Claims, loads and renders; `next_mail` may be called by several threads."""

    def __init__(
        self, engine: Engine, worker_id: int, throttle: Throttle, context: Callable[[], AbstractContextManager[Any]],
        pacer: Pacer | None = None,
    ) -> None:  # fmt: skip
        self.engine = engine
        self.worker_id = worker_id
        self.throttle = throttle
        self.pacer = pacer or Pacer(engine, throttle.domain_rate)
        self.context = context
        self._claimer = Claimer(engine)
        self._rows: list[tuple[Claimed, Any]] = []
        self._made: deque[_Made] = deque()
        self._lock = threading.Lock()
        self._look_at = 0.0

    def next_mail(self, may_fill: bool = True) -> Beginning | Ending | float:
        """A rendered mail; an ending for a row that cannot be rendered; or seconds after which to ask again.

        Without `may_fill` only what is at hand is given, so that nobody's outcome waits for a claim."""
        with self._lock:
            self.pacer.look()
            while self._made:
                made = self._made.popleft()
                if self._is_free(made.row):
                    return made.handed_out()
                self._rows.append((made.row, made.loaded))  # its provider has asked for care meanwhile
            found = self._take(may_fill)
        if isinstance(found, float):
            return found
        first = self._make(*found)
        self._make_ahead(first)
        return first.handed_out()

    def _make_ahead(self, made: _Made) -> None:
        """Make the next few as well, while what it takes is in the processor's memory: that saves 30 to 50 us a mail."""
        octets = 0
        for _ in range(_AT_ONCE - 1):
            octets += 0 if isinstance(made.mail, Ending) else len(made.mail.data)
            with self._lock:
                if octets > _AT_ONCE_OCTETS or len(self._made) >= _AT_ONCE - 1:
                    return  # enough, also of what other threads have made
                at = next((at for at in range(len(self._rows) - 1, -1, -1) if self._is_free(self._rows[at][0])), None)
                if at is None:
                    return
                row, loaded = self._rows[at]
                if row.sendout_id is None or KINDS[row.kind].render_reads:
                    return  # single mails are not alike
                self._rows.pop(at)
            made = self._make(row, loaded)
            with self._lock:
                self._made.append(made)

    def _is_free(self, row: Claimed) -> bool:
        """Whether a mail may go as soon as it is made."""
        return self.throttle.is_off and self.pacer.is_free(row.domain)

    def _make(self, row: Claimed, loaded: Any) -> _Made:
        try:
            return _Made(row, loaded, self._render(row, loaded))
        except Exception as problem:  # one person's data must not stop the others; the reason is kept
            log.warning("a mail could not be rendered", extra={"delivery": row.id}, exc_info=problem)
            reply = f"{type(problem).__name__}: {problem}"[:500]
            return _Made(
                row, loaded, Ending(row, None, Settlement("failed", {"failed_reason": "render", "reply": reply}))
            )

    def _render(self, row: Claimed, loaded: Any) -> Rendered:
        kind = KINDS[row.kind]
        if not kind.render_reads:
            return kind.render(row, loaded)
        with self.context(), reading():
            return kind.render(row, loaded)

    def empty(self) -> list[Claimed]:
        """Take all rows out: they are no longer to be handed out."""
        with self._lock:
            rows = [row for row, _ in self._rows] + [made.row for made in self._made]
            self._rows = []
            self._made.clear()
        return rows

    def _take(self, may_fill: bool) -> tuple[Claimed, Any] | float:
        soonest = self._find()
        if may_fill and isinstance(soonest, float) and not self.pacer.is_calm:
            self._let_go()
        if may_fill and isinstance(soonest, float) and time.monotonic() >= self._look_at and len(self._rows) < SIZE:
            if self._fill():
                return self._find()
            # Nothing (more) is due: idle workers look twice a second.
            self._look_at = time.monotonic() + 0.5
        return soonest

    def _find(self) -> tuple[Claimed, Any] | float:
        """The first row whose tokens are there, or the seconds to the soonest."""
        if self.throttle.is_off and self.pacer.is_calm:
            return self._rows.pop() if self._rows else 0.5
        soonest, asked = 0.5, dict[str, float]()
        # The first to go stands at the end where nothing is limited (`_fill`), else at the beginning.
        order = range(len(self._rows) - 1, -1, -1) if self.throttle.is_off else range(len(self._rows))
        for at in order:
            row = self._rows[at][0]
            provider = self.pacer.key(row.domain)
            if provider not in asked:
                asked[provider] = self.pacer.wait(provider) or self.throttle.wait(provider, self.pacer.rate(provider))
                if not asked[provider]:
                    return self._rows.pop(at)
            soonest = min(soonest, asked[provider])
        return max(soonest, 0.001)

    def _fill(self) -> bool:
        """Claim and load; whether there is something new."""
        # While somebody is left alone, many rows go straight back: fewer, larger steps cost the others less.
        rows = self._claimer.claim(self.worker_id, SIZE if self.pacer.is_calm else 4 * SIZE)
        self.pacer.meet(row.domain for row in rows)
        rows = self._put_off(rows)
        if not rows:
            return False
        fresh: list[tuple[Claimed, Any]] = []
        for kind in dict.fromkeys(row.kind for row in rows):
            mine = [row for row in rows if row.kind == kind]
            try:
                with self.context(), reading():
                    loaded = KINDS[kind].load(mine)
            except Exception:
                # What cannot be read now, or a kind that this process does not know, must not hold up the others.
                log.exception("what mails need cannot be read", extra={"kind": kind})
                with self.engine.begin() as connection:
                    give_back(connection, self.worker_id, mine, 30)
                continue
            fresh += [(row, loaded) for row in mine]
        self._rows = fresh[::-1] + self._rows if self.throttle.is_off else self._rows + fresh
        return True

    def _let_go(self) -> None:
        """Give back what is at hand for providers that have just been paused: it would only keep others out."""
        paused: dict[float, list[Claimed]] = {}
        for row, _ in self._rows:
            if (pause := self.pacer.wait(self.pacer.key(row.domain))) > 1.0:
                paused.setdefault(float(math.ceil(pause)), []).append(row)
        gone = {row.id for rows in paused.values() for row in rows}
        self._rows = [(row, loaded) for row, loaded in self._rows if row.id not in gone]
        self._give_back(paused)

    def _give_back(self, rows: dict[float, list[Claimed]], *, is_paused: bool = True) -> None:
        for seconds, some in rows.items():
            with self.engine.begin() as connection:
                give_back(connection, self.worker_id, some, seconds)
                alike: dict[int, set[str]] = {}
                for row in some if is_paused else ():
                    if row.sendout_id is not None:
                        alike.setdefault(row.sendout_id, set()).add(row.domain.lower())
                for run, domains in alike.items():
                    put_off_alike(connection, run, domains, seconds)

    def _put_off(self, rows: list[Claimed]) -> list[Claimed]:
        """Give back what a slow or paused provider could not take soon anyway, so that others come in."""
        if not rows or (not self.throttle.domain_rate and self.pacer.is_calm):
            return rows
        held = Counter(self.pacer.key(row.domain) for row, _ in self._rows)
        kept: list[Claimed] = []
        slow: list[Claimed] = []
        paused: dict[float, list[Claimed]] = {}
        for row in rows:
            provider = self.pacer.key(row.domain)
            pause, rate = self.pacer.wait(provider), self.pacer.rate(provider)
            held[provider] += 1
            if pause:
                paused.setdefault(float(math.ceil(pause)), []).append(row)
            elif rate and held[provider] > max(1, math.ceil(rate * _AHEAD_SECONDS)):
                slow.append(row)
            else:
                kept.append(row)
        self._give_back(paused)
        self._give_back({_AHEAD_SECONDS: slow} if slow else {}, is_paused=False)
        if slow and not paused:  # behind those of a paused provider there may be others that can go at once
            self._look_at = time.monotonic() + 1.0
        return kept
