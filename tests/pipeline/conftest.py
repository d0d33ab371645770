"""What tests of the pipeline start from: people, a campaign of them, a mail, a confirmed sender, a list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.people import Choice

HTML = """<p>Hello {$contact.first_name|friend}, see <a href="https://example.com/offer?x=1&amp;y=2">our offer</a>
or <a href="https://example.com/more">more</a>.</p><p><a href="{$links.unsubscribe}">Leave</a>
<a href="{$links.online}">Read online</a> <a href="{$links.preferences}">Choose</a></p>"""


@dataclass
class House:
    """A house with a confirmed sender, a list type and an active mail."""

    sender_id: int
    list_id: int
    mail_id: int

    def make(self, module: str, **values: Any) -> int:
        return records.create(SYSTEM, module, values, Channel.SYSTEM)

    def contact(self, email: str | None, **values: Any) -> int:
        said = {"last_name": "Tester", "email": email, "may_measure_opens": "yes"} | values
        return self.make("contacts", **said)

    def contacts(self, count: int, domain: str = "example.com") -> list[int]:
        rows = [
            {"first_name": f"N{n}", "last_name": "Tester", "email": f"n{n}@{domain}", "may_measure_opens": "yes"}
            for n in range(count)
        ]
        return [id for id in records.create_many(SYSTEM, "contacts", rows, Channel.SYSTEM).ids if id is not None]

    def campaign(self, contact_ids: list[int], lead_ids: tuple[int, ...] = ()) -> int:
        id = self.make("campaigns", name="Spring", type="Email", active=True)
        members.change(SYSTEM, id, Choice(contact_ids=contact_ids, lead_ids=lead_ids), Channel.SYSTEM)
        return id

    def mail(self, **values: Any) -> int:
        said = {
            "name": "Letter", "kind": "email", "status": "active", "subject": "Hello {$contact.first_name|friend}",
            "sender_name": "Example", "sender_address_id": self.sender_id, "html": HTML,
        }  # fmt: skip
        return self.make("email_templates", **(said | values))

    def sendout(self, campaign_id: int | None = None, groups: tuple[int, ...] = (), **values: Any) -> int:
        said = {
            "name": "Spring mail",
            "email_template_id": self.mail_id,
            "campaign_id": campaign_id,
            "list_type_id": self.list_id,
        }
        id = self.make("sendouts", **(said | values))
        if groups:
            relations.link(SYSTEM, "sendouts", id, "portal_target_groups", groups, Channel.SYSTEM)
        return id


def build_house() -> House:
    """A house in the current database; the caller commits."""
    make = lambda module, **values: records.create(SYSTEM, module, values, Channel.SYSTEM)  # noqa: E731
    sender = make("sender_addresses", address="news@example.com", state="confirmed")
    house = House(sender, make("list_types", name="News of tests", kind="marketing", active=True), 0)
    house.mail_id = house.mail()
    return house


@pytest.fixture
def house(session: Any) -> House:
    made = build_house()
    db.session.commit()
    return made


@pytest.fixture
def states(session: Any) -> Callable[[int], dict[str, str]]:
    """`states(sendout_id)`: address → state, or skip reason of who was skipped."""
    from sqlalchemy import select

    from crm.mail.sending.deliveries import Delivery

    def read(sendout_id: int) -> dict[str, str]:
        rows = db.session.execute(
            select(Delivery.email, Delivery.person_id, Delivery.state, Delivery.skip_reason).where(
                Delivery.sendout_id == sendout_id
            )
        )
        return {f"{row.email}:{row.person_id}": row.skip_reason or row.state for row in rows}

    return read
