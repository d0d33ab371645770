"""Website forms for tests: `form(…)` makes one with its fields, `visitor` sends it as a browser without scripts does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.identity.viewer import SYSTEM
from crm.modules.sender_addresses import default_row
from crm.ui import public_face
from hub.public import create_public_app
from tests.apps import Browser
from web_tracking.forms import designing, making
from web_tracking.forms.web import public

MARI = {
    "first_name": "Mari",
    "last_name": "Mäkinen",
    "email": "mari@example.com",
    "company": "Mäkinen Oy",
    "description": "Call me",
}


@dataclass
class Form:
    """A form, its page, and what came of it."""

    id: int
    client: Any

    @property
    def key(self) -> str:
        return str(self.row["key"])

    @property
    def path(self) -> str:
        return f"/form/{self.key}"

    @property
    def row(self) -> Any:
        return rows("website_forms", id=self.id)[0]

    def set(self, **values: Any) -> None:
        records.update(SYSTEM, "website_forms", self.id, values, Channel.SYSTEM)
        db.session.commit()

    def ask(self, *names: str, required: bool = False) -> None:
        for name in names:
            designing.add_field(SYSTEM, self.id, name, required)
        db.session.commit()

    def opened(self, **headers: str) -> dict[str, str]:
        """The hidden inputs of the page as somebody opens it."""
        answer = self.client.get(self.path, headers=headers)
        assert answer.status_code == 200, answer.text[:500]
        found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
        return dict(found)

    def send(
        self,
        said: dict[str, Any] | None = None,
        *,
        after: float = 30,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Any:
        """Fill in the page and send it, `after` seconds."""
        hidden = self.opened()
        with clock.standing_at(clock.now() + timedelta(seconds=after)):
            return self.client.post(
                self.path, data=hidden | (MARI if said is None else said) | more, headers=headers or {}
            )

    def kept(self) -> list[Any]:
        return [dict(row) for row in rows("form_submissions", form_id=self.id)]

    def work(self) -> list[Any]:
        """Run what waits for this form; gives the submissions then."""
        for row in self.kept():
            making.make(None, row["id"])
        db.session.commit()
        return self.kept()


def rows(table: str, **where: Any) -> list[Any]:
    db.session.expire_all()
    said = db.metadata.tables[table]
    asked = select(said).order_by(*said.primary_key.columns)
    for name, value in where.items():
        asked = asked.where(said.c[name] == value)
    return list(db.session.execute(asked).mappings())


@pytest.fixture
def visitor(app: Any, session: Any) -> Any:
    """A client of the public addresses."""
    for limiter in (
        public_face.READS, public_face.WRITES, public_face.MISSES, public.POSTS, public.PLAIN_POSTS, public.OF_EMAIL,
    ):  # fmt: skip
        limiter.forget()
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    made.test_client_class = Browser
    return made.test_client()


@pytest.fixture
def form(visitor: Any) -> Callable[..., Form]:
    def make(*names: str, **values: Any) -> Form:
        id = records.create(
            SYSTEM, "website_forms", {"name": "Contact us", "title": "Write to us"} | values, Channel.SYSTEM
        )
        made = Form(id, visitor)
        if names:
            made.ask(*names)
        else:
            designing.add_usual(SYSTEM, id)
        db.session.commit()
        return made

    return make


@pytest.fixture
def sender(session: Any) -> None:
    """The house has an address that letters come from."""
    if default_row() is None:
        values = {"address": "house@example.com", "state": "confirmed", "is_default": True}
        records.create(SYSTEM, "sender_addresses", values, Channel.SYSTEM)
        db.session.commit()


def jobs(task: str) -> list[Any]:
    db.session.expire_all()
    return list(db.session.execute(select(Job).where(Job.task == task)).scalars())
