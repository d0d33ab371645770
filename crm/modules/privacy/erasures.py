"""What was erased: one row a record, without any value of it; and the list that a restored backup is held against.

The list also lies in the data folder, one line an erasure: a backup of yesterday does not know of those of today.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, String, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, config
from crm.db import BigId, Json, UtcDateTime, db
from crm.identity import keys

FILE = "erasures.jsonl"
DOMAIN = "erased.invalid"


class Erasure(db.Model):  # type: ignore[name-defined, misc]
    """That the person of a record was erased: when, by whom, how many rows of what. No key to the record: it may go."""

    __tablename__ = "erasures"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[int] = mapped_column(BigId, unique=True)
    hashes: Mapped[list[str]] = mapped_column(Json, default=list)
    counts: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))


def hashed(email_key: str) -> str:
    """What is kept of an erased address: HMAC-SHA-256 under a key of its own, so that nobody can try addresses."""
    return hmac.new(keys.of("erase"), email_key.encode(), hashlib.sha256).hexdigest()[:40]


def stand_in(email_key: str) -> str:
    """The address that stands in the list of refusals for an erased one."""
    return f"{hashed(email_key)}@{DOMAIN}"


def is_erased(id: int) -> bool:
    """Whether the person of this record was erased."""
    return db.session.execute(select(Erasure.id).where(Erasure.entity_id == id)).first() is not None


def note(
    persons: Iterable[tuple[str, int]], emails: Iterable[str], counts: Mapping[str, int], actor_id: int | None
) -> None:
    """Write down that persons were erased. The caller commits."""
    hashes, now = sorted(hashed(one) for one in emails), clock.now()
    known = set(db.session.execute(select(Erasure.entity_id)).scalars())
    rows = [
        {"module": module, "entity_id": id, "hashes": hashes, "counts": dict(counts), "at": now, "actor_id": actor_id}
        for module, id in persons
        if id not in known
    ]
    if rows:
        db.session.execute(insert(Erasure), rows)


def lines() -> Iterator[str]:
    """The list, oldest first: JSON, one erasure a line."""
    for row in db.session.execute(select(Erasure).order_by(Erasure.id)).scalars():
        yield json.dumps({"module": row.module, "id": row.entity_id, "hashes": row.hashes, "at": row.at.isoformat()})


def write_list(path: Path | None = None) -> Path:
    """Write the list to a file (default: in the data folder); gives its path."""
    target = path or config.current().data_path / FILE
    beside = target.with_name(f".{target.name}")
    beside.write_text("".join(f"{line}\n" for line in lines()), "utf-8")
    beside.chmod(0o600)
    beside.rename(target)
    return target


def read_list(path: Path) -> list[dict[str, Any]]:
    """The erasures of a list. Raises ValueError with the number of a line that is none."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            said = json.loads(line)
            found.append({"module": str(said["module"]), "id": int(said["id"])})
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"line {number} of {path.name} is no erasure") from None
    return found
