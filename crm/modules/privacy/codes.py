"""Codes for sensitive acts of people without a log-in: mailed at that moment, six digits, ten minutes, five tries, hash kept."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, id_inserted, rows_changed
from crm.engine.refusals import Conflict
from crm.identity import keys
from crm.modules.portals import letters
from crm.words import _, speaking

LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
MOST_AN_HOUR = 5


class PersonCode(db.Model):  # type: ignore[name-defined, misc]
    """One code: for whom and for what. Used up or tried too often it is worth nothing."""

    __tablename__ = "person_codes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(20))
    code_hash: Mapped[bytes] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def send(module: str, person_id: int, email: str, act: str, language: str | None) -> None:
    """Mail a new code for one act; older ones for it are worth nothing. Raises Conflict when too many were asked for.

    The caller commits."""
    now, c = clock.now(), PersonCode.__table__.c
    db.session.execute(delete(PersonCode).where(PersonCode.created_at < now - timedelta(days=1)))
    lately = select(func.count()).where(c.person_id == person_id, c.created_at > now - timedelta(hours=1))
    if int(db.session.execute(lately).scalar() or 0) >= MOST_AN_HOUR:
        raise Conflict(_("Too many codes were asked for. Please wait an hour."), "too_many_codes")
    db.session.execute(
        update(PersonCode).where(c.person_id == person_id, c.act == act, c.used_at.is_(None)).values(used_at=now)
    )
    code = f"{secrets.randbelow(1_000_000):06}"
    values = {"person_id": person_id, "act": act, "code_hash": b"", "created_at": now}
    made = id_inserted(insert(PersonCode).values(values))
    db.session.execute(update(PersonCode).where(c.id == made).values(code_hash=_hashed(made, code)))
    with speaking(language or "en"):
        subject = _("Your code: %(code)s", code=code)
        text = _(
            "Your code is %(code)s. It holds for ten minutes.\n\nIf you did not ask for it, do nothing, and forward no mail of ours to others: links in it are yours.",
            code=code,
        )  # fmt: skip
    letters.put(email, subject, text, f"me_code:{made}", (module, person_id))


def check(person_id: int, act: str, typed: str) -> bool:
    """Whether the code is right; it is used up then. A wrong one counts as a try: the caller commits in both cases."""
    c, now = PersonCode.__table__.c, clock.now()
    row = db.session.execute(
        select(c.id, c.code_hash).where(
            c.person_id == person_id, c.act == act, c.used_at.is_(None), c.tries < MOST_TRIES, c.created_at > now - LIFETIME
        ).order_by(c.id.desc()).limit(1)
    ).first()  # fmt: skip
    if row is None:
        return False
    tried = update(PersonCode).where(c.id == row.id, c.tries < MOST_TRIES, c.used_at.is_(None))
    if not rows_changed(tried.values(tries=c.tries + 1)):
        return False
    if not hmac.compare_digest(bytes(row.code_hash), _hashed(row.id, "".join(typed.split()))):
        return False
    return bool(rows_changed(update(PersonCode).where(c.id == row.id, c.used_at.is_(None)).values(used_at=now)))


def _hashed(id: int, code: str) -> bytes:
    """Keyed: six digits are tried quickly by whoever reads the table."""
    return hmac.new(keys.of("codes"), f"{id}:{code}".encode(), hashlib.sha256).digest()
