"""An automatic sendout: made, its people written down and started in one transaction, so that it happens once or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from sqlalchemy import Select, select

from crm import clock, config
from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.words import _
from ecp.modules.sendout_people import take
from ecp.pipeline import actions, checks


@dataclass(frozen=True)
class Plan:
    """What is sent: `about_id` names what sends (campaign, target group, autoresponder), whose owner owns the sendout."""

    about_id: int
    email_template_id: int
    name: str
    source: str
    owner_id: int | None
    campaign_id: int | None = None
    list_type_id: int | None = None
    group_ids: Sequence[
        int
    ] = ()  # portal target groups whose list and campaigns count; the people are written down apart
    occurrence: int = 0


def put(plan: Plan, people: Select[Any]) -> int | None:
    """Make and start the sendout to those of `people` who have not had it; None when there are none. The caller commits.

    `people`: a Select of (person_id, person_module, contact_id). Raises Refused, having written nothing, when mail, sender,
    campaign, list or quota are not in order.
    """
    nested = db.session.begin_nested()
    try:
        values = {
            "name": plan.name[:150], "email_template_id": plan.email_template_id, "campaign_id": plan.campaign_id,
            "list_type_id": plan.list_type_id, "source": plan.source, "owner_id": plan.owner_id, "is_automatic": True,
            "skip_earlier": False,
        }  # fmt: skip
        id = records.create(SYSTEM, "sendouts", values, Channel.SYSTEM)
        if plan.group_ids:
            relations.link(SYSTEM, "sendouts", id, "portal_target_groups", list(plan.group_ids), Channel.SYSTEM)
        if not take(id, plan.about_id, plan.email_template_id, people, plan.occurrence):
            nested.rollback()
            return None
        table = modules["sendouts"].table
        row = db.session.execute(select(table).where(table.c.id == id)).mappings().one()
        checks.demand_sendable(SYSTEM, actions.of_row(row))
        actions.move(SYSTEM, id, ("draft",), "preparing", Channel.SYSTEM, started_at=clock.now())
        nested.commit()
    except Refused:
        nested.rollback()
        raise
    return id


def sentence(refused: Refused) -> str:
    """Why nothing was sent, as one text."""
    return refused.sentences[:300]


def tell_owner(owner_id: int | None, about_id: int, name: str, why: str) -> None:
    """Tell the owner of what sends that nothing was sent, at most once a day. The caller commits."""
    users = modules["users"].table
    said = select(users.c.email, users.c.locale).where(
        users.c.id == owner_id, users.c.archived.is_(False), users.c.deleted_at.is_(None)
    )
    owner, sender = db.session.execute(said).first(), default_row()
    if owner is None or sender is None:
        return  # a group, or nobody may send: the page of automatic mails says the same
    with force_locale(owner.locale or config.current().locale):
        subject = one_line(_("No automatic mail was sent: %(name)s", name=name))[:200]
        text = _("“%(name)s” could not send its automatic mail. %(why)s", name=name, why=why)
    key = f"automatic:{about_id}:{clock.today(clock.site_zone()).isoformat()}"
    try:
        letter = Letter(Address(owner.email), subject, text + "\n")
        singles.put_letter(db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key)
    except BadAddress:
        return
