"""Who a mail comes from: what is frozen into the row of a sendout when it is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.registry import modules


def as_sent(mail: Mapping[Any, Any]) -> dict[str, Any]:
    """Subject, sender and reply address of a mail (its row) as columns of a sendout."""
    table = modules["sender_addresses"].table
    address = db.session.execute(select(table.c.address).where(table.c.id == mail["sender_address_id"])).scalar()
    return {
        "subject": mail["subject"], "sender_name": mail["sender_name"], "sender_address": address, "reply_to": mail["reply_to"],
    }  # fmt: skip
