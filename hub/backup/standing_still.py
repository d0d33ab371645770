"""After a restore nothing goes out by itself: what was under way may have been sent since, and the backup cannot know.

Every sendout is paused, a person decides. Who is known to have got a mail since can be told by a list of Message-IDs, which are
the same on every try: the log of the mail server has them.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, select, text, update

from crm import clock
from crm.db import db, rows_changed
from crm.engine.registry import modules
from crm.identity import keys
from crm.mail.senders import message_id
from crm.mail.sending.deliveries import Delivery, MailWorker, Run
from crm.words import _

_D = Delivery.__table__.c
_MESSAGE_ID = re.compile(rb"<[0-9a-f]{40}@[^<>\s]{1,255}>")
GOING = ("scheduled", "preparing", "sending")
AT_ONCE = 5_000


def stand_still(made_at: str, has_log: bool = False) -> int:
    """Pause what was planned or under way at the moment of the backup (`made_at`); how many sendouts. Commits.

    `has_log`: `note_sent` is told next who got a mail of a sendout since."""
    sendouts, triggers = modules["sendouts"].table, modules["event_triggers"].table
    moment = made_at[:16].replace("T", " ")
    note = _(
        "Restored from the backup of %(moment)s UTC. Who got this mail after that is not known here.", moment=moment
    )
    if has_log:
        of_sendout = _(
            "Restored from the backup of %(moment)s UTC. Who got this mail after that is noted as sent, as far as the log of the mail server tells.",
            moment=moment,
        )
    else:
        more = _(
            "Resumed, it writes to them again. The log of the mail server tells who they are: restore with --sent."
        )
        of_sendout = f"{note} {more}"
    paused = rows_changed(
        update(sendouts)
        .where(sendouts.c.state.in_(GOING), sendouts.c.deleted_at.is_(None))
        .values(state="paused", state_note=of_sendout)
    )
    db.session.execute(update(sendouts).where(sendouts.c.state == "paused").values(state_note=of_sendout))
    db.session.execute(update(Run).where(Run.state == "open").values(state="paused"))
    # Somebody held them and was about to send: where the house lived on, it did.
    db.session.execute(
        update(Delivery)
        .where(_D.state == "leased")
        .values(state="uncertain", worker_id=None, reply="This mail was being sent when the backup was made.")
    )
    db.session.execute(
        update(Delivery).where(_D.sendout_id.is_(None), _D.state.in_(("waiting", "retry"))).values(state="cancelled")
    )
    db.session.execute(delete(MailWorker))
    # Mails of events that came due since were sent then, or come too late now.
    planned = (triggers.c.action == "scheduled", triggers.c.active.is_(True))
    db.session.execute(update(triggers).where(*planned).values(activated_at=clock.now()))
    _hold_automatic_mails(note)
    db.session.execute(
        text("UPDATE jobs SET state = 'waiting', lease_until = NULL, worker = NULL WHERE state = 'leased'")
    )
    db.session.commit()
    return paused


def _hold_automatic_mails(note: str) -> None:
    """Who is owed a campaign's mail may have got it; groups and autoresponders have forgotten whom they mailed since."""
    members = modules["campaign_members"].table
    owed = update(members).where(members.c.owed_template_id.is_not(None), members.c.auto_mail_note.is_(None))
    db.session.execute(owed.values(auto_mail_note=note[:300]))
    for key, switch, problem in (
        ("target_groups", "auto_campaigns", "auto_problem"),
        ("autoresponders", "active", "problem"),
    ):
        table = modules[key].table
        db.session.execute(update(table).where(table.c[switch].is_(True)).values({switch: False, problem: note[:300]}))


def note_sent(logs: Iterable[Path]) -> int:
    """Write down as sent the mails of sendouts whose Message-IDs are in the `logs`; how many. Commits."""
    known: set[bytes] = set()
    for path in logs:
        with path.open("rb") as log:
            known.update(found for line in log for found in _MESSAGE_ID.findall(line))
    secret, noted, last = keys.of("message_id"), 0, 0
    sendouts = modules["sendouts"].table
    while known:
        rows = db.session.execute(
            select(_D.id, sendouts.c.sender_address)
            .join(sendouts, sendouts.c.id == _D.sendout_id)
            .where(
                _D.id > last, _D.state.in_(("waiting", "retry", "uncertain")), sendouts.c.sender_address.is_not(None)
            )
            .order_by(_D.id)
            .limit(AT_ONCE)
        ).all()
        if not rows:
            break
        last = rows[-1].id
        sent = [
            row.id
            for row in rows
            if message_id(secret, "delivery", row.id, row.sender_address.rpartition("@")[2]).encode() in known
        ]
        if sent:
            values = {"state": "sent", "sent_at": clock.now(), "due_at": None}
            noted += rows_changed(update(Delivery).where(_D.id.in_(sent)).values(values))
        db.session.commit()
    return noted
