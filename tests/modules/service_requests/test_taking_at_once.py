"""Two members of a unit take one request at the same moment, each on a connection of its own: one gets it (P81)."""

import threading

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import seeding, settings, taking
from tests.people import make_people

ROUNDS = 5


@pytest.mark.timeout(120)
def test_of_two_who_take_a_request_at_once_one_gets_it_and_the_other_is_told_who_has_it(own_app):
    people = make_people()
    settings.forget()
    seeding.seed()
    contact = records.create(SYSTEM, "contacts", {"last_name": "Virta"}, Channel.SYSTEM)
    ids = [
        records.create(
            SYSTEM,
            "service_requests",
            {"title": "No light", "contact_id": contact, "owner_id": people.team},
            Channel.SYSTEM,
        )
        for _ in range(ROUNDS)
    ]
    db.session.commit()
    db.session.remove()
    for id in ids:
        told: dict[int, str] = {}
        gate = threading.Barrier(2)

        def take(who: int, id: int = id, told: dict[int, str] = told, gate: threading.Barrier = gate) -> None:
            with own_app.app_context():
                viewer = viewers.of_user(who)
                db.session.commit()
                gate.wait()
                try:
                    taking.take(viewer, id, Channel.FORM)
                    db.session.commit()
                    told[who] = "mine"
                except Conflict as conflict:
                    db.session.rollback()
                    told[who] = str(conflict)
                db.session.remove()

        both = [threading.Thread(target=take, args=(who,)) for who in (people.alice, people.bob)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        winners = [who for who, said in told.items() if said == "mine"]
        assert len(winners) == 1, told
        assert "has taken this request" in next(said for who, said in told.items() if who != winners[0])
        table = modules["service_requests"].table
        with own_app.app_context():
            row = db.session.execute(select(table.c.owner_id, table.c.accepted_by_id).where(table.c.id == id)).one()
            assert tuple(row) == (winners[0], winners[0])
            db.session.remove()
