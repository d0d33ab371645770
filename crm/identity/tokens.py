"""Links of few uses (set a password, confirm an address, accept, join): 128 random bits, of which only a hash is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, delete, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, Json, UtcDateTime, db, rows_changed


class Token(db.Model):  # type: ignore[name-defined, misc]
    """One token: what it is for, about whom, until when, and whether it was used up."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    subject_id: Mapped[int | None] = mapped_column(BigId, index=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Found:
    """What a token that still holds stands for."""

    id: int
    purpose: str
    subject_id: int | None
    data: dict[str, Any]


def fresh() -> str:
    """128 random bits as 22 characters that fit in addresses and cookies."""
    return secrets.token_urlsafe(16)


def hashed(token: str) -> bytes:
    """What is kept of a token. A plain hash is enough: nobody can try 2**128 of them."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue(
    purpose: str, subject_id: int | None = None, lifetime: timedelta | None = None, data: dict[str, Any] | None = None
) -> str:
    """A new token for `purpose` about `subject_id`; None lives until used. The caller commits."""
    token = fresh()
    now = clock.now()
    db.session.execute(
        insert(Token).values(
            purpose=purpose,
            token_hash=hashed(token),
            subject_id=subject_id,
            data=data or {},
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
    )
    return token


def peek(purpose: str, token: str) -> Found | None:
    """What `token` stands for, without using it up (GET changes nothing); None for any that does not hold."""
    table = Token.__table__
    row = db.session.execute(select(table).where(table.c.token_hash == hashed(token), *_holds(purpose))).first()
    return Found(row.id, row.purpose, row.subject_id, row.data or {}) if row else None


def recall(purpose: str, token: str) -> Found | None:
    """What `token` once stood for, also when it was used or has run out; None for one that was never ours or was swept."""
    table = Token.__table__
    said = select(table).where(table.c.token_hash == hashed(token), table.c.purpose == purpose)
    row = db.session.execute(said).first()
    return Found(row.id, row.purpose, row.subject_id, row.data or {}) if row else None


def use(purpose: str, token: str) -> Found | None:
    """The same, and the token is used up: of two that come at once, one gets it. The caller commits."""
    found = peek(purpose, token)
    if found is None:
        return None
    taken = rows_changed(update(Token).where(Token.id == found.id, Token.used_at.is_(None)).values(used_at=clock.now()))
    return found if taken else None


def extend(found: Found, lifetime: timedelta) -> None:
    """Let a token that was just found live for `lifetime` from now. The caller commits."""
    db.session.execute(update(Token).where(Token.id == found.id).values(expires_at=clock.now() + lifetime))


def revoke(purpose: str, subject_id: int) -> None:
    """End all tokens for `purpose` about `subject_id`, because a newer one was asked for. The caller commits."""
    db.session.execute(delete(Token).where(Token.purpose == purpose, Token.subject_id == subject_id))


def sweep(older_than: timedelta = timedelta(days=30)) -> int:
    """Delete tokens that have been dead for `older_than`; gives how many. The caller commits."""
    before = clock.now() - older_than
    return rows_changed(delete(Token).where(or_(Token.expires_at < before, Token.used_at < before)))


def _holds(purpose: str) -> tuple[Any, ...]:
    c = Token.__table__.c
    return c.purpose == purpose, c.used_at.is_(None), or_(c.expires_at.is_(None), c.expires_at > clock.now())
