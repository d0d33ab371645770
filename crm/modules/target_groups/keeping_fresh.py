"""Groups that are kept up to date: after a change their conditions are asked again, of the people whom it concerns alone.

What only time and machines change (days that pass, clicks, visits) is no change of a record: it counts when the people are
collected (refresh.py).
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, delete, insert, literal_column, select, union_all, update

from crm import clock
from crm.db import BigId, db
from crm.engine import afterwards, outbox, search, ways
from crm.engine.conditions import BadCondition
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.engine.remembered import composed
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.modules.target_groups.concerned import PERSONS, Concern, concerns, within_reach
from crm.modules.target_groups.refresh import GROUPS, MEMBERS, lock, may_be_mailed

AT_ONCE = 2_000  # people whom one statement asks about
TOGETHER = 50  # groups of one owner that one statement asks about
PEOPLE = "people"  # the parameter for them
ASKED = ("source", "conditions", "everybody", "leave_out_unmailable", "kept_fresh", "active", "owner_id", "sample")
FIELDS = ("id", "owner_id", "source", "conditions", "everybody", "leave_out_unmailable")

Group = dict[str, Any]
Asked = tuple[Viewer, Group]  # with whose eyes, which group


def kept_fresh() -> list[Group]:
    """The groups that are kept up to date, in the order of their ids."""
    said = select(*(GROUPS.c[name] for name in FIELDS)).where(
        GROUPS.c.kept_fresh.is_(True), GROUPS.c.active.is_(True), GROUPS.c.deleted_at.is_(None)
    )
    found = [dict(row) for row in db.session.execute(said.order_by(GROUPS.c.id)).mappings()]
    return [group for group in found if group["conditions"] or group["everybody"]]


def _concerns(group: Group) -> tuple[Concern, ...]:
    return concerns(group["source"], json.dumps(group["conditions"] or None), group["leave_out_unmailable"])


def _is_any_concerned(module: str, event: str, changed: frozenset[str]) -> bool:
    if module not in within_reach():
        return False
    return any(one.is_met(module, event, changed) for group in kept_fresh() for one in _concerns(group))


@task("target_groups.freshen")
def freshen(
    _progress: Progress, module: str, event: str, ids: list[int], fields: Sequence[str] = (), **_: Any
) -> str | None:
    """Let people come and go after records of `module` changed: of each group those whom its conditions reach from there."""
    groups: dict[tuple[int, ...], list[Asked]] = {}  # by the people whom the change concerns, mostly the same
    for group in kept_fresh():
        met = [one for one in _concerns(group) if one.is_met(module, event, frozenset(fields))]
        owner = viewers.of_user(group["owner_id"]) if met and group["owner_id"] is not None else None
        if owner is None:
            continue
        reached = dict.fromkeys(id for way in {one.to_people for one in met} for id in _people(way, ids))
        groups.setdefault(tuple(sorted(reached)), []).append((owner, group))
    came = went = 0
    for people, asked in groups.items():
        for start in range(0, len(people), AT_ONCE):
            change = reevaluate(asked, people[start : start + AT_ONCE])
            came, went = came + change[0], went + change[1]
            db.session.commit()
    return f"+{came} -{went}" if came or went else None


def _people(way: Any, ids: Sequence[int]) -> Iterable[int]:
    found: list[int] = []
    for start in range(0, len(ids), AT_ONCE):
        said = way(list(ids[start : start + AT_ONCE]))
        if isinstance(said, Select):
            said = [id for id in db.session.execute(said.distinct()).scalars() if id is not None]
        found += said
    return found


def reevaluate(asked: Sequence[Asked], people: Sequence[int]) -> tuple[int, int]:
    """Bring `people`, and nobody else, into these groups or out of them; gives how many came and went. The caller commits."""
    ids = [group["id"] for _owner, group in asked]
    lock(ids)  # whoever collects the people of these groups at the moment is done first
    rows = select(MEMBERS.c.target_group_id, MEMBERS.c.person_id, MEMBERS.c.excluded).where(
        ways.among(MEMBERS.c.person_id, people), ways.tested(ways.among(MEMBERS.c.target_group_id, ids))
    )
    known: dict[int, dict[int, bool]] = {id: {} for id in ids}
    for group_id, person, excluded in db.session.execute(rows):
        known[group_id][person] = excluded
    came = went = 0
    groups = {group["id"]: group for _owner, group in asked}
    for id, fit in _fitting_people(asked, people).items():
        held = known[id]
        come = [person for person in people if person in fit and person not in held]
        go = [person for person, excluded in held.items() if not excluded and person not in fit]
        _change(groups[id], come, go)
        came, went = came + len(come), went + len(go)
    return came, went


def _fitting_people(asked: Sequence[Asked], people: Sequence[int]) -> dict[int, set[int]]:
    """Those of `people` who meet the conditions of each group, by its id; without groups whose conditions cannot be read any
    more: the next collecting says so on them."""
    found: dict[int, set[int]] = {}
    by_owner: dict[int, tuple[Viewer, list[Group]]] = {}
    for owner, group in asked:
        by_owner.setdefault(id(owner), (owner, []))[1].append(group)
    for owner, theirs in by_owner.values():
        for start in range(0, len(theirs), TOGETHER):
            some = theirs[start : start + TOGETHER]
            key = ("groups", *(json.dumps([group[name] for name in FIELDS]) for group in some))
            said, readable, _lasts = composed(owner, key, lambda: _fitting_all(owner, some), lambda made: made[2])  # noqa: B023
            found |= {id: set() for id in readable}
            if said is not None:
                for group_id, person in db.session.execute(said, {PEOPLE: ways.keys(people)}):
                    found[group_id].add(person)
    return found


def _fitting_all(owner: Viewer, groups: Sequence[Group]) -> tuple[Any, list[int], bool]:
    """One statement for several groups, which gives (id of the group, id of a person); the groups whose conditions can be
    read; and whether it may be kept."""
    each, readable, lasts = [], [], True
    for group in groups:
        try:
            said, one_lasts = _fitting(owner, group)
        except BadCondition:
            continue
        people = said.subquery()
        each.append(select(literal_column(str(int(group["id"])), BigId), people.c.id))
        readable.append(group["id"])
        lasts = lasts and one_lasts
    return (union_all(*each) if each else None), readable, lasts


def _change(group: Group, come: list[int], go: list[int]) -> None:
    if come:
        module, now = PERSONS[group["source"]], clock.now()
        said = {"target_group_id": group["id"], "person_module": module, "added_at": now, "excluded": False}
        fresh = [said | {"person_id": id, "contact_id": id if module == "contacts" else None} for id in come]
        db.session.execute(insert(MEMBERS), fresh)
    if go:
        gone = delete(MEMBERS).where(MEMBERS.c.target_group_id == group["id"], ways.among(MEMBERS.c.person_id, go))
        db.session.execute(gone)
    if come or go:
        count = GROUPS.c.member_count + (len(come) - len(go))
        db.session.execute(update(GROUPS).where(GROUPS.c.id == group["id"]).values(member_count=count))


def _fitting(owner: Viewer, group: Group) -> tuple[Select[Any], bool]:
    """Those of the people who meet the conditions, as a statement; and whether it may be kept."""
    source, person = group["source"], modules[PERSONS[group["source"]]]
    those = ways.given(person.table.c.id, PEOPLE)
    if source == "accounts":
        said, lasts = search.ids_among(owner, person, None, those)
        accounts = modules["accounts"].table
        fits, lasts = search.ids_among(
            owner, "accounts", group["conditions"] or None, accounts.c.id == person.table.c.account_id
        )
        said = said.where(fits.exists())
    else:
        said, lasts = search.ids_among(owner, person, group["conditions"] or None, those)
    if source == "leads":
        said = said.where(person.table.c.converted_at.is_(None))
    return (said.where(ways.tested(may_be_mailed(person.table))) if group["leave_out_unmailable"] else said), lasts


@task("target_groups.changed")
def collect_changed(_progress: Progress, ids: list[int], **_: Any) -> None:
    """Collect the people of groups anew whose conditions, or whose being kept up to date, changed."""
    for group in kept_fresh():
        if group["id"] in ids:
            outbox.put(db.session, "refresh_target_group", target_group_id=group["id"])


def _is_any_kept_fresh() -> bool:
    return bool(kept_fresh())


afterwards.listen("*", "target_groups.freshen", "created", "updated", "deleted", "restored", concerns=_is_any_concerned)
afterwards.listen("target_groups", "target_groups.changed", "created", when=_is_any_kept_fresh)
afterwards.listen(
    "target_groups", "target_groups.changed", "updated", "restored", fields=ASKED, when=_is_any_kept_fresh
)
