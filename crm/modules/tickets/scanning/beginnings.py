"""A mail that becomes something new: a ticket with its first comment, or a mail on the card of a contact or an account."""

import contextlib
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import attachments, records, relations
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.inbox.parse import Incoming
from crm.modules.contacts.resolve import people_of, resolve
from crm.modules.tickets import commenting, mails, templates
from crm.modules.tickets.commenting import Author
from crm.modules.tickets.scanning import matching, parts
from crm.modules.tickets.scanning.ours import Ours
from crm.modules.tickets.scanning.parts import Taken
from crm.modules.tickets.scanning.rules import Rule
from crm.words import _, speaking


def created(scanner: Any, rule: Rule, mail: Incoming, own: Ours) -> Taken:
    """A new ticket with the mail as its first comment, and the rule's automatic answer. `scanner`: its row."""
    assert mail.sender is not None  # noqa: S101 - mails without a sender were left before
    contact_id, notes = _contact(scanner, mail)
    named = matching.named_without_proof(mail)
    if named:
        notes.append(_("Refers to #%(number)s, not verified.", number=named))
    if rule.action == "update":
        notes.append(_("No ticket was found that this mail provably answers."))
    values: dict[str, Any] = {
        "title": mail.subject[:255] or _("(no subject)"), "description": mail.text or None, "contact_id": contact_id,
        "source": "email", "scanner_id": scanner["id"], "cc": _copies(mail, own) or None, **rule.defaults,
    }  # fmt: skip
    if owner := rule.owner_id or scanner["owner_id"]:
        values["owner_id"] = owner
    ticket_id = _make(values)
    files, dropped = parts.keep(mail)
    flag = "refers" if named else ("dropped" if dropped else None)
    author = Author("customer", parts.name_of(mail), contact_id=contact_id)
    # The first mail stands in the thread as it came; what the house has to say of it is for staff alone.
    comment_id = commenting.put(ticket_id, author, parts.values_of(mail, None, "") | {"visibility": "public"}, files)
    if dropped:
        notes.append(dropped)
    if contact_id is None:
        notes.append(_("Sender: %(sender)s", sender=mail.sender.addr))
    if notes:
        said = {"text": "\n".join(notes), "visibility": "internal", "source": "email", "flag": flag}
        commenting.put(ticket_id, Author("house", ""), said)
    _greet(ticket_id, rule, mail)
    return Taken("created", " ".join(notes), ticket_id, comment_id)


def _make(values: dict[str, Any]) -> int:
    """The new ticket; a default of the rule that is in no list any more is left out rather than losing the mail."""
    try:
        return records.create(SYSTEM, "tickets", values, Channel.SYSTEM)
    except Refused as refused:  # values are looked at before anything is written, so there is nothing to take back
        plain = {name: value for name, value in values.items() if name not in refused.faults}
        return records.create(SYSTEM, "tickets", plain, Channel.SYSTEM)


def _contact(scanner: Any, mail: Incoming) -> tuple[int | None, list[str]]:
    """The contact of the sender's address, and what staff must know of that."""
    assert mail.sender is not None  # noqa: S101
    found = [person.id for person in people_of(mail.sender.addr) if person.module == "contacts"]
    if len(found) > 1:
        return found[0], [_("%(count)s contacts have this address; the oldest was taken.", count=len(found))]
    if found:
        return found[0], []
    if not scanner["makes_contacts"]:
        return None, [_("No contact has this address.")]
    first, _space, last = mail.sender.name.rpartition(" ")
    values = {"first_name": first[:60] or None, "last_name": last[:80]} if last else {}
    with contextlib.suppress(Refused):
        made = resolve(SYSTEM, mail.sender.addr, Channel.SYSTEM, values)
        if made is not None:
            return made.person.contact_id, [_("A contact was made for this address.")]
    return None, [_("No contact has this address.")]


def _greet(ticket_id: int, rule: Rule, mail: Incoming) -> None:
    """The automatic answer of the rule, bound by the guard against loops."""
    if not rule.answer_template_id or mail.sender is None:
        return
    table = modules["email_templates"].table
    said = select(table).where(table.c.id == rule.answer_template_id, table.c.deleted_at.is_(None))
    row = db.session.execute(said).mappings().first()
    ticket = matching.row_of(ticket_id)
    if row is None or ticket is None:
        return
    with speaking(mails.language_of(ticket)):
        content = templates.fill(row, templates.values_of(ticket), text=_("We have your message.") + "\n")
    mails.send(
        ticket,
        mail.sender,
        content,
        dedupe_key=f"tickets:greeting:{ticket_id}",
        automatic="auto-replied",
        also=(mail.message_id,),
    )


def attached(mail: Incoming, rule: Rule) -> Taken:
    """Keep the mail on the card of the contact, or of the account, of its sender."""
    assert mail.sender is not None  # noqa: S101
    people = [person.id for person in people_of(mail.sender.addr) if person.module == "contacts"]
    target, ids = "contacts", people[:1]
    if rule.action == "attach_account" and people:
        table = modules["contacts"].table
        target, ids = (
            "accounts",
            [id for id in [db.session.scalar(select(table.c.account_id).where(table.c.id == people[0]))] if id],
        )
    if not ids:
        return Taken("skipped", _("Nobody has this address to whose card the mail could be attached."))
    values = {
        "subject": mail.subject or _("(no subject)"), "direction": "received", "state": "received", "at": clock.now(),
        "from_address": mail.sender.addr, "to_addresses": ", ".join(one.addr for one in mail.to)[:5000] or "-",
        "text": mail.text, "html": mail.html or None, "message_id": mail.message_id[:300] or None,
    }  # fmt: skip
    email_id = records.create(SYSTEM, "emails", values, Channel.SYSTEM)
    relations.link(SYSTEM, "emails", email_id, target, ids, Channel.SYSTEM)
    files, dropped = parts.keep(mail)
    for file_id in files:
        attachments.attach(SYSTEM, "emails", email_id, file_id, Channel.SYSTEM)
    return Taken("attached", dropped)


def _copies(mail: Incoming, own: Ours) -> str:
    """Who else got the mail, without ourselves."""
    return ", ".join(one.addr for one in mail.cc if not own.has(one.addr))[:2000]
