"""Target groups: people who meet conditions, as they were when the group was last refreshed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules import automatic_mail
from crm.modules.rules import after
from crm.words import _

TYPES = PicklistSeed.of("target_group_type", "Target group type", "E-mail", "Calling", "Text message", "Event", "Other")
OPENED = PicklistSeed.of(
    "opened",
    "Public",
    Choice("no", "No"),
    Choice("read", "Yes (read)", "blue"),
    Choice("write", "Yes (write)", "green"),
)
SOURCES = PicklistSeed.of(
    "target_group_source", "Who is collected",
    Choice("contacts", "Contacts"), Choice("leads", "Leads"), Choice("accounts", "Contacts of accounts"),
)  # fmt: skip
SAMPLES = PicklistSeed.of(
    "sample_kind", "Sample",
    Choice("all", "Everybody"), Choice("interval", "Every n-th"), Choice("random", "n at random"),
)  # fmt: skip


class TargetGroup(Record):
    """A group. `conditions` are about records of `source`, and reach linked modules."""

    __tablename__ = "target_groups"
    name: Mapped[str] = f.text("Name", max=150)
    group_type: Mapped[str | None] = f.picklist("Type", "target_group_type", aliases=("type",))
    public: Mapped[str] = f.picklist("Public", "opened", default="no")
    active: Mapped[bool] = f.checkbox("Active", default=True, mass_edit=True)
    source: Mapped[str] = f.picklist("Who is collected", "target_group_source", default="contacts", mass_edit=False)
    conditions: Mapped[dict[str, Any] | None] = f.conditions("Conditions")
    everybody: Mapped[bool] = f.checkbox("All, without conditions", help="Without conditions this must be ticked")
    leave_out_unmailable: Mapped[bool] = f.checkbox(
        "Leave out people who may not be mailed", default=True,
        help="Opted out, without address, bounced or complained",
    )  # fmt: skip
    kept_fresh: Mapped[bool] = f.checkbox(
        "Keep up to date",
        help="Who comes to meet the conditions enters at once, who no longer does leaves; clicks, visits and time count when "
        "the people are collected",
    )  # fmt: skip
    sample: Mapped[str] = f.picklist("Sample", "sample_kind", default="all", mass_edit=False)
    sample_size: Mapped[int | None] = f.whole("Every n-th, or how many", least=1, most=2_000_000)
    sample_seed: Mapped[int | None] = f.whole("Seed of the sample", read_only=True, in_lists=False)
    send_template_id: Mapped[int | None] = f.link(
        "Mail of automatic campaigns", to="email_templates", only=automatic_mail.FOR_GROUPS,
        help="Of the folder Campaign, with a sending time",
    )  # fmt: skip
    auto_campaigns: Mapped[bool] = f.checkbox(
        "Automatic e-mail campaigns",
        help="At the mail's time the people are collected anew, and a campaign of them gets it",
    )
    only_new_members: Mapped[bool] = f.checkbox("Only people who have not had this mail", default=True)
    auto_since: Mapped[datetime | None] = f.moment("Automatic campaigns since", read_only=True, in_lists=False)
    auto_sent_for: Mapped[datetime | None] = f.moment("Sent for the moment", read_only=True, in_lists=False)
    auto_problem: Mapped[str | None] = f.text("Why nothing was sent", max=300, read_only=True, in_lists=False)
    member_count: Mapped[int | None] = f.whole("People", read_only=True)
    last_refreshed_at: Mapped[datetime | None] = f.moment("Refreshed at", read_only=True)
    refresh_error: Mapped[str | None] = f.text("Why the last refresh failed", max=500, read_only=True)
    description: Mapped[str | None] = f.long_text("Description")


def sample_has_size(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    then = after(values, old)
    if then.get("sample") in {"interval", "random"} and not then.get("sample_size"):
        return {"sample_size": Fault("required", _("Say how many, or every which one."))}
    return {}


def sample_is_collected(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A sample is drawn of all: of one person alone nobody can say whether they are in it."""
    then = after(values, old)
    if then.get("kept_fresh") and (then.get("sample") or "all") != "all":
        return {"kept_fresh": Fault("not_offered", _("A sample is drawn when the people are collected."))}
    return {}


def conditions_hold(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The conditions are about fields that the source has, and their values fit."""
    then = after(values, old)
    if not {"conditions", "source"} & values.keys() or not then.get("conditions"):
        return {}
    from crm.engine.conditions import BadCondition, check
    from crm.engine.registry import modules

    try:
        check(then["conditions"], modules[then["source"]])
    except BadCondition as bad:
        return {"conditions": Fault("bad_conditions", str(bad))}
    return {}


MODULE = Module(
    TargetGroup,
    label="Target group",
    plural="Target groups",
    menu="Marketing",
    prefix="TG",
    icon="users-group",
    columns=("name", "group_type", "source", "member_count", "last_refreshed_at", "public", "owner_id"),
    facts=("member_count", "last_refreshed_at", "source", "public", "active"),
    form=(
        Block("Target group", ("name", "group_type", "source", "public", "active", "owner_id")),
        Block("Who is in", (
            "conditions", "everybody", "leave_out_unmailable", "kept_fresh", "sample", "sample_size", "member_count",
            "last_refreshed_at", "refresh_error",
        )),
        Block("Automatic mail", ("send_template_id", "auto_campaigns", "only_new_members")),
        Block("More", ("description",)),
    ),
    search=("name", "number"),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    opened_by="public",
    picklists=(TYPES, OPENED, SOURCES, SAMPLES),
    derives=(automatic_mail.group_is_on_since,),
    checks=(sample_has_size, sample_is_collected, conditions_hold, automatic_mail.group_mail_fits),
)  # fmt: skip
