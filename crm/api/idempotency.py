"""Idempotency-Key: the same POST twice has one effect and one answer, for 24 hours (contract: REST)."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from crm import clock
from crm.api.auth import viewer
from crm.api.errors import BadRequest, Conflict
from crm.api.rest.answers import MEDIA_TYPE
from crm.db import db
from crm.engine.stored_answers import KEPT, StoredAnswer


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
