"""Tickets that are the same one: comments, files and watchers move to the ticket that stays; the others point at it, closed."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from crm import clock
from crm.db import db
from crm.engine import history, records, relations
from crm.engine.attachments import EntityFile
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.modules.tickets import statuses
from crm.modules.tickets.commenting import Author, files_of, of_id, put
from crm.modules.tickets.comments import TicketComment, TicketMail
from crm.modules.tickets.scanning.tables import ScannedMail
from crm.words import _

MOST = 20


def merge(viewer: Viewer, keep_id: int, other_ids: Sequence[int], channel: Channel) -> None:
    """Merge others into one. Raises Refused, Missing, Forbidden. The caller commits."""
    demand(viewer, "merge", "tickets")
    ids = [id for id in dict.fromkeys(other_ids) if id != keep_id]
    if not ids or len(ids) > MOST:
        raise Refused.because("required", _("Choose 1 to %(most)s other tickets.", most=MOST), "other")
    keep = demand_record(viewer, "tickets", keep_id, "edit")
    others = [demand_record(viewer, "tickets", id, "edit") for id in ids]
    if keep["merged_into_id"] or any(one["merged_into_id"] for one in others):
        raise Refused.because("merged", _("One of these was merged into another ticket already."), "other")
    for one in others:
        if one["description"]:
            author = Author(
                "customer" if one["contact_id"] else "house",
                _("From %(number)s", number=one["number"]),
                contact_id=one["contact_id"],
            )
            put(
                keep_id,
                author,
                {"text": f"{one['title']}\n\n{one['description']}", "visibility": "internal", "at": one["created_at"]},
            )
    for table in (TicketComment, TicketMail, ScannedMail):
        db.session.execute(update(table).where(table.ticket_id.in_(ids)).values(ticket_id=keep_id))
    _move_files(ids, keep_id)
    for id in ids:
        relations.move_all(id, keep_id, "tickets.watchers", forward=True)
    closed = {"status": statuses.first_of("closed"), "merged_into_id": keep_id}
    records.update_many(SYSTEM, "tickets", dict.fromkeys(ids, closed), Channel.SYSTEM)
    history.note_events(viewer, modules["tickets"], [keep_id, *ids], "merged", channel, clock.now())


def _move_files(ids: list[int], keep_id: int) -> None:
    table = EntityFile.__table__
    mine = select(table.c.file_id).where(table.c.entity_id == keep_id)
    said = select(table.c.file_id).where(table.c.entity_id.in_(ids), table.c.file_id.not_in(mine)).distinct()
    rows = [{"entity_id": keep_id, "file_id": file_id} for file_id in db.session.scalars(said)]
    if rows:
        db.session.execute(insert(table), rows)


def split(viewer: Viewer, comment_id: int, title: str, channel: Channel) -> int:
    """Make a ticket of its own from one comment, for the same people; gives its id. Raises Refused, Missing, Forbidden.

    The comment stands in it as it was said, with its files; a note for staff stays one, so it is no description either.
    """
    comment = of_id(viewer, comment_id)
    if comment["removed_at"]:
        raise Missing
    ticket = demand_record(viewer, "tickets", comment["ticket_id"], "edit")
    names = ("contact_id", "account_id", "product_id", "priority", "category", "cc", "owner_id")
    values = {name: ticket[name] for name in names} | {
        "title": title,
        "description": comment["text"] if comment["visibility"] == "public" else None,
        "parent_id": ticket["id"],
    }
    made = records.create(viewer, "tickets", values, channel)
    author = Author(comment["author"], comment["author_name"] or "", comment["user_id"], comment["contact_id"])
    said = {name: comment[name] for name in ("text", "quoted", "html", "visibility", "source", "at", "flag", "note")}
    put(made, author, said, [one.id for one in files_of([comment_id]).get(comment_id, ())])
    return made
