"""Participants of a case and guests of the event it is linked with: either side takes over the people of the other (spec/portal.md 7)."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import relations, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.campaign_members import CampaignMember
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.modules.rules import demand_record
from crm.words import _

GONE = ("cancelled", "declined")
MOST = 5_000


def take_in(viewer: Viewer, case_id: int, channel: Channel) -> int:
    """Who is invited to the event, or has a place there, becomes a participant; gives how many are new.

    Only contacts that the viewer may see. Raises Missing, Forbidden, Refused (no event). The caller commits.
    """
    case = demand_record(viewer, "cases", case_id, "edit")
    event = _event(viewer, case)
    attendees, invited = modules["attendees"].table, CampaignMember.__table__
    there = select(attendees.c.contact_id).where(
        attendees.c.event_id == event["id"], attendees.c.status.not_in(GONE), attendees.c.deleted_at.is_(None)
    )
    asked = select(invited.c.contact_id).where(
        invited.c.campaign_id == (event["campaign_id"] or 0), invited.c.state == "member"
    )
    seen = search.ids(viewer, "contacts").subquery()
    said = select(seen.c.id).where(seen.c.id.in_(there.union(asked))).order_by(seen.c.id).limit(MOST)
    return relations.link(viewer, "cases", case_id, "participants", db.session.scalars(said).all(), channel)


def invite(viewer: Viewer, case_id: int, channel: Channel) -> int:
    """The participants become members of the campaign by which the event invites; gives how many are new.

    Raises Missing, Forbidden, Refused (no event, no campaign). The caller commits.
    """
    case = demand_record(viewer, "cases", case_id, "view")
    event = _event(viewer, case)
    if event["campaign_id"] is None:
        raise Refused.because("required", _("The event has no campaign."), "event_id")
    people: list[int] = list(db.session.scalars(relations.linked("cases", case_id, "participants")))  # type: ignore[arg-type]
    if not people:
        raise Refused.because("nobody", _("The case has no participants."), "event_id")
    return members.change(viewer, event["campaign_id"], Choice(contact_ids=tuple(people)), channel).added


def _event(viewer: Viewer, case: dict[str, Any]) -> dict[str, Any]:
    if case["event_id"] is None:
        raise Refused.because("required", _("The case is linked with no event."), "event_id")
    return demand_record(viewer, "invitation_events", case["event_id"], "view")
