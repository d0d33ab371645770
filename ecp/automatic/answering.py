"""Autoresponders at work: who did with an earlier mail what is asked gets the next one, once, after the delay.

Only what people did counts, and only when nothing can make it a machine's any more (ecp/engagement.py).
“Did not read it” is asked only of people whose reading is measured; of all others nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, exists, false, or_, select, update

from crm import clock, config
from crm.db import db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from ecp import engagement
from ecp.automatic import making
from ecp.automatic.making import Plan
from ecp.modules.sendout_people import PEOPLE
from ecp.pipeline import actions, audience, checks

D = Delivery.__table__.c
Row = Mapping[Any, Any]


def send_due() -> list[int]:
    """Send what is due of every active autoresponder; ids of the sendouts. Commits one after the other."""
    table = modules["autoresponders"].table
    said = select(table).where(table.c.active.is_(True), table.c.deleted_at.is_(None)).order_by(table.c.id)
    zone = ZoneInfo(clock.site_zone())
    sent = []
    for row in db.session.execute(said).mappings().all():
        if row["until"] is not None and clock.now().astimezone(zone).date() > row["until"]:
            continue
        people = people_of(row)
        if db.session.execute(people.limit(1)).first() is None:
            continue
        try:
            made, problem = making.put(_plan(row), people), None
            if made is not None:
                sent.append(made)
        except Refused as refused:
            problem = making.sentence(refused)
            making.tell_owner(row["owner_id"], row["id"], row["name"], problem)
        if problem != row["problem"]:  # bookkeeping of the clock, no change that anybody made
            db.session.execute(update(table).where(table.c.id == row["id"]).values(problem=problem))
        db.session.commit()
    return sent


def people_of(row: Row) -> Select[Any]:
    """The people to whom an autoresponder is to be sent now: (person_id, person_module, contact_id)."""
    sendouts = modules["sendouts"].table
    parent = row["sendout_id"]
    earlier = select(sendouts.c.id).where(
        or_(sendouts.c.id == parent, sendouts.c.parent_id == parent), sendouts.c.deleted_at.is_(None)
    )
    had = exists().where(PEOPLE.c.about_id == row["id"], PEOPLE.c.person_id == D.person_id)
    return (
        select(D.person_id, D.person_module, D.contact_id)
        .distinct()
        .where(D.sendout_id.in_(earlier), D.person_id.is_not(None), D.state == "sent", ~had, _reacted(row))
    )


def _reacted(row: Row) -> Any:
    """That somebody did what is asked, in the span whose mails are due since it was switched on."""
    delay = timedelta(**{row["unit"]: row["delay"]})
    latest = min(clock.now() - delay, engagement.settled())
    since = (row["activated_at"] or row["created_at"]) - delay
    if row["reaction"] == "not_read":
        return and_(~engagement.has_read(), D.sent_at >= since, D.sent_at <= latest, _is_measured())
    before = since - timedelta(microseconds=1)
    if row["reaction"] == "clicked":
        number = row["link_number"]
        return and_(engagement.has_clicked(number, latest), ~engagement.has_clicked(number, before))
    return and_(engagement.has_read(latest), D.first_read_at > before)


def _is_measured() -> Any:
    """That the reading of a person is measured (decisions.md 23)."""
    measure = config.current().measure
    if measure not in {"all", "with_consent"}:
        return false()
    answers = ("yes",) if measure == "with_consent" else ("yes", "unknown")
    found = []
    for key in ("contacts", "leads"):
        table = modules[key].table
        said = db.func.coalesce(table.c.may_measure_opens, "unknown").in_(answers)
        found.append(exists().where(table.c.id == D.person_id, said))
    return or_(*found)


def _plan(row: Row) -> Plan:
    """The follow-up belongs to the list and the campaigns of the mail that it follows: who left those gets nothing."""
    table = modules["sendouts"].table
    parent = db.session.execute(select(table).where(table.c.id == row["sendout_id"])).mappings().one()
    groups = tuple(audience.group_ids_of(parent["id"]))
    return Plan(
        row["id"], row["email_template_id"], row["name"], "autoresponder", row["owner_id"], campaign_id=parent["campaign_id"],
        list_type_id=checks.settled_list(actions.of_row(parent), groups), group_ids=groups,
    )  # fmt: skip
