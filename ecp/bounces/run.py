"""Reading the mailboxes of what comes back: one job a mailbox, one worker at a time, one transaction a portion.

A mail is marked as read, or moved, only after what it became is committed; one that is read twice is known by its octets.
"""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from crm import clock
from crm.db import db
from crm.engine import outbox
from crm.engine.outbox import Progress, task
from crm.mail import turns
from crm.mail.mailbox import Found, Mailbox, MailboxError, opened
from crm.modules.tickets.scanning import entry
from ecp.bounces import mailboxes
from ecp.bounces.reading import MOST_OCTETS, MOST_REPORT, read
from ecp.bounces.tables import ReturnedMail, ReturnMailbox
from ecp.bounces.taking import Came, key_of, take_in

log = logging.getLogger(__name__)
EVERY = 60  # seconds
AT_ONCE = 50  # mails that are committed together
MOST_A_RUN = 5_000
KEPT = timedelta(days=400)


@task("returns.look", every=EVERY)
def look_for_due(progress: Progress) -> str:
    """Put a job for every mailbox whose time has come."""
    due = [row["id"] for row in mailboxes.listed() if turns.is_due(row)]
    for id in due:
        outbox.put(db.session, "returns.read", mailbox_id=id)
    return f"{len(due)} mailboxes"


@task("returns.read", max_attempts=1)
def read_mailbox(progress: Progress, mailbox_id: int) -> str:
    """Take in what waits in a mailbox."""
    row = db.session.execute(select(ReturnMailbox.__table__).where(ReturnMailbox.id == mailbox_id)).mappings().first()
    if row is None or not row["active"]:
        db.session.commit()
        return "nothing to do: it is switched off"
    if not turns.take(ReturnMailbox, mailbox_id):
        return "another worker has this mailbox"
    try:
        count = _work(progress, dict(row))
    except MailboxError as problem:
        db.session.rollback()
        if problem.code == "login":
            entry.forget_access(mailbox_id, mailboxes.ROOM)
        turns.note_failure(ReturnMailbox, mailbox_id, str(problem))
        db.session.commit()
        return f"failed: {problem}"
    finally:
        db.session.rollback()
        turns.give_back(ReturnMailbox, mailbox_id)
    return f"{count} mails"


def _work(progress: Progress, row: dict[str, Any]) -> int:
    account = entry.ready(
        row, mailboxes.ROOM
    )  # commits: servers may be slow, and nothing is locked while they are asked
    count = 0
    with opened(account) as box:
        box.select(row["folder"])
        uids = box.waiting()[:MOST_A_RUN]
        for start in range(0, len(uids), AT_ONCE):
            found = box.sizes(uids[start : start + AT_ONCE])
            take_in([_fetched(box, one, row["id"]) for one in found])
            for one in found:
                _put_away(box, one.uid, row)
            count += len(found)
            progress.step(count, len(uids))
            db.session.commit()
            if progress.cancelled():
                break
            turns.renew(ReturnMailbox, row["id"])
    turns.note_success(ReturnMailbox, row["id"])
    return count


def _fetched(box: Mailbox, mail: Found, mailbox_id: int) -> Came:
    """One mail: its beginning is enough for all but reports with files, which are fetched whole."""
    data = box.fetch(mail.uid, MOST_OCTETS)
    what = read(data)
    if what.kind in {"dmarc", "tls"} and MOST_OCTETS < mail.size <= MOST_REPORT:
        data = box.fetch(mail.uid, MOST_REPORT)
        what = read(data)
    return Came(key_of(data), what, mailbox_id)


def _put_away(box: Mailbox, uid: int, row: dict[str, Any]) -> None:
    box.mark_read(uid)
    if row["move_to"]:
        box.move(uid, row["move_to"])


@task("returns.forget", every=24 * 3600)
def forget_old(progress: Progress) -> str:
    """What came back long ago is counted in the sendouts; the rows themselves go."""
    said = db.session.execute(delete(ReturnedMail).where(ReturnedMail.at < clock.now() - KEPT))
    return f"{said.rowcount} rows"  # type: ignore[attr-defined]
