"""What a sendout may join: an active mail and an active campaign for e-mail."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.refusals import Fault
from crm.modules.campaigns import Campaign
from crm.modules.email_templates import CAMPAIGN, EmailTemplate
from crm.words import _


def mail_can_be_sent(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Only mails (not templates) that are active can be sent; by itself also a template of the folder Campaign."""
    id = values.get("email_template_id")
    if id is None or id == (old or {}).get("email_template_id"):
        return {}
    c = EmailTemplate.__table__.c
    found = db.session.execute(select(c.kind, c.status, c.folder).where(c.id == id)).first()
    if found and found.kind != "email" and not (values.get("is_automatic") and found.folder == CAMPAIGN):
        return {
            "email_template_id": Fault("is_template", _("This is a template. Make an e-mail from it, and send that."))
        }
    if found and found.status != "active":
        return {"email_template_id": Fault("inactive", _("This e-mail is not active. Activate it first."))}
    return {}


def campaign_is_for_mail(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Only active campaigns of type Email can be mailed."""
    id = values.get("campaign_id")
    if id is None or id == (old or {}).get("campaign_id"):
        return {}
    c = Campaign.__table__.c
    found = db.session.execute(select(c.type, c.active).where(c.id == id)).first()
    if found and not found.active:
        return {"campaign_id": Fault("inactive", _("This campaign is not active. Activate it first."))}
    if found and found.type != "Email":
        return {"campaign_id": Fault("not_for_mail", _("Only campaigns of type E-mail can be mailed."))}
    return {}


def in_states(table: Any, ids: Sequence[int], states: Sequence[str]) -> dict[int, Fault]:
    """Those of `ids` that are in one of `states`, refused."""
    said = select(table.c.id).where(table.c.id.in_(ids), table.c.state.in_(states))
    message = _("This sendout is under way. Cancel it first.")
    return {id: Fault("locked", message) for id in db.session.execute(said).scalars()}
