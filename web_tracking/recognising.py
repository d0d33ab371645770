"""Who a visitor is: a sealed parameter in an address tells it, works once and for seven days, and can be made by us only."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.identity.sealing import Sealer
from web_tracking.cleaning import host
from web_tracking.modules.tracked_sites import TrackedSite, hosts_of
from web_tracking.modules.visitors import WAY_KEYS

PARAMETER = "ch_visit"
LASTS = timedelta(days=7)
_SIZE = 20  # octets: 8 of the id, 6 of the time, 6 of the serial
TOKEN_LENGTH = 48


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a good parameter says. `id`: the delivery for the way "mail", else the person. `serial`: which link it was."""

    way: str
    id: int
    serial: int


def token(sealer: Sealer, way: str, id: int) -> str:
    """A parameter that makes the browser that brings it known. `way`: mail, form, survey, portal; `id`: see Recognised."""
    moment = int(clock.now().timestamp())
    number = (id << 96) | (moment << 48) | secrets.randbits(48)
    return sealer.seal(f"visit_{way}", number, _SIZE)


def read(sealer: Sealer, said: str, now: datetime) -> Recognised | None:
    """What a parameter says; None for one that was made up, changed, or is too old."""
    if len(said) != TOKEN_LENGTH:
        return None
    for way in WAY_KEYS:
        number = sealer.open(f"visit_{way}", said, _SIZE)
        if number is not None:
            made_at = datetime.fromtimestamp((number >> 48) & (2**48 - 1), UTC)
            is_fresh = made_at - timedelta(minutes=5) <= now <= made_at + LASTS
            return Recognised(way, number >> 96, number & (2**48 - 1)) if is_fresh else None
    return None


def onto(url: str, sealer: Sealer, way: str, id: int) -> str:
    """The address with a parameter that makes its visitor known, when it leads to a followed site; else as it is."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not _is_followed(host(parts)):
        return url
    rest = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*rest, (PARAMETER, token(sealer, way, id))])))


def _is_followed(said: str) -> bool:
    table = TrackedSite.__table__
    columns = select(table.c.domain, table.c.more_hosts).where(table.c.active.is_(True), table.c.deleted_at.is_(None))
    return any(said in hosts_of(dict(row)) for row in db.session.execute(columns).mappings())
