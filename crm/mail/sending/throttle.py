"""Send rates kept by all workers together: each leases tokens of one second from the database and spends them at their time.

A key's row says until when its rate is given away. Who leases takes the next second of it, so N workers share one rate and
none of them asks the database more than about once a second and key (decisions.md 25).
"""

from __future__ import annotations

import math
import time
from collections import deque

from sqlalchemy import Engine, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crm.db import database_seconds
from crm.mail.sending.deliveries import Portion

_LONGEST_SECONDS = 10.0  # a row further ahead than this was written by a clock that jumped

_P = Portion.__table__.c


class Throttle:
    """The two rates: mails a second in all, and to one recipient domain. 0 means no limit. Not for several threads at once."""

    def __init__(self, engine: Engine, send_rate: float, domain_rate: float) -> None:
        self.engine = engine
        self.send_rate, self.domain_rate = send_rate, domain_rate
        self._tokens: dict[str, deque[float]] = {}
        self._asked: dict[str, float] = {}

    @property
    def is_off(self) -> bool:
        """Whether nothing is limited."""
        return not self.send_rate and not self.domain_rate

    def wait(self, domain: str, rate: float | None = None) -> float:
        """Seconds until a mail to `domain` (or provider) may go; 0 takes the tokens for it, now. `rate`: another than usual."""
        now = time.monotonic()
        own = self.domain_rate if rate is None else rate
        keys = [(key, rate) for key, rate in (("*", self.send_rate), (f"to:{domain}", own)) if rate]
        longest = max((self._next(key, rate, now) - now for key, rate in keys), default=0.0)
        if longest > 0:
            return longest
        for key, _ in keys:
            self._tokens[key].popleft()
        return 0.0

    def _next(self, key: str, rate: float, now: float) -> float:
        """When the next token of a key is good, by the monotonic clock of this process."""
        tokens = self._tokens.setdefault(key, deque())
        while tokens and tokens[0] < now - 1.0:  # unspent tokens are not saved up
            tokens.popleft()
        if not tokens:
            asked = self._asked.get(key, 0.0)
            if asked > now:
                return asked
            start = self._lease(key, rate)
            if start < 0:  # the coming second belongs to others
                self._asked[key] = now - start
                return self._asked[key]
            count = max(1, math.floor(rate))
            tokens.extend(now + start + number / rate for number in range(count))
        return tokens[0]

    def _lease(self, key: str, rate: float) -> float:
        """Lease one second of the rate: seconds from now until it begins; negative: ask again after so many seconds."""
        share = max(1, math.floor(rate)) / rate
        now = database_seconds()
        begin = case((_P.free_at > now + _LONGEST_SECONDS + share, now), (_P.free_at > now, _P.free_at), else_=now)
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        with self.engine.begin() as connection:
            connection.execute(
                dialect.insert(Portion).values(key=key, free_at=0.0).on_conflict_do_nothing(index_elements=["key"])
            )
            ahead = connection.execute(
                update(Portion)
                .where(_P.key == key, begin <= now + 1.0)
                .values(free_at=begin + share)
                .returning(_P.free_at - now)
            ).scalar()
            if ahead is not None:
                return max(0.0, float(ahead) - share)
            left = connection.execute(select(_P.free_at - now).where(_P.key == key)).scalar_one()
        return -min(max(float(left) - 1.0, 0.05), _LONGEST_SECONDS)
