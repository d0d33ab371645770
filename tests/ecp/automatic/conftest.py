"""What tests of automatic mails start from: mails of the folder Campaign, and a clock that is moved."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.outbox import TASKS, Job
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from ecp.automatic import run
from ecp.pipeline import prepare, schedule
from tests.pipeline.conftest import House, build_house

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # a Monday, half past nine in Helsinki


@pytest.fixture
def house(session: Any) -> House:
    made = build_house()
    db.session.commit()
    return made


@pytest.fixture
def at() -> Iterator[Callable[[datetime], None]]:
    """`at(moment)`: the clock stands there from now on. It begins at NOW."""
    with ExitStack() as stack:

        def move(moment: datetime) -> None:
            stack.enter_context(clock.standing_at(moment))

        move(NOW)
        yield move


def template(house: House, **values: Any) -> int:
    """A mail that goes by itself: a template of the folder Campaign."""
    return house.mail(**{"name": "Welcome", "kind": "template", "folder": "Campaign"} | values)


def work() -> None:
    """What a worker does: the jobs of joiners, what is due by the clock, what is to be prepared."""
    for job in db.session.execute(select(Job).where(Job.task == "automatic.join", Job.state == "waiting")).scalars():
        TASKS[job.task].run(None, **job.arguments)
        job.state = "done"
    db.session.commit()
    run.tick(None)  # type: ignore[arg-type]
    schedule.start_due()
    table = modules["sendouts"].table
    for id in db.session.execute(select(table.c.id).where(table.c.state == "preparing")).scalars().all():
        assert prepare.prepare(id)


def mailed(source: str = "auto_campaign") -> list[dict[int, str]]:
    """Of each sendout of a source, in order: person → state, or why it was left out."""
    table = modules["sendouts"].table
    said = select(table.c.id).where(table.c.source == source).order_by(table.c.id)
    found = []
    for id in db.session.execute(said).scalars().all():
        rows = db.session.execute(
            select(Delivery.person_id, Delivery.state, Delivery.skip_reason).where(Delivery.sendout_id == id)
        )
        found.append({row.person_id: row.skip_reason or row.state for row in rows})
    return found
