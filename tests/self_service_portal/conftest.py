"""A portal with customers of two companies: `shop.browse("dora")` is a signed-in browser without scripts."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.registry import modules
from crm.identity import passwords, sessions
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.portals import access, matrix, usual
from crm.modules.portals.customers import viewer_of
from crm.modules.portals.portal_users import PortalUser
from crm.ui import public_face, public_forms
from self_service_portal.web import gate
from tests.apps import Browser as Client
from tests.every_module.browsing import Browser
from tests.people import PASSWORD, QUICK, People, make_people


@cache
def _app(url: str, settled: Any) -> Flask:
    from self_service_portal import create_app

    made = create_app(settled)
    made.testing = True
    made.test_client_class = Client
    return made


@pytest.fixture
def portal_app(app: Flask) -> Flask:
    """The portal on the database of `app`."""
    return _app(app.config["SQLALCHEMY_DATABASE_URI"], app.config["CUSTOMERHUB"])


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with nobody counted; hashes are quick; forms may be sent at once."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)
    monkeypatch.setattr(public_forms, "LEAST_SECONDS", 0.0)
    for limiter in (
        gate.TRIES, gate.ASKED, gate.BAD_LINKS, access.ASKED_AN_HOUR, public_forms.POSTS, public_forms.POSTS_OF_EMAIL,
        public_forms.POSTS_AFTER_TOKEN,
    ):  # fmt: skip
        limiter.forget()


@dataclass
class Shop:
    """The portal, its profiles and customers. Dora (administrator) and Dan of Acme, Bea of Beta; ids by name."""

    app: Flask
    people: People
    portal: int
    profile: int
    ids: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def make(self, key: str, **values: Any) -> int:
        return records.create(SYSTEM, key, values, Channel.SYSTEM)

    def customer(self, name: str, account: str, **values: Any) -> int:
        """A contact of an account with access and a password."""
        said = {"first_name": name.title(), "last_name": "Customer", "email": f"{name}@{account}.example"}
        self.ids[name] = self.make(
            "contacts", account_id=self.ids[account], owner_id=self.people.alice, **said | values.pop("contact", {})
        )
        self.users[name] = self.make("portal_users", contact_id=self.ids[name], portal_id=self.portal, **values)
        give_password(self.users[name])
        db.session.commit()
        return self.users[name]

    def viewer(self, name: str) -> Viewer:
        found = viewer_of(self.users[name])
        assert found is not None
        return found

    def client(self) -> Any:
        return self.app.test_client()

    def browse(self, name: str) -> Browser:
        """A browser in which the customer is signed in."""
        token, _id = sessions.start("portal", portal_user_id=self.users[name], address="127.0.0.1")
        db.session.commit()
        made = Browser(self.app, "/portal")
        made.client.set_cookie("ch_portal", token, path="/portal")
        return made

    def show(self, profile: int | None = None, **shown: dict[str, Any]) -> None:
        """Change what a profile shows of modules: show(accounts={"can_edit": True, "fields": {...}})."""
        id = profile or self.profile
        held = matrix.read(id)["modules"]
        for key, said in shown.items():
            fields = {**held.get(key, {}).get("fields", {}), **said.pop("fields", {})}
            held = {**held, key: {**held.get(key, {}), "enabled": True, **said, "fields": fields}}
        matrix.change(SYSTEM, id, Channel.SYSTEM, modules=held)
        db.session.commit()

    def set(self, **values: Any) -> None:
        """Change the settings of the portal."""
        records.update(SYSTEM, "portals", self.portal, values, Channel.SYSTEM)
        db.session.commit()

    def row(self, name: str) -> Any:
        return db.session.execute(select(PortalUser.__table__).where(PortalUser.id == self.users[name])).one()

    def contact(self, name: str) -> Any:
        table = modules["contacts"].table
        return db.session.execute(select(table).where(table.c.id == self.ids[name])).one()

    def log_in(self, email: str, password: str = PASSWORD, source: str = "127.0.0.9", client: Any = None) -> Any:
        """Send the log-in form; gives the answer."""
        client = client or self.client()
        token = csrf(client.get("/portal/login").text)
        said = {"csrf": token, "email": email, "password": password}
        return client.post("/portal/login", data=said, environ_base={"REMOTE_ADDR": source})


def give_password(user: int) -> None:
    """PASSWORD, as if the link of the welcome mail had been followed."""
    kept, now = QUICK.hash(PASSWORD), clock.now()
    db.session.execute(update(PortalUser).where(PortalUser.id == user).values(password_hash=kept, invited_at=now))
    records.update(SYSTEM, "portal_users", user, {"confirmed_at": now}, Channel.SYSTEM)


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page[:500]
    return found[1]


def work() -> None:
    """Do the jobs that wait, as a worker would."""
    db.session.commit()
    while True:
        table = Job.__table__
        rows = db.session.execute(
            select(table).where(table.c.state == "waiting", table.c.task.startswith("portals.")).order_by(table.c.id)
        ).all()
        if not rows:
            return
        for row in rows:
            db.session.execute(update(Job).where(Job.id == row.id).values(state="done"))
            TASKS[row.task].run(None, **row.arguments)
            db.session.commit()


def mails(prefix: str = "") -> list[Any]:
    """Single mails in the outbox whose key begins with `prefix`, oldest first."""
    table = Delivery.__table__
    query = select(table).where(table.c.dedupe_key.startswith(prefix or "portal"))
    return list(db.session.execute(query.order_by(table.c.id)).all())


def link_in(mail: Any) -> str:
    """The address of the portal in a letter, as a path."""
    found = re.search(r"(/portal/(?:password|confirm|address|register)/[\w-]+)", mail.payload["text"])
    assert found, mail.payload
    return found[1]


@pytest.fixture
def people(app: Flask) -> People:
    return make_people()


@pytest.fixture
def shop(portal_app: Flask, people: People) -> Shop:
    """The portal open, with Dora (administrator) and Dan of Acme, Bea of Beta. Contacts see own, accounts the company."""
    portal = records.create(
        SYSTEM, "portals", {"name": "My Kaisla", "code": "main", "owner_id": people.ada}, Channel.SYSTEM
    )
    profile = records.create(SYSTEM, "portal_profiles", {"name": "Ordinary", "portal_id": portal}, Channel.SYSTEM)
    matrix.change(SYSTEM, profile, Channel.SYSTEM, modules=usual.matrix_of("contacts", "accounts", "potentials"))
    made = Shop(portal_app, people, portal, profile)
    for name in ("acme", "beta"):
        made.ids[name] = made.make("accounts", name=f"{name.title()} Oy", owner_id=people.alice)
    made.customer("dora", "acme", is_admin=True)
    made.customer("dan", "acme")
    made.customer("bea", "beta")
    db.session.execute(update(Job).where(Job.state == "waiting").values(state="done"))
    db.session.commit()
    return made


@pytest.fixture
def crm(app: Flask, shop: Shop) -> Callable[[str], Browser]:
    """`crm("ada")`: a browser of the CRM."""
    from tests.every_module.browsing import browser

    return lambda name: browser(app, f"{name}@example.com")


@pytest.fixture
def world(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Events of the portal, at a moment that stands still, and a visitor without cookies."""
    from hub.public import create_public_app
    from self_service_portal.web import acting, public_registration
    from tests.self_service_portal.event_world import NOW, World

    monkeypatch.setattr(public_registration, "ANSWERS_TAKE", 0.0)
    for limiter in (
        acting.BAD_LINKS,
        public_face.READS,
        public_face.READS_OF_TOKEN,
        public_face.WRITES,
        public_face.WRITES_OF_TOKEN,
        public_face.MISSES,
    ):
        limiter.forget()
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    made.test_client_class = Client
    with clock.standing_at(NOW):
        shop.set(events_listing_enabled=True)
        shop.show(attendees={"scope": "own", "fields": {"event_id": {"visible": True}, "status": {"visible": True}}})
        yield World(shop, made.test_client(use_cookies=False))
