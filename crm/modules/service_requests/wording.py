"""Words of mails to customers about service requests: an administrator's template where there is one, else ours, in the reader's language.

Templates are e-mail templates in the folder System with the names ANSWER and ENDED_WELL, in one language or several. Their
tags: request.*, contact.*, account.name, user.name, step.kind, step.text, link (to accept or to rate; "" where nothing is asked).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.labels import of_name
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests.lists import STEP_WORDS
from crm.modules.tickets import templates
from crm.modules.tickets.mails import Content
from crm.words import LANGUAGES, _, speaking

ANSWER, ENDED_WELL = "Service request answer", "Service request completed"
SUBJECT = "{$request.number}: {$step.kind}: {$request.title}"
PLAIN = "{$request.number}: {$request.title}"


def language_of(request: Mapping[str, Any]) -> str:
    """The language in which the house writes about a request: that of its contact, else of the site."""
    table = modules["contacts"].table
    said = db.session.scalar(select(table.c.language).where(table.c.id == (request["contact_id"] or 0)))
    return said if said in LANGUAGES else str(config.current().locale)


def of_step(request: Mapping[str, Any], step: Mapping[str, Any], link: str) -> Content:
    """The mail of a response or resolution; `link`: where it is accepted, "" where that is not asked."""
    with speaking(language_of(request)):
        kind, ask = _(STEP_WORDS[step["step"]]), _("Please tell us whether this helps:")
    own = {"step.kind": kind, "step.text": step["text"] or step["category_path"] or "", "link": link}
    return _fill(ANSWER, request, own | {"user.name": _named(step["by_id"])}, SUBJECT, "{$step.text}\n", ask)


def of_end(request: Mapping[str, Any], link: str) -> Content:
    """The mail that says that the request is completed, and asks how it went."""
    with speaking(language_of(request)):
        done, ask = _("Your request is completed."), _("How did we do? Tell us here:")
    return _fill(ENDED_WELL, request, {"step.text": done, "link": link}, PLAIN, "{$step.text}\n", ask)


def of_message(request: Mapping[str, Any], text: str, is_cut: bool) -> Content:
    """A message of staff; `is_cut`: not all of its files go with the mail."""
    if is_cut:
        with speaking(language_of(request)):
            text += "\n\n" + _("Not all files fit into a mail; ask us for the others.")
    return templates.fill(None, values_of(request) | {"step.text": text}, PLAIN, "{$step.text}\n")


def _fill(name: str, request: Mapping[str, Any], own: dict[str, str], subject: str, text: str, ask: str) -> Content:
    """Filled words; a link that a template forgot stands at the end."""
    row = templates.row_of(name, language_of(request))
    made = templates.fill(row, values_of(request) | own, subject, text)
    link = own["link"]
    if not link or link in made.text:
        return made
    said = f"{made.text.rstrip()}\n\n{ask}\n{link}\n"
    return Content(made.subject, said, templates.as_html(said) if row is None or not row["html"] else made.html)


def values_of(request: Mapping[str, Any]) -> dict[str, str]:
    """What tags of these mails may say of the request and its customer. Nothing internal is among them."""
    table = modules["contacts"].table
    said = select(table.c.first_name, table.c.last_name).where(table.c.id == (request["contact_id"] or 0))
    person = db.session.execute(said).first()
    first, last = (person.first_name, person.last_name) if person else ("", "")
    made = {
        "request.number": request["number"], "request.title": request["title"],
        "request.status": _(of_name("sr_statuses", request["status"])) if request["status"] else "",
        "request.description": request["description"], "contact.first_name": first, "contact.last_name": last,
        "contact.name": f"{first or ''} {last or ''}".strip(), "account.name": _named(request["account_id"]),
    }  # fmt: skip
    return {name: str(value or "") for name, value in made.items()}


def _named(id: int | None) -> str:
    return labels_of(SYSTEM, [id]).get(id, "") if id else ""
