"""What the tables of crm hold about persons: for exports, erasures and merges."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from crm.db import Base
from crm.engine.relations import EntityLink
from crm.modules.privacy.holdings import Holding, excuse, register
from crm.modules.privacy.person import REMOVED
from crm.words import N_

CONSENTS = ("email_opt_out", "email_opt_in", "may_measure_opens", "do_not_call", "do_not_sms")


def table_of(name: str) -> Any:
    return Base.metadata.tables[name]


def linked(module: str, ids: Sequence[int]) -> Select[Any]:
    """Ids of the records of `module` (activities, emails) that many-links hang on the persons."""
    pairs = EntityLink.__table__
    names = [f"{module}.{person}" for person in ("contacts", "leads")]
    return select(pairs.c.a_id).where(pairs.c.relation.in_(names), pairs.c.b_id.in_(ids))


def own_tickets(ids: Sequence[int]) -> Select[Any]:
    table = table_of("tickets")
    return select(table.c.id).where(table.c.contact_id.in_(ids))


def _comments(ids: Sequence[int]) -> Select[Any]:
    """What was said in own tickets, by both sides, as far as customers may read it."""
    t = table_of("ticket_comments")
    return select(t.c.ticket_id, t.c.at, t.c.author, t.c.text).where(
        or_(t.c.ticket_id.in_(own_tickets(ids)), t.c.contact_id.in_(ids)),
        t.c.visibility == "public", t.c.removed_at.is_(None),
    ).order_by(t.c.id)  # fmt: skip


def _consents(ids: Sequence[int]) -> Select[Any]:
    t = table_of("change_log")
    said = select(t.c.field, t.c.old, t.c.new, t.c.at, t.c.channel)
    return said.where(t.c.entity_id.in_(ids), t.c.field.in_(CONSENTS)).order_by(t.c.id)


def _emails(ids: Sequence[int]) -> Select[Any]:
    t = table_of("emails")
    said = select(t.c.at, t.c.direction, t.c.from_address, t.c.to_addresses, t.c.subject, t.c.text)
    return said.where(t.c.id.in_(linked("emails", ids)), t.c.deleted_at.is_(None)).order_by(t.c.id)


def _activities(ids: Sequence[int]) -> Select[Any]:
    t = table_of("activities")
    said = select(t.c.kind, t.c.subject, t.c.status, t.c.starts_at, t.c.due_on, t.c.location)
    return said.where(t.c.id.in_(linked("activities", ids)), t.c.deleted_at.is_(None)).order_by(t.c.id)


def _logins(ids: Sequence[int]) -> Select[Any]:
    t = table_of("login_history")
    return (
        select(t.c.at, t.c.outcome, t.c.address, t.c.agent)
        .where(t.c.portal_user_id.in_(_log_ins(ids)))
        .order_by(t.c.id)
    )


def _log_ins(ids: Sequence[int]) -> Select[Any]:
    users = table_of("portal_users")
    return select(users.c.id).where(users.c.contact_id.in_(ids))


def files(ids: Sequence[int]) -> Select[Any]:
    t, pairs = table_of("files"), table_of("entity_files")
    said = select(t.c.name, t.c.size, t.c.media_type, t.c.created_at, t.c.sha256)
    return said.join(pairs, pairs.c.file_id == t.c.id).where(pairs.c.entity_id.in_(ids)).order_by(t.c.id)


register(
    Holding(
        "deliveries", "person_id", N_("Mails"),
        ("kind", "email", "state", "created_at", "sent_at", "first_read_at", "read_count", "first_click_at", "click_count",
         "unsubscribed_at", "bounced_at"),
        fate="unlink",
    ),
    Holding("deliveries", "contact_id", reason="the same rows as those of person_id", fate="unlink"),
    Holding("opens", "person_id", N_("Opened mails"), ("at", "agent_family", "ip", "made_by"), fate="delete"),
    Holding("clicks", "person_id", N_("Followed links"), ("at", "url", "agent_family", "ip", "made_by"), fate="delete"),
    Holding(
        "campaign_members", "person_id", N_("Campaigns"), ("campaign_id", "state", "added_at", "left_at", "result_code"),
        blank={"result_note": None},
    ),
    Holding("campaign_members", "contact_id", reason="the same rows as those of person_id"),
    Holding("target_group_members", "person_id", N_("Target groups"), ("target_group_id", "added_at"), fate="delete"),
    Holding("target_group_members", "contact_id", reason="the same rows as those of person_id"),
    Holding(
        "suppressions", "person_id", N_("Refusals of mail"), ("email", "scope", "scope_id", "source", "at", "active", "ended_at")
    ),
    Holding("suppressions", "contact_id", reason="the same rows as those of person_id"),
    Holding(
        "tickets", "contact_id", N_("Requests"), ("number", "title", "status", "created_at", "closed_at", "description", "solution"),
        is_blotted=True,
    ),
    Holding("ticket_comments", "contact_id", N_("Comments in requests"), rows=_comments, blank={"author_name": REMOVED}),
    Holding(
        "attendees", "contact_id", N_("Events"),
        ("event_id", "status", "role", "registered_at", "promoted_at", "cancelled_at", "cancel_reason", "attended_at", "company"),
        blank={"name": REMOVED, "company": None, "note": None, "cancel_reason": None, "differences": None, "warning": None,
               "code": None, "extra": {}},
    ),
    Holding("event_personnel", "contact_id", N_("Tasks at events"), ("event_id", "role", "note"), blank={"note": None}),
    Holding(
        "portal_users", "contact_id", N_("Access to the portal"),
        ("email", "status", "active", "is_admin", "valid_from", "valid_to", "language", "invited_at", "confirmed_at", "last_login_at"),
        fate="delete",
    ),
    Holding("login_history", "portal_user_id", N_("Log-ins"), rows=_logins),
    Holding("sessions", "portal_user_id", reason="browsers that are signed in now; they are in the log-ins"),
    Holding(
        "portal_requests", "contact_id", N_("Requests for access"), ("kind", "status", "email", "company", "message", "created_at", "closed_at"),
        blank={"email": "removed@erased.invalid", "first_name": None, "last_name": None, "company": None, "message": None, "note": None},
    ),
    Holding("portal_requests", "asked_by_id", N_("Requests for others"), ("kind", "status", "message", "created_at"), is_blotted=True),
    Holding("potentials", "contact_id", reason="what we expect to sell to the company, not what the person gave us", is_blotted=True),
    Holding("potentials", "lead_id", reason="the same rows as those of contact_id", is_blotted=True),
    Holding("contacts", "reports_to_id", reason="records of other people"),
    Holding("leads", "converted_contact_id", reason="the leads are given out as records of the person themselves"),
    Holding("change_log", "entity_id", N_("Consents and how they changed"), rows=_consents),
    Holding("change_log", "contact_id", N_("Own changes"), ("module", "field", "at")),
    Holding("entity_links", "b_id", N_("Activities"), rows=_activities),
    Holding("entity_links", "a_id", reason="pairs of other records: the links of persons stand on the other side"),
    Holding("emails", "links", N_("Written mails"), rows=_emails),
    Holding("entity_files", "entity_id", N_("Files"), rows=files),
    Holding("tokens", "subject_id", reason="links that are still open; they hold no more than the mails that brought them"),
    Holding("faq_votes", "contact_id", N_("Votes on questions and answers"), ("faq_id", "is_helpful"), fate="delete"),
    Holding("person_codes", "person_id", reason="codes of the last day, as hashes", fate="delete"),
    Holding("data_exports", "person_id", N_("Exports of own data"), ("asked_at", "done_at"), fate="delete"),
)  # fmt: skip

excuse(
    "links to sendouts, events, campaigns, accounts, users or other things that are no persons",
    "deliveries.sendout_id", "mail_runs.sendout_id", "attendees.event_id", "event_personnel.event_id", "event_times.event_id",
    "event_triggers.event_id", "event_triggers.sub_event_id", "suppressions.scope_id", "jobs.created_by_id",
    "portals.default_assignee_id",  "tickets.parent_id", "sr_rules.allowed_id", "accounts.email", "users.email", "mail_scanners.owner_id",
    "editing_marks.record_id",
    "sender_addresses.address", "merged_records.entity_id", "merged_records.into_id",
)  # fmt: skip
excuse(
    "a mail of an attendee: the mail itself is in the export, and the row holds ids only",
    "trigger_deliveries.subject_id", "trigger_deliveries.delivery_id",
)  # fmt: skip
excuse(
    "a mail of a ticket: the comment is in the export; the address is taken out",
    "ticket_mails.delivery_id",
    "ticket_mails.email_key",
)
excuse("goes with the delivery", "opens.delivery_id", "clicks.delivery_id")
excuse(
    "an address of a row that is found by its person",
    "deliveries.email", "deliveries.email_key", "suppressions.email", "suppressions.email_key", "portal_users.email", "portal_requests.email", "data_exports.email",
    "contacts.email", "contacts.email_key", "leads.email", "leads.email_key",
)  # fmt: skip
