"""When users are away: they get no requests meanwhile, and what they hold goes back to its unit (spec/portal.md 6.8)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Mapped

from crm import clock
from crm.db import db
from crm.engine import fields as f
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.module import Block, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.owners import owners_among
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import after
from crm.modules.service_requests.lists import ENDED
from crm.words import _


class Absence(Record):
    """Days on which a user is away, the first and the last among them."""

    __tablename__ = "sr_absences"
    name: Mapped[str | None] = f.text("Absence", max=200, help="Empty: who and when")
    user_id: Mapped[int | None] = f.user("Who is away", mass_edit=False, help="Empty: you")
    from_on: Mapped[date] = f.day("First day")
    until_on: Mapped[date] = f.day("Last day")
    gives_back: Mapped[bool] = f.checkbox("Give open requests back to their units", default=True)
    given_at: Mapped[datetime | None] = f.moment("Given back at", read_only=True)
    note: Mapped[str | None] = f.long_text("Note", max=2000)


TABLE = Absence.__table__


def what_follows(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who it is, where nobody is said, and what the absence is called; new days are given back anew."""
    then = after(values, old)
    user_id = then.get("user_id") or _user(then.get("owner_id"))
    made: dict[str, Any] = {"user_id": user_id}
    if not then.get("name") or (old is not None and then["name"] == _called(old)):
        made["name"] = _called(then | made)
    if old is not None and (user_id, then["from_on"]) != (old["user_id"], old["from_on"]):
        made["given_at"] = None
    return made


def _called(row: Mapping[str, Any]) -> str:
    """An absence that nobody gave a name."""
    who = labels_of(SYSTEM, [row["user_id"]]).get(row["user_id"]) if row["user_id"] else None
    return f"{who or '–'} {row.get('from_on')} – {row.get('until_on')}"[:200]


def fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The days follow each other."""
    then = after(values, old)
    if then.get("from_on") and then.get("until_on") and then["until_on"] < then["from_on"]:
        return {"until_on": Fault("bad_order", _("The last day is before the first."))}
    return {}


def _user(owner_id: int | None) -> int | None:
    """The owner, when it is a user and no group."""
    return db.session.execute(select(User.id).where(User.id == (owner_id or 0))).scalar()


def may_so(viewer: Viewer, values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """One's own absence, that of somebody below, or any for administrators."""
    if viewer.is_system or viewer.is_admin:
        return {}
    near = {viewer.id, *viewer.subordinates}
    if {after(values, old).get("user_id"), (old or {"user_id": viewer.id})["user_id"]} <= near:
        return {}
    return {"user_id": Fault("forbidden", _("Absences of others are for administrators and superiors to write."))}


def away_until(user_id: int | None) -> date | None:
    """The last day of the absence that a user has today; None for who is here, and for groups."""
    today = clock.today(clock.site_zone())
    said = select(TABLE.c.until_on).where(
        TABLE.c.user_id == (user_id or 0), TABLE.c.from_on <= today, TABLE.c.until_on >= today, TABLE.c.deleted_at.is_(None)
    )  # fmt: skip
    return db.session.execute(said.order_by(TABLE.c.until_on.desc()).limit(1)).scalar()


def give_back() -> int:
    """Requests of users whose absence has begun go to their units; gives how many. The caller commits."""
    today, count = clock.today(clock.site_zone()), 0
    begun = select(TABLE.c.id, TABLE.c.user_id).where(
        TABLE.c.gives_back, TABLE.c.given_at.is_(None), TABLE.c.deleted_at.is_(None),
        TABLE.c.from_on <= today, TABLE.c.until_on >= today,
    )  # fmt: skip
    requests = modules["service_requests"].table
    for absence in db.session.execute(begun.with_for_update(skip_locked=True)).all():
        held = select(requests.c.id, requests.c.unit_id).where(
            or_(requests.c.accepted_by_id == absence.user_id, requests.c.owner_id == absence.user_id),
            requests.c.unit_id.is_not(None), requests.c.state.not_in(ENDED), requests.c.deleted_at.is_(None),
        )  # fmt: skip
        rows = db.session.execute(held).all()
        units = owners_among({row.unit_id for row in rows})
        changes = {row.id: {"owner_id": row.unit_id} for row in rows if row.unit_id in units}
        if changes:
            records.update_many(SYSTEM, "service_requests", changes, Channel.SYSTEM)
            history.note_events(SYSTEM, modules["service_requests"], changes, "away", Channel.SYSTEM, clock.now())
        db.session.execute(update(TABLE).where(TABLE.c.id == absence.id).values(given_at=clock.now()))
        count += len(changes)
    return count


MODULE = Module(
    Absence,
    label="Absence",
    plural="Absences",
    menu="Service",
    icon="calendar-off",
    columns=("name", "user_id", "from_on", "until_on", "gives_back", "note"),
    form=(Block("Absence", ("user_id", "name", "from_on", "until_on", "gives_back", "note")),),
    in_search=False,
    search=("name",),
    sort=("-from_on",),
    derives=(what_follows,),
    checks=(fits,),
    asks=(may_so,),
)
