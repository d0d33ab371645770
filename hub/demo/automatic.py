"""Demo mails that go by themselves: a welcome to who joins a campaign, a follow-up to who clicked in a letter, a monthly mail."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules import sender_addresses
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp.automatic import answering, joining
from hub.demo import mailings

JOINED = ((23, 4), (12, 3), (4, 5))  # days ago, how many people
MAILS: dict[str, tuple[str, str, dict[str, Any]]] = {  # name → design, subject, when it is sent
    "Welcome to the Kaisla Letter": (
        "notice", "Welcome, {$contact.first_name|dear reader}", {"sending_time": "immediately"},
    ),
    "A room to try": ("launch", "{$contact.first_name|Hello}, would you like to try one?", {"sending_time": "immediately"}),
    "Showroom hours": (
        "opening_hours", "When the showroom is open next month", {"sending_time": "monthly", "sending_at": "09:00", "sending_day": 25},
    ),
}  # fmt: skip


def make(dice: random.Random, owner: int, contacts: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make them, with what they have sent so far. Commits."""
    tell("Sending what goes by itself …")
    begin = _days_ago(30)
    with clock.standing_at(begin):
        mails = {name: _mail(name, owner) for name in MAILS}
        values = {
            "name": "Readers of the Kaisla Letter", "type": "Email", "status": "Active", "owner_id": owner, "active": True,
            "auto_template_id": mails["Welcome to the Kaisla Letter"], "auto_mail_on": True,
        }  # fmt: skip
        campaign = records.create(SYSTEM, "campaigns", values, Channel.SYSTEM)
        db.session.commit()
    chosen = dice.sample(list(contacts), sum(count for _days, count in JOINED))
    for days, count in JOINED:
        mine, chosen = chosen[:count], chosen[count:]
        then = _days_ago(days)
        with clock.standing_at(then):
            members.change(SYSTEM, campaign, Choice(contact_ids=mine), Channel.SYSTEM)
            db.session.commit()
            sent = joining.send_owed(campaign)
        for id in sent:
            mailings.carry_out(dice, id, then)
    _follow_up(dice, owner, mails["A room to try"])
    groups = modules["target_groups"].table
    managers = db.session.execute(select(groups.c.id).where(groups.c.name.like("Managers%"))).scalar_one()
    monthly = {"send_template_id": mails["Showroom hours"], "auto_campaigns": True, "only_new_members": False}
    records.update(SYSTEM, "target_groups", managers, monthly, Channel.SYSTEM)
    db.session.commit()


def _mail(name: str, owner: int) -> int:
    design, subject, when = MAILS[name]
    sender = sender_addresses.default_row()
    values = {
        "name": name, "kind": "email", "folder": "Campaign", "status": "active", "subject": subject, "language": "en", "owner_id": owner,
        "mjml": resources.files("ecp.content.designs").joinpath(f"{design}.mjml").read_text("utf-8"),
        "sender_name": "Kaisla", "sender_address_id": sender.id if sender else None,
    }  # fmt: skip
    return records.create(SYSTEM, "email_templates", values | when, Channel.SYSTEM)


def _follow_up(dice: random.Random, owner: int, mail: int) -> None:
    """Two days after somebody clicked in the last letter; what was due is sent, so that nothing leaves when the demo starts."""
    table = modules["sendouts"].table
    letter = db.session.execute(
        select(table.c.id, table.c.started_at).where(table.c.name == "Kaisla Letter 12")
    ).one()  # fmt: skip
    values = {
        "name": "After the letter: a room to try", "sendout_id": letter.id, "reaction": "clicked", "delay": 2, "unit": "days",
        "email_template_id": mail, "owner_id": owner, "active": True,
    }  # fmt: skip
    with clock.standing_at(letter.started_at - timedelta(minutes=5)):
        records.create(SYSTEM, "autoresponders", values, Channel.SYSTEM)
        db.session.commit()
    then = letter.started_at + timedelta(days=6)
    with clock.standing_at(then):
        sent = answering.send_due()
    for id in sent:
        mailings.carry_out(dice, id, then)


def _days_ago(days: int) -> datetime:
    return (clock.now() - timedelta(days=days)).replace(hour=8, minute=10, second=0, microsecond=0)
