"""Who is in a campaign: adding by ids, filter or target group, seeing before what it would do, removing. All set-wise.

E-mail campaigns take only people with an address. Who has left a campaign is never added to it again unasked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, and_, case, func, literal, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import db
from crm.engine import history, outbox
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.campaign_members import CampaignMember
from crm.modules.people import Choice, select_people
from crm.modules.rules import demand_record
from crm.modules.suppressions import Suppression
from crm.words import _

Mode = Literal["add", "replace", "remove"]
TABLE = CampaignMember.__table__


@dataclass(frozen=True)
class Preview:
    """What adding would do, in people. `would_remove`: those who would go when the content is replaced."""

    would_add: int = 0
    already_in: int = 0
    no_email: int = 0
    unsubscribed: int = 0
    would_remove: int = 0


@dataclass(frozen=True)
class Outcome:
    """What adding or removing did, in people."""

    added: int = 0
    already_in: int = 0
    no_email: int = 0
    unsubscribed: int = 0
    removed: int = 0


def preview(viewer: Viewer, campaign_id: int, choice: Choice, mode: Mode = "add") -> Preview:
    """What `change` would do with these people. Raises Missing, Forbidden, Refused, BadCondition."""
    campaign = demand_record(viewer, "campaigns", campaign_id, "view")
    counts = {"new": 0, "member": 0, "no_email": 0, "unsubscribed": 0}
    for people in select_people(viewer, choice):
        for standing, count in _standings(campaign, people):
            counts[standing] += count
    leaving = _count_leaving(viewer, campaign_id, choice, mode)
    return Preview(
        0 if mode == "remove" else counts["new"], counts["member"], counts["no_email"], counts["unsubscribed"], leaving
    )


def change(
    viewer: Viewer, campaign_id: int, choice: Choice, channel: Channel, mode: Mode = "add", way: str = ""
) -> Outcome:
    """Add the chosen people, make them the whole content (`replace`), or take them out (`remove`). The caller commits.

    `way`: how they are marked (picklist member_way; default: by the choice). Raises Missing, Forbidden, Refused.
    """
    campaign = demand_record(viewer, "campaigns", campaign_id, "edit")
    before = preview(viewer, campaign_id, choice, mode)
    removed = 0
    if mode != "add":
        inside = _chosen_ids(viewer, choice)
        kept = or_(*(TABLE.c.person_id.in_(one) for one in inside))
        removed = _leave(campaign_id, kept if mode == "remove" else ~kept, "removed")
    added = 0
    if mode != "remove":
        for people in select_people(viewer, choice):
            added += _add(campaign, people, way or choice.way, viewer)
    if added or removed:
        history.note_events(viewer, modules["campaigns"], [campaign_id], "members changed", channel, clock.now())
    return Outcome(added, before.already_in, before.no_email, before.unsubscribed, removed)


def add_people(viewer: Viewer, campaign_id: int, people: Select[Any], channel: Channel, way: str) -> int:
    """Add people of a Select as `select_people` gives them; how many came. Raises Missing, Forbidden. The caller commits."""
    campaign = demand_record(viewer, "campaigns", campaign_id, "edit")
    added = _add(campaign, people, way, viewer)
    if added:
        history.note_events(viewer, modules["campaigns"], [campaign_id], "members changed", channel, clock.now())
    return added


def remove(viewer: Viewer, campaign_id: int, person_ids: Sequence[int] | None, channel: Channel) -> int:
    """Take people out by hand; None: everybody. Gives how many there were. Raises Missing, Forbidden."""
    demand_record(viewer, "campaigns", campaign_id, "edit")
    gone = _leave(campaign_id, true() if person_ids is None else TABLE.c.person_id.in_(list(person_ids)), "removed")
    if gone:
        history.note_events(viewer, modules["campaigns"], [campaign_id], "members changed", channel, clock.now())
    return gone


def unsubscribe(campaign_id: int, person_ids: Sequence[int]) -> int:
    """The people have refused this campaign themselves; members or not, they are not added again."""
    return _leave(campaign_id, TABLE.c.person_id.in_(list(person_ids)), "unsubscribed")


def set_result(viewer: Viewer, campaign_id: int, person_id: int, code: str | None, note: str | None = None) -> None:
    """Write down what came of it with one person. Raises Missing, Forbidden, Refused."""
    from crm.engine import picklists

    demand_record(viewer, "campaigns", campaign_id, "edit")
    if code and not picklists.is_key("campaign_result", code):
        raise Refused(result_code=Fault("not_in_list", _("“%(code)s” is not a result of a campaign.", code=code)))
    if note and len(note) > 500:
        raise Refused(
            result_note=Fault("too_long", _("This takes at most 500 characters; there are %(count)s.", count=len(note)))
        )
    said = update(TABLE).where(TABLE.c.campaign_id == campaign_id, TABLE.c.person_id == person_id)
    if not db.session.execute(said.values(result_code=code or None, result_note=note or None)).rowcount:  # type: ignore[attr-defined]
        raise Missing


def _standings(campaign: dict[str, Any], people: Select[Any]) -> list[tuple[str, int]]:
    chosen = people.subquery()
    standing = _standing(campaign, chosen)
    said = select(standing, func.count()).select_from(_with_row(campaign["id"], chosen)).group_by(standing)
    return [(row[0], row[1]) for row in db.session.execute(said)]


def _with_row(campaign_id: int, chosen: Any) -> Any:
    return chosen.outerjoin(
        TABLE, and_(TABLE.c.campaign_id == campaign_id, TABLE.c.person_id == chosen.c.person_id)
    )  # fmt: skip


def _standing(campaign: dict[str, Any], chosen: Any) -> Any:
    """How each chosen person stands to the campaign: member, unsubscribed, no_email, new."""
    refused = Suppression.__table__
    has_refused = (
        select(refused.c.id)
        .where(
            refused.c.email_key == chosen.c.email_key,
            refused.c.scope == "campaign",
            refused.c.scope_id == campaign["id"],
            refused.c.active.is_(True),
            refused.c.deleted_at.is_(None),
        )
        .exists()
    )
    cases: list[Any] = [
        (TABLE.c.state == "member", literal("member")),
        (or_(TABLE.c.state == "unsubscribed", has_refused), literal("unsubscribed")),
    ]
    if campaign["type"] == "Email":
        cases.append((chosen.c.email_key.is_(None), literal("no_email")))
    return case(*cases, else_=literal("new"))


def _add(campaign: dict[str, Any], people: Select[Any], way: str, viewer: Viewer) -> int:
    chosen = people.subquery()
    owed = campaign["auto_template_id"] if campaign["auto_mail_on"] else None
    said = (
        select(
            literal(campaign["id"]).label("campaign_id"), chosen.c.person_module, chosen.c.person_id,
            chosen.c.contact_id, literal("member").label("state"),
            literal(clock.now(), TABLE.c.added_at.type).label("added_at"), literal(way).label("added_by"),
            literal(viewer.id, TABLE.c.added_by_id.type).label("added_by_id"),
            literal(owed, TABLE.c.owed_template_id.type).label("owed_template_id"),
        )
        .select_from(_with_row(campaign["id"], chosen))
        .where(_standing(campaign, chosen) == "new")
    )  # fmt: skip
    make: Any = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    put = make(TABLE).from_select([column.key for column in said.selected_columns], said)
    put = put.on_conflict_do_update(  # somebody who was removed comes back
        index_elements=["campaign_id", "person_id"],
        set_={name: put.excluded[name] for name in ("state", "added_at", "added_by", "added_by_id", "owed_template_id")}
        | {"left_at": None, "auto_mail_note": None},
        where=TABLE.c.state == "removed",
    )
    added = max(int(db.session.execute(put, execution_options={"preserve_rowcount": True}).rowcount), 0)  # type: ignore[attr-defined]
    if added and owed is not None:  # who joins gets the campaign's mail at once
        outbox.put(db.session, "automatic.join", campaign_id=campaign["id"])
    return added


def _leave(campaign_id: int, whom: Any, state: str) -> int:
    here = and_(TABLE.c.campaign_id == campaign_id, whom)
    leaving = TABLE.c.state == "member" if state == "removed" else TABLE.c.state != state
    said = update(TABLE).where(here, leaving).values(state=state, left_at=clock.now())
    return max(int(db.session.execute(said).rowcount), 0)  # type: ignore[attr-defined]


def _chosen_ids(viewer: Viewer, choice: Choice) -> list[Any]:
    return [select(people.subquery().c.person_id) for people in select_people(viewer, choice)] or [[]]


def _count_leaving(viewer: Viewer, campaign_id: int, choice: Choice, mode: Mode) -> int:
    if mode == "add":
        return 0
    inside = or_(*(TABLE.c.person_id.in_(one) for one in _chosen_ids(viewer, choice)))
    whom = inside if mode == "remove" else ~inside
    said = select(func.count()).where(TABLE.c.campaign_id == campaign_id, TABLE.c.state == "member", whom)
    return int(db.session.execute(said).scalar() or 0)
