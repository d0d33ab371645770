"""Scores: what the rules give every person, computed by the database. One statement a rule, however many people there are.

A rule's events of a person are taken together, each worth half as much after every half-life; what is left of a rule is
limited as it says. The sum over the rules, rounded, stands in the person's own row, where lists and conditions read it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    and_,
    case,
    cast,
    delete,
    except_,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Float

from crm import clock
from crm.db import Entity, db
from crm.engine import search
from crm.engine.outbox import Progress
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from web_tracking.scoring import model as models
from web_tracking.scoring.happenings import KINDS
from web_tracking.scoring.model import Model
from web_tracking.scoring.score_rules import ScoreRule, keys_of, problem_of
from web_tracking.scoring.tables import ScorePart
from web_tracking.stores import insert_of

RULES, PARTS, LIVE = ScoreRule.__table__, ScorePart.__table__, Entity.__table__
DAY = 86_400
CHUNK = 2_000
NAMES = ("rule_id", "person_id", "event_count", "points", "worth", "first_at", "last_at")
Rule = Mapping[str, Any]


class seconds_of(FunctionElement[float]):
    """SQL: a moment as seconds since 1970."""

    type = Float()
    inherit_cache = True


@compiles(seconds_of)
def _of_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"((julianday({compiler.process(element.clauses, **kw)}) - 2440587.5) * 86400.0)"


@compiles(seconds_of, "postgresql")
def _of_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"extract(epoch FROM {compiler.process(element.clauses, **kw)})::float8"


def rules() -> list[dict[str, Any]]:
    """The rules that count, in order of their names; those that cannot be used are flagged with the reason and left out."""
    said = (
        select(RULES).where(RULES.c.deleted_at.is_(None), RULES.c.active.is_(True)).order_by(RULES.c.name, RULES.c.id)
    )
    found = []
    for row in map(dict, db.session.execute(said).mappings().all()):
        problem = next(iter(problem_of(row).values()), None)
        if problem != row["problem"]:  # bookkeeping of the clock, no change that anybody made
            db.session.execute(update(RULES).where(RULES.c.id == row["id"]).values(problem=problem))
        if problem is None:
            found.append(row)
    return found


def parts_of(rule: Rule, model: Model, now: datetime, people: Sequence[int] | None = None) -> Select[Any]:
    """What one rule gives every person (or `people`): the columns of score_parts."""
    events = KINDS[rule["kind"]].events(rule, now).subquery("events")
    at, person = events.c.at, events.c.person_id
    moment = int(now.timestamp())
    age = (moment - seconds_of(at)) / float(DAY)
    half = rule["half_life_days"] or model.half_life_days
    left: ColumnElement[Any] = func.power(literal(0.5, Float), age / float(half)) if half else literal(1.0, Float)
    points = int(rule["points"])
    inside = [_is_meant(rule, person)] + ([person.in_(people)] if people is not None else [])
    if rule["once_a_day"]:  # the latest of each day of the house counts
        offset = int((now.astimezone(ZoneInfo(clock.site_zone())).utcoffset() or timedelta()).total_seconds())
        day = cast(func.floor((seconds_of(at) + offset) / float(DAY)), Integer)
        per_day = select(person.label("person_id"), func.max(left).label("left"), func.max(at).label("at"))
        days = per_day.where(*inside).group_by(person, day).subquery("days")
        person, left, at, inside = days.c.person_id, days.c["left"], days.c.at, []
    count = func.count()
    worth = cast(func.round(func.sum(left) * (points * 100)), BigInteger)
    return (
        select(
            literal(rule["id"], BigInteger).label("rule_id"), person.label("person_id"), count.label("event_count"),
            _limited(count * points, rule["most_points"], points).label("points"),
            _limited(worth, rule["most_points"] and rule["most_points"] * 100, points).label("worth"),
            func.min(at).label("first_at"), func.max(at).label("last_at"),
        )
        .where(*inside)
        .group_by(person)
    )  # fmt: skip


def _limited(said: ColumnElement[Any], most: int | None, points: int) -> ColumnElement[Any]:
    if not most:
        return said
    return case((said > most, most), else_=said) if points > 0 else case((said < -most, -most), else_=said)


def _is_meant(rule: Rule, person: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a rule is about the person. Asked of each by the key: whatever a planner believes of how many there are, it never
    reads all people once an event."""
    if not rule["conditions"]:
        living = select(LIVE.c.id).where(
            LIVE.c.id == person, LIVE.c.module.in_(keys_of(rule)), LIVE.c.deleted_at.is_(None)
        )
        return living.exists()
    found = (
        search.ids(SYSTEM, key, rule["conditions"]).where(modules[key].table.c.id == person) for key in keys_of(rule)
    )
    return or_(*(one.exists() for one in found))


def recount(people: Sequence[int]) -> None:
    """Count the scores of some people anew. The caller commits."""
    model, now, known = models.load(), clock.now(), rules()
    for some in (people[at : at + CHUNK] for at in range(0, len(people), CHUNK)):
        _run(delete(PARTS).where(PARTS.c.person_id.in_(some)))
        for rule in known:
            db.session.execute(insert(PARTS).from_select(list(NAMES), parts_of(rule, model, now, some)))
        _write(model, some)


def recount_all(progress: Progress | None = None) -> int:
    """Count the scores of everybody anew; gives by how many rules. Commits after each rule, so that nobody waits for long."""
    model, now, known = models.load(), clock.now(), rules()
    _run(delete(PARTS).where(PARTS.c.rule_id.not_in([rule["id"] for rule in known])))
    db.session.commit()
    for done, rule in enumerate(known, 1):
        _bring_up(rule, parts_of(rule, model, now))
        db.session.commit()
        if progress is not None:
            progress.step(done)
            if progress.cancelled():
                break
    _write(model, None)
    db.session.commit()
    return len(known)


def _bring_up(rule: Rule, new: Select[Any]) -> None:
    """Make the parts of one rule what `new` says. Only what differs is written: to write a row costs more than to count it."""
    mine, found = PARTS.c.rule_id == rule["id"], new.subquery("new")
    if db.session.execute(select(PARTS.c.rule_id).where(mine).limit(1)).first() is not None:
        gone = except_(select(PARTS.c.person_id).where(mine), select(found.c.person_id)).subquery("gone")
        _run(delete(PARTS).where(mine, PARTS.c.person_id.in_(select(gone.c.person_id))))
    values = [name for name in NAMES if name not in {"rule_id", "person_id"}]
    differs = or_(PARTS.c.person_id.is_(None), *(PARTS.c[name].is_distinct_from(found.c[name]) for name in values))
    rows = (
        select(*(found.c[name] for name in NAMES))
        .outerjoin(PARTS, and_(mine, PARTS.c.person_id == found.c.person_id))
        .where(differs)
    )
    made = insert_of(db.session)(PARTS).from_select(list(NAMES), rows)
    _run(
        made.on_conflict_do_update(
            index_elements=["person_id", "rule_id"], set_={name: made.excluded[name] for name in values}
        )
    )


def _write(model: Model, people: Sequence[int] | None) -> None:
    """Bring score and warmth of the people up to date, where they changed. No edit: nobody's open form becomes stale."""
    for key in ("contacts", "leads"):
        table = modules[key].table
        sums = select(PARTS.c.person_id, _rounded(func.sum(PARTS.c.worth)).label("score"))
        sums = sums.where(PARTS.c.person_id.in_(people)) if people is not None else sums
        found = sums.group_by(PARTS.c.person_id).subquery("sums")
        grade = case((found.c.score >= model.hot_at, "hot"), (found.c.score >= model.warm_at, "warm"), else_="cold")
        is_other = or_(table.c.score.is_distinct_from(found.c.score), table.c.score_grade.is_distinct_from(grade))
        _run(
            update(table)
            .where(table.c.id == found.c.person_id, is_other)
            .values(score=found.c.score, score_grade=grade)
        )
        mine = [table.c.id.in_(people)] if people is not None else []
        none = ~select(PARTS.c.person_id).where(PARTS.c.person_id == table.c.id).exists()
        is_some = or_(table.c.score != 0, table.c.score.is_(None), table.c.score_grade.is_distinct_from("cold"))
        _run(update(table).where(none, is_some, *mine).values(score=0, score_grade="cold"))


def _rounded(hundredths: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.round(hundredths / 100.0), Integer)


def _run(statement: Any) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})


def distribution(known: Sequence[Rule], model: Model) -> dict[int, int]:
    """Score → how many people would have it by these rules, which need not be saved. People without any event are not in it."""
    now = clock.now()
    given = [parts_of(rule, model, now).subquery() for rule in known if not problem_of(rule)]
    if not given:
        return {}
    every = union_all(*(select(one.c.person_id, one.c.worth) for one in given)).subquery("given")
    sums = select(_rounded(func.sum(every.c.worth)).label("score")).group_by(every.c.person_id).subquery("sums")
    said = select(sums.c.score, func.count()).group_by(sums.c.score).order_by(sums.c.score)
    return {int(score): int(count) for score, count in db.session.execute(said)}


def explained(person_id: int) -> list[dict[str, Any]]:
    """What each rule gave a person, the largest first: name, kind, event_count, points, worth, first_at, last_at, rule_id."""
    said = (
        select(PARTS, RULES.c.name, RULES.c.kind, RULES.c.half_life_days, RULES.c.most_points)
        .join(RULES, RULES.c.id == PARTS.c.rule_id)
        .where(PARTS.c.person_id == person_id)
        .order_by(func.abs(PARTS.c.worth).desc(), RULES.c.name)
    )
    return [dict(row) for row in db.session.execute(said).mappings()]
