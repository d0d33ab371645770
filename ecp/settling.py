"""What time brings to openings and clicks: verdicts settle a few minutes after an event, and all can be judged again.

Two requests at the same moment do not see each other, and a crowd shows only when many have come; so a round of the clock
judges once more what is fresh. `customerhub engagement judge` puts nothing off: it does the whole in its own process.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, select

from crm import clock
from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.modules.organisation import SETTINGS
from ecp import judging, surroundings

EVERY = 60  # seconds
FRESH = timedelta(minutes=3)  # events younger than that are looked at in the next round again
MARK = "events_settled"  # the setting that says up to which row that was done: {"opens": id, "clicks": id}


@task("engagement.settle", every=EVERY)
def settle(progress: Progress) -> str:
    """Judge once more what came since the last rounds."""
    return f"{settle_fresh()} mails"


@task("engagement.judge")
def judge_all(progress: Progress, sendout_ids: Sequence[int] | None = None) -> str:
    """Judge all that is kept by the rules and networks of today; put after they have changed."""
    total = judging.count_events(sendout_ids)
    db.session.rollback()

    def step(done: int) -> bool:
        progress.step(min(done, total), total)
        return not progress.cancelled()

    done, changed = judging.judge_again(sendout_ids, step)
    return f"{done} events, {changed} judged otherwise than before"


def settle_fresh() -> int:
    """Judge the mails with events since the last rounds; gives how many. Commits a batch at a time."""
    kept = _kept_mark()
    mark = kept or _newest()
    mails: set[int] = set()
    sendouts: set[int] = set()
    after: dict[str, int] = {}
    for kind in judging.KINDS:
        table = modules[kind].table
        c = table.c
        fresh = c.id > mark[kind]
        surroundings.mark_crowds(table, fresh)
        for row in db.session.execute(select(c.delivery_id, c.sendout_id).where(fresh).distinct()):
            mails.update(() if row.delivery_id is None else (row.delivery_id,))
            sendouts.update(() if row.sendout_id is None else (row.sendout_id,))
        old = select(func.max(c.id)).where(and_(fresh, c.at < clock.now() - FRESH))
        after[kind] = db.session.execute(old).scalar() or mark[kind]
    ids = sorted(mails)
    for place in range(0, len(ids), judging.BATCH):
        judging.judge_mails(ids[place : place + judging.BATCH])
        db.session.commit()
    if sendouts:
        judging.recount_sendouts(sorted(sendouts))
    if after != kept:
        _set_mark(after)
    db.session.commit()
    return len(ids)


def _kept_mark() -> dict[str, int] | None:
    """Up to which rows the verdicts have settled."""
    said: Any = db.session.execute(select(SETTINGS.c.value).where(SETTINGS.c.name == MARK)).scalar()
    return None if said is None else {kind: int(said[kind]) for kind in judging.KINDS}


def _newest() -> dict[str, int]:
    """Where a house begins that has no mark: what is older was judged when it came."""
    found = {}
    for kind in judging.KINDS:
        c = modules[kind].table.c
        old = select(func.max(c.id)).where(c.at < clock.now() - FRESH)
        found[kind] = db.session.execute(old).scalar() or 0
    return found


def _set_mark(after: dict[str, int]) -> None:
    db.session.execute(delete(SETTINGS).where(SETTINGS.c.name == MARK))
    db.session.execute(insert(SETTINGS).values(name=MARK, value=after, changed_at=clock.now()))
