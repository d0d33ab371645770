"""Idempotency-Key: the same POST twice has one effect and one answer, for 24 hours (contract: REST)."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from flask import Response, request
from sqlalchemy import Integer, LargeBinary, String, UniqueConstraint, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.api.auth import viewer
from crm.api.errors import BadRequest, Conflict
from crm.api.rest.answers import MEDIA_TYPE
from crm.db import BigId, UtcDateTime, db
from crm.engine import outbox

KEPT = timedelta(hours=24)


class StoredAnswer(db.Model):  # type: ignore[name-defined, misc]
    """The answer that one key of one caller got; status 0 while it is being made."""

    __tablename__ = "stored_answers"
    __table_args__ = (UniqueConstraint("caller", "key"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer, default=0)
    body: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def once(call: Callable[..., Response]) -> Callable[..., Response]:
    """Let a POST be idempotent. Its effect and its stored answer are one transaction; of two at once the second waits or gets 409."""

    @wraps(call)
    def guarded(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            made = call(*args, **kwargs)
            db.session.commit()
            return made
        if len(key) > 200:
            raise BadRequest("An Idempotency-Key has at most 200 characters.", "Idempotency-Key")
        caller = f"key:{viewer().api_key_id}" if viewer().api_key_id else f"user:{viewer().id}"
        fingerprint = hashlib.sha256(
            f"{request.method} {request.full_path}\n".encode() + request.get_data()
        ).hexdigest()
        kept = _find(caller, key)
        if kept is None:
            try:
                with db.session.begin_nested():
                    db.session.execute(
                        insert(StoredAnswer).values(
                            caller=caller, key=key, fingerprint=fingerprint, created_at=clock.now(), status=0, body=b""
                        )
                    )
            except IntegrityError:
                kept = _find(caller, key)
        if kept is not None:
            if kept.fingerprint != fingerprint:
                raise BadRequest(
                    "This Idempotency-Key was used for another request.", "Idempotency-Key", 422, "key_reused"
                )
            if not kept.status:
                raise Conflict("The same request is being worked on.", "in_progress")
            return Response(kept.body, status=kept.status, mimetype=MEDIA_TYPE, headers={"Idempotent-Replay": "true"})
        made = call(*args, **kwargs)
        db.session.execute(
            update(StoredAnswer)
            .where(StoredAnswer.caller == caller, StoredAnswer.key == key)
            .values(status=made.status_code, body=made.get_data())
        )
        db.session.commit()
        return made

    return guarded


def _find(caller: str, key: str) -> Any:
    said = select(StoredAnswer.fingerprint, StoredAnswer.status, StoredAnswer.body)
    fresh = StoredAnswer.created_at > clock.now() - KEPT
    found = db.session.execute(said.where(StoredAnswer.caller == caller, StoredAnswer.key == key, fresh)).one_or_none()
    if found is None:
        db.session.execute(delete(StoredAnswer).where(StoredAnswer.caller == caller, StoredAnswer.key == key, ~fresh))
    return found


@outbox.task("forget_stored_answers", every=3600)
def forget_stored_answers(_progress: outbox.Progress, **_: Any) -> str:
    """Delete answers older than 24 hours."""
    done = db.session.execute(delete(StoredAnswer).where(StoredAnswer.created_at <= clock.now() - KEPT))
    return f"{done.rowcount} forgotten"  # type: ignore[attr-defined]
