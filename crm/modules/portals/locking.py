"""A log-in that is guessed at from several places is locked for a while (spec/portal.md 1.4: locked; 1.5: brute force).

One source is shut out after five failures (identity/logins.py); whoever comes from several reaches this limit. Nobody comes in
then, not with the right password either, and hears the same as after a wrong one. The lock ends by itself, with a new password
by a mailed link, or by an agent: so nobody can keep a customer out for long. Browsers that are signed in stay so.
"""

from typing import Any

from sqlalchemy import func, or_, select, update

from crm import clock
from crm.db import db
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity import logins
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.portals.portal_users import PortalUser
from crm.modules.rules import demand_record

TABLE = PortalUser.__table__
MOST = 10  # twice of what one source may
AT_ONCE = 1000


def is_locked(row: Any) -> bool:
    """Whether a log-in (a row of portal_users) is locked now."""
    return row.locked_until is not None and row.locked_until > clock.now()


def count(portal_user_id: int) -> None:
    """Count a wrong password or code; the tenth in a row locks. The caller commits."""
    one = TABLE.c.id == portal_user_id
    counted = func.coalesce(TABLE.c.failed_count, 0) + 1
    db.session.execute(update(TABLE).where(one).values(failed_count=counted))
    if (db.session.scalar(select(TABLE.c.failed_count).where(one)) or 0) >= MOST:
        forget(portal_user_id)
        until = clock.now() + logins.BAN
        records.update(SYSTEM, "portal_users", portal_user_id, {"locked_until": until}, Channel.SYSTEM)


def forget(portal_user_id: int) -> None:
    """No failure counts any more. The caller commits."""
    db.session.execute(update(TABLE).where(TABLE.c.id == portal_user_id).values(failed_count=0))


def unlock(viewer: Viewer, portal_user_id: int) -> None:
    """Open a locked log-in before its time. Raises Missing, Forbidden. The caller commits."""
    demand_record(viewer, "portal_users", portal_user_id, "edit")
    forget(portal_user_id)
    change = records.update(SYSTEM, "portal_users", portal_user_id, {"locked_until": None}, Channel.SYSTEM)
    if change.changed:
        said = modules["portal_users"], [portal_user_id], "unlocked"
        history.note_events(viewer, *said, Channel.FORM, clock.now())


@task("portals.follow_time", every=300)
def follow_time(_progress: Progress | None) -> str:
    """What lists say of a log-in follows the time: locks that are over, access that ended."""
    c, now = TABLE.c, clock.now()
    is_over = (c.status == "locked") & or_(c.locked_until.is_(None), c.locked_until <= now)
    has_ended = c.active & (c.valid_to < clock.today(clock.site_zone())) & (c.status != "expired")
    said = select(c.id).where(c.deleted_at.is_(None), is_over | has_ended).limit(AT_ONCE)
    ids = list(db.session.scalars(said))
    records.update_many(SYSTEM, "portal_users", {id: {"locked_until": None} for id in ids}, Channel.SYSTEM)
    db.session.commit()
    return f"{len(ids)} log-ins"
