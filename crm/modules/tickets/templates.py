"""Texts of ticket mails: e-mail templates of an administrator, filled with tags; ours when there is none (never a blocked mail)."""

import html
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from crm.db import Entity, db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.engine.tags import TagError
from crm.engine.tags import compile as compile_tags
from crm.identity.viewer import SYSTEM
from crm.modules.tickets.mails import Content
from crm.words import _

CHANGE_COMMENTS = "Change Comments"
CANNED = "Tickets"  # the folder of email_templates whose templates are offered in the box for answers
SUBJECT = "{$ticket.title}"
TEXT = "{$comment.text}\n\n{$user.name}\n\n--\n{$ticket.number}: {$ticket.title}\n"


def seed() -> None:
    """The template of agents' answers, so that administrators can change it. The caller commits."""
    table = modules["email_templates"].table
    if db.session.execute(select(table.c.id).where(table.c.name == CHANGE_COMMENTS).limit(1)).first() is None:
        values = {
            "name": CHANGE_COMMENTS, "kind": "template", "folder": "System", "subject": SUBJECT, "text": TEXT,
            "description": "Answers of agents to tickets go out in these words.",
        }  # fmt: skip
        records.create(SYSTEM, "email_templates", values, Channel.SYSTEM)


def row_of(name: str, language: str = "") -> Any:
    """The template of a name in the folder System: the newest in the language, else the newest of any; None without one."""
    table = modules["email_templates"].table
    said = select(table).where(table.c.name == name, table.c.folder == "System", table.c.deleted_at.is_(None))
    fitting = (func.coalesce(table.c.language == language, False).desc(), table.c.language.is_(None).desc())
    return db.session.execute(said.order_by(*fitting, table.c.id.desc()).limit(1)).mappings().first()


def values_of(ticket: Mapping[str, Any], user_name: str = "", comment: str = "") -> dict[str, str]:
    """What tags of ticket mails may say: ticket.*, contact.*, user.name, comment.text. Nothing internal is among them."""
    labels = dict(
        db.session.execute(
            select(Entity.id, Entity.label).where(Entity.id.in_([ticket["contact_id"] or 0, ticket["account_id"] or 0]))
        ).all()
    )  # fmt: skip
    made = {
        "ticket.number": ticket["number"], "ticket.title": ticket["title"], "ticket.status": ticket["status"],
        "ticket.priority": ticket["priority"], "ticket.description": ticket["description"], "ticket.solution": ticket["solution"],
        "user.name": user_name, "comment.text": comment, "contact.name": labels.get(ticket["contact_id"]),
        "account.name": labels.get(ticket["account_id"]),
    }  # fmt: skip
    if ticket["contact_id"]:
        table = modules["contacts"].table
        row = db.session.execute(
            select(table.c.first_name, table.c.last_name).where(table.c.id == ticket["contact_id"])
        ).first()
        if row is not None:
            made |= {"contact.first_name": row.first_name, "contact.last_name": row.last_name}
    return {name: str(value or "") for name, value in made.items()}


def fill(row: Any, values: Mapping[str, str], subject: str = SUBJECT, text: str = TEXT) -> Content:
    """A template's words for one ticket; `subject` and `text` stand in for what it lacks, and for all of it when it is broken."""
    said_subject, said_text, page = subject, text, ""
    if row is not None:
        said_subject, said_text, page = row["subject"] or subject, row["text"] or "", row["html"] or ""
        said_text = said_text or ("" if page else text)
    try:
        made = compile_tags(said_text, "text").fill(values)
        return Content(
            compile_tags(said_subject, "subject").fill(values), made,
            compile_tags(page, "html").fill(values) if page else as_html(made),
        )  # fmt: skip
    except TagError:
        made = compile_tags(text, "text").fill(values)
        return Content(compile_tags(subject, "subject").fill(values), made, as_html(made))


def as_html(text: str) -> str:
    """Plain text as the HTML of a mail: escaped, its line breaks kept."""
    body = html.escape(text).replace("\n", "<br>\n")
    return f'<!doctype html><html><body><p style="font-family:sans-serif">{body}</p></body></html>'


def canned() -> list[tuple[int, str]]:
    """The ready answers: (id, name) of the templates in the folder Tickets."""
    table = modules["email_templates"].table
    said = select(table.c.id, table.c.name).where(table.c.folder == CANNED, table.c.deleted_at.is_(None))
    return [(row.id, row.name) for row in db.session.execute(said.order_by(table.c.name).limit(200))]


def canned_text(id: int, ticket: Mapping[str, Any], user_name: str) -> str:
    """The text of a ready answer, filled for a ticket; "" when there is none."""
    table = modules["email_templates"].table
    said = select(table).where(table.c.id == id, table.c.folder == CANNED, table.c.deleted_at.is_(None))
    row = db.session.execute(said).mappings().first()
    if row is None:
        return ""
    return fill(row, values_of(ticket, user_name), text=_("(This ready answer has no text.)")).text
