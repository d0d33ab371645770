"""What must be in order before a sendout may start: mail, sender, audience, list, somebody to send to, quota.

Asked when a person starts or schedules it, and again when its moment has come. Refusals name the field and the fix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from crm.db import db
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.email_templates import CAMPAIGN
from crm.modules.organisation import required_opt_in
from crm.modules.sender_addresses import USABLE
from crm.words import _, say_number
from ecp import quotas
from ecp.domains import checking
from ecp.pipeline import audience, frozen, versions
from ecp.pipeline.allow import OPT_INS, Rules
from ecp.pipeline.audience import Audience, Count

if TYPE_CHECKING:
    from ecp.pipeline.actions import Sendout

DEFAULT_LIST = "Marketing"


@dataclass(frozen=True)
class Preview:
    """What a start would do: how many of the audience get the mail, who is left out and why, what is left of the quota."""

    count: Count
    quota: quotas.Quota


def demand_sendable(viewer: Viewer, sendout: Sendout, month: str | None = None) -> Preview:
    """Check everything, the quota of `month` (default: now); gives the numbers. Raises Refused with all that is wrong."""
    faults: dict[str, list[Fault]] = {}
    for check in (_check_mail, _check_source):
        for name, fault in check(sendout):
            faults.setdefault(name, []).append(fault)
    if faults:
        raise Refused(faults)
    said = audience_of(sendout)
    needs_unsubscribe = frozen.needs_unsubscribe(said.rules.list_type_id)
    frozen.compile_mail(sendout.email_template_id, needs_unsubscribe)
    versions.compile_versions(sendout.email_template_id, needs_unsubscribe)
    frozen.files_of(sendout.email_template_id)
    found = Preview(audience.count(said), quotas.quota(month))
    if not sendout.is_automatic:  # there nobody asked for it, and that somebody is left out is an answer
        demand_somebody(found.count)
    left = found.quota.left
    if left is not None and found.count.sendable > left + quotas.held(sendout.id, found.quota.month):
        raise Refused.because("quota_exceeded", quotas.sentence(found.count.sendable, found.quota))
    return found


def demand_somebody(count: Count) -> None:
    """Raises Refused when nobody of the audience may be mailed."""
    if count.sendable:
        return
    if not count.audience:
        raise Refused.because(
            "no_recipients", _("Nobody is in this audience. Add people to the campaign or target group.")
        )
    said = _("Nobody of the %(count)s people in this audience may be mailed.", count=say_number(count.audience))
    raise Refused.because("no_recipients", f"{said} {count.sentence}")


def audience_of(sendout: Sendout) -> Audience:
    """Where the people of a sendout come from, and the rules that they are judged by."""
    groups = tuple(audience.group_ids_of(sendout.id))
    campaigns = _campaigns_of(sendout, groups)
    list_type_id = settled_list(sendout, groups)
    rules = Rules(list_type_id, campaigns, not frozen.needs_unsubscribe(list_type_id), OPT_INS[required_opt_in()])
    skips = sendout.skip_earlier and not sendout.recurs  # what comes again and again goes to people who had it before
    skip = sendout.email_template_id if skips else None
    return Audience(sendout.id, campaigns, groups, rules, skip, sendout.is_listed)


def settled_list(sendout: Sendout, groups: tuple[int, ...]) -> int | None:
    """The list type that a sendout belongs to: its own, that of its target groups, or Marketing (decisions.md 22)."""
    if sendout.list_type_id is not None:
        return sendout.list_type_id
    if groups:
        table = modules["portal_target_groups"].table
        return db.session.execute(select(table.c.list_type_id).where(table.c.id.in_(groups)).limit(1)).scalar()
    table = modules["list_types"].table
    query = select(table.c.id).where(table.c.deleted_at.is_(None), table.c.active, table.c.kind == "marketing")
    return db.session.execute(query.order_by((table.c.name != DEFAULT_LIST), table.c.id).limit(1)).scalar()


def is_prepared(sendout_id: int) -> bool:
    """Whether the audience of a sendout has its delivery rows."""
    content = frozen.SendoutContent
    said = select(content.prepared_at).where(content.sendout_id == sendout_id)
    return db.session.execute(said).scalar() is not None


def keep_list(sendout_id: int, list_type_id: int | None) -> None:
    """Write the list type that was settled on into the sendout, so that reports and links need not guess."""
    table = modules["sendouts"].table
    db.session.execute(
        update(table).where(table.c.id == sendout_id, table.c.list_type_id.is_(None)).values(list_type_id=list_type_id)
    )


def _check_mail(sendout: Sendout) -> list[tuple[str, Fault]]:
    table = modules["email_templates"].table
    row = db.session.execute(select(table).where(table.c.id == sendout.email_template_id)).mappings().first()
    if row is None or row["deleted_at"] is not None:
        return [
            ("email_template_id", Fault("no_such_record", _("The e-mail of this sendout was deleted. Choose another.")))
        ]
    if row["kind"] != "email" and not (sendout.is_automatic and row["folder"] == CAMPAIGN):
        return [
            ("email_template_id", Fault("is_template", _("This is a template. Make an e-mail from it, and send that.")))
        ]
    if row["status"] != "active":
        return [("email_template_id", Fault("inactive", _("This e-mail is not active. Activate it first.")))]
    faults = [
        ("email_template_id", Fault("required", _("The e-mail has no %(what)s.", what=label)))
        for name, label in (
            ("subject", _("subject")),
            ("sender_name", _("sender name")),
            ("sender_address_id", _("sender address")),
        )
        if not row[name]
    ]
    if row["sender_address_id"]:
        faults += _check_sender(row["sender_address_id"])
    return faults


def _check_sender(sender_address_id: int) -> list[tuple[str, Fault]]:
    table = modules["sender_addresses"].table
    row = db.session.execute(
        select(table.c.address, table.c.state, table.c.override_note, table.c.deleted_at).where(
            table.c.id == sender_address_id
        )
    ).first()
    if row is None or row.deleted_at is not None:
        return [("sender_address_id", Fault("no_such_record", _("The sender address was deleted. Choose another.")))]
    if row.state not in USABLE:
        return [
            (
                "sender_address_id",
                Fault("not_confirmed", _("The sender address %(address)s is not confirmed.", address=row.address)),
            )
        ]
    if not row.override_note and (why := checking.lost(checking.domain_of(row.address))):
        sentence = _(
            "The domain of %(address)s was in order and is not any more: %(why)s Mend it, or write into the address why mails may leave all the same.",
            address=row.address, why=why,
        )  # fmt: skip
        return [("sender_address_id", Fault("domain_lost", sentence))]
    return []


def _check_source(sendout: Sendout) -> list[tuple[str, Fault]]:
    groups = tuple(audience.group_ids_of(sendout.id))
    if not groups and sendout.campaign_id is None and not sendout.is_listed:
        return [("campaign_id", Fault("required", _("Choose a campaign or target groups.")))]
    faults = []
    if groups:
        table = modules["portal_target_groups"].table
        lists = set(db.session.execute(select(table.c.list_type_id).where(table.c.id.in_(groups))).scalars())
        if len(lists) > 1:
            sentence = _("The target groups belong to different list types. Choose groups of one list type.")
            faults.append(("portal_target_group_ids", Fault("several_lists", sentence)))
        elif sendout.list_type_id is not None and sendout.list_type_id not in lists:
            sentence = _("The target groups belong to another list type than this sendout.")
            faults.append(("list_type_id", Fault("other_list", sentence)))
    elif sendout.campaign_id is not None:
        faults += _check_campaign(sendout.campaign_id)
    return faults + _check_list(settled_list(sendout, groups))


def _check_campaign(campaign_id: int | None) -> list[tuple[str, Fault]]:
    table = modules["campaigns"].table
    row = db.session.execute(
        select(table.c.active, table.c.type, table.c.deleted_at).where(table.c.id == campaign_id)
    ).first()
    if row is None or row.deleted_at is not None:
        return [("campaign_id", Fault("no_such_record", _("The campaign was deleted. Choose another.")))]
    if not row.active:
        return [("campaign_id", Fault("inactive", _("This campaign is not active. Activate it first.")))]
    if row.type != "Email":
        return [("campaign_id", Fault("not_for_mail", _("Only campaigns of type E-mail can be mailed.")))]
    return []


def _check_list(list_type_id: int | None) -> list[tuple[str, Fault]]:
    if list_type_id is None:
        return [("list_type_id", Fault("required", _("There is no list type. Make one first.")))]
    table = modules["list_types"].table
    row: Any = db.session.execute(select(table.c.active, table.c.deleted_at).where(table.c.id == list_type_id)).first()
    if row is None or row.deleted_at is not None or not row.active:
        return [("list_type_id", Fault("inactive", _("This list type is not active. Activate it, or choose another.")))]
    return []


def _campaigns_of(sendout: Sendout, groups: tuple[int, ...]) -> tuple[int, ...]:
    if not groups:
        return () if sendout.campaign_id is None else (sendout.campaign_id,)
    table = modules["portal_target_groups"].table
    found = set(db.session.execute(select(table.c.campaign_id).where(table.c.id.in_(groups))).scalars())
    return tuple(sorted(found | ({sendout.campaign_id} if sendout.campaign_id is not None else set())))
