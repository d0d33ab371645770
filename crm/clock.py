"""What time it is: the one clock of the house, which tests may set."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from crm import config


def _system_time() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_time


def site_zone() -> str:
    """The IANA name of the zone in which the house counts days: CUSTOMERHUB_TIMEZONE of the app at work."""
    try:
        zone: str = config.current().timezone
    except (RuntimeError, KeyError):  # no app, as in a test of plain functions
        zone = "Europe/Helsinki"
    return zone


def now() -> datetime:
    """The present moment, an aware datetime in UTC."""
    return _source()


def milliseconds() -> int:
    """The present moment in milliseconds since 1970 (UTC); a third of what it costs by way of `now`."""
    return time.time_ns() // 1_000_000 if _source is _system_time else int(now().timestamp() * 1000)


def today(zone: str = "UTC") -> date:
    """The present day in `zone` (an IANA name such as "Europe/Helsinki")."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def running(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` tell the time inside the block; for tests and for demo data."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def standing_at(moment: datetime) -> AbstractContextManager[None]:
    """A context in which the clock stands still at `moment` (aware)."""
    return running(lambda: moment)
