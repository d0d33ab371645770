"""Reading the knowledge base: how often an answer was read, and whether it was of help."""

from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update

from crm.db import db
from crm.engine import relations
from crm.engine.refusals import Missing
from crm.modules.faqs import Faq, FaqVote

TABLE = Faq.__table__


def note_view(faq_id: int) -> None:
    """One more has read it. The caller commits."""
    db.session.execute(update(TABLE).where(TABLE.c.id == faq_id).values(views=func.coalesce(TABLE.c.views, 0) + 1))


def published(faq_id: int | None = None, newest: int = 0) -> list[Any]:
    """Published answers: the one with this id, or the newest few."""
    said = select(TABLE).where(TABLE.c.status == "Published", TABLE.c.deleted_at.is_(None))
    if faq_id is not None:
        said = said.where(TABLE.c.id == faq_id)
    return list(db.session.execute(said.order_by(TABLE.c.updated_at.desc(), TABLE.c.id.desc()).limit(newest or 1)))


def related_to(faq_id: int) -> Select[tuple[int]]:
    """Ids of the FAQs that one is linked with, whichever of the two says so; what of them is published the reader asks."""
    ways = [relations.linked("faqs", faq_id, name) for name in ("related", "related_from")]
    return select(TABLE.c.id).where(or_(*(TABLE.c.id.in_(way) for way in ways)))


def published_beside(faq_id: int, most: int) -> list[Any]:
    """Id and question of the published answers that one is linked with."""
    said = select(TABLE.c.id, TABLE.c.question).where(
        TABLE.c.id.in_(related_to(faq_id)), TABLE.c.status == "Published", TABLE.c.deleted_at.is_(None)
    )
    return list(db.session.execute(said.order_by(TABLE.c.question, TABLE.c.id).limit(most)))


def vote(faq_id: int, is_helpful: bool, contact_id: int | None = None) -> None:
    """Say whether an answer was of help; a contact's later word replaces the earlier one. Raises Missing. The caller commits."""
    is_there = TABLE.c.id == faq_id, TABLE.c.status == "Published", TABLE.c.deleted_at.is_(None)
    if db.session.execute(select(TABLE.c.id).where(*is_there).with_for_update()).first() is None:  # one after the other
        raise Missing
    yes, no = (1, 0) if is_helpful else (0, 1)
    if contact_id is not None:
        votes = FaqVote.__table__
        mine = (votes.c.faq_id == faq_id, votes.c.contact_id == contact_id)
        before = db.session.execute(select(votes.c.is_helpful).where(*mine)).scalar()
        if before == is_helpful:
            return
        if before is None:
            db.session.execute(insert(votes).values(faq_id=faq_id, contact_id=contact_id, is_helpful=is_helpful))
        else:
            db.session.execute(update(votes).where(*mine).values(is_helpful=is_helpful))
            yes, no = (1, -1) if is_helpful else (-1, 1)
    counted = {
        "helpful_yes": func.coalesce(TABLE.c.helpful_yes, 0) + yes,
        "helpful_no": func.coalesce(TABLE.c.helpful_no, 0) + no,
    }
    db.session.execute(update(TABLE).where(TABLE.c.id == faq_id).values(counted))
