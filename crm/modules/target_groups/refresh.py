"""Filling a target group: its conditions evaluated set-wise, a sample taken, the members brought up to date.

Who was taken out by hand stays out. When it takes too long or finds too many, the content stays as it was.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, literal, not_, or_, select, table, text, update
from sqlalchemy import column as sql_column
from sqlalchemy.exc import DBAPIError

from crm import clock
from crm.db import BigId, db
from crm.engine import history, search, ways
from crm.engine.channels import Channel
from crm.engine.conditions import BadCondition
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.modules.rules import demand_record
from crm.modules.suppressions import Suppression
from crm.modules.target_group_members import TargetGroupMember
from crm.modules.target_groups import TargetGroup
from crm.words import _, say_number

MOST_PEOPLE = 2_000_000
MOST_SECONDS = 60
PRIME = 2_147_483_647
GROUPS, MEMBERS = TargetGroup.__table__, TargetGroupMember.__table__
CHOSEN = table("refreshed_people", sql_column("id", BigId))
# Said by "exists": of NOT IN, PostgreSQL reads the whole list again for each row once it does not fit into its memory.
IS_CHOSEN = select(CHOSEN.c.id).where(CHOSEN.c.id == MEMBERS.c.person_id).exists()


@dataclass(frozen=True)
class Refreshed:
    """What a refresh came to, in people."""

    member_count: int
    added: int
    removed: int
    excluded: int  # meet the conditions, but were taken out by hand


def refresh(viewer: Viewer, id: int, channel: Channel) -> Refreshed:
    """Evaluate a group's conditions with the rights of `viewer` and bring its members up to date. The caller commits.

    Raises Missing, Forbidden, Refused (inactive, no conditions, too many, too slow).
    """
    group = demand_record(viewer, "target_groups", id, "edit")
    if not group["active"]:
        raise Refused.because("inactive", _("This target group is not active."))
    lock([id])
    seed = secrets.randbelow(PRIME - 2) + 1
    said = _sampled(group, _people(viewer, group), seed)
    with _staged(said) as found:
        if found > MOST_PEOPLE:
            raise Refused.because(
                "too_many",
                _(
                    "These conditions find more than %(most)s people, the limit. Narrow them.",
                    most=say_number(MOST_PEOPLE),
                ),
            )
        excluded = _count(MEMBERS.c.excluded.is_(True), IS_CHOSEN, id=id)
        removed = _remove(id)
        added = _add(group)
    count = _count(MEMBERS.c.excluded.is_(False), id=id)
    # These are no edit of the record: nobody's open form becomes stale by a refresh.
    kept = {"member_count": count, "last_refreshed_at": clock.now(), "refresh_error": None, "sample_seed": seed}
    db.session.execute(update(GROUPS).where(GROUPS.c.id == id).values(kept))
    history.note_events(viewer, modules["target_groups"], [id], "refreshed", channel, clock.now())
    return Refreshed(count, added, removed, excluded)


def lock(ids: Sequence[int]) -> None:
    """Let the members of these groups be written by this transaction alone until it ends."""
    said = select(GROUPS.c.id).where(GROUPS.c.id.in_(ids)).order_by(GROUPS.c.id)
    db.session.execute(said.with_for_update(key_share=True)).all()


def exclude(viewer: Viewer, id: int, person_ids: Sequence[int], channel: Channel, back: bool = False) -> int:
    """Take people out by hand, for good; `back` lets them in again. Gives how many. Raises Missing, Forbidden."""
    demand_record(viewer, "target_groups", id, "edit")
    said = update(MEMBERS).where(
        MEMBERS.c.target_group_id == id, MEMBERS.c.person_id.in_(list(person_ids)), MEMBERS.c.excluded.is_(back)
    )
    done = db.session.execute(said.values(excluded=not back, excluded_by_id=None if back else viewer.id))
    count = _count(MEMBERS.c.excluded.is_(False), id=id)
    db.session.execute(update(GROUPS).where(GROUPS.c.id == id).values(member_count=count))
    history.note_events(viewer, modules["target_groups"], [id], "members changed", channel, clock.now())
    return max(int(done.rowcount), 0)  # type: ignore[attr-defined]


@task("refresh_target_group")
def refresh_in_background(progress: Progress, target_group_id: int) -> str:
    """Refresh with the rights of the group's owner; why it failed is kept on the group."""
    owner = db.session.execute(select(GROUPS.c.owner_id).where(GROUPS.c.id == target_group_id)).scalar()
    viewer = viewers.of_user(owner) if owner is not None else None
    try:
        if viewer is None:
            raise Refused.because("no_owner", _("The owner of this group is no active user."))
        done = refresh(viewer, target_group_id, Channel.SCHEDULED)
    except (Refused, Forbidden, Missing, BadCondition) as why:
        error = str(why).removeprefix(": ")[:500] or _("The owner may not refresh this group.")
        db.session.execute(update(GROUPS).where(GROUPS.c.id == target_group_id).values(refresh_error=error))
        db.session.commit()
        raise GiveUp(error) from None
    return _(
        "%(count)s people: %(added)s came, %(removed)s left.",
        count=done.member_count,
        added=done.added,
        removed=done.removed,
    )


def _people(viewer: Viewer, group: dict[str, Any]) -> Select[Any]:
    """The ids of the people that the conditions choose, before sampling."""
    if not group["conditions"] and not group["everybody"]:
        raise Refused.because(
            "no_conditions", _("This would select everyone. Add conditions, or tick “All”."), "conditions"
        )
    source = group["source"]
    chosen = search.all_ids(viewer, source, group["conditions"] or None)
    if source == "accounts":
        contacts = modules["contacts"].table
        chosen = search.ids(viewer, "contacts").where(contacts.c.account_id.in_(chosen))
    person = modules[_module_of(group)].table
    if source == "leads":
        chosen = chosen.where(person.c.converted_at.is_(None))
    if group["leave_out_unmailable"]:
        chosen = chosen.where(may_be_mailed(person))
    out = select(MEMBERS.c.person_id).where(MEMBERS.c.target_group_id == group["id"], MEMBERS.c.excluded.is_(True))
    return chosen.where(person.c.id.not_in(out)) if group["sample"] != "all" else chosen


def _module_of(group: dict[str, Any]) -> str:
    return "leads" if group["source"] == "leads" else "contacts"


def may_be_mailed(person: Any) -> Any:
    """Has an address, has not opted out, and the address neither bounces for good nor complained."""
    refused = Suppression.__table__
    has_refused = select(refused.c.id).where(
        refused.c.email_key == person.c.email_key,
        refused.c.scope.in_(("global", "bounce", "complaint")),
        refused.c.active.is_(True),
        refused.c.deleted_at.is_(None),
    )
    works = or_(person.c.email_status.is_(None), person.c.email_status.not_in(("hard_bounced", "complained")))
    is_in = ways.plainly(person.c.email_opt_out.is_(False))  # most people: no reason to go by the index of it
    return and_(person.c.email_key.is_not(None), is_in, works, not_(has_refused.exists()))


def _sampled(group: dict[str, Any], chosen: Select[Any], seed: int) -> Select[Any]:
    size = group["sample_size"]
    if group["sample"] == "all" or not size:
        return chosen
    people = chosen.subquery()
    if group["sample"] == "interval":
        numbered = select(people.c.id, (func.row_number().over(order_by=people.c.id) - 1).label("place")).subquery()
        return select(numbered.c.id).where(numbered.c.place % size == 0)
    # Both databases shuffle alike: multiplied, squared and multiplied again modulo a prime, which stays under 63 bits.
    first = (people.c.id % PRIME) * literal(1_103_515_245, BigId) % PRIME + literal(seed, BigId)
    second = (first % PRIME) * (first % PRIME) % PRIME + literal(seed % 65_521, BigId)
    return select(people.c.id).order_by((second % PRIME) * literal(48_271, BigId) % PRIME, people.c.id).limit(size)


@contextmanager
def _staged(chosen: Select[Any]) -> Iterator[int]:
    """The chosen ids in a temporary table, so that they are computed once; gives how many (at most one over the limit)."""
    connection = db.session.connection()
    connection.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS refreshed_people (id BIGINT PRIMARY KEY)"))
    connection.execute(delete(CHOSEN))
    ids = select(chosen.subquery().c.id).limit(MOST_PEOPLE + 1)
    with _limited(connection):
        if connection.dialect.name == "sqlite":  # a write that is interrupted there takes the whole transaction with it
            found = connection.execute(select(func.json_group_array(ids.subquery().c.id))).scalar()
        else:
            connection.execute(insert(CHOSEN).from_select(["id"], ids))
    if connection.dialect.name == "sqlite":
        each = func.json_each(literal(found)).table_valued("value").c.value
        connection.execute(insert(CHOSEN).from_select(["id"], select(each)))
    else:  # what nobody counted is planned as if it were small: everybody would be looked up in all others
        connection.execute(text("ANALYZE refreshed_people"))
    yield int(connection.execute(select(func.count()).select_from(CHOSEN)).scalar() or 0)
    connection.execute(delete(CHOSEN))


@contextmanager
def _limited(connection: Any, seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Statements inside end after `seconds`; then Refused, and the transaction goes on as before the block."""
    is_sqlite = connection.dialect.name == "sqlite"
    raw = connection.connection.dbapi_connection
    deadline = time.monotonic() + seconds
    try:
        with connection.begin_nested():
            if is_sqlite:
                raw.set_progress_handler(lambda: int(time.monotonic() > deadline), 100_000)
            else:
                connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
            yield
            if not is_sqlite:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
    except DBAPIError as fault:
        if (is_sqlite and "interrupted" not in str(fault)) or (not is_sqlite and "timeout" not in str(fault)):
            raise
        raise Refused.because(
            "too_slow",
            _("Finding these people takes more than %(most)s seconds. Narrow the conditions.", most=MOST_SECONDS),
        ) from None
    finally:
        if is_sqlite:
            raw.set_progress_handler(None, 0)


def _remove(id: int) -> int:
    gone = delete(MEMBERS).where(MEMBERS.c.target_group_id == id, MEMBERS.c.excluded.is_(False), ~IS_CHOSEN)
    return max(int(db.session.execute(gone).rowcount), 0)  # type: ignore[attr-defined]


def _add(group: dict[str, Any]) -> int:
    module = _module_of(group)
    inside = select(MEMBERS.c.id).where(MEMBERS.c.target_group_id == group["id"], MEMBERS.c.person_id == CHOSEN.c.id)
    contact: Any = CHOSEN.c.id if module == "contacts" else literal(None, MEMBERS.c.contact_id.type)
    fresh = select(
        literal(group["id"]), literal(module), CHOSEN.c.id, contact, literal(clock.now(), MEMBERS.c.added_at.type),
        literal(False, MEMBERS.c.excluded.type),
    ).where(~inside.exists())  # fmt: skip
    names = ["target_group_id", "person_module", "person_id", "contact_id", "added_at", "excluded"]
    done = db.session.execute(insert(MEMBERS).from_select(names, fresh), execution_options={"preserve_rowcount": True})
    return max(int(done.rowcount), 0)  # type: ignore[attr-defined]


def _count(*conditions: Any, id: int) -> int:
    said = select(func.count()).select_from(MEMBERS).where(MEMBERS.c.target_group_id == id, *conditions)
    return int(db.session.execute(said).scalar() or 0)
