"""Who may own a record: an active user or a group."""

from collections.abc import Iterable

from sqlalchemy import select, union_all

from crm.db import db
from crm.identity.tables import Group, User


def owners_among(ids: Iterable[int]) -> set[int]:
    """Those of `ids` that are active users or groups."""
    wanted = list(ids)
    user, group = User.__table__, Group.__table__
    users = select(user.c.id).where(user.c.id.in_(wanted), user.c.deleted_at.is_(None), ~user.c.archived)
    groups = select(group.c.id).where(group.c.id.in_(wanted), group.c.deleted_at.is_(None))
    return set(db.session.execute(union_all(users, groups)).scalars())
