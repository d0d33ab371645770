"""Scores of everybody by fourteen rules, and the touches of all: mails, pages and forms of people over a year, then once more for a few.

The rules read ten events a person: clicks, openings, page views. Everything is counted anew, as every night."""

import time
from datetime import timedelta
from typing import Any

from benchmarks.world import Figure, people, world
from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from web_tracking.scoring import counting, gathering, model, tasks

AT_ONCE = 5_000
PATHS = ("/", "/prices", "/pods", "/booths", "/jobs", "/care")
RULES: tuple[dict[str, Any], ...] = (
    {"kind": "mail_clicked", "points": 5, "once_a_day": True, "most_points": 25}, {"kind": "mail_opened", "points": 1, "once_a_day": True},
    {"kind": "mail_clicked", "points": 3, "pattern": "https://shop.example/1*"}, {"kind": "mail_opened", "points": 1, "half_life_days": 30},
    *({"kind": "page", "points": 2 + place, "pattern": path} for place, path in enumerate(PATHS[1:])), {"kind": "page", "points": 1, "most_points": 10},
    {"kind": "mail_clicked", "points": 4, "source": "contacts", "conditions": where("title", "contains", "Manager")},
    {"kind": "form", "points": 20}, {"kind": "ticket", "points": -5}, {"kind": "survey", "points": 4},
)  # fmt: skip


def measure(kind: str, persons: int = 100_000) -> list[Figure]:
    with world(kind):
        ids = people(persons)
        _fill(ids)
        for number, rule in enumerate(RULES):
            records.create(SYSTEM, "score_rules", {"name": f"Rule {number}", **rule}, Channel.SYSTEM)
        model.save(model.Model())
        db.session.commit()
        found, size = [], f"of {persons:,} people"
        for name in ("scores", "scores again, nothing new,"):
            took, cpu = _timed(counting.recount_all)
            found.append(
                Figure(
                    f"{name} {size}",
                    kind,
                    took,
                    "s",
                    "< 20",
                    f"{len(RULES)} rules, {10 * persons:,} events; {cpu:.1f} s of our CPU",
                )
            )
        took, _cpu = _timed(lambda: counting.distribution(counting.rules(), model.load()))
        found.append(Figure(f"preview {size}", kind, took, "s", "", "nothing is written"))
        took, _cpu = _timed(gathering.gather)
        found.append(Figure(f"touches {size}", kind, took, "s", "", "all of them, once"))
        tasks.everything(None)
        _fill(ids[:50])
        took, _cpu = _timed(lambda: tasks.catch_up(None))
        found.append(Figure(f"50 new among {persons:,} people", kind, took, "s", "", "as every minute"))
        scored = db.session.execute(
            modules["contacts"].table.select().where(modules["contacts"].table.c.score != 0).limit(1)
        ).first()
        assert scored is not None
        return found


def _timed(act: Any) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    act()
    db.session.commit()
    return time.perf_counter() - began, time.process_time() - cpu


def _fill(ids: list[int]) -> None:
    """Ten events a person: two clicks, four openings, four page views of a visit."""
    now = clock.now()
    site = db.session.execute(modules["tracked_sites"].table.select()).first()
    site_id = site.id if site else records.create(SYSTEM, "tracked_sites", {"name": "Shop", "domain": "shop.example"}, Channel.SYSTEM)  # fmt: skip
    first = (db.session.execute(db.select(db.func.max(modules["visitors"].table.c.id))).scalar() or 0) + 1
    clicks, opens, visitors, visits, views = [], [], [], [], []
    for place, id in enumerate(ids):
        number = first + place
        at = now - timedelta(days=place % 360, minutes=1 + place % 600)
        clicks += [{"person_id": id, "at": at - timedelta(days=n), "made_by": "human", "url": f"https://shop.example/{place % 20}"} for n in range(2)]  # fmt: skip
        opens += [
            {"person_id": id, "at": at - timedelta(hours=7 * n), "made_by": ("human", "machine")[n == 3]}
            for n in range(4)
        ]
        same = {"site_id": site_id, "person_id": id}
        visitors.append(same | {"id": number, "cookie": f"{number:022d}", "bound_at": at, "first_seen_at": at, "last_seen_at": at, "visit_count": 1})  # fmt: skip
        visits.append(same | {"id": number, "visitor_id": number, "started_at": at, "ended_at": at, "page_count": 4, "entry": "/", "exit": "/", "source": ("google.com", None)[place % 2]})  # fmt: skip
        views += [same | {"visit_id": number, "visitor_id": number, "nonce": n, "kind": "view", "path": PATHS[(place + n) % len(PATHS)], "at": at} for n in range(4)]  # fmt: skip
    for key, rows in (
        ("clicks", clicks),
        ("opens", opens),
        ("visitors", visitors),
        ("visits", visits),
        ("page_views", views),
    ):
        table = modules[key].table
        for start in range(0, len(rows), AT_ONCE):
            db.session.execute(table.insert(), rows[start : start + AT_ONCE])
        db.session.commit()
