"""The last seat, wanted by fifty at once, from several processes on a database of its own (P24, P40)."""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.rules.checkout import TOP

PROCESSES = 2


@pytest.fixture
def make(own_app):
    """As everywhere, but in a database of its own that other processes see."""
    return lambda module, **values: records.create(SYSTEM, module, values, Channel.SYSTEM)


@pytest.mark.timeout(120)
def test_of_fifty_at_once_one_gets_the_seat_two_a_spare_place_and_all_others_are_told_full(
    own_app, own_database, event, mass_event
):
    events = event(seats=1, spare_places=2), mass_event(capacity=1, spare_capacity=2)
    db.session.commit()
    crowds = [
        crowd(own_database, id, 50) for id in events
    ]  # both at once: programs take longer to begin than to register
    for id, started in zip(events, crowds, strict=True):
        assert Counter(told_of(started)) == {"joined": 1, "spare": 2, "full": 47}
        table = modules["attendees"].table
        with own_app.app_context():
            said = select(table.c.status, table.c.queue_no).where(table.c.event_id == id).order_by(table.c.queue_no)
            rows = db.session.execute(said).all()
        assert sorted(map(tuple, rows), key=str) == [("joined", None), ("spare", 1), ("spare", 2)]


def crowd(url, event_id, count):
    """Processes in which `count` people register at once."""
    numbers = list(range(count))
    go_at = time.time() + 5
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.modules.events.crowd", url, str(event_id), str(go_at), ",".join(map(str, numbers[n::PROCESSES]))],
            cwd=TOP, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(TOP)},
        )
        for n in range(PROCESSES)
    ]  # fmt: skip


def told_of(started):
    """What everybody was told."""
    return [status for process in started for status, _seconds in json.loads(process.communicate()[0])["told"]]
