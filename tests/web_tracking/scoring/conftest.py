"""People, what happened to them, and rules; `scored` counts and reads the scores as lists do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from crm import clock
from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.people import People, make_people
from web_tracking.scoring import counting

MADE: dict[str, dict[str, Any]] = {
    "contacts": {"first_name": "Anna", "last_name": "Aalto"}, "leads": {"last_name": "Berg", "company": "Berg Ab"},
    "score_rules": {"name": "Rule", "kind": "mail_clicked", "points": 10}, "potentials": {"name": "Rooms"},
}  # fmt: skip


def make(key: str, **values: Any) -> int:
    return records.create(SYSTEM, key, MADE.get(key, {}) | values, Channel.SYSTEM)


def rule(**values: Any) -> int:
    return make("score_rules", **values)


def ago(days: float) -> datetime:
    return clock.now() - timedelta(days=days)


def click(person: int | None, days: float = 0.001, **values: Any) -> None:
    given = {"person_id": person, "at": ago(days), "made_by": "human", "url": "https://shop.example/prices"} | values
    db.session.execute(insert(modules["clicks"].table).values(given))


def opening(person: int, days: float = 0.001, **values: Any) -> None:
    given = {"person_id": person, "at": ago(days), "made_by": "human"} | values
    db.session.execute(insert(modules["opens"].table).values(given))


def score_of(key: str, id: int) -> int:
    return int(search.one(SYSTEM, key, id, ("score",))["score"])


@pytest.fixture
def people(session: Any) -> People:
    return make_people(session)


@pytest.fixture
def scored(session: Any) -> Callable[..., dict[int, int]]:
    """`scored(*ids)`: everybody counted anew; id → score of contacts and leads."""

    def count(*ids: int) -> dict[int, int]:
        counting.recount_all()
        found = {}
        for key in ("contacts", "leads"):
            for row in search.find(SYSTEM, key, columns=("score",), limit=200).rows:
                found[row.id] = row["score"]
        return {id: found[id] for id in ids} if ids else found

    return count
