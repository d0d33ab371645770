"""What a merge of contacts means beyond moving links: the stricter consent, the better seat, the older log-in, the campaign left."""

from typing import Any

from sqlalchemy import select, update

from crm.db import db
from crm.engine import merging, records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.events.merging import merge_contacts
from crm.modules.portals import access

REFUSALS = ("email_opt_out", "do_not_call", "do_not_sms")


def keep_the_stricter(_viewer: Viewer, kept_id: int, gone_id: int, channel: Channel) -> None:
    """Who refused in one of the two records has refused; opens are measured only when neither said no and one said yes."""
    module = next(key for key in ("contacts", "leads") if _rows(key, kept_id, gone_id))
    rows = _rows(module, kept_id, gone_id)
    kept, gone = rows[kept_id], rows[gone_id]
    changes: dict[str, Any] = {name: True for name in REFUSALS if gone[name] and not kept[name]}
    if gone["email_opt_out"] and not kept["email_opt_out"]:
        changes |= {name: gone[name] for name in ("email_opt_out_at", "email_opt_out_source")}
    if gone["may_measure_opens"] == "no" and kept["may_measure_opens"] != "no":
        names = ("may_measure_opens", "may_measure_opens_at", "may_measure_opens_source", "may_measure_opens_wording")
        changes |= {name: gone[name] for name in names}
    if changes:
        records.update(SYSTEM, module, kept_id, changes, channel)


def keep_the_left_campaigns(_viewer: Viewer, kept_id: int, gone_id: int, _channel: Channel) -> None:
    """Who left a campaign in one of the two records has left it."""
    table = modules["campaign_members"].table
    left = select(table.c.campaign_id).where(table.c.person_id == gone_id, table.c.state == "unsubscribed")
    mine = (table.c.person_id == kept_id) & table.c.campaign_id.in_(left)
    db.session.execute(update(table).where(mine).values(state="unsubscribed"))


def keep_the_better_seat(viewer: Viewer, kept_id: int, gone_id: int, channel: Channel) -> None:
    """One place an event remains (spec/portal.md 2.2)."""
    merge_contacts(viewer, kept_id, gone_id, channel)


def keep_the_older_log_in(_viewer: Viewer, kept_id: int, gone_id: int, channel: Channel) -> None:
    """One log-in a portal remains: the older one. It follows the address of the contact that stays."""
    users = modules["portal_users"].table
    said = select(users.c.id, users.c.portal_id, users.c.contact_id).where(
        users.c.contact_id.in_((kept_id, gone_id)), users.c.deleted_at.is_(None)
    )
    first: dict[int, Any] = {}
    for row in db.session.execute(said.order_by(users.c.created_at, users.c.id)).all():
        if row.portal_id in first:
            records.delete(SYSTEM, "portal_users", row.id, channel)
        else:
            first[row.portal_id] = row
    for row in first.values():
        if row.contact_id == gone_id:
            place = {"contact_id": kept_id, "place_key": f"{row.portal_id}:{kept_id}"}
            db.session.execute(update(users).where(users.c.id == row.id).values(place))
    db.session.flush()
    for found in access.rows_of_contacts([kept_id]):
        access.follow(found)


def _rows(module: str, *ids: int) -> dict[int, Any]:
    table = modules[module].table
    return {row["id"]: row for row in db.session.execute(select(table).where(table.c.id.in_(ids))).mappings()}


merging.offer("contacts", "leads", "accounts")
for one in ("contacts", "leads"):
    merging.judge(one, *REFUSALS, "email_opt_in", "may_measure_opens")
    merging.before(one, keep_the_stricter)
    merging.before(one, keep_the_left_campaigns)
merging.before("contacts", keep_the_better_seat)
merging.before("contacts", keep_the_older_log_in)
