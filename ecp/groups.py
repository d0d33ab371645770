"""Portal target groups: an active CRM campaign imported as a snapshot bound to one list type, and refreshed from it.

Set-based: one statement takes the people in, one counts what was left out (spec/marketing.md 6.3, decisions.md 22).
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, case, delete, exists, func, insert, literal, or_, select, union_all, update
from sqlalchemy.sql import ColumnElement

from crm import clock
from crm.db import BigId, db
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.rules import demand_record
from crm.words import _
from ecp.modules.portal_target_group_members import PortalTargetGroupMember

MEMBERS = PortalTargetGroupMember.__table__


@dataclass(frozen=True)
class Taken:
    """What an import or refresh came to, in people."""

    contact_count: int
    skipped_no_email_count: int
    invalid_count: int
    duplicate_count: int
    unsubscribed_count: int
    added: int
    removed: int


def importable_campaigns(viewer: Viewer) -> list[Any]:
    """Active campaigns that the viewer may see: id, label, number, owner, how many members. Newest first."""
    campaigns, people = modules["campaigns"].table, modules["campaign_members"].table
    demand(viewer, "view", "campaigns")
    members = (
        select(func.count()).where(people.c.campaign_id == campaigns.c.id, people.c.state == "member").scalar_subquery()
    )
    said = select(
        campaigns.c.id, campaigns.c.name, campaigns.c.number, campaigns.c.owner_id, members.label("members")
    ).where(campaigns.c.deleted_at.is_(None), campaigns.c.active)
    narrowing = scope(viewer, "campaigns", "view")
    if narrowing is not None:
        said = said.where(narrowing)
    return list(db.session.execute(said.order_by(campaigns.c.id.desc())))


def take_in(viewer: Viewer, campaign_id: int, list_type_id: int, name: str, channel: Channel) -> tuple[int, Taken]:
    """Import a campaign as a target group; gives its id and the counts. Raises Refused, Missing, Forbidden. The caller commits."""
    campaign = demand_record(viewer, "campaigns", campaign_id, "view")
    if not campaign["active"]:
        raise Refused(campaign_id=Fault("inactive", _("This campaign is not active. Activate it first.")))
    listed = demand_record(viewer, "list_types", list_type_id, "view")
    if not listed["active"]:
        raise Refused(list_type_id=Fault("inactive", _("This list type is not active. Choose another.")))
    values = {"name": name, "campaign_id": campaign_id, "list_type_id": list_type_id}
    id = records.create(viewer, "portal_target_groups", values, channel)
    table = modules["portal_target_groups"].table
    db.session.execute(update(table).where(table.c.id == id).values(imported_at=clock.now(), imported_by_id=viewer.id))
    return id, _fill(viewer, id, campaign_id, list_type_id, channel)


def refresh(viewer: Viewer, id: int, channel: Channel) -> Taken:
    """Bring a target group up to date with its campaign. Raises Missing, Forbidden, Refused. The caller commits."""
    group = demand_record(viewer, "portal_target_groups", id, "edit")
    return _fill(viewer, id, group["campaign_id"], group["list_type_id"], channel)


def _fill(viewer: Viewer, id: int, campaign_id: int, list_type_id: int, channel: Channel) -> Taken:
    people = _people(campaign_id)
    counts = _counts(people, list_type_id)
    usable = select(people).where(people.c.email_key.is_not(None)).subquery("usable")
    before = _count_in(id)
    gone = ~exists(
        select(literal(1)).where(usable.c.person_id == MEMBERS.c.person_id, usable.c.email_key == MEMBERS.c.email_key)
    )
    db.session.execute(delete(MEMBERS).where(MEMBERS.c.portal_target_group_id == id, gone))
    known = exists(
        select(literal(1)).where(MEMBERS.c.portal_target_group_id == id, MEMBERS.c.person_id == usable.c.person_id)
    )
    rows = select(
        literal(id, BigId),
        usable.c.person_module,
        usable.c.person_id,
        usable.c.contact_id,
        usable.c.email,
        usable.c.email_key,
    ).where(~known)
    names = ("portal_target_group_id", "person_module", "person_id", "contact_id", "email", "email_key")
    kept = _count_in(id)
    db.session.execute(insert(MEMBERS).from_select(names, rows))
    count = _count_in(id)
    taken = Taken(count, **counts, added=count - kept, removed=before - kept)
    table = modules["portal_target_groups"].table
    numbers = {name: value for name, value in asdict(taken).items() if name.endswith("_count")}
    db.session.execute(update(table).where(table.c.id == id).values(**numbers, refreshed_at=clock.now()))
    history.note_events(viewer, modules["portal_target_groups"], [id], "refreshed", channel, clock.now())
    return taken


def _count_in(id: int) -> int:
    return int(db.session.execute(select(func.count()).where(MEMBERS.c.portal_target_group_id == id)).scalar() or 0)


def _people(campaign_id: int) -> Any:
    """The members of a campaign that live: person, address, address as it is compared."""
    members = modules["campaign_members"].table
    parts = []
    for key in ("contacts", "leads"):
        person = modules[key].table
        parts.append(
            select(
                members.c.person_module, members.c.person_id, members.c.contact_id, person.c.email, person.c.email_key
            )
            .join(person, person.c.id == members.c.person_id)
            .where(
                members.c.campaign_id == campaign_id, members.c.state == "member", members.c.person_module == key,
                person.c.deleted_at.is_(None),
            )
        )  # fmt: skip
    return union_all(*parts).subquery("people")


def _counts(people: Any, list_type_id: int) -> dict[str, int]:
    suppressions = modules["suppressions"].table
    has_left = exists(
        select(literal(1)).where(
            suppressions.c.email_key == people.c.email_key,
            suppressions.c.active,
            suppressions.c.deleted_at.is_(None),
            or_(
                suppressions.c.scope == "global",
                and_(suppressions.c.scope == "list_type", suppressions.c.scope_id == list_type_id),
            ),
        )
    )

    def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    without = func.coalesce(people.c.email, "") == ""
    row = db.session.execute(
        select(
            how_many(without),
            how_many(and_(~without, people.c.email_key.is_(None))),
            func.count(people.c.email_key) - func.count(people.c.email_key.distinct()),
            how_many(has_left),
        ).select_from(people)
    ).one()
    names = ("skipped_no_email_count", "invalid_count", "duplicate_count", "unsubscribed_count")
    return dict(zip(names, (int(value) for value in row), strict=True))
