"""Web tracking: hits that are stored before the answer (collecting.py), the roll-up of many hits, the site report over them.

Rolled up are hits of visitors who see four pages a visit."""

import json
import random
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from benchmarks import collecting
from benchmarks.world import Figure, world
from crm.config import current
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from web_tracking import counting
from web_tracking.counting import Period
from web_tracking.modules.tracked_sites import TrackedSite
from web_tracking.rolling_up import roll_up_all
from web_tracking.stores import Store, store_of


def measure(kind: str, hits: int = 1_000_000, collected: int = 60_000) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, world(kind, data_dir=folder):
        site_id = records.create(SYSTEM, "tracked_sites", {"name": "Shop", "domain": "shop.example"}, Channel.SYSTEM)
        db.session.commit()
        key = str(db.session.execute(select(TrackedSite.key).where(TrackedSite.id == site_id)).scalar())
        db.session.rollback()
        settings = current().with_(data_dir=str(Path(folder)))
        store = store_of(settings)
        found = collecting.measure(kind, settings, key, collected, lambda: collecting.stored_in(store))
        roll_up_all(store)
        _fill(store, site_id, hits)
        began, cpu = time.perf_counter(), time.process_time()
        done = roll_up_all(store)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        assert done == hits
        found.append(Figure(f"roll up {hits:,} hits", kind, seconds, "s", "< 60", f"{used:.1f} s of our CPU"))
        found.append(_report(kind, site_id))
        return found


def _fill(store: Store, site_id: int, count: int) -> None:
    """Hits of thirty days, straight into the store."""
    dice = random.Random(1)
    now = int(time.time() * 1000)
    step = 30 * 86_400_000 // count
    rows = []
    for n in range(count):
        said = {
            "p": f"/products/{dice.randrange(2000)}",
            "a": "Firefox",
            "i": "198.51.100.0",
            "t": "A page of the shop",
        }
        if n % 4 == 0:
            said |= {"r": f"site{dice.randrange(50)}.example"}
        rows.append(
            (
                now - (count - n) * step,
                site_id,
                f"{n // 4 % 60_000:022d}",
                n,
                "view",
                json.dumps(said, separators=(",", ":")),
            )
        )
    if hasattr(store, "path"):
        connection = store._connection()  # type: ignore[attr-defined]
        connection.execute("BEGIN")
        connection.executemany(store._INSERT, rows)  # type: ignore[attr-defined]
        connection.execute("COMMIT")
    else:
        from web_tracking.stores import COLUMNS
        from web_tracking.tables import Hit

        for place in range(0, count, 20_000):
            db.session.execute(
                Hit.__table__.insert(), [dict(zip(COLUMNS, row, strict=True)) for row in rows[place : place + 20_000]]
            )
        db.session.commit()


def _report(kind: str, site_id: int) -> Figure:
    period = Period.of(30)
    waits = []
    for _again in range(5):
        cpu = time.perf_counter()
        counting.totals([site_id], period)
        for what in ("page", "source", "campaign", "download", "event"):
            counting.by_name([site_id], period, what)
        counting.by_day([site_id], period, "visits")
        counting.people(SYSTEM, site_id, period)
        waits.append((time.perf_counter() - cpu) * 1000)
    return Figure("site report over them", kind, sorted(waits)[2], "ms", "< 300", "its queries, without drawing")
