"""What tickets hold about persons beside their rows: files that came with what they wrote."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, select

from crm.db import db
from crm.engine import attachments
from crm.modules.privacy import own
from crm.modules.privacy.holdings import Holding, register_eraser, register_notes
from crm.modules.privacy.person import Person
from crm.modules.tickets.comments import CommentFile, TicketComment
from crm.words import N_


def erase(person: Person) -> Mapping[str, int]:
    """Take away the files that came with comments of the person; those that staff sent stay. The caller commits."""
    table = TicketComment.__table__
    theirs = select(table.c.id).where(table.c.contact_id.in_(person.contact_ids))
    ids = list(db.session.scalars(select(CommentFile.file_id).where(CommentFile.comment_id.in_(theirs))))
    db.session.execute(delete(CommentFile).where(CommentFile.comment_id.in_(theirs)))
    attachments.drop_unheld(ids)
    return {"files of tickets": len(ids)}


def _notes(ids: Sequence[int]) -> Select[Any]:
    """What staff wrote among themselves in tickets of the persons."""
    c = TicketComment.__table__.c
    is_theirs = c.ticket_id.in_(own.own_tickets(ids)), c.visibility == "internal", c.removed_at.is_(None)
    return select(c.ticket_id, c.at, c.author, c.text).where(*is_theirs).order_by(c.id)


register_notes(Holding("ticket_comments", "contact_id", N_("Internal comments in requests"), rows=_notes))
register_eraser(erase)
