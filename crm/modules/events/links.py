"""Personal links of events: cancel and confirm in the mails about a registration, join and decline in invitations.

The first two are tokens of few uses, kept as hashes. The last two are sealed into each mail of a campaign (nothing stored):
the delivery that carries them, and the event. A page that knows a person seals the person and the event. A GET only looks
(`read`); what is done is done by the page's POST.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.sealing import Sealer, public_base, sealer
from crm.mail.sending.deliveries import Delivery
from crm.modules.events import kinds, windows
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event

KEPT = ("event_cancel", "event_confirm")
SEALED = {"j": "event_join", "d": "event_decline", "m": "event_own"}
NO_END = timedelta(days=365)


@dataclass(frozen=True)
class Acting:
    """What a link stands for: join, decline, cancel or confirm, at which event, of whom."""

    purpose: str
    event: Event
    contact_id: int | None
    attendee_id: int | None = None


def cancel_link(event: Event, attendee_id: int) -> str:
    """A new link to give up a place. The caller commits."""
    return f"{public_base()}/act/{tokens.issue('event_cancel', attendee_id, _lifetime(event))}"


def confirm_link(attendee_id: int) -> str:
    """A new link to take the seat that is held. The caller commits."""
    return f"{public_base()}/act/{tokens.issue('event_confirm', attendee_id, timedelta(days=2))}"


def _lifetime(event: Event) -> timedelta:
    end = event.ends_at or event.starts_at
    return max(end - clock.now(), timedelta(hours=1)) if end else NO_END


def join_link(delivery_id: int, about: str, *, sealer: Sealer, base_url: str) -> str:
    """`{$links.event_join:<event id>}` in a mail of a campaign (catalog.LINK_KINDS)."""
    return _sealed("j", delivery_id, about, sealer, base_url)


def decline_link(delivery_id: int, about: str, *, sealer: Sealer, base_url: str) -> str:
    """`{$links.event_decline:<event id>}`."""
    return _sealed("d", delivery_id, about, sealer, base_url)


def own_path(event_id: int, contact_id: int) -> str:
    """Where somebody whom a page knows sees, changes and cancels his registration. Nothing is stored."""
    return f"/act/m{event_id}.{sealer().seal(f'event_own:{event_id}', contact_id)}"


def _sealed(letter: str, delivery_id: int, about: str, sealer: Sealer, base_url: str) -> str:
    if not about.isdecimal():
        return ""
    return f"{base_url}/act/{letter}{about}.{sealer.seal(f'{SEALED[letter]}:{about}', delivery_id)}"


def read(token: str) -> Acting | None:
    """What a link stands for, without doing anything; None for any that does not hold, whatever the reason.

    Links of an event that was called off, is over or deleted are dead; so are those whose mail or contact is gone.
    """
    found = _of_kept(token) if "." not in token else _of_sealed(token)
    if found is None or found.event.state == "cancelled" or windows.is_over(found.event):
        return None
    return found


def _of_kept(token: str) -> Acting | None:
    for purpose in KEPT:
        found = tokens.peek(purpose, token)
        if found is None:
            continue
        said = select(TABLE.c.event_id, TABLE.c.contact_id).where(
            TABLE.c.id == found.subject_id, TABLE.c.deleted_at.is_(None)
        )
        row = db.session.execute(said).first()
        event = _event(row.event_id) if row else None
        if row and event:
            return Acting(purpose.removeprefix("event_"), event, row.contact_id, found.subject_id)
    return None


def _of_sealed(token: str) -> Acting | None:
    head, _dot, rest = token.partition(".")
    purpose, about = SEALED.get(head[:1], ""), head[1:]
    if not purpose or not (about.isascii() and about.isdecimal()) or len(about) > 18:
        return None
    subject = sealer().open(f"{purpose}:{about}", rest)
    if subject is None:
        return None
    contacts = modules["contacts"].table
    said = select(contacts.c.id).where(contacts.c.deleted_at.is_(None))
    if purpose == "event_own":
        said = said.where(contacts.c.id == subject)
    else:
        said = said.join(Delivery, Delivery.contact_id == contacts.c.id).where(Delivery.id == subject)
    contact_id, event = db.session.execute(said).scalar(), _event(int(about))
    if contact_id is None or event is None:
        return None
    mine = select(TABLE.c.id).where(
        TABLE.c.event_id == event.id, TABLE.c.contact_id == contact_id, TABLE.c.deleted_at.is_(None)
    )
    attendee_id = db.session.execute(mine).scalar()
    if purpose == "event_own":
        return Acting("cancel", event, contact_id, attendee_id) if attendee_id is not None else None
    return Acting(purpose.removeprefix("event_"), event, contact_id, attendee_id)


def _event(event_id: int) -> Event | None:
    try:
        return kinds.load(event_id)
    except Missing:
        return None
