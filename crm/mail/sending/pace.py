"""The pace of each provider, kept by all workers together: who asks us to come back later is left alone for a while.

A deferral (421, or 4xx for policy or load) pauses its provider, twice as long each time, and halves its rate; what it takes
afterwards raises the rate again, step by step. Who took some mails since, or was well for longer than the last pause, begins with a
short one again: a server that refuses one mail of ten, however slowly they come, would get none any more. Other providers notice
nothing of it.
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, case, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from crm import clock
from crm.db import database_seconds, reading
from crm.mail.outcome import Outcome
from crm.mail.sending.families import hosted
from crm.mail.sending.pace_rows import ProviderPace
from crm.mail.sending.providers import provider_of

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 900.0  # seconds
LEAST_SHARE = 1 / 16
TAKEN_FOR_MORE = 20  # mails taken in a row raise the share by half
TAKEN_TO_BE_WELL = 5  # and so many end the doubling of pauses
RATE_AFTER_DEFERRAL = 20.0  # mails a second to begin from where no rate is set
LOOK_SECONDS = 1.0
MET_SECONDS, MOST_MET = 600.0, 50_000  # how long, and of how many domains, it is remembered who hosts them
SEVERAL, SEVERAL_SECONDS = 4, 10.0  # so many providers at once: it is the server between us and them that is busy
_OF_PROVIDER = ("rcpt", "data", "text", "dot")
_BUSY = re.compile(r"\brate\b|too (?:many|fast|quick)|throttl|deferred|slow down|overload|\bbusy\b", re.I)
_OF_PERSON = re.compile(r"gr[ae]y-?list", re.I)  # a stranger is made to wait once, whatever the others send
_P = ProviderPace.__table__.c


def is_deferral(outcome: Outcome) -> bool:
    """Whether a provider asks to be left alone for a while; not: this mailbox is full, this person is greylisted."""
    if outcome.stage not in _OF_PROVIDER or not 400 <= outcome.code < 500:
        return False
    if outcome.is_closing:
        return True
    if outcome.enhanced.startswith(("4.1.", "4.2.")) or _OF_PERSON.search(outcome.text):
        return False
    return outcome.enhanced.startswith(("4.7.", "4.3.2")) or bool(_BUSY.search(outcome.text))


@dataclass(slots=True)
class _Known:
    """A provider's row, as it was last seen; `until` by the monotonic clock."""

    rate: float
    share: float
    until: float


class Pacer:
    """What a process knows of providers. For several threads."""

    def __init__(self, engine: Engine, domain_rate: float) -> None:
        self.engine, self.domain_rate = engine, domain_rate
        self._known: dict[str, _Known] = {}
        self._taken: dict[str, int] = {}
        self._closed: deque[tuple[float, str]] = deque()
        self._looked_at = float("-inf")
        self._hosted: dict[str, str] = {}  # domain, as it is written in addresses → the provider that hosts it
        self._met: set[str] = set()
        self._met_since = 0.0
        self._slow: dict[str, str] = {}  # those of them whose provider needs care now
        self._lock = threading.Lock()

    def meet(self, domains: Iterable[str]) -> None:
        """Read who hosts these domains, those that were not met of late; what cannot be read now is asked another time."""
        now = time.monotonic()
        if now - self._met_since > MET_SECONDS or len(self._met) > MOST_MET:
            self._hosted, self._met, self._met_since = {}, set(), now
        fresh = set(domains) - self._met
        if not fresh:
            return
        try:
            found = hosted(self.engine, {domain.lower() for domain in fresh})
        except DBAPIError:
            return
        self._met |= fresh
        self._hosted |= {domain: found[domain.lower()] for domain in fresh if domain.lower() in found}
        self._sort_out()

    def _sort_out(self) -> None:
        known, of_hosts = self._known, self._hosted
        self._slow = {domain: family for domain, family in of_hosts.items() if family in known} if known else {}

    def key(self, domain: str) -> str:
        """Whose pace a mail to this domain keeps: its host's while that needs care, else that of its own provider."""
        return self._slow.get(domain) or provider_of(domain)

    def look(self) -> None:
        """Read how the providers are doing, at most once a second; what cannot be read now stays as it was."""
        now = time.monotonic()
        with self._lock:
            if now - self._looked_at < LOOK_SECONDS:
                return
            self._looked_at = now
        columns = (_P.provider, _P.rate, _P.share, (_P.paused_until - database_seconds()).label("left"))
        try:
            with reading(), self.engine.connect() as connection:
                rows = connection.execute(select(*columns)).all()
        except DBAPIError:
            return
        now = time.monotonic()
        known = {
            row.provider: _Known(row.rate or 0.0, row.share, now + min(row.left, LONGEST_PAUSE * 1.1))
            for row in rows
            if row.rate or row.share < 1 or row.left > 0
        }
        with self._lock:
            self._known = known
        self._sort_out()

    @property
    def is_calm(self) -> bool:
        """Whether no provider needs any care."""
        return not self._known

    def is_free(self, domain: str) -> bool:
        """Whether a mail to this domain may go whenever it is made: nobody asked for care, and no rate is set."""
        return not self._known or (not self.domain_rate and self.key(domain) not in self._known)

    def wait(self, provider: str) -> float:
        """Seconds for which a provider is to be left alone."""
        known = self._known.get(provider)
        return max(0.0, known.until - time.monotonic()) if known else 0.0

    def rate(self, provider: str) -> float:
        """Mails a second that a provider may get now; 0: no limit."""
        known = self._known.get(provider)
        if known is None:
            return self.domain_rate
        usual = known.rate or self.domain_rate
        return (usual or RATE_AFTER_DEFERRAL) * known.share if known.share < 1 else usual

    def note(self, domain: str, outcome: Outcome) -> None:
        """What came of one mail. What cannot be written now is met again soon."""
        provider = self._hosted.get(domain) or provider_of(domain)
        try:
            if is_deferral(outcome):
                self._defer(provider, outcome, self._taken.pop(provider, 0) >= TAKEN_TO_BE_WELL)
            elif outcome.kind == "accepted" and (known := self._known.get(provider)) and known.share < 1:
                taken = self._taken[provider] = self._taken.get(provider, 0) + 1
                if taken % TAKEN_FOR_MORE == 0:
                    self._recover(provider)
        except DBAPIError:
            log.warning("the pace of a provider cannot be written", extra={"provider": provider})

    def is_server_busy(self, domain: str) -> bool:
        """After a 421: whether several providers got one just now, so that it is the server's own."""
        now = time.monotonic()
        with self._lock:
            self._closed.append((now, self._hosted.get(domain) or provider_of(domain)))
            while self._closed[0][0] < now - SEVERAL_SECONDS:
                self._closed.popleft()
            return len({provider for _at, provider in self._closed}) >= SEVERAL

    def _defer(self, provider: str, outcome: Outcome, took_some: bool) -> None:
        now = database_seconds()
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        begin = dialect.insert(ProviderPace).values(
            provider=provider, share=1.0, pause=0.0, paused_until=0.0, deferred_count=0
        )
        longer = func.min if self.engine.dialect.name == "sqlite" else func.least
        is_well = literal(took_some) | (now - _P.paused_until > _P.pause)
        pause = case((is_well | (_P.pause < FIRST_PAUSE), FIRST_PAUSE), else_=longer(_P.pause * 2, LONGEST_PAUSE))
        share = case((_P.share / 2 < LEAST_SHARE, LEAST_SHARE), else_=_P.share / 2)
        told = {"reply": outcome.sentence, "deferred_at": clock.now(), "deferred_count": _P.deferred_count + 1}
        # Mails that were under way when the pause began bring the same answer once more: they do not lengthen it.
        more = update(ProviderPace).where(_P.provider == provider, _P.paused_until < now)
        with self.engine.begin() as connection:
            connection.execute(begin.on_conflict_do_nothing(index_elements=["provider"]))
            jitter = random.uniform(1.0, 1.1)
            changed = connection.execute(
                more.values(pause=pause, share=share, paused_until=now + pause * jitter, **told)
            )
            if not changed.rowcount:
                connection.execute(update(ProviderPace).where(_P.provider == provider).values(**told))
        with self._lock:
            self._looked_at = float("-inf")
        self.look()

    def _recover(self, provider: str) -> None:
        """A step back to the usual rate; who is there again is a provider like any other, unless a rate was set."""
        share = case((_P.share * 1.5 > 1.0, 1.0), else_=_P.share * 1.5)
        with self.engine.begin() as connection:
            connection.execute(
                update(ProviderPace).where(_P.provider == provider).values(share=share, pause=_P.pause / 2)
            )
        with self._lock:
            self._looked_at = float("-inf")
        self.look()
