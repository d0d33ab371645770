"""Pages of cases beyond the general ones: who may see a restricted one, and closing with a word about open tasks."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.tables import User
from crm.identity.viewer import Viewer
from crm.modules.activities import ENDED
from crm.modules.cases import guests, opening
from crm.modules.rules import demand_record
from crm.ui import cards
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.words import ngettext

bp = Blueprint("cases", __name__, url_prefix="/crm/cases")


def part(viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    """Who sees it and whether it is done, for those who may change it."""
    if not may(viewer, "edit", "cases"):
        return None
    chosen = set(db.session.scalars(relations.linked("cases", row.id, "allowed")))
    users = select(User.id, User.first_name, User.last_name).where(
        User.crm_access, ~User.archived, User.deleted_at.is_(None)
    )
    return {
        "row": row, "chosen": chosen, "users": db.session.execute(users.order_by(User.last_name, User.id)).all(),
        "open_tasks": open_tasks(row.id), "event": row.get("event_id"),
        "people": len(db.session.execute(relations.linked("cases", row.id, "participants")).all()),
        "may_invite": may(viewer, "edit", "campaigns"),
    }  # fmt: skip


def open_tasks(case_id: int) -> int:
    """How many of its tasks and events are not done."""
    table = modules["activities"].table
    linked = relations.linked("cases", case_id, "activities")
    said = select(table.c.id).where(table.c.id.in_(linked), table.c.deleted_at.is_(None), table.c.status.not_in(ENDED))
    return len(db.session.execute(said).all())


cards.add_part("cases", cards.Part("_case_part.html", part, place="top"))


@bp.post("/<int:id>/closed")
def close(id: int) -> AnyResponse:
    """Tick or untick; with open tasks it asks first."""
    demand_record(viewer(), "cases", id, "edit")
    is_closed = bool(request.form.get("closed"))
    count = open_tasks(id)
    if is_closed and count and not request.form.get("sure"):
        tell(_still_open(count), "warn")
        return go(f"/crm/cases/{id}")
    records.update(viewer(), "cases", id, {"closed": is_closed}, Channel.FORM)
    commit()
    tell(_("The case is closed.") if is_closed else _("The case is open again."))
    return go(f"/crm/cases/{id}")


@bp.post("/<int:id>/guests")
def take_in(id: int) -> AnyResponse:
    """The people of the event become participants."""
    return _exchange(id, lambda: guests.take_in(viewer(), id, Channel.FORM), _new_participants)


@bp.post("/<int:id>/invitations")
def invite(id: int) -> AnyResponse:
    """The participants are invited to the event."""
    return _exchange(id, lambda: guests.invite(viewer(), id, Channel.FORM), _new_members)


def _exchange(id: int, deed: Callable[[], int], said: Callable[[int], str]) -> AnyResponse:
    try:
        count = deed()
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(str(refused), "warn")
    else:
        tell(said(count))
    return go(f"/crm/cases/{id}")


def _still_open(count: int) -> str:
    return ngettext(
        "%(num)s task of this case is still open. Tick “close anyway” to close it.",
        "%(num)s tasks of this case are still open. Tick “close anyway” to close it.",
        count,
    )


def _new_participants(count: int) -> str:
    return ngettext("%(num)s new participant.", "%(num)s new participants.", count)


def _new_members(count: int) -> str:
    return ngettext(
        "%(num)s person is new in the event's campaign.", "%(num)s people are new in the event's campaign.", count
    )


@bp.post("/<int:id>/users")
def users(id: int) -> AnyResponse:
    """Who sees it when it is restricted."""
    opening.choose(viewer(), id, request.form.getlist("user", type=int), Channel.FORM)
    records.update(viewer(), "cases", id, {"restricted": bool(request.form.get("restricted"))}, Channel.FORM)
    commit()
    tell(_("Saved."))
    return go(f"/crm/cases/{id}")
