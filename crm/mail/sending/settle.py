"""What an outcome makes of a delivery: its next state, and when it is tried again (invariants.md 2)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.mail.outcome import Outcome
from crm.mail.sending.kinds import Claimed

RETRIES = (1, 6, 24, 96)
"""Pauses before the retries, as multiples of the first: 5 min, 30 min, 2 h, 8 h."""
DROPS = 3
"""So often a connection may be lost before the text without counting as an attempt."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """`state` and the column `values` to write; `is_sure` when it also holds for a row that was called uncertain meanwhile."""

    state: str
    values: dict[str, Any]
    is_sure: bool = False


def settle(row: Claimed, outcome: Outcome, now: datetime, first_retry_seconds: float) -> Settlement:
    """The next state of a delivery whose text was begun."""
    values: dict[str, Any] = {"reply": outcome.sentence, "text_begun_at": None}
    if outcome.kind == "accepted":
        return Settlement("sent", {
            "reply": outcome.sentence, "sent_at": now, "attempts": row.attempts + 1, "due_at": None, "payload": None,
        }, is_sure=True)  # fmt: skip
    if outcome.kind == "in_doubt":
        return Settlement("uncertain", {"reply": outcome.sentence, "attempts": row.attempts + 1, "due_at": None})
    if outcome.is_permanent:
        reason = "hard_bounce" if outcome.is_hard_bounce else f"refused_{outcome.blame}"
        values |= {"failed_reason": reason, "attempts": row.attempts + 1, "due_at": None}
        return Settlement("failed", values, is_sure=True)
    if outcome.kind == "refused" or (not outcome.is_closing and outcome.kind == "not_sent" and row.drops + 1 >= DROPS):
        return _again(row, values, now, first_retry_seconds)
    is_drop = outcome.kind == "not_sent" and not outcome.is_closing
    values |= {"drops": row.drops + is_drop, "due_at": None, "worker_id": None}
    return Settlement("retry" if row.attempts else "waiting", values)


def _again(row: Claimed, values: dict[str, Any], now: datetime, first_retry_seconds: float) -> Settlement:
    attempts = row.attempts + 1
    values |= {"attempts": attempts, "drops": 0, "worker_id": None}
    if attempts > len(RETRIES):
        return Settlement("failed", values | {"failed_reason": "soft_bounce", "due_at": None})
    pause = first_retry_seconds * RETRIES[attempts - 1] * random.uniform(0.8, 1.2)
    return Settlement("retry", values | {"due_at": now + timedelta(seconds=pause)})
