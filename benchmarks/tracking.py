"""The public end of web tracking: hits a second of CPU stored before the answer, the roll-up of many hits, the site report.

A hit goes through the whole of collect.py in this process, without a server around it; the server's share is in the note of
the figures that are measured over a socket. Rolled up are hits of visitors who see four pages a visit."""

import io
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.world import Figure, world
from crm.config import current
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from web_tracking import counting, sites
from web_tracking.collect import Beacon
from web_tracking.counting import Period
from web_tracking.rolling_up import roll_up_all
from web_tracking.stores import Store, store_of

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ORIGIN = "https://shop.example"


def measure(kind: str, hits: int = 1_000_000, collected: int = 30_000) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, world(kind, data_dir=folder):
        site_id = records.create(SYSTEM, "tracked_sites", {"name": "Shop", "domain": "shop.example"}, Channel.SYSTEM)
        db.session.commit()
        store = store_of(current().with_(data_dir=str(Path(folder))))
        found = [_collecting(kind, store, collected)]
        roll_up_all(store)
        _fill(store, site_id, hits)
        began, cpu = time.perf_counter(), time.process_time()
        done = roll_up_all(store)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        assert done == hits
        found.append(Figure(f"roll up {hits:,} hits", kind, seconds, "s", "< 60", f"{used:.1f} s of our CPU"))
        found.append(_report(kind, site_id))
        return found


def _collecting(kind: str, store: Store, count: int) -> Figure:
    known = sites.load()
    beacon = Beacon(current().with_(hit_rate=0.0), lambda: known, store)
    key = next(iter(known.sites))
    asked = [_environ(key, n) for n in range(count)]
    waits: list[float] = []

    def answer(status: str, _headers: Any) -> None:
        assert status == "204 No Content"

    cpu = time.process_time()
    for environ in asked:
        began = time.perf_counter()
        beacon(environ, answer)
        waits.append(time.perf_counter() - began)
    used = time.process_time() - cpu
    p99 = sorted(waits)[int(count * 0.99)] * 1000
    target = ">= 20,000" if kind == "sqlite" else ">= 3,500"
    return Figure(
        "hits stored before the answer",
        kind,
        count / used,
        "hits/s of CPU",
        target,
        f"p99 {p99:.2f} ms, one after the other",
    )


def _environ(key: str, number: int) -> dict[str, Any]:
    said = {
        "s": key, "k": "view", "n": number, "v": f"{number % 5000:022d}", "c": 1, "t": "A page of the shop", "r": "https://search.example/",
        "u": f"{ORIGIN}/products/{number % 500}?utm_source=news&utm_campaign=spring&session=3f9aB27cDe81f0g2Hh45kLm9",
    }  # fmt: skip
    body = json.dumps(said).encode()
    return {
        "PATH_INFO": "/t/b", "REQUEST_METHOD": "POST", "REMOTE_ADDR": f"198.51.{number % 200}.{number % 250}", "HTTP_ORIGIN": ORIGIN,
        "HTTP_USER_AGENT": AGENT, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
    }  # fmt: skip


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
