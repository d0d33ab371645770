"""Sessions are rows: a cookie carries a random token, the row its hash, so that one can be ended from elsewhere."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, Row, String, delete, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, id_inserted, rows_changed, writing
from crm.identity import tokens
from crm.identity.tables import Role, User

log = logging.getLogger(__name__)
COOKIES = {"crm": "ch_crm", "ecp": "ch_ecp", "portal": "ch_portal"}
IDLE_MINUTES = 60
LONGEST = timedelta(days=7)  # however busy somebody is
TOUCHED_EVERY = timedelta(seconds=60)


class UserSession(db.Model):  # type: ignore[name-defined, misc]
    """One signed-in browser in one app."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    app: Mapped[str] = mapped_column(String(10))  # crm, ecp, portal
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    portal_user_id: Mapped[int | None] = mapped_column(BigId)
    idle_minutes: Mapped[int] = mapped_column(default=IDLE_MINUTES)
    address: Mapped[str] = mapped_column(String(45), default="")
    agent: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)  # unless it is seen before

    __table_args__ = (Index(None, "user_id", "app"), Index(None, "portal_user_id"))


class Live(NamedTuple):
    """What `touch` and a page know of the session that asks."""

    id: int
    idle_minutes: int
    created_at: datetime
    seen_at: datetime


def start(
    app: str,
    *,
    user_id: int | None = None,
    portal_user_id: int | None = None,
    address: str = "",
    agent: str = "",
    minutes: int | None = None,
) -> tuple[str, int]:
    """A new session: the token for the cookie, and the row's id. `minutes` idle until it ends. The caller commits."""
    token, now = tokens.fresh(), clock.now()
    minutes = minutes or _idle_minutes(user_id)
    made = id_inserted(
        insert(UserSession).values(
            token_hash=tokens.hashed(token),
            app=app,
            user_id=user_id,
            portal_user_id=portal_user_id,
            idle_minutes=minutes,
            address=address[:45],
            agent=agent[:255],
            created_at=now,
            seen_at=now,
            ends_at=now + timedelta(minutes=minutes),
        )
    )
    return token, made


def find(app: str, token: str) -> Row[Any] | None:
    """The row of the live session of `token` in `app`, or None. Only reads: see `touch`."""
    table = UserSession.__table__
    return db.session.execute(
        select(table).where(
            table.c.token_hash == tokens.hashed(token), table.c.app == app, table.c.ends_at > clock.now()
        )
    ).first()


def touch(session: Row[Any] | Live) -> None:
    """Note that a session was used just now, at most once a minute, in a transaction of its own.

    To be called when `db.session` is not writing (best after the answer): on SQLite only one can write at a time.
    """
    now = clock.now()
    if now - session.seen_at < TOUCHED_EVERY:
        return
    ends = min(now + timedelta(minutes=session.idle_minutes), session.created_at + LONGEST)
    with apart() as own:
        own.execute(
            update(UserSession)
            .where(UserSession.id == session.id, UserSession.ends_at > now)
            .values(seen_at=now, ends_at=ends)
        )


def end(app: str, token: str) -> int | None:
    """End the session of `token`; gives the id it had. The caller commits."""
    row = find(app, token)
    if row is None:
        return None
    db.session.execute(delete(UserSession).where(UserSession.id == row.id))
    return int(row.id)


def end_all(user_id: int, but: int | None = None) -> int:
    """End every session of a user, except the one with the id `but`; gives how many. The caller commits."""
    query = delete(UserSession).where(UserSession.user_id == user_id)
    return rows_changed(query if but is None else query.where(UserSession.id != but))


def end_all_of_portal_users(portal_user_ids: Iterable[int], but: int | None = None) -> int:
    """The same for customers."""
    query = delete(UserSession).where(UserSession.portal_user_id.in_(list(portal_user_ids)))
    return rows_changed(query if but is None else query.where(UserSession.id != but))


def of(user_id: int) -> list[Row[Any]]:
    """The live sessions of a user, the last used first."""
    table = UserSession.__table__
    return list(
        db.session.execute(
            select(table)
            .where(table.c.user_id == user_id, table.c.ends_at > clock.now())
            .order_by(table.c.seen_at.desc())
        )
    )


def sweep() -> int:
    """Delete the rows of sessions that are over; gives how many. The caller commits."""
    return rows_changed(delete(UserSession).where(UserSession.ends_at <= clock.now()))


@contextmanager
def apart() -> Iterator[Session]:
    """A short transaction of its own beside that of `db.session`, for a mark of use; commits at the end.

    The mark is lost when the database takes nothing just now (its disk is full): that must not take the answer away.
    """
    try:
        with writing(), Session(db.engine, join_transaction_mode="create_savepoint") as own:
            yield own
            own.commit()
    except (OperationalError, InterfaceError) as fault:
        log.warning("a mark of use is lost", extra={"reason": str(fault.orig)[:200]})


def _idle_minutes(user_id: int | None) -> int:
    if user_id is None:
        return IDLE_MINUTES
    said = db.session.execute(
        select(Role.idle_minutes).join(User, User.role_id == Role.id).where(User.id == user_id)
    ).scalar()
    return said or IDLE_MINUTES
