"""A desk with the seeded statuses, categories and type, a unit of two members, and a customer with a colleague."""

from typing import Any

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import categories, moving, seeding, settings, statuses, types
from crm.modules.tickets import settings as ticket_settings
from tests.people import make_people


class Desk:
    """What the tests of service requests do again and again."""

    def __init__(self, people: Any) -> None:
        self.people = people
        ticket_settings.forget()
        settings.forget()
        ticket_settings.change(hours={})  # the clock runs day and night
        seeding.seed()
        self.make("sender_addresses", address="support@kaisla.example", state="confirmed", is_default=True)
        self.account = self.make("accounts", name="Virta Oy")
        self.contact = self.make("contacts", last_name="Virta", email="anna@virta.example", account_id=self.account)
        self.colleague = self.make("contacts", last_name="Colleague", account_id=self.account)
        self.stranger = self.make("contacts", last_name="Stranger")
        self.type = types.default()["id"]

    def make(self, module: str, **values: Any) -> int:
        return records.create(SYSTEM, module, values, Channel.SYSTEM)

    def request(self, **values: Any) -> int:
        """A request that Alice holds."""
        said = {"title": "No light", "contact_id": self.contact, "owner_id": self.people.alice} | values
        return self.make("service_requests", **said)

    def set(self, module: str, id: int, **values: Any) -> None:
        records.update(SYSTEM, module, id, values, Channel.SYSTEM)

    def row(self, id: int) -> Any:
        table = modules["service_requests"].table
        return db.session.execute(select(table).where(table.c.id == id)).mappings().one()

    def category(self, name: str) -> int:
        table = categories.TABLE
        return db.session.execute(select(table.c.id).where(table.c.name == name)).scalar_one()

    def status(self, name: str) -> int:
        table = statuses.SrStatus.__table__
        return db.session.execute(select(table.c.id).where(table.c.name == name)).scalar_one()

    def step(self, id: int, step: str, category: str, who: str = "alice", **said: Any) -> int:
        return moving.take_step(
            self.viewer(who), id, step, {"text": "Words", "category_id": self.category(category)} | said, Channel.FORM
        )

    def viewer(self, name: str) -> Any:
        found = viewers.of_user(getattr(self.people, name))
        assert found is not None
        return found


@pytest.fixture
def desk(session: Any) -> Desk:
    made = Desk(make_people(session))
    db.session.commit()
    return made
