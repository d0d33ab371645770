"""Leaving mailings and coming back, by the one who gets them. Every step can be repeated and is then done once.

A list is left by the address (all who share it are left out), a campaign by the person; one click leaves both, but no other
list (decisions.md 22, spec/marketing.md 0.3, 6.7, 6.28). All writes go through the door as the holder of a link.
"""

from collections.abc import Iterable

from sqlalchemy import and_, update

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from crm.modules import subscriptions
from crm.modules.subscriptions import (
    Refusals,
    accept,
    answer_measuring,
    refusals,
    refuse,
    want_mail,
    write,
)
from ecp.recipients import Recipient

__all__ = [
    "Standing",
    "answer_measuring",
    "choose_language",
    "choose_lists",
    "come_back",
    "leave",
    "standing",
    "want_mail",
    "want_no_mail",
]


class Standing(Refusals):
    """What an address has refused: `lists` are ids of list types; `no_mail`: everything."""

    def is_off(self, recipient: Recipient) -> bool:
        """Whether mail like the one that this recipient holds no longer comes."""
        return (
            self.no_mail
            or recipient.list_type_id in self.lists
            or (recipient.list_type_id is None and bool(self.campaigns.intersection(recipient.campaign_ids)))
        )


def standing(recipient: Recipient) -> Standing:
    """What the recipient's address has refused by now."""
    found = refusals(recipient)
    return Standing(found.lists, found.campaigns, found.no_mail)


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
    subscriptions.want_no_mail(recipient)
    _note_leaving(recipient)


def choose_language(recipient: Recipient, language: str | None) -> None:
    """Store the language that the person wants to be written to in."""
    if recipient.person_module and recipient.person_id is not None:
        write(recipient.person_module, [recipient.person_id], {"language": language})


def _accept_campaigns(recipient: Recipient) -> None:
    for campaign_id in recipient.campaign_ids:
        accept(recipient, "campaign", campaign_id)
    _move_member(recipient, "unsubscribed", "member")


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
