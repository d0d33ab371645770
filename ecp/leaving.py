"""Leaving mailings and coming back, by the one who gets them. Every step can be repeated and is then done once.

A list is left by the address (all who share it are left out), a campaign by the person; one click leaves both, but no other
list (decisions.md 22, spec/marketing.md 0.3, 6.7, 6.28). All writes go through the door as the holder of a link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, update

from crm import clock
from crm.db import db, fold
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from ecp.recipients import HOLDER, PERSONS, Recipient

CAME_BACK = "The recipient subscribed again"


@dataclass(frozen=True)
class Standing:
    """What an address has refused: `lists` are ids of list types; `no_mail`: everything."""

    lists: frozenset[int]
    campaigns: frozenset[int]
    no_mail: bool

    def is_off(self, recipient: Recipient) -> bool:
        """Whether mail like the one that this recipient holds no longer comes."""
        return (
            self.no_mail
            or recipient.list_type_id in self.lists
            or (recipient.list_type_id is None and bool(self.campaigns.intersection(recipient.campaign_ids)))
        )


def standing(recipient: Recipient) -> Standing:
    """What the recipient's address has refused by now."""
    table = modules["suppressions"].table
    rows = db.session.execute(
        select(table.c.scope, table.c.scope_id).where(
            table.c.email_key == recipient.email_key, table.c.active, table.c.deleted_at.is_(None)
        )
    ).all()
    return Standing(
        frozenset(row.scope_id for row in rows if row.scope == "list_type"),
        frozenset(row.scope_id for row in rows if row.scope == "campaign"),
        any(row.scope == "global" for row in rows) or bool(_opted_out(recipient.email_key)),
    )


def leave(recipient: Recipient, source: str = "recipient") -> None:
    """End the subscription of this mail's list, and the campaign's. `source`: recipient or one_click."""
    if recipient.list_type_id is not None:
        refuse(recipient, "list_type", recipient.list_type_id, source)
    for campaign_id in recipient.campaign_ids:
        refuse(recipient, "campaign", campaign_id, source)
    _move_member(recipient, "member", "unsubscribed")
    if recipient.list_type_id is None and not recipient.campaign_ids:
        refuse(recipient, "global", None, source)
    _note_leaving(recipient)


def come_back(recipient: Recipient) -> None:
    """Start the subscription of this mail's list again, and the campaign's; a refusal of all mail ends too."""
    if recipient.list_type_id is not None:
        accept(recipient, "list_type", recipient.list_type_id)
    _accept_campaigns(recipient)
    want_mail(recipient)


def choose_lists(recipient: Recipient, wanted: Iterable[int], offered: Iterable[int]) -> None:
    """Of the lists that were `offered`, keep those `wanted` and leave the others."""
    keep, now = set(wanted), standing(recipient)
    for list_type_id in offered:
        if list_type_id in keep and list_type_id in now.lists:
            accept(recipient, "list_type", list_type_id)
            if list_type_id == recipient.list_type_id:
                _accept_campaigns(recipient)
        elif list_type_id not in keep and list_type_id not in now.lists:
            if list_type_id == recipient.list_type_id:
                leave(recipient)
            else:
                refuse(recipient, "list_type", list_type_id, "recipient")


def want_no_mail(recipient: Recipient) -> None:
    """No mail at all: the opt-out of the person, or of the address when nobody has it (any more)."""
    changes = {"email_opt_out": True, "email_opt_out_source": "Link in a mail", "email_opt_in": "out_contact"}
    if recipient.person_module and recipient.person_id is not None:
        _write(recipient.person_module, [recipient.person_id], changes)
    else:
        refuse(recipient, "global", None, "recipient")
    _note_leaving(recipient)


def want_mail(recipient: Recipient) -> None:
    """The holder of the address wants mail again: every opt-out of that address ends."""
    accept(recipient, "global", None)
    for module, rows in _opted_out(recipient.email_key).items():
        back = {"email_opt_out": False}
        asked = [id for id, opt_in in rows.items() if opt_in in {"out_contact", "out_user"}]
        _write(module, asked, back | {"email_opt_in": "single_webform", "email_opt_in_source": "Link in a mail"})
        _write(module, [id for id in rows if id not in asked], back)


def answer_measuring(recipient: Recipient, agrees: bool, wording: str) -> None:
    """Store the answer to the question whether opens may be measured, with the words of the question."""
    if recipient.person_module and recipient.person_id is not None:
        said = "yes" if agrees else "no"
        evidence = {"may_measure_opens_source": "Link in a mail", "may_measure_opens_wording": wording}
        _write(recipient.person_module, [recipient.person_id], {"may_measure_opens": said, **evidence})


def choose_language(recipient: Recipient, language: str | None) -> None:
    """Store the language that the person wants to be written to in."""
    if recipient.person_module and recipient.person_id is not None:
        _write(recipient.person_module, [recipient.person_id], {"language": language})


def refuse(recipient: Recipient, scope: str, scope_id: int | None, source: str) -> None:
    """One refusal of the address in force; nothing happens when it is already."""
    found = _refusal(recipient, scope, scope_id)
    if found is None:
        values = {
            "email": recipient.email, "scope": scope, "scope_id": scope_id, "source": source, "active": True,
            "person_id": recipient.person_id,
            "contact_id": recipient.person_id if recipient.person_module == "contacts" else None,
        }  # fmt: skip
        records.create(HOLDER, "suppressions", values, Channel.PORTAL)
    elif not found.active:
        changes = {"active": True, "source": source, "at": clock.now(), "note": None}
        records.update(HOLDER, "suppressions", found.id, changes, Channel.PORTAL)


def accept(recipient: Recipient, scope: str, scope_id: int | None) -> None:
    """End the refusals of the address for one thing; nothing happens when there is none."""
    while (found := _refusal(recipient, scope, scope_id)) is not None and found.active:
        records.update(HOLDER, "suppressions", found.id, {"active": False, "note": CAME_BACK}, Channel.PORTAL)


def _accept_campaigns(recipient: Recipient) -> None:
    for campaign_id in recipient.campaign_ids:
        accept(recipient, "campaign", campaign_id)
    _move_member(recipient, "unsubscribed", "member")


def _refusal(recipient: Recipient, scope: str, scope_id: int | None) -> Any:
    table = modules["suppressions"].table
    return db.session.execute(
        select(table.c.id, table.c.active)
        .where(
            table.c.email_key == recipient.email_key,
            table.c.scope == scope,
            table.c.scope_id.is_(None) if scope_id is None else table.c.scope_id == scope_id,
            table.c.deleted_at.is_(None),
        )
        .order_by(table.c.active.desc(), table.c.id.desc())
        .limit(1)
    ).first()


def _opted_out(key: str) -> dict[str, dict[int, str | None]]:
    """Live persons with this address who opted out: module → id → opt-in state."""
    found: dict[str, dict[int, str | None]] = {}
    for module in PERSONS:
        table = modules[module].table
        same = fold(table.c.email_key) == key
        if module == "contacts":
            same = or_(same, fold(table.c.secondary_email) == key)
        rows = db.session.execute(
            select(table.c.id, table.c.email_opt_in).where(same, table.c.email_opt_out, table.c.deleted_at.is_(None))
        )
        if ids := {row.id: row.email_opt_in for row in rows}:
            found[module] = ids
    return found


def _write(module: str, ids: Iterable[int], changes: Mapping[str, Any]) -> None:
    records.update_many(HOLDER, module, dict.fromkeys(ids, changes), Channel.PORTAL)


def _move_member(recipient: Recipient, before: str, after: str) -> None:
    table = modules["campaign_members"].table
    if recipient.person_id is not None and recipient.campaign_ids:
        left_at = clock.now() if after == "unsubscribed" else None
        same = and_(table.c.campaign_id.in_(recipient.campaign_ids), table.c.person_id == recipient.person_id)
        db.session.execute(update(table).where(same, table.c.state == before).values(state=after, left_at=left_at))


def _note_leaving(recipient: Recipient) -> None:
    runs.resolve(db.session, recipient.delivery_id, "sent")  # who leaves by the link of a mail has got it
    table = Delivery.__table__
    db.session.execute(
        update(table)
        .where(table.c.id == recipient.delivery_id, table.c.unsubscribed_at.is_(None))
        .values(unsubscribed_at=clock.now())
    )
