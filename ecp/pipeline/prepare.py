"""Preparing → sending: the mail is frozen, the audience gets its rows, the quota is promised; all in one transaction.

Killed before the commit nothing has happened and it is prepared again; killed after it everything waits to be sent.
"""

from __future__ import annotations

import logging

from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import statistics
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity import keys
from crm.identity.viewer import SYSTEM
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from ecp import quotas
from ecp.content.compile import Compiled
from ecp.content.compile import prepare as compiled_mail
from ecp.domains import families, warming
from ecp.pipeline import actions, audience, checks, frozen, versions
from ecp.pipeline.frozen import SendoutContent
from ecp.pipeline.sender import as_sent
from ecp.pipeline.track import sealer
from surveys import mails as mails_of_surveys

log = logging.getLogger(__name__)


def prepare(sendout_id: int) -> bool:
    """Prepare a sendout that is in the state preparing; False when it is not (any more). Commits."""
    try:
        done = _prepare(sendout_id)
        db.session.commit()
        return done
    except Refused as refused:
        db.session.rollback()
        fail(sendout_id, "; ".join(fault.message for faults in refused.faults.values() for fault in faults))
        return False


def fail(sendout_id: int, why: str) -> None:
    """End a sendout that cannot be sent, and say why. Commits."""
    log.warning("a sendout cannot be sent", extra={"sendout": sendout_id, "reason": why})
    values = {"state_note": why[:500], "finished_at": clock.now()}
    if actions.move(SYSTEM, sendout_id, ("scheduled", "preparing"), "failed", Channel.SYSTEM, **values):
        from ecp.pipeline import finish

        finish.tell_failure(sendout_id, why)
    db.session.commit()


def tags_of(compiled: Compiled) -> frozenset[str]:
    """The tags that a mail prints or asks."""
    mail = compiled_mail(compiled, False)
    return frozenset(mail.printed | mail.asked)


def make_keys() -> None:
    """See to it that the keys of links and Message-IDs are there before anybody only reads them. The caller commits."""
    sealer()
    keys.of("message_id")


def _prepare(sendout_id: int) -> bool:
    table = modules["sendouts"].table
    # PostgreSQL: of two workers one waits here; SQLite has one writer anyway.
    row = db.session.execute(select(table).where(table.c.id == sendout_id).with_for_update()).mappings().first()
    if row is None or row["state"] != "preparing":
        return False
    sendout = actions.of_row(row)
    said = checks.audience_of(sendout)
    make_keys()
    checks.keep_list(sendout_id, said.rules.list_type_id)
    mails = modules["email_templates"].table
    mail = db.session.execute(select(mails).where(mails.c.id == sendout.email_template_id)).mappings().one()
    db.session.execute(update(table).where(table.c.id == sendout_id).values(**as_sent(mail)))
    needs_unsubscribe = frozen.needs_unsubscribe(said.rules.list_type_id)
    compiled = frozen.freeze(sendout_id, sendout.email_template_id, needs_unsubscribe)
    others = versions.freeze(sendout_id, sendout.email_template_id, needs_unsubscribe, compiled)
    count = audience.create_deliveries(said)
    if sendout.source == actions.MERGE:
        db.session.execute(update(Delivery).where(Delivery.sendout_id == sendout_id).values(kind=actions.MERGE))
    if others:
        versions.assign(sendout_id)
    if not sendout.is_automatic:
        checks.demand_somebody(count)
    for name in ("campaign_members", Delivery.__tablename__):  # the statements of each mail ask both
        statistics.keep(db.session.connection(), name, count.audience)
    mails_of_surveys.invite_recipients(sendout_id, frozenset().union(*map(tags_of, [compiled, *others])))
    quotas.release(sendout_id)  # what was promised when it was scheduled; the audience may be another by now
    month = quotas.reserve(count.sendable)
    db.session.execute(
        update(SendoutContent)
        .where(SendoutContent.sendout_id == sendout_id)
        .values(prepared_at=clock.now(), quota_month=month, quota_count=count.sendable)
    )
    warming.hold(sendout_id)
    families.ask_for(sendout_id)
    runs.open_run(db.session, sendout_id)
    counts = {"audience_count": count.audience, "skipped_count": count.audience - count.sendable, "sent_count": 0}
    return actions.move(SYSTEM, sendout_id, ("preparing",), "sending", Channel.SYSTEM, **counts)
