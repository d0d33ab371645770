"""When scores are counted and touches made: what is new every minute, everything once a night, and at once after a merge, a
conversion, or a change of the rules. All of it may run again."""

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from crm import clock
from crm.db import db
from crm.engine import merging, outbox
from crm.engine.afterwards import listen
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.intakes.tables import Intake
from web_tracking.scoring import attributing, counting, gathering, model
from web_tracking.scoring.score_rules import ScoreRule
from web_tracking.scoring.tables import ScorePart
from web_tracking.scoring.touches import Touch

LEDGERS = {  # ledger → its column of the person
    "opens": "person_id", "clicks": "person_id", "page_views": "person_id", "visits": "person_id", "form_submissions": "person_id",
    "survey_responses": "person_id", "attendees": "contact_id", "tickets": "contact_id",
}  # fmt: skip
AGAIN = 500  # rows before the last one that are looked at again: what they say may have become known later
MANY = 20_000  # people; beyond, all are counted at once
LATE = timedelta(minutes=10)
MONTH = timedelta(days=30.4375)


@task("scores.catch_up", queue="files", every=60)
def catch_up(progress: Progress | None) -> str | None:
    """Count those to whom something happened, and note what led them here."""
    kept = model.row()
    if kept.counted_at is None:
        return everything(progress)
    since, now = dict(kept.seen), clock.now()
    seen = _last_ids()
    if seen == since and not _bound(kept.counted_at - LATE):
        db.session.rollback()
        return None
    from_row = {name: max(0, since.get(name, 0) - AGAIN) for name in seen}
    people = _people(from_row) | _bound(kept.counted_at - LATE)
    if len(people) > MANY:
        return everything(progress)
    last = db.session.execute(select(func.max(Touch.__table__.c.id))).scalar() or 0
    gathering.gather(from_row, kept.counted_at - LATE)
    counting.recount(sorted(people))
    table = Touch.__table__
    touched = db.session.execute(select(table.c.person_id).where(table.c.id > last).distinct()).scalars()
    _carry(list(touched))
    kept.seen, kept.counted_at = seen, now
    return f"{len(people)} people" if people else None


@task("scores.everything", queue="files", daily=time(3, 20))
def everything(progress: Progress | None) -> str:
    """Count everybody anew, as points fade and rules change, and make the touches that are missing. Commits."""
    kept = model.row()
    seen, now = _last_ids(), clock.now()
    db.session.commit()
    kept_since = now - MONTH * model.load().touch_months
    gathering.gather_mails()
    gathering.drop_older(kept_since)
    gathering.gather(kept_since=kept_since)
    db.session.commit()
    for key in ("leads", "potentials"):
        attributing.carry(key)
        db.session.commit()
    count = counting.recount_all(progress)
    kept = model.row()
    kept.seen, kept.counted_at = seen, now
    db.session.commit()
    return f"{count} rules"


@task("scores.of_people", queue="files")
def of_people(_progress: Progress | None, ids: list[int]) -> str:
    """Count some people anew, and carry their touches to leads and potentials. Also after a verdict on who opened or followed
    their mails has changed (put by the portal)."""
    gathering.gather_mails(ids)
    counting.recount(ids)
    _carry(ids)
    return f"{len(ids)} people"


@task("scores.changed", queue="files")
def changed(_progress: Progress | None, module: str, event: str, ids: list[int], **_rest: object) -> str | None:
    """After a change of a record: count the people whom it is about."""
    if module == "potentials":
        gathering.gather(_last_ids())
        attributing.carry("potentials", ids)
        return None
    if module == "attendees":
        table = modules["attendees"].table
        said = select(table.c.contact_id).where(table.c.id.in_(ids), table.c.contact_id.is_not(None))
        return of_people(None, sorted(set(db.session.execute(said).scalars())))
    people = list(ids)
    if module == "leads":
        leads = modules["leads"].table
        became = select(leads.c.converted_contact_id).where(
            leads.c.id.in_(ids), leads.c.converted_contact_id.is_not(None)
        )
        people += list(db.session.execute(became).scalars())
    if event == "deleted":
        parts = ScorePart.__table__
        db.session.execute(delete(parts).where(parts.c.person_id.in_(people)))
        return None
    return of_people(None, people)


def _carry(people: Sequence[int]) -> None:
    for at in range(0, len(people), counting.CHUNK):
        for key, ids in attributing.ids_of(people[at : at + counting.CHUNK]).items():
            if ids:
                attributing.carry(key, ids)


def _last_ids() -> dict[str, int]:
    tables: dict[str, Any] = {key: modules[key].table for key in LEDGERS}
    tables |= {"intakes": Intake.__table__, "change_log": Change.__table__}
    said = {key: select(func.max(table.c.id)) for key, table in tables.items()}
    return {key: int(db.session.execute(one).scalar() or 0) for key, one in said.items()}


def _people(since: dict[str, int]) -> set[int]:
    """Whom the rows of the ledgers after some ids are about."""
    found: set[int] = set()
    for key, column in LEDGERS.items():
        table = modules[key].table
        said = select(table.c[column]).where(table.c.id > since[key], table.c[column].is_not(None)).distinct()
        found |= set(db.session.execute(said.limit(MANY + 1)).scalars())
    table = Intake.__table__
    said = select(table.c.record_id).where(table.c.id > since["intakes"], table.c.record_id.is_not(None))
    return found | set(db.session.execute(said).scalars())


def _bound(since: Any) -> set[int]:
    """Who was recognised on a site lately: the visits before are theirs now."""
    visitors, sites = modules["visitors"].table, modules["tracked_sites"].table
    mine = visitors.c.site_id.in_(select(sites.c.id))
    said = select(visitors.c.person_id).where(mine, visitors.c.last_seen_at >= since, visitors.c.bound_at >= since)
    return set(db.session.execute(said.where(visitors.c.person_id.is_not(None))).scalars())


def put_everything() -> int:
    """Have everybody counted anew soon, once however often it was asked meanwhile. The caller commits."""
    return outbox.put_unless_waiting(db.session, "scores.everything")


def _is_any_rule() -> bool:
    table = ScoreRule.__table__
    return db.session.execute(select(table.c.id).where(table.c.active.is_(True)).limit(1)).first() is not None


def _is_any_condition() -> bool:
    table = ScoreRule.__table__
    asks = select(table.c.conditions).where(table.c.active.is_(True), table.c.deleted_at.is_(None))
    return any(db.session.execute(asks).scalars())


def _is_any_touch() -> bool:
    touches = Touch.__table__
    return db.session.execute(select(touches.c.id).limit(1)).first() is not None


def _is_anything() -> bool:
    return _is_any_rule() or _is_any_touch()


def _count_again(_viewer: Viewer, kept_id: int, _gone_id: int, _channel: Channel) -> None:
    """Two that are one have one score and one path: counted after the merge is written."""
    if _is_anything():
        outbox.put(db.session, "scores.of_people", ids=[kept_id])


for _key in ("contacts", "leads"):
    merging.before(_key, _count_again)
    listen(_key, "scores.changed", "deleted", "restored", when=_is_any_rule)
    listen(_key, "scores.changed", "updated", when=_is_any_condition)  # a rule may mean them now, or no longer
listen("leads", "scores.changed", "updated", fields=("converted_at",), when=_is_anything)
listen("attendees", "scores.changed", "updated", fields=("attended_at", "status"), when=_is_any_rule)
listen("potentials", "scores.changed", "created", when=_is_any_touch)
listen("potentials", "scores.changed", "updated", fields=("contact_id", "lead_id", "closed_on"), when=_is_any_touch)
