"""What came back becomes what it should, once: deliveries bounced, addresses refused, people gone from lists, reports kept.

Only a sealed token of ours gives a report any force (invariants.md 4): without one it is counted and changes nothing.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError

from crm import clock
from crm.db import db
from crm.identity.sealing import Sealer, sealer
from crm.mail.sending.deliveries import Delivery
from ecp import leaving
from ecp.bounces import evidence, keeping
from ecp.bounces.evidence import Bounce
from ecp.bounces.reading import Returned
from ecp.bounces.tables import ReturnedMail
from ecp.recipients import recipient

log = logging.getLogger(__name__)
ABOUT_MAIL = ("bounce", "delayed", "delivered", "complaint", "unsubscribe")
UNPROVED = "unproved"  # the note of a report without a token of ours
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Came:
    """One thing that came back. `key`: by which it is known again."""

    key: str
    what: Returned
    mailbox_id: int | None = None


def key_of(data: bytes) -> str:
    """By which a mail is known again: its octets, since a Message-ID can be made up."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def take_in(came: Sequence[Came]) -> int:
    """Write all of them; gives how many were new. Commits. What no code of ours foresaw costs one mail, not the batch."""
    try:
        return _take_in(came)
    except (OperationalError, InterfaceError):
        raise  # the database is away: this is no fault of the mails
    except Exception:
        db.session.rollback()
        if len(came) == 1:
            log.exception("something that came back could not be taken in")
            plain = Returned("other", domain=came[0].what.domain)
            return _take_in([Came(came[0].key, plain, came[0].mailbox_id)], UNREADABLE)
    return sum(take_in([one]) for one in came)


def _take_in(came: Sequence[Came], note: str | None = None) -> int:
    opener = sealer()
    fresh = _claim(came)
    about = _deliveries_of(fresh, opener)
    bounces = [
        Bounce(about[one.key], one.what.verdict, one.what.words)
        for one in fresh
        if one.what.kind == "bounce" and one.what.verdict is not None and one.key in about
    ]
    evidence.note_reports(sorted(bounces, key=lambda one: one.verdict.kind == "hard"))
    of_kind = {
        kind: [about[one.key] for one in fresh if one.what.kind == kind and one.key in about] for kind in ABOUT_MAIL
    }
    for delivery_id in {*of_kind["delivered"], *of_kind["complaint"], *of_kind["unsubscribe"]}:
        evidence.has_arrived(delivery_id)
    evidence.note_complaints(of_kind["complaint"])
    for delivery_id in dict.fromkeys([*of_kind["complaint"], *of_kind["unsubscribe"]]):
        if (who := recipient(delivery_id)) is not None and who.unsubscribed_at is None:
            leaving.leave(who, "complaint" if delivery_id in of_kind["complaint"] else "one_click")
    for one in fresh:
        kept = keeping.keep(one.what) if one.what.kind in {"dmarc", "tls"} else ""
        _note(one, about.get(one.key), note or kept)
    db.session.commit()
    return len(fresh)


def _claim(came: Sequence[Came]) -> list[Came]:
    """Those that nobody has taken in before; their rows are written."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    now, known = clock.now(), {one.key: one for one in came}
    if not known:
        return []
    rows = [{"key": key, "kind": one.what.kind, "at": now, "mailbox_id": one.mailbox_id} for key, one in known.items()]
    said = dialect.insert(ReturnedMail).values(rows).on_conflict_do_nothing(index_elements=["key"])
    new = set(db.session.execute(said.returning(ReturnedMail.key)).scalars())
    return [one for key, one in known.items() if key in new]


def _deliveries_of(came: Sequence[Came], opener: Sealer) -> dict[str, int]:
    """key → delivery, for those that carry a token which we sealed and whose delivery is still there."""
    opened: dict[str, int] = {}
    for one in came:
        if one.what.kind in ABOUT_MAIL:
            found = (opener.open_octets("bounce", token) for token in one.what.tokens)
            number = next((id for id in found if id is not None), None)
            if number is not None:
                opened[one.key] = number
    there = (
        set(db.session.scalars(select(Delivery.id).where(Delivery.id.in_(set(opened.values()))))) if opened else set()
    )
    return {key: id for key, id in opened.items() if id in there}


def _note(one: Came, delivery_id: int | None, note: str) -> None:
    what, verdict = one.what, one.what.verdict
    if not note and delivery_id is None and what.kind in ABOUT_MAIL:
        note = UNPROVED
    db.session.execute(
        update(ReturnedMail).where(ReturnedMail.key == one.key).values(
            kind=what.kind, verdict=verdict.kind if verdict else None, reason=verdict.reason if verdict else None,
            status=(verdict.status[:12] or None) if verdict else None, domain=what.domain[:255] or None,
            delivery_id=delivery_id, note=note[:300] or None,
        )
    )  # fmt: skip


__all__ = ["Came", "key_of", "take_in"]
