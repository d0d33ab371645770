"""How far people came who were asked: opened, begun, finished; by mail, and by day."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from surveys.answering import INVITATIONS, RESPONSES
from surveys.cuts import Cut, response_count
from surveys.design import Design, load


@dataclass(frozen=True)
class Rates:
    """How many were asked, opened the link, began and finished."""

    asked: int
    opened: int
    started: int
    completed: int
    responses: int


def rates(design: Design, cut: Cut | None = None) -> Rates:
    """How far people came who were asked; of one mail, campaign or subject when the cut names it (else of all)."""
    cut, c = cut or Cut(), INVITATIONS.c
    where = [c.survey_id == design.id]
    if cut.subject_id is not None:
        where.append(c.subject_id == cut.subject_id)
    if cut.sendout_id is not None or cut.campaign_id is not None:
        posts, mails = Delivery.__table__, modules["sendouts"].table
        wanted = select(posts.c.id)
        if cut.sendout_id is not None:
            wanted = wanted.where(posts.c.sendout_id == cut.sendout_id)
        if cut.campaign_id is not None:
            wanted = wanted.join(mails, mails.c.id == posts.c.sendout_id).where(mails.c.campaign_id == cut.campaign_id)
        where.append(c.delivery_id.in_(wanted))
    row = db.session.execute(
        select(
            func.count(), func.count(c.opened_at), func.count(c.started_at), func.count().filter(c.is_answered)
        ).where(*where)
    ).one()
    return Rates(*row, response_count(design, cut))


def of_sendout(viewer: Viewer, sendout_id: int) -> list[tuple[int, str, Rates]]:
    """(id, name, rates) of each survey that the mails of a sendout lead to, as far as `viewer` may see them."""
    posts, c = Delivery.__table__, INVITATIONS.c
    said = (
        select(c.survey_id).join(posts, posts.c.id == c.delivery_id).where(posts.c.sendout_id == sendout_id).distinct()
    )
    ids = list(db.session.execute(said).scalars())
    if not ids or not may(viewer, "view", "surveys"):
        return []
    rows = search.find(viewer, "surveys", where={"$in": ["id", ids]}, columns=("name",), sort=("name",), limit=20).rows
    return [(row.id, row["name"], rates(load(row.id), Cut(sendout_id=sendout_id))) for row in rows]


def by_day(design: Design, cut: Cut | None = None) -> list[tuple[date, int]]:
    """How many answered on which day, days without anybody too (at most a year of them); never of anonymous surveys."""
    if design.row["anonymous"]:
        return []
    day = RESPONSES.c.completed_on
    said = (
        select(day, func.count())
        .where(*(cut or Cut()).conditions(design.id), day.is_not(None))
        .group_by(day)
        .order_by(day)
    )
    counts = {row[0]: row[1] for row in db.session.execute(said)}
    if not counts:
        return []
    last = max(counts)
    first = max(min(counts), last - timedelta(days=365))
    return [
        (first + timedelta(days=n), counts.get(first + timedelta(days=n), 0)) for n in range((last - first).days + 1)
    ]
