"""What came of a public form, by the token it was sent with: sent again, it gives the first result and does nothing twice."""

import hashlib
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import String, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, Json, UtcDateTime, db, is_sqlite, rows_changed
from crm.engine.outbox import Progress, task

KEPT = timedelta(days=2)  # longer than a token holds


class FormPost(db.Model):  # type: ignore[name-defined]
    """One form that was sent."""

    __tablename__ = "form_posts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    form: Mapped[str] = mapped_column(String(60))
    result: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


TABLE = FormPost.__table__
TAKE: dict[str, Any] = {  # every form that is sent asks this while others wait: built once
    name: insert(TABLE).on_conflict_do_nothing(index_elements=["token_hash"]).returning(TABLE.c.id)
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
KEEP = update(TABLE).where(TABLE.c.token_hash == bindparam("of_token")).values(result=bindparam("what_came"))


def claim(form: str, token: str) -> dict[str, Any] | None:
    """None when this token is sent for the first time, and it is taken now; else what came of it then.

    Of two that come at once the second waits for the first's transaction. Rolled back, the token is free again.
    """
    row = {"token_hash": _hashed(token), "form": form[:60], "result": {}, "at": clock.now()}
    if db.session.execute(TAKE["sqlite" if is_sqlite() else "postgresql"], row).scalar() is not None:
        return None
    said = select(FormPost.result).where(FormPost.token_hash == _hashed(token))
    return dict(db.session.execute(said).scalar() or {})


def keep(token: str, result: dict[str, Any]) -> None:
    """What came of it, to be given when the same is sent again. The caller commits."""
    db.session.execute(KEEP, {"of_token": _hashed(token), "what_came": result})


def release(token: str) -> None:
    """The form had faults: it may be sent again. The caller commits (what was uploaded with it stays)."""
    db.session.execute(delete(FormPost).where(FormPost.token_hash == _hashed(token)))


@task("sweep_form_posts", daily=time(3, 20))
def sweep(_progress: Progress) -> str:
    """Forget tokens that no longer hold."""
    gone = rows_changed(delete(FormPost).where(FormPost.at < clock.now() - KEPT))
    db.session.commit()
    return f"{gone} forgotten"


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
