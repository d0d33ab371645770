"""Which mails campaigns and target groups send by themselves: active ones of the folder Campaign (spec/marketing.md 6.9, 6.12).

A campaign sends one immediately to whoever joins; a target group sends one at the mail's own time. The sending itself is in
ecp/automatic.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.conditions import where
from crm.engine.refusals import Fault
from crm.modules.email_templates import CAMPAIGN, EmailTemplate
from crm.modules.rules import after
from crm.words import _

OFFERED = [where("folder", "is", CAMPAIGN), where("status", "is", "active")]
FOR_CAMPAIGNS = {"$and": [*OFFERED, where("sending_time", "is", "immediately")]}
FOR_GROUPS = {"$and": [*OFFERED, where("sending_time", "is not", "immediately")]}


def campaign_mail_fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The mail to new members is one that leaves immediately."""
    return _judge("auto_template_id", values, old, is_timed=False)


def group_mail_fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The mail of a target group has a time of its own; without a mail nothing is sent by itself."""
    then = after(values, old)
    if then.get("auto_campaigns") and then.get("send_template_id") is None:
        return {"send_template_id": Fault("required", _("Choose the mail that is sent."))}
    return _judge("send_template_id", values, old, is_timed=True)


def _judge(name: str, values: Mapping[str, Any], old: Mapping[str, Any] | None, is_timed: bool) -> dict[str, Fault]:
    id = values.get(name)
    if id is None or id == (old or {}).get(name):
        return {}
    c = EmailTemplate.__table__.c
    row = db.session.execute(select(c.folder, c.status, c.sending_time).where(c.id == id)).first()
    if row is None:
        return {}  # that there is none, the link says
    if row.folder != CAMPAIGN:
        return {name: Fault("other_folder", _("Only mails of the folder Campaign can be sent by themselves."))}
    if row.status != "active":
        return {name: Fault("inactive", _("This e-mail is not active. Activate it first."))}
    if is_timed and row.sending_time == "immediately":
        return {name: Fault("not_timed", _("This mail is sent immediately. Choose one with a time, or give it one."))}
    if not is_timed and row.sending_time != "immediately":
        return {
            name: Fault("timed", _("This mail has a sending time, for target groups. Choose one sent immediately."))
        }
    return {}


def campaign_is_on_since(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """From when new members get the mail: since it was chosen, or switched on again."""
    return _since("auto_mail_since", ("auto_template_id", "auto_mail_on"), values, old)


def group_is_on_since(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """From when a target group sends: since its mail was chosen, it was switched on, or became active again."""
    return _since("auto_since", ("send_template_id", "auto_campaigns", "active"), values, old)


def _since(
    name: str, needed: tuple[str, ...], values: Mapping[str, Any], old: Mapping[str, Any] | None
) -> dict[str, Any]:
    then = after(values, old)
    if not all(then.get(one) for one in needed):
        return {name: None} if (old or {}).get(name) is not None else {}
    if old is not None and all(then.get(one) == old.get(one) for one in needed):
        return {}
    return {name: clock.now()}
