"""A target group's mail at its time: the people are collected anew, become a campaign, and get it (spec/marketing.md 6.12, M48).

Refusals count here as everywhere (decision in 4.3): the sendout is one like all others. Unless the group says otherwise,
people who had the mail are not mailed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.conditions import BadCondition
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.email_templates import cycle_of
from crm.modules.target_groups.refresh import refresh
from crm.words import _
from ecp.automatic import making
from ecp.automatic.making import Plan
from ecp.modules.sendout_people import PEOPLE

TOO_LATE = timedelta(hours=24)
Row = Mapping[Any, Any]


def send_due() -> list[int]:
    """Send to every group whose moment has come; ids of the sendouts. Commits one after the other."""
    groups, mails = modules["target_groups"].table, modules["email_templates"].table
    said = (
        select(groups, *(mails.c[name] for name in ("sending_time", "sending_at", "sending_weekday", "sending_day", "sending_on", "sending_since")))
        .join(mails, mails.c.id == groups.c.send_template_id)
        .where(groups.c.active.is_(True), groups.c.auto_campaigns.is_(True), groups.c.deleted_at.is_(None))
        .order_by(groups.c.id)
    )  # fmt: skip
    sent = []
    for row in db.session.execute(said).mappings().all():
        due = due_at(row)
        if due is None or not _take(row["id"], due):
            db.session.rollback()
            continue
        made = _send(row, due)
        if made is not None:
            sent.append(made)
        db.session.commit()
    return sent


def due_at(row: Row) -> datetime | None:
    """The moment for which a group (with the sending time of its mail) is to be sent now; None when it is none.

    Moments before it was switched on, before the sending time was set, or longer ago than a day are let go."""
    cycle, now = cycle_of(row), clock.now()
    due = cycle.last(now, clock.site_zone()) if cycle else None
    if due is None or now - due > TOO_LATE:
        return None
    begins = [row[name] for name in ("auto_since", "sending_since", "auto_sent_for") if row[name] is not None]
    return None if any(due < begin for begin in begins) or due == row["auto_sent_for"] else due


def _take(group_id: int, due: datetime) -> bool:
    """Claim the occurrence; False when another worker has it."""
    table = modules["target_groups"].table
    is_new = table.c.auto_sent_for.is_(None) | (table.c.auto_sent_for < due)
    taken: Any = db.session.execute(
        update(table).where(table.c.id == group_id, is_new).values(auto_sent_for=due, auto_problem=None)
    )
    return bool(taken.rowcount)


def _send(row: Row, due: datetime) -> int | None:
    """Collect, make the campaign, send. What stands against it is noted at the group, and told to its owner."""
    try:
        viewer = viewers.of_user(row["owner_id"]) if row["owner_id"] is not None else None
        if viewer is None:
            raise Refused.because("no_owner", _("The owner of this group is no active user."))
        refresh(viewer, row["id"], Channel.SCHEDULED)
        return _mail(row, due)
    except (Refused, Forbidden, Missing, BadCondition) as why:
        said = making.sentence(why) if isinstance(why, Refused) else str(why)
        said = said or _("The owner may not refresh this group.")
        table = modules["target_groups"].table
        db.session.execute(update(table).where(table.c.id == row["id"]).values(auto_problem=said[:300]))
        making.tell_owner(row["owner_id"], row["id"], row["name"], said)
        return None


def _mail(row: Row, due: datetime) -> int | None:
    people = _people(row)
    if db.session.execute(people.limit(1)).first() is None:
        return None  # nobody new: no campaign of nobody
    nested = db.session.begin_nested()
    try:
        when = due.astimezone(ZoneInfo(clock.site_zone())).strftime("%Y-%m-%d %H:%M")
        values = {"name": f"{row['name']} {when}", "type": "Email", "active": True, "owner_id": row["owner_id"]}
        campaign_id = records.create(SYSTEM, "campaigns", values, Channel.SYSTEM)
        if not members.add_people(SYSTEM, campaign_id, people, Channel.SYSTEM, "target_group"):
            nested.rollback()  # nobody has an address
            return None
        table = modules["campaign_members"].table
        inside = select(table.c.person_id, table.c.person_module, table.c.contact_id)
        plan = Plan(
            row["id"], row["send_template_id"], values["name"], "auto_target_group", row["owner_id"], campaign_id=campaign_id,
            list_type_id=_list_of(row["send_template_id"]), occurrence=int(due.timestamp()),
        )  # fmt: skip
        made = making.put(plan, inside.where(table.c.campaign_id == campaign_id))
        nested.commit()
    except Refused:
        nested.rollback()
        raise
    return made


def _people(row: Row) -> Select[Any]:
    """The group's people as `members.add_people` takes them; with `only_new_members` those who have not had the mail."""
    table = modules["target_group_members"].table
    contacts, leads = modules["contacts"].table, modules["leads"].table
    said = (
        select(
            table.c.person_id, table.c.person_module, table.c.contact_id,
            db.func.coalesce(contacts.c.email_key, leads.c.email_key).label("email_key"),
        )
        .outerjoin(contacts, contacts.c.id == table.c.person_id)
        .outerjoin(leads, leads.c.id == table.c.person_id)
        .where(table.c.target_group_id == row["id"], table.c.excluded.is_(False))
    )  # fmt: skip
    if row["only_new_members"]:
        had = exists().where(
            PEOPLE.c.about_id == row["id"], PEOPLE.c.email_template_id == row["send_template_id"],
            PEOPLE.c.person_id == table.c.person_id,
        )  # fmt: skip
        said = said.where(~had)
    return said


def _list_of(template_id: int) -> int | None:
    table = modules["email_templates"].table
    hint: int | None = db.session.execute(select(table.c.list_type_hint_id).where(table.c.id == template_id)).scalar()
    return hint
