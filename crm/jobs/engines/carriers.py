"""The choice of the engine, and what the rest of the house knows of one that works through a broker: it carries words.

A word says “look at job 42 of this queue”. It may be lost, come twice or late: the row of the job is the truth.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from crm.config import Config

DEFAULT_PREFIX = "customerhub"
CONNECT_SECONDS = 2
SILENCE_SECONDS = 5  # a broker that does not answer for that long is taken for lost
# How long a running job may take to end when its process is told to; then it is given back, not counted as tried.
ENDING_SECONDS = 5.0
Look = Callable[[int], None]


class BrokerDown(Exception):
    """The broker cannot be reached or does not answer; the message says why."""


class Carrier(Protocol):
    """An engine on its broker. Every method raises BrokerDown when the broker is away, and none waits for it for long."""

    def tell(self, queue: str, job_id: int) -> None:
        """Put a word for whoever works on `queue`."""

    def waiting(self, queue: str) -> int:
        """How many words nobody has taken yet."""

    def check(self) -> None:
        """Ask the broker for a sign of life."""

    def forget(self) -> None:
        """Remove the queues of this house from the broker."""

    def serve(self, queue: str, threads: int, look: Look, stop: threading.Event) -> None:
        """Call `look` for every word of `queue`, in `threads` threads, until `stop`; returns at the latest ENDING_SECONDS after it.
        Outlives the loss of the broker."""


@dataclass(frozen=True)
class Place:
    """Where the words are: the broker's address, and what the names of queues begin with there."""

    url: str
    prefix: str

    @property
    def is_redis(self) -> bool:
        return self.url.startswith("redis")

    def name(self, queue: str) -> str:
        return f"{self.prefix}.{queue}"


def place_of(url: str, engine: str) -> Place:
    """Read CUSTOMERHUB_QUEUE_URL; `?prefix=` keeps several houses on one broker apart.

    The engine is part of the names, since one cannot read the words of the other.
    """
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    prefix = asked.pop("prefix", [DEFAULT_PREFIX])[0]
    return Place(urlunsplit(parts._replace(query=urlencode(asked, doseq=True))), f"{prefix}.{engine}")


def carrier_of(config: Config) -> Carrier | None:
    """The engine of the settings; None for the embedded one, whose workers look into the database themselves."""
    if config.queue_engine == "embedded":
        return None
    return _carrier(config.queue_engine, config.queue_url)


@lru_cache(maxsize=8)
def _carrier(engine: str, url: str) -> Carrier:
    # Loaded when it is used: nobody without a broker pays for its library.
    if engine == "dramatiq":
        from crm.jobs.engines.dramatiq import DramatiqCarrier

        return DramatiqCarrier(place_of(url, engine))
    from crm.jobs.engines.celery import CeleryCarrier

    return CeleryCarrier(place_of(url, engine))
