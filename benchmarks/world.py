"""What measurements start from: a database of their own, people in it, a mail, a campaign; and how a figure is written down."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from crm.db import Database, db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from tests import databases
from tests.apps import build_template, make_app

CITIES = ("Helsinki", "Espoo", "Tampere", "Vantaa", "Oulu", "Turku", "Jyväskylä", "Lahti", "Kuopio", "Pori")
TITLES = ("Managing Director", "Purchasing Manager", "Office Manager", "Controller", "Assistant", "Project Manager")
SYLLABLES = ("ka", "ri", "lo", "mi", "sa", "ven", "tu", "por", "nel", "hau", "jo", "pet")


@dataclass
class Figure:
    """One measured thing. `value` in `unit`; `target` as the issue says it; `note`: how, or the baseline beside it."""

    name: str
    database: str
    value: float
    unit: str
    target: str = ""
    note: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@contextmanager
def world(kind: str, **settings: Any) -> Iterator[Flask]:
    """An app on a fresh database of `kind`, its context pushed; dropped at the end."""
    url = databases.create(kind, build_template)
    app = make_app(url, **settings)
    try:
        with app.app_context():
            yield app
            db.session.remove()
    finally:
        Database.forget_engines()
        databases.drop(url)


def word(number: int) -> str:
    """A name that looks like one and is another for each number."""
    said, rest = "", number + 17
    while rest:
        rest, place = divmod(rest, len(SYLLABLES))
        said += SYLLABLES[place]
    return said.capitalize()


def people(count: int, per_account: int = 10, owners: Sequence[int | None] = (None,)) -> list[int]:
    """`count` contacts in accounts, owned by each of `owners` in turn, through the writing door; their ids. Commits."""
    accounts: list[int] = []
    for start in range(0, max(count // per_account, 1), 5_000):
        rows = [
            {
                "name": f"{word(number)} Oy",
                "billing_city": CITIES[number % 10],
                "account_type": ("Customer", "Prospect")[number % 2],
            }
            for number in range(start, min(start + 5_000, max(count // per_account, 1)))
        ]
        accounts += [id for id in records.create_many(SYSTEM, "accounts", rows, Channel.SYSTEM).ids if id]
        db.session.commit()
    ids: list[int] = []
    for start in range(0, count, 5_000):
        rows = [
            {
                "first_name": word(number % 997), "last_name": word(number), "email": f"person{number}@d{number % 50}.example",
                "account_id": accounts[number % len(accounts)], "mailing_city": CITIES[number % 10], "title": TITLES[number % 6],
                "phone": f"+358 40 {number % 900 + 100} {number % 9000 + 1000}", "may_measure_opens": "yes",
                "owner_id": owners[number // 10 % len(owners)],
            }
            for number in range(start, min(start + 5_000, count))
        ]  # fmt: skip
        ids += [id for id in records.create_many(SYSTEM, "contacts", rows, Channel.SYSTEM).ids if id]
        db.session.commit()
    db.session.commit()
    return ids


def times(act: Callable[[], Any], runs: int, warm: int = 3) -> list[float]:
    """Seconds of each of `runs` calls, after `warm` calls that are not counted."""
    for _ in range(warm):
        act()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return found


def p50(found: list[float]) -> float:
    return statistics.median(found)


def p99(found: list[float]) -> float:
    return sorted(found)[max(0, round(len(found) * 0.99) - 1)]


def pin() -> str:
    """Keep this process on one core, so that figures are a core's; gives what was done."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return "not pinned: one core"
    os.sched_setaffinity(0, {cores[0]})
    return f"pinned to core {cores[0]}"


def unpin() -> None:
    """Let this process run on all cores again."""
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
