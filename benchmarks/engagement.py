"""Openings and clicks of a large sendout judged again: read, judged by all rules, written, counted; and once more unchanged.

A tenth of the mails stands behind a gateway that opens all links at once, some behind a service that loads all pictures."""

import time
from datetime import timedelta
from typing import Any

from benchmarks import multitude
from benchmarks.world import Figure, world
from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import judging
from ecp.pipeline.frozen import TrackedLink

LINKS = 5
AT_ONCE = 5_000


def measure(kind: str, events: int = 100_000) -> list[Figure]:
    with world(kind):
        mail = multitude.mail()
        sendout = records.create(SYSTEM, "sendouts", {"name": "News", "email_template_id": mail}, Channel.SYSTEM)
        _fill(sendout, events)
        found = []
        for name in ("judge", "judge again, nothing new:"):
            began, cpu = time.perf_counter(), time.process_time()
            done, changed = judging.judge_again()
            seconds, used = time.perf_counter() - began, time.process_time() - cpu
            assert done == events
            note = f"{changed:,} verdicts changed; {used:.1f} s of our CPU"
            found.append(Figure(f"{name} {events:,} openings and clicks", kind, seconds, "s", "< 10", note))
        assert found[-1].note.startswith("0 ")
        return found


def _fill(sendout: int, events: int) -> None:
    """Two events a mail: an opening and a click, or what a gateway did."""
    then = clock.now() - timedelta(days=2)
    mails = events // 2
    _insert(TrackedLink.__table__, [
        {"sendout_id": sendout, "number": n, "url": f"https://shop.example/{n}", "label": "", "part": "html"} for n in range(1, LINKS + 1)
    ])  # fmt: skip
    _insert(Delivery.__table__, [
        {"id": n, "sendout_id": sendout, "email": f"n{n}@example.com", "email_key": f"n{n}@example.com", "state": "sent",
         "created_at": then, "sent_at": then + timedelta(milliseconds=n)} for n in range(1, mails + 1)
    ])  # fmt: skip
    opens: list[dict[str, Any]] = []
    clicks: list[dict[str, Any]] = []
    for n in range(1, mails + 1):
        sent = then + timedelta(milliseconds=n)
        one = {
            "sendout_id": sendout,
            "delivery_id": n,
            "made_by": "unknown",
            "agent_family": "Chrome",
            "ip": f"198.51.{n % 250}.0",
        }
        if n % 10 == 0:
            clicks += [
                one | {"at": sent + timedelta(seconds=2), "delay": 2, "link_number": link, "signs": None}
                for link in (0, 1)
            ]
            continue
        signs = "loads_all" if n % 7 == 0 else "no_accept" if n % 13 == 0 else None
        later = 60 + n * 7 % 90_000
        opens.append(one | {"at": sent + timedelta(seconds=later), "delay": later, "signs": signs})
        clicks.append(
            one
            | {
                "at": sent + timedelta(seconds=later + 9),
                "delay": later + 9,
                "link_number": 1 + n % LINKS,
                "signs": None,
            }
        )
    _insert(modules["opens"].table, opens)
    _insert(modules["clicks"].table, clicks)
    db.session.commit()


def _insert(table: Any, rows: list[dict[str, Any]]) -> None:
    for place in range(0, len(rows), AT_ONCE):
        db.session.execute(table.insert(), rows[place : place + AT_ONCE])
