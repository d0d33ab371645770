"""The verdicts on opens and clicks, written: on one mail when something comes, on many again when the rules or networks change.

`ecp.machines` judges; here its events are read, in batches of mails, and what changed is written with one statement a
verdict. The copies in the rows of deliveries (first read, first click, how often) and sendouts follow: they count people.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, select, true, update

from crm import clock
from crm.db import db
from crm.engine import outbox
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.modules import retention
from ecp import surroundings
from ecp.machines import RULES, Event, Verdict, judge, read_signs, write_signs
from ecp.pipeline.frozen import TrackedLink
from ecp.pipeline.track import CANARY

KINDS = ("opens", "clicks")
BATCH = 2_000  # mails that are judged together
MOST_IDS = 5_000  # in one statement
BACK = timedelta(minutes=10)  # how far the rules look back from an event
MOST_NEAR = 500  # events of one mail in that time; what comes beyond is a flood
SEEN = ("id", "at", "delay", "signs", "ip", "agent_family", "made_by", "why", "rules", "sendout_id", "delivery_id")
_D = Delivery.__table__

Pair = tuple[Event, Any]  # as the rules see it, and its row
Step = Callable[[int], bool]  # told how many events are done; False stops


def event_of(kind: str, id: int, row: Any) -> Event:
    """A kept opening or click as the rules see it; `row`: a mapping of SEEN, and link_number of a click."""
    link = int(row["link_number"] or 0) if kind == "clicks" else None
    source = (row.get("ip") or "", row.get("agent_family") or "")
    return Event((kind, id), row["at"], link, row["delay"], read_signs(row["signs"]), source)


def judge_one(delivery_id: int, sendout_id: int | None, *, is_late: bool = False) -> None:
    """Judge the last minutes of one mail, and bring its copies up to date. The caller commits.

    `is_late`: no event is new, so that nobody who counts new ones (scores, sources) would look at the mail again."""
    rows = _lately(delivery_id)
    is_several = sum(event.link is not None for event, _row in rows) > 1
    links = _links([sendout_id]).get(sendout_id, 0) if is_several else 0
    other = _write(rows, judge([event for event, _row in rows], links))
    if other or any(row.made_by == "human" for _event, row in rows):
        recount([delivery_id])
    if is_late:
        _count_scores(other)


def add_gesture(delivery_id: int, source: tuple[str, str]) -> bool:
    """Note on the last event of a mail from one source that a person moved where it led; False when there is none of late.

    On that one alone: what else came from there may be a gateway's behind the same address. The caller commits."""
    rows = _lately(delivery_id)
    mine = [pair for pair in rows if pair[0].source == source and pair[0].link != CANARY]
    if not mine:
        return False
    event, row = max(mine, key=lambda pair: (pair[0].at, pair[0].key))
    table = modules[event.key[0]].table
    signs = write_signs({*event.signs, "gesture"})
    db.session.execute(update(table).where(table.c.id == row.id).values(signs=signs))
    return True


def judge_mails(delivery_ids: Collection[int]) -> None:
    """Judge the last half hour of some mails (at most BATCH), and count anew. The caller commits."""
    since = clock.now() - 3 * BACK
    rows = _rows(lambda c: and_(c.delivery_id.in_(delivery_ids), c.at >= since))
    other = _write(rows, _judged(rows))
    recount(delivery_ids)
    _count_scores(other)


def judge_again(sendout_ids: Sequence[int] | None = None, step: Step = lambda _done: True) -> tuple[int, int]:
    """Judge all events that are kept by the rules and networks of today, or those of some sendouts; a commit a batch of mails.

    Gives how many events were judged, and on how many the verdict is another than before. A second run changes nothing.
    """
    for kind in KINDS:
        table = modules[kind].table
        surroundings.renew_networks(table)
        surroundings.mark_crowds(table, _of(table.c, sendout_ids), is_again=True)
    db.session.commit()
    done = changed = 0
    days = retention.days()["events"]
    kept_since = clock.now() - timedelta(days=days) if days else None
    for after, upto in _mails(sendout_ids):
        rows = _rows(_between(after, upto, sendout_ids))
        other = _write(rows, _judged(rows))
        recount({row.delivery_id for row in other}, kept_since)
        db.session.commit()
        done, changed = done + len(rows), changed + len(other)
        if not step(done):
            return done, changed
    for rows in _nameless(sendout_ids):
        verdicts = {event.key: judge([event])[event.key] for event, _row in rows}
        changed += len(_write(rows, verdicts))
        done += len(rows)
        db.session.commit()
        if not step(done):
            return done, changed
    recount_sendouts(sendout_ids)
    if changed:
        outbox.put_unless_waiting(db.session, "scores.everything")
    db.session.commit()
    return done, changed


def _count_scores(rows: Sequence[Any]) -> None:
    """Have the people counted anew whose openings and clicks are held for somebody else's now. The caller commits."""
    mails = sorted({row.delivery_id for row in rows if row.delivery_id is not None})
    people: set[int] = set()
    for ids in _portions(mails):
        said = select(_D.c.person_id).where(_D.c.id.in_(ids), _D.c.person_id.is_not(None))
        people |= set(db.session.execute(said).scalars())
    if people:
        outbox.put(db.session, "scores.of_people", ids=sorted(people))


def count_events(sendout_ids: Sequence[int] | None = None) -> int:
    """How many events `judge_again` has to look at."""
    tables = [modules[kind].table for kind in KINDS]
    counted = (select(func.count()).select_from(table).where(_of(table.c, sendout_ids)) for table in tables)
    return sum(db.session.execute(one).scalar() or 0 for one in counted)


def recount(delivery_ids: Collection[int], kept_since: datetime | None = None) -> None:
    """Bring the copies in rows of deliveries up to date with their opens and clicks: those of people, no others.

    `kept_since`: mails from before it keep their numbers, since some of their events were thrown away (crm.modules.retention).
    """
    how = _recounting(kept_since is not None)
    for ids in _portions(sorted(delivery_ids), BATCH):
        db.session.execute(how, {"mails": ids} | ({"kept_since": kept_since} if kept_since else {}))


@cache
def _recounting(has_span: bool) -> Any:
    """The statement of `recount`, composed once: every click needs it."""
    ids: Any = bindparam("mails", expanding=True)
    opens, clicks = (_people(modules[kind].table, ids) for kind in KINDS)
    mine = and_(_D.c.id.in_(ids), _D.c.created_at >= bindparam("kept_since") if has_span else true())
    seen = (
        select(_D.c.id, opens.c.count.label("reads"), opens.c.first.label("opened"), clicks.c.count.label("clicks"), clicks.c.first.label("clicked"))
        .outerjoin(opens, opens.c.delivery_id == _D.c.id)
        .outerjoin(clicks, clicks.c.delivery_id == _D.c.id)
        .where(mine)
        .subquery()
    )  # fmt: skip
    c = seen.c
    values = {
        "read_count": func.coalesce(c.reads, case((c.clicks > 0, 1), else_=0)), "click_count": func.coalesce(c.clicks, 0),
        "first_read_at": case((c.opened < c.clicked, c.opened), else_=func.coalesce(c.clicked, c.opened)),
        "first_click_at": c.clicked,
    }  # fmt: skip
    return update(_D).where(_D.c.id == c.id).values(**values).execution_options(synchronize_session=False)


def recount_sendouts(sendout_ids: Sequence[int] | None) -> None:
    """The numbers that are shown with sendouts, from their deliveries; of all that have begun when `sendout_ids` is None."""
    table = modules["sendouts"].table

    def people(column: Any) -> ColumnElement[int]:
        return select(func.count(column)).where(_D.c.sendout_id == table.c.id).scalar_subquery()

    mine = table.c.sent_count > 0 if sendout_ids is None else table.c.id.in_(sendout_ids)
    counted = update(table).where(mine)
    db.session.execute(counted.values(read_count=people(_D.c.first_read_at), clicked_count=people(_D.c.first_click_at)))


def _people(table: Any, ids: Any) -> Any:
    """What people did with each of these mails: how often, and when first; no row for one that none touched."""
    c = table.c
    mine = and_(c.delivery_id.in_(ids), c.made_by == "human")
    counted = select(c.delivery_id, func.count().label("count"), func.min(c.at).label("first")).where(mine)
    return counted.group_by(c.delivery_id).subquery()


def _lately(delivery_id: int) -> list[Pair]:
    """The newest events of one mail, as far as the rules look back."""
    asked = {"mail": delivery_id, "since": clock.now() - BACK}
    return [
        (event_of(kind, row.id, row._mapping), row) for kind in KINDS for row in db.session.execute(_late(kind), asked)
    ]


@cache
def _late(kind: str) -> Any:
    c = modules[kind].table.c
    mine = and_(c.delivery_id == bindparam("mail"), c.at >= bindparam("since"))
    return select(*_columns(kind)).where(mine).order_by(c.at.desc(), c.id.desc()).limit(MOST_NEAR)


def _columns(kind: str) -> list[Any]:
    c = modules[kind].table.c
    return [c[name] for name in ([*SEEN, "link_number"] if kind == "clicks" else SEEN)]


def _rows(which: Callable[[Any], ColumnElement[bool]]) -> list[Pair]:
    """Events and their rows of both kinds."""
    found: list[Pair] = []
    for kind in KINDS:
        query = select(*_columns(kind)).where(which(modules[kind].table.c))
        found += [(event_of(kind, row.id, row._mapping), row) for row in db.session.execute(query)]
    return found


def _judged(rows: Sequence[Pair]) -> dict[tuple[str, int], Verdict]:
    """The verdicts on the events of many mails."""
    links = _links({row.sendout_id for _event, row in rows})
    by_mail: dict[int, list[Pair]] = defaultdict(list)
    for pair in rows:
        by_mail[pair[1].delivery_id].append(pair)
    verdicts: dict[tuple[str, int], Verdict] = {}
    for mine in by_mail.values():
        verdicts |= judge([event for event, _row in mine], links.get(mine[0][1].sendout_id, 0))
    return verdicts


def _write(rows: Sequence[Pair], verdicts: Mapping[tuple[str, int], Verdict]) -> list[Any]:
    """Write verdicts where they are others than before; gives the rows of those. One statement a verdict and portion."""
    other: list[Any] = []
    wanted: dict[tuple[str, Verdict], list[int]] = defaultdict(list)
    for event, row in rows:
        verdict = verdicts[event.key]
        is_other = (row.made_by, row.why) != (verdict.made_by, verdict.why)
        if is_other:
            other.append(row)
        if is_other or row.rules != RULES:
            wanted[event.key[0], verdict].append(row.id)
    for (kind, verdict), all_ids in wanted.items():
        table = modules[kind].table
        for ids in _portions(all_ids):
            values = {"made_by": verdict.made_by, "why": verdict.why, "rules": RULES}
            db.session.execute(update(table).where(table.c.id.in_(ids)).values(**values))
    return other


def _links(sendout_ids: Iterable[int | None]) -> dict[int | None, int]:
    """How many links the mails of sendouts have."""
    ids = [id for id in sendout_ids if id is not None]
    counted = select(TrackedLink.sendout_id, func.count()).where(TrackedLink.sendout_id.in_(ids))
    rows = db.session.execute(counted.group_by(TrackedLink.sendout_id)).all() if ids else []
    return {row[0]: int(row[1]) for row in rows}


def _mails(sendout_ids: Sequence[int] | None) -> Iterator[tuple[int, int]]:
    """Spans of deliveries, (after, up to and with), that have events: at most BATCH mails in each."""
    after = 0
    while True:
        found: set[int] = set()
        for kind in KINDS:
            c = modules[kind].table.c
            some = select(c.delivery_id).where(c.delivery_id > after, _of(c, sendout_ids)).distinct()
            found.update(db.session.execute(some.order_by(c.delivery_id).limit(BATCH)).scalars())
        if not found:
            return
        upto = sorted(found)[:BATCH][-1]
        yield after, upto
        after = upto


def _between(after: int, upto: int, sendout_ids: Sequence[int] | None) -> Callable[[Any], ColumnElement[bool]]:
    return lambda c: and_(c.delivery_id > after, c.delivery_id <= upto, _of(c, sendout_ids))


def _nameless(sendout_ids: Sequence[int] | None) -> Iterator[list[Pair]]:
    """Events that name no mail, in batches: each is judged by itself."""
    for kind in KINDS:
        c, after = modules[kind].table.c, 0
        while True:
            some = select(*_columns(kind)).where(c.id > after, c.delivery_id.is_(None), _of(c, sendout_ids))
            rows = db.session.execute(some.order_by(c.id).limit(MOST_IDS)).all()
            if not rows:
                break
            after = rows[-1].id
            yield [(event_of(kind, row.id, row._mapping), row) for row in rows]


def _of(c: Any, sendout_ids: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if sendout_ids is None else c.sendout_id.in_(sendout_ids)


def _portions(ids: Sequence[int], most: int = MOST_IDS) -> Iterator[Sequence[int]]:
    for place in range(0, len(ids), most):
        yield ids[place : place + most]
