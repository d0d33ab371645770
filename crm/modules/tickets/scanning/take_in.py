"""One mail becomes what it should: a comment, a ticket, a note, an attached mail, or nothing. In one transaction, once."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import db
from crm.mail.inbox.parse import Incoming
from crm.modules.service_requests import replies
from crm.modules.tickets.commenting import Author
from crm.modules.tickets.scanning import answers, beginnings, matching
from crm.modules.tickets.scanning.ours import Ours, ours
from crm.modules.tickets.scanning.parts import Taken
from crm.modules.tickets.scanning.rules import Rule, first_fitting
from crm.modules.tickets.scanning.tables import ScannedMail
from crm.words import _


def take_in(
    scanner: Any, rules: list[Rule], mail: Incoming, folder: str, place: str = "", own: Ours | None = None
) -> Taken:
    """Decide and write. A mail whose key this scanner has seen before changes nothing (`seen`). The caller commits.

    `place`: where in the folder it lies, so that what is left there is not fetched again. `own`: from `ours()`."""
    row_id = _claim(scanner["id"], mail, folder, place)
    if row_id is None:
        return Taken("seen")
    taken = _decide(scanner, rules, mail, folder, own or ours())
    table = ScannedMail.__table__
    done = {
        "result": taken.result,
        "note": taken.note[:500] or None,
        "ticket_id": taken.ticket_id,
        "comment_id": taken.comment_id,
    }
    db.session.execute(update(table).where(table.c.id == row_id).values(done))
    return taken


def leave(scanner_id: int, mail: Incoming, folder: str, place: str, note: str) -> Taken:
    """Write down that a mail is left where it is. The caller commits."""
    row_id = _claim(scanner_id, mail, folder, place)
    table = ScannedMail.__table__
    db.session.execute(update(table).where(table.c.id == row_id).values(result="skipped", note=note[:500]))
    return Taken("skipped", note)


def _claim(scanner_id: int, mail: Incoming, folder: str, place: str) -> int | None:
    """The row of this mail; None when there is one already. One that was skipped before is looked at again."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    table = ScannedMail.__table__
    said = dialect.insert(ScannedMail).values(
        scanner_id=scanner_id, key=mail.key[:310], message_id=mail.message_id[:310] or None, folder=folder[:255],
        sender=mail.sender.addr if mail.sender else None, subject=mail.subject[:500], result="taking", at=clock.now(),
        place=place[:40],
    )  # fmt: skip
    made = said.on_conflict_do_update(
        index_elements=["scanner_id", "key"],
        set_={"at": clock.now(), "place": place[:40]},
        where=table.c.result.in_(("skipped", "taking")),
    )
    found: int | None = db.session.execute(made.returning(table.c.id)).scalar()
    return found


def _decide(scanner: Any, rules: list[Rule], mail: Incoming, folder: str, own: Ours) -> Taken:
    rule = first_fitting(rules, mail, folder)
    if rule is not None and rule.action == "ignore":
        return Taken("ignored")
    if mail.is_bounce:
        return answers.bounced(mail)
    ticket = matching.ticket_of(mail, own.mailboxes)
    if mail.sender is None:
        return Taken("skipped", _("It has no sender that could be answered."))
    is_own = own.has(mail.sender.addr)
    if mail.automatic_by or is_own:
        why = "own address" if is_own else mail.automatic_by
        if ticket is None or is_own:
            return Taken("skipped", _("Not answered, written by a machine: %(sign)s", sign=why))
        author = Author("house", mail.sender.name or mail.sender.addr)
        return answers.noted(ticket, author, mail, "automatic", _("Written by a machine: %(sign)s", sign=why))
    if ticket is not None:
        return answers.answered(ticket, mail)
    if (found := replies.answered(mail)) is not None:
        return replies.take_in(found, mail)
    if rule is None:
        return Taken("skipped", _("No rule fits."))
    if rule.action in ("attach_contact", "attach_account"):
        return beginnings.attached(mail, rule)
    return beginnings.created(scanner, rule, mail, own)
