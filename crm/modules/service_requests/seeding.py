"""What every installation begins with: statuses, categories and one type, so that requests can be made at once."""

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import categories, statuses, types
from crm.words import _


def seed() -> None:
    """Make them where there has never been a type. The caller commits."""
    if db.session.execute(select(types.TABLE.c.id).limit(1)).first() is not None:
        return
    rows = [{"name": _(name), "state": state, "place": place} for place, (name, state) in enumerate(statuses.SEEDS)]
    records.create_many(SYSTEM, "sr_statuses", rows, Channel.SYSTEM)
    nodes = [
        {"name": _(name), "tree": tree, "classification": kind, "requires_acceptance": asks}
        for name, tree, kind, asks in categories.SEEDS
    ]
    records.create_many(SYSTEM, "sr_categories", nodes, Channel.SYSTEM)
    chosen = {
        f"{tree}_category_id": next(row.id for row in categories.choosable(tree))
        for tree in ("response", "temporary", "final")
    }
    first = {"name": _(types.SEED), "is_default": True, "active": True, "within": 3, "within_unit": "days"}
    records.create(SYSTEM, "sr_types", first | chosen, Channel.SYSTEM)
