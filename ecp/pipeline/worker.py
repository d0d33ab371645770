"""The stages of mass mail in order. Each can be run again at any time: what is done already stays done.

schedule.start_due        scheduled → preparing, when the moment has come
prepare.prepare           preparing → sending: content frozen, audience written, run opened
crm.mail.sending          claims, renders (sending.load, sending.render), throttles, sends, records
evidence.note_bounces     refused addresses → suppressions
finish.look_after         numbers; sending → sent, report mail
"""

from __future__ import annotations

from sqlalchemy import select

from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from ecp.bounces import evidence
from ecp.pipeline import finish, prepare, schedule, sending
from ecp.pipeline.frozen import SendoutContent

EVERY_SECONDS = 5

sending.register()


@task("sendouts.work")
def work(progress: Progress, sendout_id: int) -> str:
    """Prepare a sendout that was started, or end one that is over; put by every action on it."""
    prepare.prepare(sendout_id)
    finish.look_after(sendout_id)
    return f"sendout {sendout_id}"


@task("sendouts.tick", every=EVERY_SECONDS)
def tick(progress: Progress) -> str:
    """What time brings about, and what a killed worker left undone."""
    started = schedule.start_due()
    for sendout_id in _in_states("preparing"):
        prepare.prepare(sendout_id)
    bounced = evidence.note_bounces()
    db.session.commit()
    ended = [id for id in [*_in_states("sending", "paused"), *_unsettled()] if finish.look_after(id)]
    return f"{len(started)} started, {len(ended)} ended, {bounced} bounces"


def _in_states(*states: str) -> list[int]:
    table = modules["sendouts"].table
    return list(db.session.execute(select(table.c.id).where(table.c.state.in_(states)).order_by(table.c.id)).scalars())


def _unsettled() -> list[int]:
    """Sendouts that ended by cancelling while mails were under way: their numbers and quota are still to be settled."""
    table = modules["sendouts"].table
    query = select(table.c.id).join(SendoutContent, SendoutContent.sendout_id == table.c.id)
    query = query.where(
        table.c.state == "cancelled", SendoutContent.settled_at.is_(None), SendoutContent.prepared_at.is_not(None)
    )
    return list(db.session.execute(query).scalars())
