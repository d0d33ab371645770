"""Who is invited to an event: the members of its campaign, with what became of their mail and of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.engine.relations import linked
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaign_members import CampaignMember
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.lists import OCCUPYING
from crm.modules.target_groups import refresh
from crm.words import _

STATES = ("joined", "spare", "declined", "opened", "not_opened", "not_sent")
"""What became of an invitation. The last three have not answered."""
AT_ONCE = 100


@dataclass(frozen=True)
class Invited:
    """One invited contact, and what became of the invitation (STATES)."""

    contact_id: int
    state: str


def _people(event: Event) -> Any:
    """Select of (contact_id, state) of everybody invited, in one statement."""
    members, sendouts = CampaignMember.__table__, modules["sendouts"].table
    # A sendout goes to the campaign itself, or to people of it that the portal took in as a target group.
    groups = modules["portal_target_groups"].table
    taken_in = groups.c.id.in_(linked("sendouts", sendouts.c.id, "portal_target_groups").correlate(sendouts))
    by_group = (
        select(groups.c.id).where(groups.c.campaign_id == event.campaign_id, taken_in).correlate(sendouts).exists()
    )
    mails = (
        select(Delivery.contact_id, func.max(case((Delivery.first_read_at.is_not(None), 2), (Delivery.sent_at.is_not(None), 1), else_=0)).label("seen"))
        .join(sendouts, sendouts.c.id == Delivery.sendout_id)
        .where(or_(sendouts.c.campaign_id == event.campaign_id, by_group), Delivery.contact_id.is_not(None))
        .group_by(Delivery.contact_id)
        .subquery()
    )  # fmt: skip
    state = case(
        (TABLE.c.status.in_(OCCUPYING), literal("joined")),
        (TABLE.c.status == "spare", literal("spare")),
        (TABLE.c.status.in_(("declined", "cancelled")), literal("declined")),
        (mails.c.seen == 2, literal("opened")),
        (mails.c.seen == 1, literal("not_opened")),
        else_=literal("not_sent"),
    )
    mine = and_(TABLE.c.event_id == event.id, TABLE.c.contact_id == members.c.contact_id, TABLE.c.deleted_at.is_(None))
    return (
        select(members.c.contact_id, state.label("state"))
        .outerjoin(TABLE, mine)
        .outerjoin(mails, mails.c.contact_id == members.c.contact_id)
        .where(
            members.c.campaign_id == event.campaign_id, members.c.state == "member", members.c.contact_id.is_not(None)
        )
    )


def counts(viewer: Viewer, event: Event) -> dict[str, int]:
    """State → how many invited contacts that the viewer may see."""
    if event.campaign_id is None:
        return dict.fromkeys(STATES, 0)
    people = _people(event).subquery()
    seen = search.ids(viewer, "contacts")
    said = select(people.c.state, func.count()).where(people.c.contact_id.in_(seen)).group_by(people.c.state)
    found: dict[str, int] = dict(db.session.execute(said).all())
    return {state: found.get(state, 0) for state in STATES}


def invited(viewer: Viewer, event: Event, state: str = "", after: int = 0) -> list[Invited]:
    """A page of invited contacts that the viewer may see, by id; those in one state, or all."""
    if event.campaign_id is None:
        return []
    people = _people(event).subquery()
    said = select(people.c.contact_id, people.c.state).where(
        people.c.contact_id.in_(search.ids(viewer, "contacts")), people.c.contact_id > after
    )
    if state:
        said = said.where(people.c.state == state)
    return [Invited(*row) for row in db.session.execute(said.order_by(people.c.contact_id).limit(AT_ONCE))]


def without_answer(viewer: Viewer, event: Event, channel: Channel) -> int:
    """A target group of the campaign's contacts who have not answered; its id. Each refresh asks anew, so that who has
    answered meanwhile drops out of the reminder. Raises Refused, Forbidden. The caller commits."""
    if event.campaign_id is None:
        raise Refused(campaign_id=Fault("required", _("The event has no campaign.")))
    answered = {"$and": [{"$eq": ["event_id", event.id]}, {"$ne": ["status", "invited"]}]}
    is_member = {"$and": [{"$eq": ["campaign_id", event.campaign_id]}, {"$eq": ["state", "member"]}]}
    relation = {
        "campaign_members": _relation("contacts", "campaign_members", "contact_id"),
        "attendees": _relation("contacts", "attendees", "contact_id"),
    }
    where = {
        "$and": [{"$has": [relation["campaign_members"], is_member]}, {"$hasnot": [relation["attendees"], answered]}]
    }
    values = {
        "name": _("No answer: %(name)s", name=event.name)[:150],
        "source": "contacts",
        "conditions": where,
        "group_type": "Event",
    }
    made = records.create(viewer, "target_groups", values, channel)
    refresh.refresh(viewer, made, channel)
    return made


def _relation(module: str, target: str, field: str) -> str:
    """What the relation from `module` to the rows of `target` by their link `field` is called."""
    known = modules.relations(module).items()
    return next(
        name for name, found in known if found.kind == "children" and found.target == target and found.field == field
    )
