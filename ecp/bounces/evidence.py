"""Evidence: what happened afterwards and tells what became of a mail whose end nobody saw, or of an address for good."""

from typing import Any

from sqlalchemy import or_, select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery

AT_ONCE = 500
SOFT_IN_A_ROW = 4  # sendouts that bounced softly, one after the other, make a hard bounce (spec/marketing.md 4.2)


def has_arrived(delivery_id: int) -> bool:
    """An open or a click of the mail's own token: it was taken by the server. True when that settled a doubt."""
    return runs.resolve(db.session, delivery_id, "sent")


def note_bounces() -> int:
    """Write down, for addresses and persons, the refusals that the sending ledger has met since the last time.

    A server that says an address does not exist makes a hard bounce: nobody writes to it again. The caller commits.
    Gives how many were noted."""
    table = Delivery.__table__
    rows = db.session.execute(
        select(table.c.id, table.c.email, table.c.email_key, table.c.person_module, table.c.person_id, table.c.failed_reason, table.c.reply)
        .where(
            table.c.state == "failed",
            table.c.failed_reason.in_(("hard_bounce", "soft_bounce")),
            table.c.bounced_at.is_(None),
        )
        .order_by(table.c.id)
        .limit(AT_ONCE)
    ).all()  # fmt: skip
    now = clock.now()
    for row in rows:
        is_hard = row.failed_reason == "hard_bounce" or _is_soft_too_often(row.email_key, row.id)
        db.session.execute(
            update(Delivery)
            .where(table.c.id == row.id)
            .values(bounced_at=now, bounce_type="hard" if is_hard else "soft", bounce_text=row.reply)
        )
        _mark_person(row.person_module, row.person_id, row.email_key, "hard_bounced" if is_hard else "soft_bouncing")
        if is_hard:
            _suppress(row)
    return len(rows)


def _is_soft_too_often(email_key: str, delivery_id: int) -> bool:
    table = Delivery.__table__
    last = db.session.execute(
        select(table.c.bounce_type)
        .where(
            table.c.email_key == email_key,
            table.c.id < delivery_id,
            table.c.sendout_id.is_not(None),
            or_(table.c.state == "sent", table.c.bounce_type.is_not(None)),
        )
        .order_by(table.c.id.desc())
        .limit(SOFT_IN_A_ROW - 1)
    ).scalars()
    found = list(last)
    return len(found) == SOFT_IN_A_ROW - 1 and all(kind == "soft" for kind in found)


def _mark_person(module: str | None, id: int | None, email_key: str, status: str) -> None:
    if module not in {"contacts", "leads"} or id is None:
        return
    table = modules[module].table
    live = db.session.execute(
        select(table.c.email_key, table.c.email_status).where(table.c.id == id, table.c.deleted_at.is_(None))
    ).first()
    if (
        live is not None
        and live.email_key == email_key
        and live.email_status not in {status, "complained", "hard_bounced"}
    ):
        records.update(SYSTEM, module, id, {"email_status": status}, Channel.SYSTEM)


def _suppress(row: Any) -> None:
    table = modules["suppressions"].table
    known = select(table.c.id).where(
        table.c.email_key == row.email_key,
        table.c.scope == "bounce",
        table.c.active,
        table.c.deleted_at.is_(None),  # type: ignore[attr-defined]
    )
    if db.session.execute(known).first() is not None:
        return
    values = {
        "email": row.email, "scope": "bounce", "source": "bounce", "person_id": row.person_id,  # type: ignore[attr-defined]
        "contact_id": row.person_id if row.person_module == "contacts" else None,  # type: ignore[attr-defined]
        "note": (row.reply or "")[:500] or None,  # type: ignore[attr-defined]
    }  # fmt: skip
    records.create(SYSTEM, "suppressions", values, Channel.SYSTEM)
