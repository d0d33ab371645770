"""Sender addresses: asked for confirmation by mail, confirmed, disabled. For pages and commands.

An address may be used once its owner has followed the link (48 h); what DNS says of its domain (`ecp.domains`) is kept with it in words.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from crm import clock, config
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending import singles
from crm.modules.rules import demand_record
from crm.modules.sender_addresses import default_row
from crm.words import _
from ecp.domains import checking
from ecp.domains.table import SenderDomain

PURPOSE = "confirm_sender"
LIFETIME = timedelta(hours=48)


@dataclass(frozen=True)
class Line:
    """One sentence of a DNS check. `level`: ok, notice, unknown, problem; `what`: SPF, DKIM, DMARC."""

    level: str
    what: str
    sentence: str


def add(viewer: Viewer, values: dict[str, Any], channel: Channel) -> int:
    """Add an address and ask its owner by mail; gives its id. Raises Refused, Forbidden. The caller commits."""
    id = records.create(viewer, "sender_addresses", values, channel)
    ask(viewer, id)
    return id


def ask(viewer: Viewer, id: int) -> None:
    """Send the confirmation mail (again); older links die. Raises Missing, Forbidden, Conflict. The caller commits."""
    demand(viewer, "edit", "sender_addresses")
    row = demand_record(viewer, "sender_addresses", id, "edit")
    if row["state"] != "pending":
        raise Conflict(_("This address waits for no confirmation."), "wrong_state")
    tokens.revoke(PURPOSE, id)
    token = tokens.issue(PURPOSE, id, LIFETIME)
    settings = config.current()
    link = f"{(settings.public_url or settings.base_url).rstrip('/')}/confirm/{token}"
    text = _(
        "%(name)s wants to send mails from %(address)s with %(site)s.\n\nIf that is right, open this link within 48 hours "
        "and confirm it:\n%(link)s\n\nIf you know nothing of this, do nothing.",
        name=viewer.name or _("Somebody"), address=row["address"], site=urlsplit(settings.base_url).netloc, link=link,
    )  # fmt: skip
    letter = Letter(Address(row["address"]), _("Confirm that mails may come from this address"), text + "\n")
    singles.put_letter(
        db.session, letter, Address(default_sender() or row["address"]), dedupe_key=f"confirm_sender:{token}"
    )
    _set(id, asked_at=clock.now())


def confirm(token: str) -> str | None:
    """The owner followed the link: the address may be used. Gives the address, None for a link that does not hold.

    The caller commits."""
    found = tokens.use(PURPOSE, token)
    if found is None or found.subject_id is None:
        return None
    table = modules["sender_addresses"].table
    row = db.session.execute(
        select(table.c.address, table.c.state).where(table.c.id == found.subject_id, table.c.deleted_at.is_(None))
    ).first()
    if row is None or row.state == "disabled":
        return None
    if row.state == "pending":
        values = {"state": "confirmed", "confirmed_at": clock.now()}
        records.update(SYSTEM, "sender_addresses", found.subject_id, values, Channel.SYSTEM)
    return str(row.address)


def set_state(viewer: Viewer, id: int, state: str) -> None:
    """Disable an address, or make a disabled one wait for confirmation again. Raises Missing, Forbidden. The caller commits."""
    demand_record(viewer, "sender_addresses", id, "edit")
    values = {"state": state} | ({"is_default": False} if state == "disabled" else {})
    records.update(SYSTEM, "sender_addresses", id, values, Channel.FORM)


def default_sender() -> str | None:
    """The address that mails of the house itself come from."""
    row = default_row()
    return str(row.address) if row else None


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


def ask_check(viewer: Viewer, id: int) -> None:
    """Have the DNS of an address's domain looked up by a worker. Raises Missing, Forbidden. The caller commits."""
    row = demand_record(viewer, "sender_addresses", id, "edit")
    checking.ask_for([checking.domain_of(row["address"])])


def find_findings(address: str | None) -> list[Line]:
    """What the last look at the domain of an address found, in the reader's language."""
    try:
        domain = checking.domain_of(address or "")
    except BadAddress:
        return []
    return [
        Line(level, one.kind.upper().replace("_", " "), sentence)
        for one in checking.kept(db.session.get(SenderDomain, domain))
        for _code, level, sentence in one.findings
    ]


def _set(id: int, **values: Any) -> None:
    table = modules["sender_addresses"].table
    db.session.execute(update(table).where(table.c.id == id).values(**values))
