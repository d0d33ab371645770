"""Signing in and out of staff: what is checked, what is counted against guessing, and the history of it.

Five failures from one address within fifteen minutes shut it out for fifteen (spec/platform.md 5.8). A wrong address, a
wrong password and a user without access get the same answer after the same time, so nobody learns who has an account.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, Row, String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, limits
from crm.db import BigId, UtcDateTime, db, fold, rows_changed
from crm.identity import passwords, sessions
from crm.identity.tables import User

MOST_FAILURES = 5
WITHIN = timedelta(minutes=15)
BAN = timedelta(minutes=15)


class LoginFailures(db.Model):  # type: ignore[name-defined, misc]
    """Failures of one address (an IPv6 /64 counts as one), and until when it is shut out."""

    __tablename__ = "login_failures"
    source: Mapped[str] = mapped_column(String(45), primary_key=True)
    failures: Mapped[int] = mapped_column()
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    banned_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginEvent(db.Model):  # type: ignore[name-defined, misc]
    """One try to sign in; of a success also when and how it ended."""

    __tablename__ = "login_history"
    __table_args__ = (Index(None, "user_id", "at"), Index(None, "at"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    portal_user_id: Mapped[int | None] = mapped_column(
        BigId, index=True
    )  # of a customer; no key: it outlives the log-in
    app: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(20))  # signed_in, wrong_password, wrong_code, unknown, …
    address: Mapped[str] = mapped_column(String(45), default="")
    agent: Mapped[str] = mapped_column(String(255), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    session_id: Mapped[int | None] = mapped_column(BigId, index=True)  # no key: the row outlives the session
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(20))  # signed_out, administrator, password


@dataclass(frozen=True)
class SignIn:
    """How it went. `token` is for the cookie, "" when it failed; `wait`: seconds that the address is shut out; `step`: the
    token of a log-in that is half done, as a second step follows."""

    token: str = ""
    user_id: int | None = None
    must_change_password: bool = False
    wait: int = 0
    step: str = ""

    def __bool__(self) -> bool:
        return bool(self.token)


def sign_in(app: Literal["crm", "ecp"], email: str, password: str, address: str = "", agent: str = "") -> SignIn:
    """Try to sign a user in to `app`. The caller commits also when it failed: failures are counted."""
    wait = banned_for(address)
    if wait:
        note(app, "banned", address, agent)
        return SignIn(wait=wait)
    user = _find(email)
    right = passwords.is_right(password, user.password_hash if user else None)
    if user is None:
        outcome = "unknown"
    elif not right:
        outcome = "wrong_password"
    elif user.archived:
        outcome = "archived"
    elif not getattr(user, f"{app}_access"):
        outcome = "no_access"
    else:
        return _let_in(app, user, password, address, agent)
    count_failure(address)
    note(app, outcome, address, agent, user.id if user else None)
    return SignIn(wait=banned_for(address))


def sign_out(app: str, token: str) -> None:
    """End the session of `token` and note it. The caller commits."""
    session_id = sessions.end(app, token)
    if session_id is not None:
        _note_end(LoginEvent.session_id == session_id, by="signed_out")


def end_sessions(user_id: int, by: str = "administrator", but: int | None = None) -> int:
    """End all sessions of a user (but the one with the id `but`) and note it; gives how many. The caller commits."""
    _note_end(LoginEvent.user_id == user_id, LoginEvent.session_id != (but or 0), by=by)
    return sessions.end_all(user_id, but)


def end_session(session_id: int, by: str = "administrator") -> None:
    """End one session and note it. The caller commits."""
    db.session.execute(delete(sessions.UserSession).where(sessions.UserSession.id == session_id))
    _note_end(LoginEvent.session_id == session_id, by=by)


def history(user_id: int | None = None, limit: int = 100, before: int | None = None) -> list[Row[Any]]:
    """Tries to sign in, the newest first, of one user or of all; `is_active`: the session lives, `seen_at`: last use."""
    table, session = LoginEvent.__table__, sessions.UserSession.__table__
    is_live = session.c.ends_at > clock.now()
    query = (
        select(table, User.email, session.c.id.is_not(None).label("is_active"), session.c.seen_at)
        .outerjoin(User, User.id == table.c.user_id)
        .outerjoin(session, (session.c.id == table.c.session_id) & is_live & table.c.ended_at.is_(None))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if user_id is not None:
        query = query.where(table.c.user_id == user_id)
    if before is not None:
        query = query.where(table.c.id < before)
    return list(db.session.execute(query))


# bans


def banned_for(address: str) -> int:
    """Seconds for which the address is still shut out; 0 when it is not."""
    until = db.session.execute(
        select(LoginFailures.banned_until).where(LoginFailures.source == limits.key_of(address))
    ).scalar()
    left = (until - clock.now()).total_seconds() if until else 0
    return max(0, int(left + 0.999))


def bans() -> list[Row[Any]]:
    """The addresses that are shut out now."""
    table = LoginFailures.__table__
    return list(db.session.execute(select(table).where(table.c.banned_until > clock.now()).order_by(table.c.source)))


def unban(address: str) -> None:
    """Forget the failures of an address. The caller commits."""
    db.session.execute(delete(LoginFailures).where(LoginFailures.source == limits.key_of(address)))


def sweep_failures() -> None:
    """Delete failures that no longer count. The caller commits."""
    now = clock.now()
    db.session.execute(delete(LoginFailures).where(LoginFailures.since < now - WITHIN - BAN))


def count_failure(address: str) -> None:
    """Count a failure against guessing; five in fifteen minutes shut the address out. The caller commits."""
    source, now = limits.key_of(address), clock.now()
    c = LoginFailures.__table__.c
    db.session.execute(
        delete(LoginFailures).where(c.source == source, (c.since < now - WITHIN) | (c.banned_until <= now))
    )
    for _ in range(2):
        counted = rows_changed(
            update(LoginFailures).where(c.source == source).values(failures=LoginFailures.failures + 1)
        )
        if counted:
            break
        try:
            with db.session.begin_nested():
                db.session.execute(insert(LoginFailures).values(source=source, failures=1, since=now))
            break
        except IntegrityError:
            continue  # the same address failed in the same moment in another process: count on its row
    db.session.execute(
        update(LoginFailures)
        .where(c.source == source, c.failures >= MOST_FAILURES, c.banned_until.is_(None))
        .values(banned_until=now + BAN)
    )


# parts


def _find(email: str) -> Row[Any] | None:
    table = User.__table__
    known = email.encode("utf-8", "replace").decode().replace("\x00", "").strip()[:320]  # what a database can take
    return db.session.execute(
        select(table).where(fold(table.c.email) == fold(known), table.c.deleted_at.is_(None))
    ).first()


def _let_in(app: str, user: Row[Any], password: str, address: str, agent: str) -> SignIn:
    unban(address)
    values: dict[str, Any] = {"last_login_at": clock.now()}
    if passwords.is_outdated(user.password_hash):
        values["password_hash"] = passwords.hash_of(password)
    db.session.execute(update(User).where(User.id == user.id).values(**values))
    token, session_id = sessions.start(app, user_id=user.id, address=address, agent=agent)
    note(app, "signed_in", address, agent, user.id, session_id)
    return SignIn(token, user.id, user.must_change_password)


def note(
    app: str,
    outcome: str,
    address: str,
    agent: str,
    user_id: int | None = None,
    session_id: int | None = None,
    portal_user_id: int | None = None,
) -> None:
    """Write one line of the history of log-ins. The caller commits."""
    db.session.execute(
        insert(LoginEvent).values(
            user_id=user_id,
            portal_user_id=portal_user_id,
            app=app,
            outcome=outcome,
            address=address[:45],
            agent=agent[:255],
            at=clock.now(),
            session_id=session_id,
        )
    )


def _note_end(*which: Any, by: str) -> None:
    db.session.execute(
        update(LoginEvent)
        .where(*which, LoginEvent.outcome == "signed_in", LoginEvent.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_by=by)
    )
