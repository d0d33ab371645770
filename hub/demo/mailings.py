"""Demo mailings: templates, lists, groups, campaigns, and two past sendouts that went through the real pipeline, with the
clock set back, to a transport that keeps nothing; then people read, click and leave as people do."""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.mail.memory import Memory
from crm.mail.outcome import Outcome
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.office import PostOffice, Rules
from crm.modules import organisation
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.modules.target_groups import refresh
from ecp import groups, leaving, measuring
from ecp.measuring import Request
from ecp.pipeline import actions, finish, prepare
from ecp.pipeline.frozen import TrackedLink
from ecp.pipeline.track import CANARY, sealer
from ecp.recipients import recipient

PEOPLE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
)
SCANNER = "Mozilla/5.0 (compatible; BarracudaCentral/1.0)"
LOADS_ALL = "Mozilla/5.0"  # all that the privacy protection of one mail program says of itself
DESIGNS = (  # file, name of the template, what is written from it: name, subject
    ("newsletter", "Newsletter", (
        ("Kaisla Letter 11", "What an hour without meetings is worth"), ("Kaisla Letter 12", "A quieter kind of busy"),
    )),
    ("invitation", "Invitation", (("Autumn evening", "{$contact.first_name|Hello}, come and hear nothing"),)),
    ("notice", "Notice", ()),
)  # fmt: skip


def make(dice: random.Random, marketer: int, tell: Callable[[str], None]) -> None:
    """Make them all. Commits."""
    organisation.change(name="Kaisla", colour="#173f35", address="Kaisla Oy, Rantakatu 1, 00100 Helsinki")
    viewer = viewers.of_user(marketer)
    if viewer is None:
        raise RuntimeError("The demo marketer may not log in.")
    address = {"address": "letters@kaisla.example", "display_name": "Kaisla", "state": "confirmed", "is_default": True}
    sender = records.create(SYSTEM, "sender_addresses", address, Channel.SYSTEM)
    mails = _mails(sender, marketer)
    made = _groups(marketer)
    db.session.commit()
    marketing, informing = _list("marketing"), _list("informational")
    for name, group, list_type, days, hour in (
        ("Kaisla Letter 11", made["customers"], marketing, 37, 7),
        ("Kaisla Letter 12", made["customers"], marketing, 9, 7),
        ("Autumn evening", made["managers"], informing, 0, 0),
    ):
        campaign = _campaign(viewer, name, group, marketer)
        portal_group, _ = groups.take_in(viewer, campaign, list_type, name, Channel.SYSTEM)
        db.session.commit()
        if not days:
            continue  # one is left to the newcomer: everything is ready to be sent
        tell(f"Sending “{name}” …")
        then = (clock.now() - timedelta(days=days)).replace(hour=hour, minute=2, second=0, microsecond=0)
        _send(dice, viewer, name, mails[name], portal_group, then)


def _mails(sender: int, owner: int) -> dict[str, int]:
    """Three templates of our own, and the mails that were written from them: id by name."""
    made = {}
    for file, name, written in DESIGNS:
        source = resources.files("ecp.content.designs").joinpath(f"{file}.mjml").read_text("utf-8")
        values = {
            "name": name, "kind": "template", "subject": name, "mjml": source, "sender_name": "Kaisla", "sender_address_id": sender,
            "language": "en", "status": "active", "owner_id": owner, "folder": "Public",
        }  # fmt: skip
        template = records.create(SYSTEM, "email_templates", values, Channel.SYSTEM)
        for title, subject in written:
            mail = values | {"name": title, "kind": "email", "subject": subject, "template_id": template}
            made[title] = records.create(SYSTEM, "email_templates", mail, Channel.SYSTEM)
    return made


def _groups(owner: int) -> dict[str, int]:
    """Target groups over contacts and their accounts."""
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "customers": ("Customers in Finland", {"$and": [
            {"$eq": ["account.account_type", "Customer"]}, {"$eq": ["account.billing_country", "Finland"]},
        ]}),
        "managers": ("Managers in Helsinki and Espoo", {"$and": [
            {"$cts": ["title", "Manager"]}, {"$in": ["mailing_city", ["Helsinki", "Espoo"]]},
        ]}),
        "hot": ("Open deals over 10 000 €", {"$has": ["potentials", {"$and": [
            {"$gt": ["amount", 10000]}, {"$nin": ["stage", ["Closed Won", "Closed Lost"]]},
        ]}]}),
    }  # fmt: skip
    made = {}
    for key, (name, conditions) in wanted.items():
        values = {"name": name, "conditions": conditions, "source": "contacts", "owner_id": owner, "public": "read"}
        made[key] = records.create(SYSTEM, "target_groups", values, Channel.SYSTEM)
        refresh.refresh(SYSTEM, made[key], Channel.SYSTEM)
    return made


def _list(kind: str) -> int:
    table = modules["list_types"].table
    return int(
        db.session.execute(select(table.c.id).where(table.c.kind == kind).order_by(table.c.id)).scalars().first() or 0
    )


def _campaign(viewer: Any, name: str, group: int, owner: int) -> int:
    today = clock.now().date().isoformat()
    values = {"name": name, "type": "Email", "status": "Active", "owner_id": owner, "starts_on": today}
    id = records.create(SYSTEM, "campaigns", values, Channel.SYSTEM)
    members.change(viewer, id, Choice(target_group_id=group), Channel.SYSTEM)
    return id


def _send(dice: random.Random, viewer: Any, name: str, mail: int, group: int, then: datetime) -> None:
    """One sendout at `then`, whole: started, prepared, sent, read, finished."""
    with clock.standing_at(then):
        values = {"name": name, "email_template_id": mail, "source": "ecp", "owner_id": viewer.id, "is_tested": True}
        id = records.create(viewer, "sendouts", values, Channel.SYSTEM)
        from crm.engine import relations

        relations.link(viewer, "sendouts", id, "portal_target_groups", [group], Channel.SYSTEM)
        actions.start(viewer, id, Channel.SYSTEM)
        db.session.commit()
    carry_out(dice, id, then)


def carry_out(dice: random.Random, id: int, then: datetime) -> None:
    """What was started at `then` is prepared, sent, read, finished."""
    began, started = then, time.monotonic()
    with clock.running(lambda: began + timedelta(seconds=(time.monotonic() - started) * 20)):
        prepare.prepare(id)
        _transmit(dice, id)
        finish.look_after(id)
    _react(dice, id, then)
    with clock.running(lambda: then + timedelta(days=4)):
        finish.look_after(id)
        db.session.commit()


def _transmit(dice: random.Random, sendout_id: int) -> None:
    """Let the post office send to a transport that forgets, with a server's usual refusals among the outcomes."""
    memory = Memory()
    table = Delivery.__table__
    waiting = select(table.c.id).where(
        table.c.sendout_id == sendout_id, table.c.state.in_(("waiting", "leased", "retry"))
    )
    count = len(db.session.execute(waiting).all())
    for _ in range(count):
        gone = dice.random() < 0.008
        memory.planned.append(
            Outcome("refused", "rcpt", 550, "5.1.1 no such user", enhanced="5.1.1", blame="recipient", is_open=True) if gone
            else Outcome("accepted", "dot", 250, "kept", is_open=True)
        )  # fmt: skip
    db.session.commit()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    rules = Rules(0, 0, ledger_sync="process", connections=1)
    office = PostOffice(db.engine, memory, rules, app.app_context, f"demo {sendout_id}")
    thread = threading.Thread(target=office.run, args=(stop,), name="demo office")
    thread.start()
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and db.session.execute(waiting.limit(1)).first() is not None:
            db.session.commit()
            memory.mails.clear()
            time.sleep(0.2)
    finally:
        db.session.commit()
        stop.set()
        thread.join()


def _react(dice: random.Random, sendout_id: int, then: datetime) -> None:
    """People read in the first hours most, click what interests them, some leave; a scanner opens everything at once."""
    table, seal = Delivery.__table__, sealer()
    links = list(db.session.execute(select(TrackedLink.number).where(TrackedLink.sendout_id == sendout_id)).scalars())
    sent = list(
        db.session.execute(
            select(table.c.id).where(table.c.sendout_id == sendout_id, table.c.state == "sent")
        ).scalars()
    )
    for place, id in enumerate(sent):
        luck, agent = dice.random(), dice.choice(PEOPLE)
        request = Request(agent=agent, address=f"192.0.2.{dice.randint(1, 254)}")
        if luck < 0.02:
            _at(then + timedelta(seconds=4), measuring.note_reading, _who(id), Request(SCANNER, "HEAD", "198.51.100.7"))
        elif luck < 0.04:
            # A gateway that looks like a browser, until it follows the link that nobody sees.
            gateway = Request(agent, "GET", "198.51.100.9")
            for number in (*links, CANARY):
                _at(then + timedelta(seconds=4), measuring.follow, seal.seal("click", id), number, gateway)
        elif luck < 0.06:
            ahead = Request(LOADS_ALL, "GET", "203.0.113.20")
            _at(then + timedelta(minutes=5), measuring.note_reading, _who(id), ahead)
        elif luck < 0.48:
            delay = timedelta(hours=min(70.0, dice.expovariate(1 / 7)), seconds=90)
            _at(then + delay, measuring.note_reading, _who(id), request)
            if links and dice.random() < 0.3:
                weights = [1 / (position + 1) for position in range(len(links))]
                number = dice.choices(links, weights)[0]
                token = seal.seal("click", id)
                later = then + delay + timedelta(seconds=dice.randint(8, 240))
                _at(later, measuring.follow, token, number, request)
            if dice.random() < 0.02:
                _at(then + delay + timedelta(minutes=2), leaving.leave, _who(id))
        if place % 100 == 99:
            db.session.commit()
    db.session.commit()


def _who(delivery_id: int) -> Any:
    return recipient(delivery_id)


def _at(moment: datetime, act: Callable[..., Any], *about: Any) -> None:
    with clock.running(lambda: moment):
        act(*about)
