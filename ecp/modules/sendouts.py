"""Sendouts: one mail to one audience, from draft to report. Saving never sends; starting and scheduling are actions apart."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, ManyLink, Module, Related, Timeline
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _
from ecp.modules import sendout_rules

STATES = PicklistSeed.of(
    "sendout_state", "State of a sendout",
    Choice("draft", "Draft", "secondary"), Choice("scheduled", "Scheduled", "azure"),
    Choice("preparing", "Preparing", "blue"), Choice("sending", "Sending", "blue"),
    Choice("paused", "Paused", "yellow"), Choice("sent", "Sent", "green"),
    Choice("cancelled", "Cancelled", "secondary"), Choice("failed", "Failed", "red"),
)  # fmt: skip
SOURCES = PicklistSeed.of(
    "sendout_source", "Where a sendout came from",
    Choice("ecp", "Email Contact Portal"), Choice("mass_mailing", "Mass mailing"),
    Choice("auto_campaign", "Automatic mail of a campaign"), Choice("auto_target_group", "Automatic mail of a target group"),
    Choice("autoresponder", "Autoresponder"), Choice("recurring", "Recurring mailing"),
    Choice("quick_mailing", "Quick mailing"), Choice("module_tool", "Module tool"), Choice("mail_merge", "Mail merge"), Choice("api", "API"),
)  # fmt: skip
RECURRENCES = PicklistSeed.of(
    "recurrence", "How often",
    Choice("none", "Once"), Choice("daily", "Every day"), Choice("weekly", "Every week"), Choice("monthly", "Every month"),
)  # fmt: skip


class Sendout(Record):
    """A mass mailing, whichever door made it. Its audience is one campaign or some portal target groups; of an automatic one
    the people who were written down for it (sendout_people).

    One that recurs stays scheduled and is never sent itself: at each occurrence it makes a sendout of which it is the parent.
    """

    __tablename__ = "sendouts"
    name: Mapped[str] = f.text("Name", max=150)
    email_template_id: Mapped[int] = f.link(
        "E-mail", to="email_templates", on_delete="RESTRICT", aliases=("email_id",),
        only={"$and": [where("kind", "is", "email"), where("status", "is", "active")]},
    )  # fmt: skip
    campaign_id: Mapped[int | None] = f.link(
        "Campaign", to="campaigns", only={"$and": [where("active", "is", True), where("type", "is", "Email")]}
    )
    list_type_id: Mapped[int | None] = f.link(
        "List type", to="list_types", help="Empty: Marketing", only=where("active", "is", True)
    )
    source: Mapped[str | None] = f.picklist(
        "Where it came from", "sendout_source", default="mass_mailing", mass_edit=False
    )
    is_automatic: Mapped[bool] = f.checkbox("Sent by itself", read_only=True)
    parent_id: Mapped[int | None] = f.link("One of the recurring mailing", to="sendouts", read_only=True)
    recurrence: Mapped[str | None] = f.picklist(
        "How often", "recurrence", default="none", mass_edit=False, help="Counted from the moment it is scheduled for"
    )
    recurs_until: Mapped[date | None] = f.day("The last time at the latest on")
    recurs_from: Mapped[datetime | None] = f.moment("The first time", read_only=True, in_lists=False)
    skip_earlier: Mapped[bool] = f.checkbox("Skip people who already got this mail", default=True)
    is_tested: Mapped[bool] = f.checkbox("I have tested it")
    state: Mapped[str] = f.picklist(
        "State", "sendout_state", default="draft", read_only=True, mass_edit=False, indexed=True, audited=True
    )
    state_note: Mapped[str | None] = f.text("Why", max=500, read_only=True)
    scheduled_at: Mapped[datetime | None] = f.moment("Scheduled for", read_only=True, indexed=True)
    started_at: Mapped[datetime | None] = f.moment("Started at", read_only=True)
    finished_at: Mapped[datetime | None] = f.moment("Finished at", read_only=True)
    subject: Mapped[str | None] = f.text("Subject as sent", max=200, read_only=True)
    sender_name: Mapped[str | None] = f.text("Sender name as sent", max=100, read_only=True)
    sender_address: Mapped[str | None] = f.email("Sender address as sent", read_only=True)
    reply_to: Mapped[str | None] = f.email("Reply address as sent", read_only=True)
    audience_count: Mapped[int | None] = f.whole("Audience", read_only=True)
    sent_count: Mapped[int | None] = f.whole("Sent", read_only=True)
    skipped_count: Mapped[int | None] = f.whole("Skipped", read_only=True)
    failed_count: Mapped[int | None] = f.whole("Failed", read_only=True)
    uncertain_count: Mapped[int | None] = f.whole("Uncertain", read_only=True)
    read_count: Mapped[int | None] = f.whole("Read", read_only=True)
    clicked_count: Mapped[int | None] = f.whole("Clicked", read_only=True)
    unsubscribed_count: Mapped[int | None] = f.whole("Left", read_only=True)
    description: Mapped[str | None] = f.long_text("Description")


def is_draft(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What is scheduled must be unscheduled first; what was started stays as it is. The system moves states."""
    if old is None or old.get("state") == "draft" or "state" in values:
        return {}
    changed = {name for name, value in values.items() if value != old.get(name)}
    frozen = {
        "name", "email_template_id", "campaign_id", "list_type_id", "skip_earlier", "source", "recurrence", "recurs_until"
    }  # fmt: skip
    if not changed & frozen:
        return {}
    if old.get("state") == "scheduled":
        return {"": Fault("locked", _("This sendout is scheduled. Unschedule it first."))}
    return {"": Fault("locked", _("This sendout was started and can no longer be changed."))}


def not_under_way(ids: list[int]) -> dict[int, Fault]:
    """A sendout is deleted before it starts or after it ended."""
    return sendout_rules.in_states(Sendout.__table__, ids, ("scheduled", "preparing", "sending", "paused"))


MODULE = Module(
    Sendout,
    label="Mass mailing",
    plural="Mass mailings",
    menu="Marketing",
    prefix="MM",
    also=("mass_mailings",),
    api_defaults={"source": "api"},
    icon="send",
    columns=("name", "state", "email_template_id", "campaign_id", "scheduled_at", "started_at", "sent_count", "read_count"),
    facts=("state", "email_template_id", "campaign_id", "list_type_id", "scheduled_at", "audience_count"),
    form=(
        Block("Mass mailing", (
            "name", "email_template_id", "campaign_id", "list_type_id", "skip_earlier", "is_tested", "owner_id",
            "description",
        )),
        Block("Sending", (
            "recurrence", "recurs_until", "state", "state_note", "scheduled_at", "started_at", "finished_at", "source", "parent_id",
        )),
        Block("As sent", ("subject", "sender_name", "sender_address", "reply_to")),
        Block("Result", (
            "audience_count", "sent_count", "skipped_count", "failed_count", "uncertain_count", "read_count",
            "clicked_count", "unsubscribed_count",
        )),
    ),
    search=("name", "number", "subject"),
    sort=("-created_at",),
    filters=(
        Filter("drafts", "Drafts", where("state", "is", "draft")),
        Filter("running", "Under way", where("state", "one of", ["scheduled", "preparing", "sending", "paused"])),
        Filter("sent", "Sent", where("state", "is", "sent"), sort=("-finished_at",)),
        Filter("by_hand", "Sent by people", where("is_automatic", "is", False)),
        Filter("recurring", "Recurring", where("recurrence", "one of", ["daily", "weekly", "monthly"])),
    ),
    links=(
        ManyLink("portal_target_groups", "portal_target_groups", "sendouts", "Target groups", "Sendouts"),
    ),
    shows_on={
        "campaigns": Related(
            by="campaign_id", columns=("name", "state", "started_at", "sent_count", "read_count"),
            timeline=Timeline("started_at", "Mass mailing {name}", icon="send", category="mail", columns=("name",)),
        ),
        "email_templates": Related(by="email_template_id", columns=("name", "state", "started_at", "sent_count")),
        "portal_target_groups": Related(through="portal_target_groups", columns=("name", "state", "started_at")),
    },
    keeps={"email_templates": "email_template_id", "campaigns": "campaign_id", "list_types": "list_type_id"},
    picklists=(STATES, SOURCES, RECURRENCES),
    checks=(is_draft, sendout_rules.mail_can_be_sent, sendout_rules.campaign_is_for_mail),
    before_delete=(not_under_way,),
    importable=False,
    in_ecp=True,
)  # fmt: skip
