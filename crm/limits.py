"""How often somebody may ask: token buckets in this process, and who is asking when proxies stand between.

Limits protect the house from floods and guessing, they are no accounting: every serving process counts for itself, so
that no request costs a write. A source of IPv6 counts as its /64, because one host owns that many addresses.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_KEYS = (
    50_000  # of one limiter; the longest silent is forgotten first, so that a flood of sources cannot fill memory
)


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in `seconds`; as many at once, then refilled evenly."""

    count: float
    seconds: float


class Limiter:
    """Buckets of one rate by key. Thread-safe."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS) -> None:
        self.rate = rate
        self._clock, self._most = clock, most_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → (tokens left, when that was so)
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take one request of `key`: 0.0 when it may go on, else the seconds after which to try again."""
        if self.rate.count <= 0:
            return 0.0
        refill = self.rate.count / self.rate.seconds
        now = self._clock()
        with self._lock:
            left, then = self._buckets.pop(key, (self.rate.count, now))
            left = min(self.rate.count, left + max(0.0, now - then) * refill)
            wait = 0.0 if left >= 1 else (1 - left) / refill
            self._buckets[key] = (left - 1 if not wait else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return wait

    def forget(self) -> None:
        """Begin anew; for tests and after a change of settings."""
        with self._lock:
            self._buckets.clear()


def source_of(remote: str | None, forwarded: str | None, trusted: str) -> str:
    """The address a request came from.

    `remote`: the other end of the connection; `forwarded`: the X-Forwarded-For header; `trusted`: the setting
    CUSTOMERHUB_TRUSTED_PROXIES (addresses or networks, comma-separated). The header is read from its right end, only as
    far as each hop is a trusted proxy: what stands further left was written by a stranger. "" when nothing is known.
    """
    networks = _networks(trusted)
    hop = _address(remote)
    if hop is None:
        return ""
    for said in reversed((forwarded or "").split(",")):
        if not any(hop in network for network in networks):
            break
        before = _address(said)
        if before is None:
            break
        hop = before
    return str(hop)


def key_of(address: str) -> str:
    """What counts as one source: an IPv4 address, an IPv6 /64; "?" for one that cannot be read."""
    found = _address(address)
    if found is None:
        return "?"
    if found.version == 4:
        return str(found)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False).network_address)


def shortened(address: str) -> str:
    """The address as it may be kept: /24 or /48 (invariants.md 5); "" for one that cannot be read."""
    found = _address(address)
    if found is None:
        return ""
    if found.version == 4:
        return str(ipaddress.IPv4Network((int(found), 24), strict=False).network_address)
    return str(ipaddress.IPv6Network((int(found), 48), strict=False).network_address)


def is_within(address: str, networks: str) -> bool:
    """Whether `address` is in one of `networks` (addresses or networks, comma-separated); False for what is no address."""
    found = _address(address) if networks else None
    return found is not None and any(found in network for network in _networks(networks))


def covers(networks: str, address: str) -> Literal["whole", "part", "none"]:
    """How much of what a shortened address stands for (/24 or /48) is in `networks` (comma-separated)."""
    found = _address(address) if networks else None
    if found is None:
        return "none"
    span = ipaddress.ip_network((int(found), 24) if found.version == 4 else (int(found), 48), strict=False)
    same = [one for one in _networks(networks) if one.version == span.version]
    if any(span.subnet_of(one) for one in same):  # type: ignore[arg-type]
        return "whole"
    return "part" if any(one.overlaps(span) for one in same) else "none"


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    said = (text or "").strip()
    if said.startswith("["):  # [2001:db8::1]:443
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:  # 192.0.2.1:443
        said = said.partition(":")[0]
    try:
        found = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return None
    if found.version == 6 and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=8)
def _networks(trusted: str) -> tuple[Network, ...]:
    found = []
    for said in trusted.split(","):
        if said.strip():
            try:
                found.append(ipaddress.ip_network(said.strip(), strict=False))
            except ValueError:
                raise ValueError(
                    f"CUSTOMERHUB_TRUSTED_PROXIES names “{said.strip()}”, which is no address or network."
                ) from None
    return tuple(found)
