"""What the public end knows of the followed sites: read every few seconds, so that a hit costs no query."""

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from crm.db import db, writing
from crm.identity.sealing import Sealer, sealer
from web_tracking.modules.tracked_sites import TrackedSite, hosts_of, words

KNOWN_SECONDS = 5.0


@dataclass(frozen=True)
class Site:
    """One active site as the public end needs it."""

    id: int
    key: str
    hosts: frozenset[str]
    needs_consent: bool
    counts_all: bool
    kept: frozenset[str]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    def leaves_out(self, address: str) -> bool:
        """Whether visits from this address are not to be noted."""
        if not self.networks or not address:
            return False
        found = ipaddress.ip_address(address)
        return any(found in network for network in self.networks)


@dataclass(frozen=True)
class Known:
    """All active sites by key, and what opens personal parameters."""

    sites: dict[str, Site]
    sealer: Sealer


def load() -> Known:
    """What is known now: two queries in the app context at hand. Commits (the links key is made on first use)."""
    table = TrackedSite.__table__
    said = select(table).where(table.c.active.is_(True), table.c.deleted_at.is_(None))
    with writing():
        keys = sealer()
        db.session.commit()
    return Known({row["key"]: _site(row) for row in db.session.execute(said).mappings()}, keys)


def _site(row: Any) -> Site:
    return Site(
        row["id"], row["key"], hosts_of(row), row["consent_mode"] != "legitimate", row["counts_all"],
        frozenset(words(row["kept_parameters"])),
        tuple(ipaddress.ip_network(said, strict=False) for said in words(row["excluded_networks"])),
    )  # fmt: skip


class Knowing:
    """`knowing()` gives what is known, at most KNOWN_SECONDS old. While the database is away the last knowledge holds."""

    def __init__(self, app: Flask, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock = app, clock
        self._known: Known | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> Known:
        if self._known is not None and self._clock() < self._until:
            return self._known
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._until = self._clock() + KNOWN_SECONDS
                try:
                    with self._app.app_context():
                        self._known = load()
                except Exception:
                    if self._known is None:
                        raise
                    self._app.logger.exception("the followed sites could not be read; the last known ones hold")
        return self._known
