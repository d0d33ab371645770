"""Members of campaigns: one row a person and campaign, also of those who left, so that nobody is added again unasked."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, Related, Timeline
from crm.engine.record import Ledger
from crm.modules.shared_lists import PERSON_MODULE

STATES = PicklistSeed.of(
    "member_state", "State of a member",
    Choice("member", "Member", "green"), Choice("removed", "Removed", "secondary"),
    Choice("unsubscribed", "Unsubscribed", "red"),
)  # fmt: skip
WAYS = PicklistSeed.of(
    "member_way", "How a member was added",
    Choice("user", "By hand"), Choice("filter", "By a filter"), Choice("target_group", "By a target group"),
    Choice("workflow", "By a workflow"), Choice("import", "By import"), Choice("api", "By API"),
    Choice("event", "By an event"),
)  # fmt: skip
RESULTS = PicklistSeed.of(
    "campaign_result", "Campaign result", Choice("Interested", colour="green"), Choice("Call back", colour="blue"),
    Choice("Not interested", colour="secondary"), Choice("Bought", colour="purple"), "No answer",
)  # fmt: skip

IS_OWED = text("owed_template_id IS NOT NULL")


class CampaignMember(Ledger):
    """One person in one campaign. `contact_id` is empty for leads (decisions.md 21).

    `owed_template_id`: the automatic mail that the campaign had when the person joined, until it is sent (then
    `auto_mail_at`) or it is known why it is not (`auto_mail_note`)."""

    __tablename__ = "campaign_members"
    __table_args__ = (
        Index("uq_campaign_members_person", "campaign_id", "person_id", unique=True),
        Index("ix_campaign_members_added", "person_id", "added_at"),
        Index("ix_campaign_members_state", "campaign_id", "state", "person_id"),
        Index(
            "ix_campaign_members_owed",
            "owed_template_id",
            "campaign_id",
            sqlite_where=IS_OWED,
            postgresql_where=IS_OWED,
        ),
    )
    campaign_id: Mapped[int] = f.link("Campaign", to="campaigns", on_delete="CASCADE")
    person_module: Mapped[str] = f.picklist("Kind of person", "person_module")
    person_id: Mapped[int] = f.link("Person", to=("contacts", "leads"), on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts", on_delete="CASCADE")
    state: Mapped[str] = f.picklist("State", "member_state", default="member")
    added_at: Mapped[datetime] = f.moment("Added at")
    added_by: Mapped[str] = f.picklist("Added by", "member_way", default="user")
    added_by_id: Mapped[int | None] = f.user("Added by user")
    left_at: Mapped[datetime | None] = f.moment("Left at")
    result_code: Mapped[str | None] = f.picklist("Result", "campaign_result")
    result_note: Mapped[str | None] = f.text("Note on the result", max=500)
    owed_template_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("email_templates.id", ondelete="SET NULL"))
    auto_mail_at: Mapped[datetime | None] = f.moment("Automatic mail at")
    auto_mail_note: Mapped[str | None] = f.text("Why no automatic mail", max=300)


def _shown(by: str) -> Related:
    return Related(
        by=by,
        label="Campaigns",
        columns=("campaign_id", "state", "added_at", "result_code"),
        timeline=Timeline(
            "added_at", "Added to campaign {campaign_id}", icon="speakerphone", category="mail", columns=("campaign_id",)
        ),
    )  # fmt: skip


MODULE = Module(
    CampaignMember,
    label="Campaign member",
    plural="Campaign members",
    icon="users",
    title="person_id",
    parent="campaign_id",
    about="person_id",
    columns=("person_id", "person_module", "state", "added_by", "added_at", "result_code", "result_note"),
    sort=("-added_at",),
    shows_on={
        "campaigns": Related(
            by="campaign_id",
            label="Members",
            columns=("person_id", "state", "added_by", "added_at", "auto_mail_at", "auto_mail_note", "result_code"),
        ),
        "contacts": _shown("person_id"),
        "leads": _shown("person_id"),
    },
    picklists=(STATES, WAYS, RESULTS, PERSON_MODULE),
    importable=False,
)
