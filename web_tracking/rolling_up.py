"""The job that makes visitors, visits and page views of hits: a batch a transaction, in which its hits also go. Repeatable."""

import gc
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, case, delete, func, or_, select, update

from crm import config
from crm.db import db
from crm.engine.batches import Given, spread
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.engine.storing import insert_rows, update_rows
from crm.mail.sending.deliveries import Delivery
from crm.modules.privacy.erasures import Erasure
from web_tracking.batch import PAUSE, Batch, Known, Person, Visiting
from web_tracking.looking_up import ids_of
from web_tracking.modules.page_views import PageView
from web_tracking.modules.tracked_sites import TrackedSite
from web_tracking.modules.visitors import Visitor
from web_tracking.modules.visits import Visit
from web_tracking.stores import GONE, Store, Waiting, insert_of, store_of
from web_tracking.tables import SiteCount, SiteSign, VisitorLink

MOST = 20_000
CHUNK = 5_000
VISITORS, VISITS, VIEWS = Visitor.__table__, Visit.__table__, PageView.__table__
LINKS, COUNTS, SIGNS = VisitorLink.__table__, SiteCount.__table__, SiteSign.__table__


@task("web.roll_up", queue="files", every=15)
def roll_up(progress: Progress) -> str | None:
    """Roll up all that waits."""
    done = roll_up_all(store_of(config.current()), progress)
    return f"{done} hits" if done else None


def roll_up_all(store: Store, progress: Progress | None = None) -> int:
    """Roll up all hits of a store; gives how many there were. Commits each batch."""
    done = 0
    while count := _roll_up_some(store):
        done += count
        if progress is not None:
            progress.step(done)
            if progress.cancelled():
                break
    db.session.rollback()
    return done


def _roll_up_some(store: Store) -> int:
    """Roll up one batch. It makes hundreds of thousands of objects and no circles of them: the collector, which would walk
    them all again and again, waits meanwhile."""
    gc.disable()
    try:
        hits = store.take(MOST)
        if hits:
            write_up(hits)
            db.session.commit()
            store.done()
        return len(hits)
    finally:
        gc.enable()


def write_up(hits: list[Waiting]) -> None:
    """Write what a batch comes to, in the transaction at hand."""
    sites = set(db.session.execute(select(TrackedSite.__table__.c.id)).scalars())
    hits = [hit for hit in hits if hit.site_id in sites and hit.kind != GONE]
    personal = [hit for hit in hits if hit.visitor is not None]
    visitors = _visitors(personal)
    links = _links_in(personal)
    batch = Batch(
        ZoneInfo(config.current().timezone), visitors, _seen(visitors, personal), people_of({link[:2] for link in links}),
        _used({link[2] for link in links}), _next(VISITORS), _next(VISITS),
    )  # fmt: skip
    batch.work(hits)
    _write(batch)


# what is known


def _visitors(hits: Sequence[Waiting]) -> dict[tuple[int, str], Known]:
    """The visitors of the hits that have rows, with the visits that may go on."""
    found: dict[tuple[int, str], Known] = {}
    stored = ids_of(VISITORS, ("site_id", "cookie"), list({(hit.site_id, str(hit.visitor)) for hit in hits}))
    for ids in _chunks([id for id in stored if id is not None]):
        for row in db.session.execute(select(VISITORS).where(VISITORS.c.id.in_(ids))).mappings():
            values = dict(row)
            found[row["site_id"], row["cookie"]] = Known(values.pop("id"), values, is_new=False)
    by_id = {known.id: known for known in found.values()}
    if not by_id:
        return found
    since = datetime.fromtimestamp(min(hit.at for hit in hits) / 1000, UTC) - PAUSE
    for ids in _chunks(by_id):
        said = (
            select(VISITS).where(VISITS.c.visitor_id.in_(ids), VISITS.c.ended_at >= since).order_by(VISITS.c.ended_at)
        )
        for row in db.session.execute(said).mappings():
            values = dict(row)
            by_id[row["visitor_id"]].visit = Visiting(values.pop("id"), values, is_new=False)
    return found


def _seen(visitors: dict[tuple[int, str], Known], hits: Sequence[Waiting]) -> set[tuple[int, int]]:
    """Which page views of the hits exist already."""
    asked = list(
        {(visitors[place].id, hit.nonce) for hit in hits if (place := (hit.site_id, str(hit.visitor))) in visitors}
    )
    stored = ids_of(VIEWS, ("visitor_id", "nonce"), asked)
    return {place for place, id in zip(asked, stored, strict=True) if id is not None}


def _links_in(hits: Sequence[Waiting]) -> list[tuple[str, int, int]]:
    return [tuple(json.loads(hit.said)["w"]) for hit in hits if '"w":[' in hit.said]  # type: ignore[misc]


def people_of(links: set[tuple[str, int]]) -> dict[tuple[str, int], Person]:
    """(way, id of a personal link) → the living person it was for, who has not refused to be measured."""
    mails = [id for way, id in links if way == "mail"]
    found = {(way, id): Person(id) for way, id in links if way != "mail"}
    table = Delivery.__table__
    for ids in _chunks(mails):
        said = select(table.c.id, table.c.person_id, table.c.sendout_id).where(table.c.id.in_(ids))
        for row in db.session.execute(said):
            if row.person_id is not None:
                found["mail", row.id] = Person(row.person_id, row.sendout_id)
    alive: set[int] = set()
    for ids in _chunks({person.id for person in found.values()}):
        for key in ("contacts", "leads"):
            c = modules[key].table.c
            is_willing = or_(c.may_measure_opens.is_(None), c.may_measure_opens != "no")
            said = select(c.id).where(c.id.in_(ids), c.deleted_at.is_(None), is_willing)
            alive |= set(db.session.execute(said).scalars())
    for ids in _chunks(alive):
        alive -= set(db.session.execute(select(Erasure.entity_id).where(Erasure.entity_id.in_(ids))).scalars())
    return {place: person for place, person in found.items() if person.id in alive}


def _used(serials: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in _chunks(serials):
        said = select(LINKS.c.serial, LINKS.c.visitor_id).where(LINKS.c.serial.in_(some))
        found |= {row.serial: row.visitor_id for row in db.session.execute(said)}
    return found


def _next(table: Any) -> int:
    """The next free id: only the roll-up makes rows of these tables, one at a time."""
    return int(db.session.execute(select(func.max(table.c.id))).scalar() or 0) + 1


def _chunks(values: Iterable[Any]) -> Iterable[list[Any]]:
    listed = list(values)
    return (listed[place : place + CHUNK] for place in range(0, len(listed), CHUNK))


# what is written


def _write(batch: Batch) -> None:
    known = list(batch.visitors.values())
    insert_rows(VISITORS, [{"id": one.id, **one.values} for one in known if one.is_new])
    _change(
        VISITORS, ("person_id", "bound_at", "bound_via", "last_seen_at", "visit_count"),
        [(one.id, one.values) for one in known if one.is_changed and not one.is_new],
    )  # fmt: skip
    insert_rows(VISITS, [{"id": one.id, **one.values} for one in batch.visits])
    going_on = [one.visit for one in known if one.visit and not one.visit.is_new and one.visit.is_changed]
    _change(
        VISITS,
        ("person_id", "sendout_id", "ended_at", "page_count", "exit"),
        [(one.id, one.values) for one in going_on],
    )
    _mark_returned(batch.asked)
    for id, view in enumerate(batch.views, _next(VIEWS)):
        view["id"] = id
    insert_rows(VIEWS, batch.views)
    _note_seconds(batch.seconds)
    insert_rows(LINKS, batch.links)
    _give_back([one for one in known if one.was_bound and not one.is_new])
    if gone := [one.id for one in batch.forgotten if not one.is_new]:
        remove_visitors(gone)
    _add_counts(batch)
    _note_signs(batch)


def _change(table: Any, names: Sequence[str], rows: Sequence[tuple[int, dict[str, Any]]]) -> None:
    update_rows(table, names, [{"of_id": id} | {name: values[name] for name in names} for id, values in rows], {})


def _mark_returned(views: Sequence[dict[str, Any]]) -> None:
    """Views, not written yet, of whose page the same visitor saw in a visit of an earlier batch."""
    asked = [(view["visitor_id"], view["path"], view["visit_id"], "view") for view in views]
    stored = ids_of(VIEWS, ("visitor_id", "path", "visit_id", "kind"), asked, before="visit_id")
    for view, id in zip(views, stored, strict=True):
        view["is_returned"] = id is not None


def _note_seconds(seconds: dict[tuple[int, int], int]) -> None:
    if seconds:
        longer = case((VIEWS.c.seconds < bindparam("said"), bindparam("said")), else_=VIEWS.c.seconds)
        mine = (VIEWS.c.visitor_id == bindparam("of_visitor"), VIEWS.c.nonce == bindparam("of_nonce"))
        db.session.connection().execute(
            update(VIEWS).where(*mine).values(seconds=longer),
            [{"of_visitor": place[0], "of_nonce": place[1], "said": said} for place, said in seconds.items()],
        )


def _give_back(bound: Sequence[Known]) -> None:
    """Who became known in this batch is the person of the earlier visits, too."""
    for one in bound:
        for table in (VISITS, VIEWS):
            mine = (table.c.visitor_id == one.id, table.c.person_id.is_(None))
            db.session.execute(update(table).where(*mine).values(person_id=one.values["person_id"]))


def remove_visitors(ids: Sequence[int]) -> int:
    """Take away visitors with their visits, pages and links; gives how many. The caller commits."""
    gone = 0
    for some in _chunks(ids):
        for table in (VIEWS, VISITS, LINKS):
            db.session.execute(delete(table).where(table.c.visitor_id.in_(some)))
        gone += int(db.session.execute(delete(VISITORS).where(VISITORS.c.id.in_(some))).rowcount)  # type: ignore[attr-defined]
    return gone


def _add_counts(batch: Batch) -> None:
    """Add to what was counted before: one statement, as there are thousands of pages and days in a batch."""
    if not batch.counts:
        return
    connection = db.session.connection()
    columns = zip(*((*place, count) for place, count in batch.counts.items()), strict=True)
    names = ("site_id", "day", "what", "name", "count")
    made = spread(
        connection, [Given(name, COUNTS.c[name], list(said)) for name, said in zip(names, columns, strict=True)]
    )
    said = ", ".join(made.said.values())
    rows = f"SELECT {said} FROM {made.source} WHERE true" if made.source else f"VALUES ({said})"  # noqa: S608 — bound
    connection.exec_driver_sql(
        f"INSERT INTO site_counts ({', '.join(made.said)}) {rows} "
        "ON CONFLICT (site_id, what, day, name) DO UPDATE SET count = site_counts.count + excluded.count",
        made.parameters,
    )


def _note_signs(batch: Batch) -> None:
    for site_id, at in batch.heard.items():
        values = {"heard_at": at} | ({"tried_at": batch.tried[site_id]} if site_id in batch.tried else {})
        said = insert_of(db.session)(SIGNS).values(site_id=site_id, **values)
        db.session.execute(said.on_conflict_do_update(index_elements=["site_id"], set_=values))
