"""The mail a customer gets when a request was made in the portal: what he wrote, and its number; answers to it thread."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.modules.tickets import mails, templates
from crm.modules.tickets.answering import recipients
from crm.words import _, speaking


@task("tickets.receipt")
def receipt(progress: Progress, ticket_id: int) -> str:
    """Mail summary and number to the contact; once, however often this is run."""
    table = modules["tickets"].table
    said = select(table).where(table.c.id == ticket_id, table.c.deleted_at.is_(None))
    ticket = db.session.execute(said).mappings().first()
    if ticket is None:
        return "the ticket is gone"
    people = recipients(ticket)[:1]
    with speaking(mails.language_of(ticket)):
        content = _content(ticket)
    sent = [
        mails.send(ticket, person, content, dedupe_key=f"tickets:receipt:{ticket_id}", automatic="auto-generated")
        for person in people
    ]
    return f"{sum(sent)} mails"


def _content(ticket: Any) -> mails.Content:
    text = "\n\n".join([
        _("Thank you. We have your request %(number)s: %(title)s", number=ticket["number"], title=ticket["title"]),
        (ticket["description"] or "")[:4000],
        _("Answer to this mail when you want to add something."),
    ])  # fmt: skip
    return mails.Content(ticket["title"], text + "\n", templates.as_html(text))
