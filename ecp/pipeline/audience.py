"""Who gets a sendout: one delivery row a person, each once, the refused ones kept with their reason. One statement in all.

Campaign members (also those who left: they are shown as refused) or the members of portal target groups, with the address
frozen at import. First everybody is judged by the rules (allow.py), then duplicates of an address are taken out; of several
persons with one address the lowest contact id gets the mail (decisions.md 21).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from crm import clock
from crm.db import db
from crm.engine import picklists
from crm.engine.registry import modules
from crm.engine.relations import linked
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.domains import domain_of
from crm.words import _
from ecp.modules.sendout_people import SendoutPerson
from ecp.pipeline.allow import Rules, person_facts, reason

PERSONS = ("contacts", "leads")
RECEIVED = ("sent", "uncertain", "waiting", "leased", "retry")


@dataclass(frozen=True)
class Audience:
    """Where the people of a sendout come from."""

    sendout_id: int
    campaign_ids: tuple[int, ...]
    group_ids: tuple[int, ...]  # portal target groups; empty: the campaign itself
    rules: Rules
    skip_template_id: int | None = None  # leave out who got this mail in an earlier sendout
    is_listed: bool = False  # an automatic sendout: the people who were written down for it, of nobody else


@dataclass(frozen=True)
class Count:
    """Numbers of an audience: all, those who may be mailed, and how many are refused for which reason."""

    audience: int
    sendable: int
    skipped_by_reason: dict[str, int]

    @property
    def sentence(self) -> str:
        """Why people are left out, for a refusal: `Has opted out of mail: 3. Has no address: 2.`"""
        found = sorted(self.skipped_by_reason.items())
        return " ".join(f"{_(picklists.label('skip_reason', name))}: {count}." for name, count in found)


def create_deliveries(audience: Audience) -> Count:
    """Write the delivery rows of a sendout. The caller commits."""
    judged = _judged(audience)
    deliveries = Delivery.__table__
    rows = select(
        literal(audience.sendout_id),
        judged.c.person_module,
        judged.c.person_id,
        judged.c.contact_id,
        func.coalesce(judged.c.email, ""),
        func.coalesce(judged.c.email_key, ""),
        case((judged.c.why.is_(None), literal("waiting")), else_=literal("skipped")),
        judged.c.why,
        literal(clock.now(), deliveries.c.created_at.type),
    ).order_by(judged.c.person_id)
    names = (
        "sendout_id", "person_module", "person_id", "contact_id", "email", "email_key", "state", "skip_reason", "created_at",
    )  # fmt: skip
    db.session.execute(insert(deliveries).from_select(names, rows))
    return _counted(
        select(deliveries.c.skip_reason, func.count())
        .where(deliveries.c.sendout_id == audience.sendout_id)
        .group_by(deliveries.c.skip_reason)
    )


def count(audience: Audience) -> Count:
    """The numbers that `create_deliveries` would have now, without writing anything."""
    judged = _judged(audience)
    return _counted(select(judged.c.why, func.count()).group_by(judged.c.why))


def left_out(audience: Audience, why: str, limit: int = 50, offset: int = 0) -> list[Row[Any]]:
    """The people whom a start would leave out for the reason `why`: person_module, person_id, email; by id."""
    judged = _judged(audience)
    query = select(judged.c.person_module, judged.c.person_id, judged.c.email).where(judged.c.why == why)
    return list(db.session.execute(query.order_by(judged.c.person_id).limit(limit).offset(offset)))


def largest_domain(audience: Audience) -> int:
    """How many of those who may be mailed have their address at the one domain that most of them have."""
    judged = _judged(audience)
    domain = domain_of(judged.c.email_key).label("domain")
    many = func.count().label("many")
    query = select(many).select_from(judged).where(judged.c.why.is_(None)).group_by(domain)
    return int(db.session.execute(query.order_by(many.desc()).limit(1)).scalar() or 0)


def _counted(query: Select[Any]) -> Count:
    found = {row[0]: row[1] for row in db.session.execute(query)}
    sendable = found.pop(None, 0)
    return Count(sendable + sum(found.values()), sendable, found)


def _judged(audience: Audience) -> Any:
    """Everybody with `why`: the reason of a refusal, NULL for those who get the mail."""
    people = _members(audience)
    why = reason(people, audience.rules, many=True)
    if audience.skip_template_id is not None:
        why = func.coalesce(why, case((_has_received(people.c, audience), "already_received"), else_=null()))
    first = select(people, why.label("why")).subquery("judged")
    place = func.row_number().over(
        partition_by=first.c.email_key,
        order_by=(
            case((first.c.why.is_(None), 0), else_=1),
            case((first.c.person_module == "contacts", 0), else_=1),
            first.c.person_id,
        ),
    )
    placed = select(first, place.label("place")).subquery("placed")
    final = case((and_(placed.c.why.is_(None), placed.c.place > 1), "duplicate_address"), else_=placed.c.why)
    kept = [placed.c[name] for name in ("person_module", "person_id", "contact_id", "email", "email_key")]
    return select(*kept, final.label("why")).subquery("audience")


def _members(audience: Audience) -> Any:
    """Each person once: module, id, contact id, address, whether he left the campaign, and the facts of the rules."""
    if audience.is_listed:
        source = _listed(audience)
    elif not audience.group_ids:
        members = modules["campaign_members"].table
        source = (
            select(
                members.c.person_module, members.c.person_id, members.c.contact_id,
                literal(None, Text).label("email"), literal(None, Text).label("email_key"), (members.c.state == "unsubscribed").label("left_campaign"),
            ).where(members.c.campaign_id.in_(audience.campaign_ids), members.c.state.in_(("member", "unsubscribed")))
        ).subquery("members")  # fmt: skip
    else:
        members, campaign = modules["portal_target_group_members"].table, modules["campaign_members"].table
        left = exists(
            select(literal(1)).where(
                campaign.c.campaign_id.in_(audience.campaign_ids),
                campaign.c.person_id == members.c.person_id,
                campaign.c.state == "unsubscribed",
            )
        )
        source = (
            select(
                members.c.person_module, members.c.person_id, func.min(members.c.contact_id).label("contact_id"),
                func.min(members.c.email).label("email"), func.min(members.c.email_key).label("email_key"), left.label("left_campaign"),
            )
            .where(members.c.portal_target_group_id.in_(audience.group_ids))
            .group_by(members.c.person_module, members.c.person_id)
        ).subquery("members")  # fmt: skip
    parts = []
    for module in PERSONS:
        person = modules[module].table.alias(f"person_{module}")
        facts = [expression.label(name) for name, expression in person_facts(person).items()]
        parts.append(
            select(
                source.c.person_module, source.c.person_id, source.c.contact_id,
                func.coalesce(source.c.email, person.c.email).label("email"),
                func.coalesce(source.c.email_key, person.c.email_key).label("email_key"), source.c.left_campaign, *facts,
            )
            .select_from(source.outerjoin(person, person.c.id == source.c.person_id))
            .where(source.c.person_module == module)
        )  # fmt: skip
    return union_all(*parts).subquery("people")


def _listed(audience: Audience) -> Any:
    """The people of sendout_people, with their addresses of now."""
    people, campaign = SendoutPerson.__table__, modules["campaign_members"].table
    left = exists(
        select(literal(1)).where(
            campaign.c.campaign_id.in_(audience.campaign_ids),
            campaign.c.person_id == people.c.person_id,
            campaign.c.state == "unsubscribed",
        )
    )
    return (
        select(
            people.c.person_module, people.c.person_id, people.c.contact_id,
            literal(None, Text).label("email"), literal(None, Text).label("email_key"), left.label("left_campaign"),
        ).where(people.c.sendout_id == audience.sendout_id)
    ).subquery("members")  # fmt: skip


def _has_received(c: Any, audience: Audience) -> ColumnElement[bool]:
    """By the address, or by the person: looked up in the indexes of earlier sendouts of the mail, one after the other.

    A set of all who ever got it would be a list that PostgreSQL reads from its beginning for each person once it does not fit into
    its memory, and takes SQLite four times as long to sort.
    """
    sendouts, deliveries = modules["sendouts"].table, Delivery.__table__.alias()
    said = select(sendouts.c.id).where(
        sendouts.c.email_template_id == audience.skip_template_id, sendouts.c.id != audience.sendout_id
    )
    earlier = list(db.session.execute(said).scalars())
    if not earlier:
        return false()
    got_it = and_(
        deliveries.c.sendout_id.in_(earlier), deliveries.c.state.in_(RECEIVED), deliveries.c.skip_reason.is_(None)
    )
    return or_(
        exists().where(got_it, deliveries.c.email_key == c.email_key),
        exists().where(got_it, deliveries.c.person_id == c.person_id),
    )


def group_ids_of(sendout_id: int) -> Sequence[int]:
    """The portal target groups of a sendout."""
    rows: Any = db.session.execute(linked("sendouts", sendout_id, "portal_target_groups"))
    return [int(row[0]) for row in rows]
