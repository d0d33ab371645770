"""What tests of events start from: contacts, an event with times and mails, and the kept clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.events.event_times import set_times

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
START = NOW + timedelta(days=10)
ANYBODY = Viewer(kind="link", name="Somebody")  # whoever comes by a public page or a personal link


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def contacts(make: Callable[..., int]) -> Callable[[int], list[int]]:
    return lambda count: [
        make("contacts", first_name="Guest", last_name=f"Number {n}", email=f"guest.{n}@example.com") for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def mail(make: Callable[..., int]) -> Callable[..., int]:
    """`mail("joined", text="…")`: an active mail of the folder of events."""

    def mail(name: str, **values: Any) -> int:
        table = modules["sender_addresses"].table
        sender = db.session.execute(select(table.c.id).where(table.c.address == "events@example.com")).scalar()
        sender = sender or make("sender_addresses", address="events@example.com", state="confirmed", is_default=True)
        said = {"text": "Hello {$contact.first_name}, {$event.name}: {$attendee.status}"} | values
        return make(
            "email_templates", name=name, kind="email", status="active", folder="Event", subject=f"{name}: {{$event.name}}",
            sender_name="Events", sender_address_id=sender, **said,
        )  # fmt: skip

    return mail


@pytest.fixture
def event(make: Callable[..., int]) -> Callable[..., int]:
    """`event(seats=1, spare_places=2)`: an invitation event in ten days."""

    def event(**values: Any) -> int:
        said = {
            "name": "Autumn evening",
            "seats": 2,
            "spare_places": 2,
            "public": True,
            "portal_visible": True,
        } | values
        starts = said.pop("starts", START)
        id = make("invitation_events", **said)
        set_times(SYSTEM, id, [{"starts_at": starts, "ends_at": starts + timedelta(hours=3)}], Channel.SYSTEM)
        return id

    return event


@pytest.fixture
def mass_event(make: Callable[..., int]) -> Callable[..., int]:
    def mass_event(**values: Any) -> int:
        said = {
            "name": "Fair", "status": "published", "starts_at": START, "ends_at": START + timedelta(hours=8), "capacity": 2,
            "spare_capacity": 2, "public_form": True,
        } | values  # fmt: skip
        return make("mass_events", **said)

    return mass_event


@pytest.fixture
def mails() -> Callable[[], list[tuple[str, str]]]:
    """What was written to the ledger so far: (address, kind of step), in order."""

    def mails() -> list[tuple[str, str]]:
        rows = db.session.execute(select(Delivery.email, Delivery.dedupe_key).order_by(Delivery.id))
        return [(row.email, row.dedupe_key.partition(":")[0]) for row in rows]

    return mails


@pytest.fixture
def attendee() -> Callable[[int, int], Any]:
    """`attendee(event_id, contact_id)`: the stored row."""
    table = modules["attendees"].table

    def attendee(event_id: int, contact_id: int) -> Any:
        said = select(table).where(
            table.c.event_id == event_id, table.c.contact_id == contact_id, table.c.deleted_at.is_(None)
        )
        return db.session.execute(said).mappings().first()

    return attendee


def change(module: str, id: int, **values: Any) -> None:
    records.update(SYSTEM, module, id, values, Channel.FORM)
