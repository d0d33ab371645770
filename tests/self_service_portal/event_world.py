"""Events for tests of pages: made by `world`, visited by strangers without cookies (`world.visitor`) and customers (`world.shop`)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.events.event_times import set_times
from tests.self_service_portal.conftest import Shop

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
START = NOW + timedelta(days=10)


@dataclass
class World:
    """A portal with events; `visitor` is a client of the public addresses."""

    shop: Shop
    visitor: Any

    def event(self, **values: Any) -> int:
        said = {"name": "Autumn evening", "seats": 2, "spare_places": 2, "public": True, "portal_visible": True,
                "owner_id": self.shop.people.alice} | values  # fmt: skip
        starts = said.pop("starts", START)
        id = self.shop.make("invitation_events", **said)
        set_times(SYSTEM, id, [{"starts_at": starts, "ends_at": starts + timedelta(hours=3)}], Channel.SYSTEM)
        db.session.commit()
        return id

    def mass_event(self, **values: Any) -> int:
        said = {"name": "Fair", "status": "published", "starts_at": START, "ends_at": START + timedelta(hours=8), "capacity": 2,
                "spare_capacity": 2, "public_form": True, "owner_id": self.shop.people.alice} | values  # fmt: skip
        id = self.shop.make("mass_events", **said)
        db.session.commit()
        return id

    def mail(self, name: str, text: str) -> int:
        """An active mail of the folder of events."""
        table = modules["sender_addresses"].table
        known = db.session.execute(select(table.c.id).where(table.c.address == "events@example.com")).scalar()
        sender = known or self.shop.make(
            "sender_addresses", address="events@example.com", state="confirmed", is_default=True
        )
        return self.shop.make(
            "email_templates", name=name, kind="email", status="active", folder="Event", subject=f"{name}: {{$event.name}}",
            sender_name="Events", sender_address_id=sender, text=text,
        )  # fmt: skip

    def change(self, module: str, id: int, **values: Any) -> None:
        records.update(SYSTEM, module, id, values, Channel.FORM)
        db.session.commit()

    def path(self, id: int) -> str:
        """The public page of an event."""
        for key in ("invitation_events", "mass_events"):
            table = modules[key].table
            slug = db.session.execute(select(table.c.slug).where(table.c.id == id)).scalar()
            if slug:
                return f"/portal/public/events/{slug}"
        raise AssertionError(id)

    def form(self, path: str) -> dict[str, list[str]]:
        """The hidden inputs of the form of a page."""
        page = self.visitor.get(path)
        assert page.status_code == 200, page.text[:500]
        found: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)"', page.text):
            found.setdefault(name, []).append(value)
        return found

    def register(self, path: str, number: int = 1, source: str = "127.0.0.1", **said: Any) -> Any:
        """Fill in the form of a page and send it."""
        typed = {"first_name": "Guest", "last_name": f"Number {number}", "email": f"guest.{number}@example.com"}
        data: dict[str, Any] = self.form(path) | typed | said
        return self.visitor.post(path, data=data, environ_base={"REMOTE_ADDR": source})

    def attendees(self, event_id: int) -> list[Any]:
        db.session.expire_all()
        table = modules["attendees"].table
        said = select(table).where(table.c.event_id == event_id, table.c.deleted_at.is_(None)).order_by(table.c.id)
        return list(db.session.execute(said).mappings())

    def count(self, module: str) -> int:
        table = modules[module].table
        return len(db.session.execute(select(table.c.id).where(table.c.deleted_at.is_(None))).all())

    def letters(self) -> list[tuple[str, str]]:
        """(address, kind of step) of the mails written so far."""
        rows = db.session.execute(select(Delivery.email, Delivery.dedupe_key).order_by(Delivery.id))
        return [(row.email, row.dedupe_key.partition(":")[0]) for row in rows]


def heading(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.findall(r"<h1>(.*?)</h1>", answer.text, re.S)[0])


def main_of(answer: Any) -> str:
    """The visible part of a page, without what differs from one drawing to the next."""
    return re.sub(r'name="form" value="[^"]*"', "", answer.text)
