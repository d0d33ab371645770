"""What people ask about their data: correction, erasure, restriction. Each is a ticket that is due in 30 days."""

from datetime import timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import picklists, records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.words import N_, _

CATEGORY = "Data request"
DUE = timedelta(days=30)
KINDS = {
    "correction": N_("Correct my data"),
    "erasure": N_("Erase my data"),
    "restriction": N_("Restrict the use of my data"),
}
MOST = 5_000


def check(kind: str, text: str) -> None:
    """Raises Refused when a request says too little or too much."""
    if kind not in KINDS:
        raise Refused.because("not_in_list", _("Choose what you ask for."), "kind")
    if kind == "correction" and not text.strip():
        raise Refused.because("required", _("Say what is wrong and what is right."), "text")
    if len(text) > MOST:
        raise Refused.because("too_long", _("At most %(most)s characters.", most=MOST), "text")


def ask(module: str, person_id: int, kind: str, text: str, source: str = "portal") -> int:
    """Write the request as a ticket; gives its id, that of an open one of the same kind when there is one.

    Raises Refused. The caller commits."""
    check(kind, text)
    table = modules["tickets"].table
    contact_id = person_id if module == "contacts" else None
    title = f"{CATEGORY}: {KINDS[kind]}" + ("" if contact_id else f" (/crm/{module}/{person_id})")
    same = select(table.c.id).where(
        table.c.title == title, table.c.state != "closed", table.c.deleted_at.is_(None),
        table.c.contact_id == contact_id if contact_id else table.c.contact_id.is_(None),
    )  # fmt: skip
    known = db.session.execute(same.limit(1)).scalar()
    if known is not None:
        return int(known)
    values = {
        "title": title, "category": CATEGORY if picklists.is_key("ticket_category", CATEGORY) else None, "source": source,
        "description": text.strip() or None, "due_at": clock.now() + DUE, "contact_id": contact_id,
    }  # fmt: skip
    return records.create(SYSTEM, "tickets", values, Channel.SYSTEM)
