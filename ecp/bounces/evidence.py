"""Evidence: what happened afterwards and tells what became of a mail whose end nobody saw, or of an address for good.

Set-wise: some queries a batch, whatever its size, since a large list brings thousands of bounces in minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from crm import clock, config
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from crm.modules.people import PERSONS
from crm.words import speaking
from ecp.bounces.verdicts import Kind, Verdict, judge

AT_ONCE = 500
SOFT_IN_A_ROW = 4  # sendouts that bounced softly, one after the other, make a hard bounce (spec/marketing.md 4.2)
COLUMNS = ("id", "email", "email_key", "person_module", "person_id", "sendout_id", "state", "bounced_at", "bounce_type", "reply", "failed_reason")  # fmt: skip
WENT = ("sent", "uncertain", "failed")  # a mail that never left does not come back


@dataclass(frozen=True)
class Bounce:
    """What a report says of one delivery. `words`: the server's own."""

    delivery_id: int
    verdict: Verdict
    words: str = ""

    @property
    def text(self) -> str:
        """For people: why, and the server's words."""
        said = " ".join(self.words.split())[:500]
        if self.verdict.status and self.verdict.status not in said:
            said = f"{self.verdict.status} {said}".strip()
        return f"{self.verdict.sentence} ({said})" if said else self.verdict.sentence


def has_arrived(delivery_id: int) -> bool:
    """An open or a click of the mail's own token: it was taken by the server. True when that settled a doubt."""
    return runs.resolve(db.session, delivery_id, "sent")


def note_bounces() -> int:
    """Write down, for addresses and persons, the refusals that the sending ledger has met since the last time.

    A server that says an address does not exist makes a hard bounce: nobody writes to it again. The caller commits.
    Gives how many were noted."""
    table = Delivery.__table__
    rows = db.session.execute(
        select(*(table.c[name] for name in COLUMNS))
        .where(
            table.c.state == "failed",
            table.c.failed_reason.in_(("hard_bounce", "soft_bounce")),
            table.c.bounced_at.is_(None),
        )
        .order_by(table.c.id)
        .limit(AT_ONCE)
    ).all()
    if rows:
        with speaking(config.current().locale):
            _write({row.id: _of_ledger(row) for row in rows}, rows)
    return len(rows)


def _of_ledger(row: Any) -> Bounce:
    """The refusal that the sending itself has met; it has decided already whether the address is no good."""
    words = row.reply or ""
    kind: Kind = "hard" if row.failed_reason == "hard_bounce" else "soft"
    said = judge("", words)
    reason = said.reason if said.kind == kind else ("unknown" if kind == "hard" else "busy")
    return Bounce(row.id, Verdict(kind, reason, said.status), words)


def note_reports(bounces: Sequence[Bounce]) -> set[int]:
    """Write down what reports say of deliveries; gives the ids of those that it changed. The caller commits.

    A report proves that the mail was taken by a server, so a doubt is settled too. Of two about one mail the harder holds."""
    said = {one.delivery_id: one for one in bounces}
    rows = [row for row in find_deliveries(list(said)) if row.state in WENT]
    for row in rows:
        if row.state == "uncertain":
            has_arrived(row.id)
    fresh = [
        row
        for row in rows
        if row.bounced_at is None or (row.bounce_type == "soft" and said[row.id].verdict.kind == "hard")
    ]
    with speaking(config.current().locale):
        _write({row.id: said[row.id] for row in fresh}, fresh)
    return {row.id for row in fresh}


def note_complaints(delivery_ids: Sequence[int]) -> None:
    """Whoever told his provider that our mail is unwanted gets none any more. The caller commits."""
    rows = [row for row in find_deliveries(delivery_ids) if row.email]
    _mark_persons(rows, "complained")
    _suppress(rows, "complaint", {})


def find_deliveries(ids: Sequence[int]) -> list[Any]:
    """The deliveries of these ids that exist, held until the caller commits."""
    table = Delivery.__table__
    said = select(*(table.c[name] for name in COLUMNS)).where(table.c.id.in_(list(ids))).order_by(table.c.id)
    return list(db.session.execute(said.with_for_update()).all()) if ids else []


def _write(bounces: dict[int, Bounce], rows: Sequence[Any]) -> None:
    """Deliveries, persons and addresses; `rows` are those of `bounces`."""
    if not rows:
        return
    for row in rows:
        one = bounces[row.id]
        if one.verdict.kind == "soft" and row.sendout_id is not None and _is_soft_too_often(row.email_key, row.id):
            bounces[row.id] = replace(one, verdict=replace(one.verdict, kind="hard"))
    table, now = Delivery.__table__, clock.now()
    said = update(table).where(table.c.id == bindparam("row")).values(
        bounced_at=bindparam("said_at"), bounce_type=bindparam("said_kind"), bounce_text=bindparam("said_words")
    )  # fmt: skip
    db.session.connection().execute(said, [
        {"row": row.id, "said_at": now, "said_kind": bounces[row.id].verdict.kind, "said_words": bounces[row.id].text} for row in rows
    ])  # fmt: skip
    hard = [row for row in rows if bounces[row.id].verdict.kind == "hard"]
    _mark_persons([row for row in rows if bounces[row.id].verdict.kind == "soft"], "soft_bouncing")
    _mark_persons(hard, "hard_bounced")
    _suppress(hard, "bounce", {row.id: bounces[row.id].text for row in hard})


def _is_soft_too_often(email_key: str, delivery_id: int) -> bool:
    """Whether the sendouts before this one bounced softly, without one between that arrived. Refusals of our mail say nothing."""
    table = Delivery.__table__
    last = db.session.execute(
        select(table.c.bounce_type)
        .where(
            table.c.email_key == email_key,
            table.c.id < delivery_id,
            table.c.sendout_id.is_not(None),
            or_(table.c.state == "sent", table.c.bounce_type.is_not(None)),
            or_(table.c.bounce_type.is_(None), table.c.bounce_type != "policy"),
        )
        .order_by(table.c.id.desc())
        .limit(SOFT_IN_A_ROW - 1)
    ).scalars()
    found = list(last)
    return len(found) == SOFT_IN_A_ROW - 1 and all(kind == "soft" for kind in found)


def _mark_persons(rows: Sequence[Any], status: str) -> None:
    """The state of the addresses of the persons, where they still have them; what is worse stays."""
    worse = {"complained"} if status == "complained" else {status, "complained", "hard_bounced"}
    for module in PERSONS:
        keys = {row.person_id: row.email_key for row in rows if row.person_module == module and row.person_id}
        if not keys:
            continue
        table = modules[module].table
        live = db.session.execute(
            select(table.c.id, table.c.email_key, table.c.email_status).where(
                table.c.id.in_(keys), table.c.deleted_at.is_(None)
            )
        ).all()
        changes = {
            one.id: {"email_status": status}
            for one in live
            if one.email_key == keys[one.id] and one.email_status not in worse
        }
        if changes:
            records.update_many(SYSTEM, module, changes, Channel.SYSTEM)


def _suppress(rows: Sequence[Any], scope: str, notes: dict[int, str]) -> None:
    """One refusal an address, unless one of this kind is in force."""
    table = modules["suppressions"].table
    wanted = {row.email_key: row for row in reversed(rows) if row.email}
    known = select(table.c.email_key).where(
        table.c.email_key.in_(wanted), table.c.scope == scope, table.c.active, table.c.deleted_at.is_(None)
    )
    for key in db.session.scalars(known).all() if wanted else ():
        wanted.pop(key, None)
    live = _live([row.person_id for row in wanted.values() if row.person_id])
    values = [
        {
            "email": row.email, "scope": scope, "source": scope, "person_id": row.person_id if row.person_id in live else None,
            "contact_id": row.person_id if live.get(row.person_id) == "contacts" else None,
            "note": notes.get(row.id, "")[:500] or None,
        }
        for row in wanted.values()
    ]  # fmt: skip
    if values:
        records.create_many(SYSTEM, "suppressions", values, Channel.SYSTEM)


def _live(ids: Sequence[int]) -> dict[int, str]:
    """Of these persons those that are not deleted: id → module."""
    found: dict[int, str] = {}
    for module in PERSONS if ids else ():
        table = modules[module].table
        said = select(table.c.id).where(table.c.id.in_(ids), table.c.deleted_at.is_(None))
        found |= dict.fromkeys(db.session.scalars(said), module)
    return found
