"""Who a visitor is: a sealed parameter in an address tells it, works once and for seven days, and can be made by us only."""

import hashlib
import html
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.identity.sealing import Sealer, sealer
from web_tracking.cleaning import host_of
from web_tracking.modules.tracked_sites import TrackedSite, hosts_of
from web_tracking.modules.visitors import WAY_KEYS

PARAMETER = "ch_visit"
LASTS = timedelta(days=7)
_LINK = re.compile(r'(\bhref=")(https?://[^"]+)"')
_SIZE = 20  # octets: 8 of the id, 6 of the time, 6 of the serial
TOKEN_LENGTH = 48
OF_MAILS = 1 << 60  # from here on: numbers of uses of mails


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a good parameter says. `id`: the delivery for the way "mail", else the person. `serial`: which link it was."""

    way: str
    id: int
    serial: int


def use_of(link: Recognised, site_id: int) -> int:
    """The number under which a site remembers who used a link, so that it makes one browser known there and no other. A mail is
    one link, however often it is followed: each time it is, a parameter is made, and who forwards a mail forwards all of it."""
    what = link.id if link.way == "mail" else link.serial
    digest = hashlib.blake2b(f"{site_id} {link.way} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 4 | (OF_MAILS if link.way == "mail" else 0)


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
    return _with(url, token(sealer, way, id)) if _is_followed(url, _hosts()) else url


def of_person(way: str, person_id: int) -> str:
    """A parameter for somebody who has just proved or said who he is; "" where no site is followed (catalog.VISITS)."""
    return token(sealer(), way, person_id) if _hosts() else ""


def into(page: str, said: str) -> str:
    """A page of ours with a parameter put onto its links to followed sites; as it is where it has none."""
    if not said or 'href="http' not in page:
        return page
    hosts = _hosts()

    def change(found: re.Match[str]) -> str:
        url = html.unescape(found[2])
        return f'{found[1]}{html.escape(_with(url, said))}"' if _is_followed(url, hosts) else found[0]

    return _LINK.sub(change, page)


def _with(url: str, said: str) -> str:
    parts = urlsplit(url)
    rest = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*rest, (PARAMETER, said)])))


def _is_followed(url: str, hosts: frozenset[str]) -> bool:
    return bool(hosts) and host_of(url) in hosts


def _hosts() -> frozenset[str]:
    table = TrackedSite.__table__
    columns = select(table.c.domain, table.c.more_hosts).where(table.c.active.is_(True), table.c.deleted_at.is_(None))
    return frozenset[str]().union(*(hosts_of(dict(row)) for row in db.session.execute(columns).mappings()))
