"""Choosing the users who see a restricted case, and telling them."""

from collections.abc import Iterable

from crm.db import db
from crm.engine import outbox, relations
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record


def choose(viewer: Viewer, case_id: int, user_ids: Iterable[int], channel: Channel) -> None:
    """These users, and no others, may see and edit the case when it is restricted. Raises Missing, Forbidden. The caller commits.

    New ones are told by mail when the case says so.
    """
    case = demand_record(viewer, "cases", case_id, "edit")
    wanted = set(user_ids)
    before: set[int] = set(db.session.scalars(relations.linked("cases", case_id, "allowed")))  # type: ignore[arg-type]
    relations.link(SYSTEM, "cases", case_id, "allowed", sorted(wanted - before), channel)
    if gone := before - wanted:
        relations.unlink(SYSTEM, "cases", case_id, "allowed", sorted(gone), channel)
    new = sorted(wanted - before - {viewer.id or 0})
    if case["notify"] and new:
        outbox.put(db.session, "cases.tell", case_id=case_id, user_ids=new)
