"""A mail that answers one of ours about a service request becomes a message in it, as if it were written in the portal.

Proof is the Message-ID of a mail that we sent to that very person, which nobody can guess; anything else is left to the scanner's rules.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from crm.db import db
from crm.engine.registry import modules
from crm.mail.inbox.parse import Incoming
from crm.mail.sending.deliveries import Delivery
from crm.modules.contacts.resolve import people_of
from crm.modules.service_requests import notes, steps
from crm.modules.service_requests.lists import ENDED
from crm.modules.tickets.commenting import MOST, Author
from crm.modules.tickets.scanning import parts
from crm.modules.tickets.scanning.parts import Taken
from crm.words import _

MOST_IDENTITIES = 100
SOURCES = (
    "step",
    "note",
    "feedback",
)  # the second word of our dedupe keys; the third is its id (of feedback: the request's)


@dataclass(frozen=True)
class Answered:
    """The request that a mail answers, and the contact who wrote it."""

    request: Any
    contact_id: int


def answered(mail: Incoming) -> Answered | None:
    """What a mail provably answers; None where nothing is proved, and for requests that have ended: those begin anew."""
    wanted = list(dict.fromkeys([*mail.in_reply_to, *reversed(mail.references)]))[:MOST_IDENTITIES]
    theirs = [one.id for one in people_of(mail.sender.addr) if one.module == "contacts"] if mail.sender else []
    if not wanted or not theirs:
        return None
    table = Delivery.__table__
    said = select(table.c.dedupe_key, table.c.person_id).where(
        table.c.person_id.in_(theirs), table.c.dedupe_key.startswith("sr:"),
        or_(*(table.c.message_id == one for one in wanted)),
    )  # fmt: skip
    for row in db.session.execute(said.order_by(table.c.id.desc())):
        request = _request(row.dedupe_key)
        if request is not None and request["state"] not in ENDED:
            return Answered(request, row.person_id)
    return None


def _request(key: str) -> Any:
    """The living request of a mail of ours, by its dedupe key (telling.py): sr:step:7:mail:1, sr:note:3:mail, sr:feedback:9:mail."""
    _sr, source, id = key.split(":")[:3]
    if source not in SOURCES or not id.isdecimal():
        return None
    request_id: Any = int(id)
    if source != "feedback":
        table = steps.TABLE if source == "step" else notes.TABLE
        request_id = db.session.execute(select(table.c.request_id).where(table.c.id == int(id))).scalar()
    requests = modules["service_requests"].table
    said = select(requests).where(requests.c.id == request_id, requests.c.deleted_at.is_(None))
    return db.session.execute(said).mappings().first()


def take_in(found: Answered, mail: Incoming) -> Taken:
    """Keep the mail as a message of the customer, with its files; who holds the request is told. The caller commits."""
    files, dropped = parts.keep(mail)
    text = (mail.text or "").strip() or _("(The mail has no text.)")
    if dropped:
        text = f"{text}\n\n{dropped}"
    author = Author("customer", parts.name_of(mail), contact_id=found.contact_id)
    notes.put(found.request["id"], author, text[:MOST], False, files)
    return Taken("commented", _("Service request %(number)s", number=found.request["number"]))
