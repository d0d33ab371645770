"""A mail about a ticket that is there: an answer of its people or of staff, a note, or the report that ours did not arrive."""

import re
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.permissions import scope
from crm.engine.registry import modules
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.mail.inbox.parse import Incoming
from crm.modules.contacts.resolve import people_of
from crm.modules.portals import customers
from crm.modules.tickets import commenting, mails, settings
from crm.modules.tickets.commenting import Author
from crm.modules.tickets.scanning import matching, parts
from crm.modules.tickets.scanning.parts import Taken
from crm.words import _


def answered(ticket: dict[str, Any], mail: Incoming) -> Taken:
    """A comment of the ticket's people, an answer of an agent, or a note for staff when it is neither."""
    contact_id = _entitled(ticket, mail)
    if contact_id is not None or _is_copied(ticket, mail):
        author = Author("customer", parts.name_of(mail), contact_id=contact_id)
        files, dropped = parts.keep(mail)
        values = parts.values_of(mail, "dropped" if dropped else None, dropped)
        said = commenting.reply(ticket, author, values, files, Channel.SYSTEM)
        return Taken("commented", dropped, said.ticket_id, said.comment_id)
    user = _staff(mail)
    if user is not None:
        return _of_staff(ticket, mail, user)
    return noted(
        ticket,
        Author("customer", parts.name_of(mail)),
        mail,
        "unverified",
        _("The sender is not one of this ticket's people."),
    )


def _of_staff(ticket: dict[str, Any], mail: Incoming, user: Any) -> Taken:
    """An agent answers from his mail program, which his server vouches for: it goes on to the customer."""
    files, dropped = parts.keep(mail)
    author = Author("staff", f"{user.first_name or ''} {user.last_name}".strip(), user_id=user.id)
    values = parts.values_of(mail, None, dropped) | {"visibility": "public"}
    comment_id = commenting.put(ticket["id"], author, values, files)
    commenting.is_answered(ticket)
    outbox.put(db.session, "tickets.answer", dedupe_key=f"tickets:answer:{comment_id}", comment_id=comment_id)
    return Taken("commented", dropped, ticket["id"], comment_id)


def noted(ticket: dict[str, Any], author: Author, mail: Incoming, flag: str, note: str) -> Taken:
    """Kept for staff only; whoever the ticket is assigned to is told, nobody else, and nothing is answered."""
    files, dropped = parts.keep(mail)
    values = parts.values_of(mail, flag, f"{note} {dropped}".strip()) | {"visibility": "internal"}
    comment_id = commenting.put(ticket["id"], author, values, files)
    outbox.put(db.session, "tickets.tell_comment", comment_id=comment_id, dedupe_key=f"tickets:tell:{comment_id}")
    return Taken("noted", note, ticket["id"], comment_id)


def bounced(mail: Incoming) -> Taken:
    """A report that our mail did not arrive: only with the Message-ID of a mail that we wrote, about the address it went to."""
    found = [(row, addr) for id, addr in matching.sent_as(mail.bounce_of) if (row := matching.row_of(id))]
    if not found:
        return Taken("skipped", _("A report about a mail that is none of ours."))
    ticket, addr = found[0]
    if mail.bounce_status.startswith(("5.1.", "5.0.")) or mail.bounce_status == "5.2.1":
        for id in _contacts_of(addr):
            records.update(SYSTEM, "contacts", id, {"email_status": "hard_bounced"}, Channel.SYSTEM)
    note = _("Not delivered to %(address)s (%(status)s).", address=addr, status=mail.bounce_status or "?")
    return noted(ticket, Author("house", ""), mail, "bounce", note)


def _contacts_of(addr: str) -> list[int]:
    return [person.id for person in people_of(addr) if person.module == "contacts"]


def _entitled(ticket: dict[str, Any], mail: Incoming) -> int | None:
    """The contact who writes, when the ticket is his, or when he may see it and comment on it in the portal."""
    theirs = _contacts_of(mail.sender.addr) if mail.sender is not None else []
    if ticket["contact_id"] in theirs:
        return int(ticket["contact_id"])
    if ticket["account_id"] is None or not theirs:
        return None
    users, table = modules["portal_users"].table, modules["tickets"].table
    said = select(users.c.id).where(users.c.contact_id.in_(theirs), users.c.active, users.c.deleted_at.is_(None))
    for id in db.session.scalars(said.order_by(users.c.id)).all():
        viewer = customers.viewer_of(id)
        if viewer is None or viewer.customer is None:
            continue
        shown, reach = viewer.customer.modules.get("tickets"), scope(viewer, "tickets")
        if shown is None or not shown.can_comment or reach is None:
            continue
        if db.session.execute(select(table.c.id).where(table.c.id == ticket["id"], reach)).first() is not None:
            return viewer.customer.contact_id
    return None


def _is_copied(ticket: dict[str, Any], mail: Incoming) -> bool:
    return mail.sender is not None and mail.sender.addr.lower() in {one.addr.lower() for one in mails.copies_of(ticket)}


def _staff(mail: Incoming) -> Any:
    """The CRM user whose address it is, if the server that we trust says that it really comes from there."""
    if mail.sender is None or not is_vouched_for(mail):
        return None
    said = select(User.id, User.first_name, User.last_name).where(
        User.email == mail.sender.addr, User.crm_access, ~User.archived, User.deleted_at.is_(None)
    )
    return db.session.execute(said).first()


def is_vouched_for(mail: Incoming) -> bool:
    """Whether the topmost Authentication-Results is of our own server and passes for the sender's domain."""
    server, _semicolon, said = mail.verdict.partition(";")
    trusted = settings.current().trusted_server.strip().lower()
    if not trusted or server.split(" ")[0].strip().lower() != trusted or mail.sender is None:
        return False
    domain = re.escape(mail.sender.domain)
    dkim = rf"\bdkim=pass\b[^;]*\bheader\.(?:d=|i=[^\s;@]*@){domain}(?![\w.\-])"
    spf = rf"\bspf=pass\b[^;]*\bsmtp\.mailfrom=(?:[^\s;@]*@)?{domain}(?![\w.\-])"
    return bool(re.search(dkim, said, re.I) or re.search(spf, said, re.I))
