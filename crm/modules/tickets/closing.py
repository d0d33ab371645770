"""Closing and reopening by the customer himself; and the survey that follows a closed ticket."""

from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.modules.tickets import settings, statuses
from crm.modules.tickets.commenting import may_reopen
from crm.words import _


def close(viewer: Viewer, ticket_id: int, channel: Channel) -> None:
    """The customer says that it is done. Raises Missing, Conflict. The caller commits."""
    ticket = demand_record(viewer, "tickets", ticket_id, "view")
    if ticket["state"] == "closed":
        raise Conflict(_("This ticket is closed already."), "closed")
    values = {"status": statuses.first_of("closed"), "closed_by_customer": True}
    records.update(SYSTEM, modules["tickets"], ticket_id, values, Channel.SYSTEM)


def reopen(viewer: Viewer, ticket_id: int, channel: Channel) -> None:
    """The customer says that it is not done after all. Raises Missing, Conflict. The caller commits."""
    ticket = demand_record(viewer, "tickets", ticket_id, "view")
    if ticket["state"] != "closed":
        raise Conflict(_("This ticket is open already."), "open")
    if not may_reopen(ticket):
        raise Conflict(_("This ticket was closed long ago. Write a new one, please."), "too_late")
    records.update(SYSTEM, modules["tickets"], ticket_id, {"status": statuses.first_of("open")}, Channel.SYSTEM)


def ask_for_opinion(ticket: dict[str, object]) -> None:
    """Invite the customer of a closed ticket to the survey of the settings; once a closing. The caller commits."""
    survey_id = settings.current().survey_id
    if not survey_id or not ticket["contact_id"] or ticket["merged_into_id"]:
        return
    key = f"tickets:survey:{ticket['id']}:{ticket['reopened_count'] or 0}"
    outbox.put(
        db.session, "surveys.invite", dedupe_key=key, survey_id=survey_id, contact_id=ticket["contact_id"], source="ticket",
        subject_id=ticket["id"],
    )  # fmt: skip
