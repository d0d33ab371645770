"""A form says who a browser belongs to: its visitor gets its person, its visits go with it. The mail that brought the browser is
a touch of its record too, and a record that names no campaign gets that of the mail."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update

from crm import clock, config
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, RunLater, task
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from web_tracking.modules.page_views import PageView
from web_tracking.modules.visitors import Visitor, of_cookie
from web_tracking.modules.visits import Visit
from web_tracking.rolling_up import people_of, roll_up_all
from web_tracking.scoring import gathering
from web_tracking.stores import ROLLING_UP, store_of

VISITORS, VISITS, VIEWS = Visitor.__table__, Visit.__table__, PageView.__table__
MAILED_WITHIN = timedelta(days=30)


@task("web.introduce", queue="files")
def introduce(_progress: Progress | None, visitor: str, person_id: int, module: str, at: str) -> str:
    """Tie the browser with this cookie to a person. A browser that is somebody's already stays his."""
    store = store_of(config.current())
    roll_up_all(store)  # its last pages may still wait
    if (
        db.engine.dialect.name == "postgresql"
        and not db.session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ROLLING_UP}).scalar()
    ):
        raise RunLater(5, "the roll-up is at work")
    said = select(VISITORS).where(of_cookie(visitor))
    found = [dict(row) for row in db.session.execute(said).mappings()]
    if not found:
        return "nobody with that cookie"
    if ("form", person_id) not in people_of({("form", person_id)}):
        return "the person is gone, or refused to be known"
    mine = [one["id"] for one in found if one["person_id"] in (None, person_id)]
    for id in mine:
        known = {"person_id": person_id, "bound_at": clock.now(), "bound_via": "form"}
        db.session.execute(update(VISITORS).where(VISITORS.c.id == id, VISITORS.c.person_id.is_(None)).values(known))
        for table in (VISITS, VIEWS):
            free = (table.c.visitor_id == id, table.c.person_id.is_(None))
            db.session.execute(update(table).where(*free).values(person_id=person_id))
    _note_mail([one["id"] for one in found], person_id, module, datetime.fromisoformat(at).astimezone(UTC))
    return f"{len(mine)} of {len(found)}"


def _note_mail(visitors: list[int], person_id: int, module: str, at: datetime) -> None:
    """The mail that brought the browser within a month before the form: its campaign as that of the record, and a touch where
    it was somebody else's mail (his own is one already)."""
    sendouts, table = modules["sendouts"].table, modules[module].table
    said = (
        select(
            sendouts.c.id.label("sendout_id"), sendouts.c.name, sendouts.c.campaign_id, VISITS.c.person_id, VISITS.c.started_at, VISITS.c.entry,
        )
        .join_from(VISITS, sendouts, VISITS.c.sendout_id == sendouts.c.id)
        .where(VISITS.c.visitor_id.in_(visitors), VISITS.c.started_at.between(at - MAILED_WITHIN, at))
        .order_by(VISITS.c.started_at.desc())
        .limit(1)
    )  # fmt: skip
    visit: Any = db.session.execute(said).first()
    if visit is None:
        return
    if visit.person_id != person_id:
        gathering.lend_mail(person_id, {
            "at": visit.started_at, "campaign": visit.name[:150], "detail": visit.entry, "sendout_id": visit.sendout_id,
            "campaign_id": visit.campaign_id,
        })  # fmt: skip
        outbox.put(db.session, "scores.of_people", ids=[person_id])
    if visit.campaign_id is None or "campaign_id" not in table.c:
        return
    held = db.session.execute(select(table.c.campaign_id).where(table.c.id == person_id)).one_or_none()
    if held is not None and held.campaign_id is None:
        records.update(SYSTEM, module, person_id, {"campaign_id": visit.campaign_id}, Channel.SYSTEM)
