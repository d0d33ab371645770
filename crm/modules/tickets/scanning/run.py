"""Looking through one mailbox: one job a scanner, one worker at a time, one transaction a mail.

A mail is marked as read only after what it became is committed; a crash in between finds its row and changes nothing twice.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from crm import clock, config
from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Progress, task
from crm.identity.tables import User
from crm.mail import turns
from crm.mail.inbox.parse import MOST_OCTETS, Incoming, read
from crm.mail.letters import Letter
from crm.mail.mailbox import Mailbox, MailboxError, opened
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.modules.tickets.scanning import entry, rule_rows, scanners
from crm.modules.tickets.scanning.ours import Ours, ours
from crm.modules.tickets.scanning.parts import Taken
from crm.modules.tickets.scanning.rules import Rule
from crm.modules.tickets.scanning.tables import MailScanner, ScannedMail
from crm.modules.tickets.scanning.take_in import leave, take_in
from crm.words import _, speaking

log = logging.getLogger(__name__)
EVERY = 60  # seconds
MOST_A_RUN = 1_000  # mails of a folder
AT_ONCE = 100  # whose sizes are asked
BEGINNING = 256 * 1024  # octets fetched of a mail that is too large
TOLD_AFTER = 3  # failures


@task("tickets.look", every=EVERY)
def look_for_due(progress: Progress) -> str:
    """Put a job for every scanner whose time has come."""
    due = [row["id"] for row in scanners.listed() if turns.is_due(row)]
    for id in due:
        outbox.put(db.session, "tickets.scan", scanner_id=id)
    return f"{len(due)} mailboxes"


@task("tickets.scan", max_attempts=1)
def scan(progress: Progress, scanner_id: int) -> str:
    """Take in what waits in a mailbox. Without rules nothing is looked at. Commits after each mail."""
    row = db.session.execute(select(MailScanner.__table__).where(MailScanner.id == scanner_id)).mappings().first()
    rules = rule_rows.rules_of(scanner_id) if row is not None else []
    if row is None or not row["active"] or not rules or not row["folders"]:
        db.session.commit()
        return "nothing to do: it is switched off, or has no folder or no rule"
    if not turns.take(MailScanner, scanner_id):
        return "another worker has this mailbox"
    try:
        count = _work(progress, dict(row), rules)
    except MailboxError as problem:
        db.session.rollback()
        if problem.code == "login":
            entry.forget_access(scanner_id)
        _note_failure(scanner_id, str(problem))
        return f"failed: {problem}"
    finally:
        db.session.rollback()
        turns.give_back(MailScanner, scanner_id)
    return f"{count} mails"


def _work(progress: Progress, row: dict[str, Any], rules: list[Rule]) -> int:
    account = entry.ready(row)  # commits: servers may be slow, and nothing is locked while they are asked
    count = 0
    with opened(account) as box:
        for folder in row["folders"]:
            for _taken in through(box, row, rules, folder):
                count += 1
                progress.step(count)
                db.session.commit()
                if progress.cancelled():
                    break
                if count % 50 == 0:
                    turns.renew(MailScanner, row["id"])
    turns.note_success(MailScanner, row["id"])
    return count


def through(box: Mailbox, row: dict[str, Any], rules: list[Rule], folder: str) -> Iterator[Taken]:
    """The waiting mails of one folder, each taken in, committed, then marked and moved."""
    validity = box.select(folder)
    known = (row["seen"] or {}).get(folder) or [validity, 0]
    after = None if row["scans"] == "unread" else (known[1] if known[0] == validity else 0)
    uids, own, room = box.waiting(after), ours(), MOST_A_RUN  # mails that were left before take no room
    for start in range(0, len(uids), AT_ONCE):
        if not room:
            break
        places = {uid: f"{validity}:{uid}" for uid in uids[start : start + AT_ONCE]}
        left = _left_before(row, folder, list(places.values()))
        db.session.commit()
        fresh = [uid for uid, place in places.items() if place not in left][:room]
        room -= len(fresh)
        for found in box.sizes(fresh):
            mail = read(box.fetch(found.uid, MOST_OCTETS if found.size <= MOST_OCTETS else BEGINNING), found.size)
            taken = _take(row, rules, mail, folder, places[found.uid], own)
            if row["scans"] != "unread":
                _remember(row, folder, validity, found.uid)
            db.session.commit()
            if taken.is_scanned:
                box.mark_read(found.uid)
                if row["move_to"] and row["move_to"] != folder:
                    box.move(found.uid, row["move_to"])
            yield taken


def _take(row: dict[str, Any], rules: list[Rule], mail: Incoming, folder: str, place: str, own: Ours) -> Taken:
    """Take one mail in, in a transaction of its own; what no code of ours foresaw costs this mail, not the whole mailbox."""
    try:
        return take_in(row, rules, mail, folder, place, own)
    except (OperationalError, InterfaceError):
        raise  # the database is away: this is no fault of the mail
    except Exception as problem:
        db.session.rollback()
        log.exception("a mail could not be taken in", extra={"scanner": row["id"]})
        return leave(row["id"], mail, folder, place, type(problem).__name__)


def _left_before(row: dict[str, Any], folder: str, places: list[str]) -> set[str]:
    """Those of `places` that were left in the mailbox already, by the rules as they still are."""
    table = ScannedMail.__table__
    said = select(table.c.place).where(
        table.c.scanner_id == row["id"],
        table.c.folder == folder,
        table.c.place.in_(places),
        table.c.result == "skipped",
    )
    if row["rules_changed_at"] is not None:
        said = said.where(table.c.at > row["rules_changed_at"])
    return set(db.session.scalars(said))


def _remember(row: dict[str, Any], folder: str, validity: int, uid: int) -> None:
    row["seen"] = {**(row["seen"] or {}), folder: [validity, uid]}
    db.session.execute(update(MailScanner).where(MailScanner.id == row["id"]).values(seen=row["seen"]))


def _note_failure(scanner_id: int, sentence: str) -> None:
    """After three failures administrators are told, once."""
    if turns.note_failure(MailScanner, scanner_id, sentence) == TOLD_AFTER:
        _tell_administrators(scanner_id, sentence)
    db.session.commit()


def _tell_administrators(scanner_id: int, sentence: str) -> None:
    sender = default_row()
    if sender is None:
        return
    name = scanners.one(scanner_id)["name"]
    people = select(User.id, User.email, User.locale).where(User.crm_admin, ~User.archived, User.deleted_at.is_(None))
    for person in db.session.execute(people):
        with contextlib.suppress(ValueError), speaking(person.locale or config.current().locale):
            text = _("The mail scanner “%(name)s” does not work: %(reason)s", name=name, reason=sentence) + "\n"
            letter = Letter(Address(person.email), _("A mail scanner does not work"), text)
            key = f"scanner:failed:{scanner_id}:{clock.now().date().isoformat()}:{person.id}"
            singles.put_letter(db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key)
