"""Events: two hundred people send the public form of an event with 60 seats and 20 spare places at once, to two processes;
and what one public page costs the server.

Each of the two hundred is somebody whom the house does not know, so that each makes a contact too. The form goes through the
whole public face (token, limits, page); the page was opened before.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from benchmarks.world import Figure, p50, world
from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM

PEOPLE, PROCESSES, WARM_SECONDS = 200, 2, 12
SEATS, SPARE = 60, 20


def measure(kind: str, people: int = PEOPLE) -> list[Figure]:
    with world(kind) as app:
        records.create(
            SYSTEM, "portals", {"name": "Portal", "code": "main", "events_listing_enabled": True}, Channel.SYSTEM
        )
        path, event_id = _event("Fair", capacity=SEATS, spare_capacity=SPARE)
        return [_crowd(kind, app, path, event_id, people), *_pages(kind, app)]


def _event(name: str, **more: Any) -> tuple[str, int]:
    now = clock.now().replace(microsecond=0)
    values = {"name": name, "status": "published", "starts_at": now + timedelta(days=9), "ends_at": now + timedelta(days=10),
              "public_form": True, "description": "<p>Come and see what is new.</p>" * 10} | more  # fmt: skip
    id = records.create(SYSTEM, "mass_events", values, Channel.SYSTEM)
    table = modules["mass_events"].table
    slug = db.session.execute(select(table.c.slug).where(table.c.id == id)).scalar()
    db.session.commit()
    return f"/portal/public/events/{slug}", id


def _crowd(kind: str, app: Any, path: str, event_id: int, people: int) -> Figure:
    url, go_at = app.config["CUSTOMERHUB"].url_of_database, time.time() + WARM_SECONDS
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.self_service_portal.crowd", url, path, str(go_at),
             ",".join(str(number) for number in range(first, people, PROCESSES))],
            stdout=subprocess.PIPE, env=os.environ,
        ) for first in range(PROCESSES)
    ]  # fmt: skip
    answers = [json.loads(process.communicate()[0]) for process in started]
    told = [tuple(one) for answer in answers for one in answer["told"]]
    whole = max(answer["ended"] for answer in answers) - go_at - max(answer["late"] for answer in answers)
    table = modules["attendees"].table
    said = select(table.c.status, func.count(table.c.contact_id.distinct())).where(table.c.event_id == event_id)
    rows = {row[0]: row[1] for row in db.session.execute(said.group_by(table.c.status))}
    due = {"joined": SEATS, "spare": SPARE, "full": people - SEATS - SPARE}
    if Counter(word for _code, word, _seconds in told) != due or rows != {"joined": SEATS, "spare": SPARE}:
        raise RuntimeError(f"not {due}: told {Counter(word for _code, word, _seconds in told)}, stored {rows}")
    note = (
        f"told {dict(Counter(word for _code, word, _seconds in told))}, stored {rows}; processor time "
        f"{sum(answer['cpu'] for answer in answers):.2f} s; longest single answer {max(seconds for *_rest, seconds in told):.2f} s"
    )
    return Figure("200 register at once by the form: all answered", kind, whole, "s", "≤ 5 s on 2 cores", note)


def _pages(kind: str, app: Any) -> list[Figure]:
    """Processor time and size of the page of an event and of the list of thirty."""
    from hub.public import create_public_app

    for number in range(29):
        _event(f"Event {number}", capacity=50)
    path, _id = _event("With a form", capacity=50)
    visitor = create_public_app(app.config["CUSTOMERHUB"]).test_client(use_cookies=False)
    found = []
    for name, where in (("public page of an event", path), ("public list of 30 events", "/portal/public/events")):
        took = []
        for run in range(60):
            began = time.process_time()
            answer = visitor.get(where, environ_base={"REMOTE_ADDR": f"127.0.2.{run + 1}"})
            took.append(time.process_time() - began)
            assert answer.status_code == 200
        found.append(
            Figure(
                name, kind, 1000 * p50(took[10:]), "ms processor", "p50 < 30 ms", f"{len(answer.data):,} bytes whole"
            )
        )
    return found
