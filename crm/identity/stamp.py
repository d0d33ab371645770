"""The mark by which processes know whether a viewer they keep is still right.

It is random, not a count: a transaction that was rolled back must not leave a number that comes again.
"""

import secrets

from sqlalchemy import ScalarSelect, insert, select, update

from crm.db import db, rows_changed
from crm.identity.tables import IdentityStamp


def renew() -> None:
    """Say that users, roles, profiles, groups, sharing or keys have changed. Part of the caller's transaction."""
    fresh = secrets.token_hex(16)
    if not rows_changed(update(IdentityStamp).values(stamp=fresh)):
        db.session.execute(insert(IdentityStamp).values(id=1, stamp=fresh))


def present() -> ScalarSelect[str]:
    """The mark now, to be read in the statement that asks for a user; NULL when nothing was ever written."""
    return select(IdentityStamp.__table__.c.stamp).scalar_subquery()
