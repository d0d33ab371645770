"""Demo visits: two months of a web site, through the real roll-up; who clicked in a mail is known there, and some by other ways."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from web_tracking.rolling_up import write_up
from web_tracking.stores import Waiting

DAYS = 60
BATCH = 5_000
PAGES = (  # path, title, how often it is where a visit goes
    ("/", "Kaisla: rooms to think in", 30), ("/booths", "Phone booths", 22), ("/pods", "Meeting pods", 16),
    ("/panels", "Acoustic panels", 12), ("/prices", "Prices", 20), ("/references", "Where our rooms stand", 10),
    ("/care", "Care instructions", 7), ("/guides/quiet-office", "How a quiet office is planned", 9), ("/contact", "Contact us", 8),
    ("/jobs", "Work at Kaisla", 4),
)  # fmt: skip
FOLLOWED = (("Price list", "/prices"), ("Guides", "/guides/*"), ("Contact us", "/contact"))
FROM = (("", 34), ("google.com", 30), ("bing.com", 6), ("linkedin.com", 11), ("officeblog.example", 6))
CAMPAIGNS = (
    {"source": "linkedin", "medium": "social", "campaign": "quiet-hours"},
    {"source": "fair", "medium": "print", "campaign": "open-house"},
)
BROWSERS = (("Chrome", 46), ("Safari", 24), ("Edge", 16), ("Firefox", 12), ("Samsung Internet", 4))
HOURS = (8, 9, 9, 10, 10, 10, 11, 12, 13, 13, 14, 14, 15, 16, 19, 20, 21)
COMMON = {"linkedin.com": CAMPAIGNS[0]}


@dataclass
class Browsing:
    """One browser: its cookie, and what may be kept of it."""

    cookie: str
    about: dict[str, Any]
    link: list[Any] | None = None  # what makes it known, once


def make(dice: random.Random, contacts: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make the site, its followed pages and its visits. Commits."""
    tell("Making demo visits of the web site …")
    values = {"name": "Kaisla", "domain": "kaisla.example", "counts_all": True, "kept_parameters": "product"}
    site = records.create(SYSTEM, "tracked_sites", values, Channel.SYSTEM)
    for label, pattern in FOLLOWED:
        records.create(SYSTEM, "tracked_pages", {"label": label, "site_id": site, "pattern": pattern}, Channel.SYSTEM)
    db.session.commit()
    hits = sorted(_all(dice, site, contacts), key=lambda hit: hit.at)
    for place in range(0, len(hits), BATCH):
        write_up(hits[place : place + BATCH])
        db.session.commit()
    count = db.session.execute(select(func.count()).select_from(modules["visits"].table)).scalar() or 0
    tell(f"{count:,} visits of one followed site.")


def _all(dice: random.Random, site: int, contacts: Sequence[int]) -> Iterator[Waiting]:
    now = clock.now()
    known: list[Browsing] = []
    for when, way, id in [*_clicks(), *_others(dice, now, contacts)]:
        one = _browser(dice, [way, id, dice.getrandbits(47)])
        utm = {"source": "newsletter", "medium": "email", "campaign": "kaisla-letter"} if way == "mail" else {}
        yield from _visit(dice, site, one, when + timedelta(seconds=4), "", utm)
        known.append(one)
    strangers: list[Browsing] = []
    for day in range(DAYS, -1, -1):
        morning = (now - timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        is_weekend = morning.weekday() > 4
        for _visits in range(dice.randint(6, 12) if is_weekend else dice.randint(22, 36)):
            at = morning + timedelta(hours=dice.choice(HOURS), minutes=dice.randrange(60), seconds=dice.randrange(60))
            if at > now - timedelta(minutes=10):
                continue
            if dice.random() < 0.3 and strangers:
                one = dice.choice(known if known and dice.random() < 0.25 else strangers)
            else:
                one = _browser(dice)
                strangers.append(one)
            referrer = dice.choices([said for said, _w in FROM], [weight for _s, weight in FROM])[0]
            utm = COMMON.get(referrer, {}) if dice.random() < 0.5 else CAMPAIGNS[1] if dice.random() < 0.03 else {}
            yield from _visit(dice, site, one, at, referrer, utm)
        for kind, most in (("bot", 30), ("count", 60)):
            for _one in range(dice.randint(most // 3, most)):
                at = morning + timedelta(seconds=dice.randrange(86_000))
                page = dice.choices(PAGES, [weight for *_p, weight in PAGES])[0][0]
                if at < now:
                    yield _hit(site, at, None, 0, kind, {"p": page} if kind == "count" else {})
    for one in (*known[-2:], _browser(dice)):  # they are here while the newcomer looks around
        yield from _visit(dice, site, one, now - timedelta(minutes=2), "", {}, pages=1)
    yield _hit(site, now - timedelta(days=DAYS), None, 0, "try", {})


def _clicks() -> list[tuple[datetime, str, int]]:
    """Who clicked in a mail, when first, and by which one; without the machines."""
    table = modules["clicks"].table
    said = (
        select(func.min(table.c.at), table.c.delivery_id)
        .where(table.c.delivery_id.is_not(None), table.c.person_id.is_not(None), table.c.made_by != "machine")
        .group_by(table.c.delivery_id)
        .order_by(table.c.delivery_id)
    )
    return [(row[0], "mail", row[1]) for row in db.session.execute(said)]


def _others(dice: random.Random, now: datetime, contacts: Sequence[int]) -> list[tuple[datetime, str, int]]:
    people = dice.sample(list(contacts), min(len(contacts), 45))
    ways = dice.choices(("form", "survey", "portal"), (4, 3, 3), k=len(people))
    return [
        (now - timedelta(days=dice.randint(1, 50), minutes=dice.randrange(600)), way, person)
        for person, way in zip(people, ways, strict=True)
    ]


def _browser(dice: random.Random, link: list[Any] | None = None) -> Browsing:
    family = dice.choices([name for name, _w in BROWSERS], [weight for _n, weight in BROWSERS])[0]
    return Browsing(f"demo{dice.getrandbits(60):018d}"[:22], {"a": family, "i": f"192.0.{dice.randrange(256)}.0"}, link)


def _visit(
    dice: random.Random, site: int, one: Browsing, at: datetime, referrer: str, utm: dict[str, str], pages: int = 0
) -> Iterator[Waiting]:
    """One visit: a few pages with the time they were in view, now and then a brochure or a question."""
    for number in range(pages or min(9, 1 + int(dice.expovariate(1 / 2.2)))):
        path, title, _weight = dice.choices(PAGES, [weight for *_p, weight in PAGES])[0]
        nonce = dice.getrandbits(52)
        said = {"p": path, "t": title, **one.about}
        if number == 0:
            said |= ({"r": referrer} if referrer else {}) | ({"u": utm} if utm else {})
            if one.link is not None:
                said["w"], one.link = one.link, None
        yield _hit(site, at, one.cookie, nonce, "view", said)
        seconds = min(600, 4 + int(dice.expovariate(1 / 45)))
        at += timedelta(seconds=seconds)
        yield _hit(site, at, one.cookie, nonce, "leave", {"p": path, "x": seconds})
        for chance, kind, name in (
            (0.04, "download", "/files/kaisla-brochure.pdf"),
            (0.015, "event", "Asked for a quote"),
        ):
            if dice.random() < chance:
                told = {"p": path, "t": title, "e": name, **one.about}
                yield _hit(site, at, one.cookie, dice.getrandbits(52), kind, told)


def _hit(site: int, at: datetime, cookie: str | None, nonce: int, kind: str, said: dict[str, Any]) -> Waiting:
    return Waiting(int(at.timestamp() * 1000), site, cookie, nonce, kind, json.dumps(said, separators=(",", ":")))
