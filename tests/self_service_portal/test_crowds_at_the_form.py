"""Many people send the form of one event at the same moment, to two processes (issue 3, must show 3)."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.rules.checkout import TOP

PROCESSES = 2


@pytest.mark.timeout(180)
def test_sixty_people_want_eighteen_seats_and_six_spare_places_by_the_form_of_the_page(own_app, own_database):
    told, rows = crowd(own_database, 60, seats=18, spare=6)
    assert Counter(told) == {(200, "joined"): 18, (200, "spare"): 6, (409, "full"): 36}
    assert rows == {"joined": 18, "spare": 6}


def crowd(url, people, seats, spare, warm=5):
    """What so many people are told who register at once, and how many attendees of each state there are; nobody twice."""
    records.create(SYSTEM, "portals", {"name": "My Kaisla", "code": "main"}, Channel.SYSTEM)
    now = clock.now().replace(microsecond=0)
    values = {"name": "Fair", "status": "published", "starts_at": now + timedelta(days=9), "ends_at": now + timedelta(days=10),
              "capacity": seats, "spare_capacity": spare, "public_form": True}  # fmt: skip
    id = records.create(SYSTEM, "mass_events", values, Channel.SYSTEM)
    table = modules["mass_events"].table
    slug = db.session.execute(select(table.c.slug).where(table.c.id == id)).scalar()
    db.session.commit()
    go_at = time.time() + warm
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.self_service_portal.crowd", url, f"/portal/public/events/{slug}", str(go_at),
             ",".join(str(number) for number in range(first, people, PROCESSES))],
            cwd=TOP, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(TOP)},
        ) for first in range(PROCESSES)
    ]  # fmt: skip
    answers = [json.loads(process.communicate()[0]) for process in started]
    table = modules["attendees"].table
    said = select(table.c.status, func.count(), func.count(table.c.contact_id.distinct())).where(table.c.event_id == id)
    counted = db.session.execute(said.group_by(table.c.status)).all()
    assert all(rows == people for _status, rows, people in counted)
    return [(code, word) for answer in answers for code, word, _seconds in answer["told"]], {
        row[0]: row[1] for row in counted
    }
