"""Sender addresses: asked for confirmation by mail, their domain checked, its signing keys made. For pages and commands.

An address may be used once its owner has followed the link (48 h); what DNS says of its domain is kept with it in words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from crm import clock, config
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict, Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity import keys, tokens
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.dkim import Signer, make_key
from crm.mail.dns_check import DomainReport, check_domain
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, ascii_domain
from crm.mail.sending import singles
from crm.modules.rules import demand_record
from crm.modules.sender_addresses import USABLE
from crm.words import _

PURPOSE = "confirm_sender"
LIFETIME = timedelta(hours=48)
MARKS = {"ok": "✓", "notice": "!", "unknown": "?", "problem": "✕"}
LEVELS = {mark: level for level, mark in MARKS.items()}
KINDS = ("rsa", "ed25519")


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


def default_row() -> Any:
    """The sender that mails begin with: the default one, else the first that may be used; None without any."""
    table = modules["sender_addresses"].table
    usable = (table.c.state.in_(USABLE), table.c.deleted_at.is_(None))
    query = select(table.c.id, table.c.address, table.c.display_name).where(*usable)
    return db.session.execute(query.order_by(table.c.is_default.desc(), table.c.id).limit(1)).first()


def default_sender() -> str | None:
    """The address that mails of the house itself come from."""
    row = default_row()
    return str(row.address) if row else None


# keys


def signers_of(domain: str) -> list[Signer]:
    """Every signing key of a domain, oldest first."""
    name = ascii_domain(domain)
    found = []
    for place in sorted(keys.names(f"dkim:{name}:")):
        secret = keys.find(place)
        if secret:
            found.append(Signer(name, place.rpartition(":")[2], secret))
    return found


def make_signer(domain: str, selector: str = "", kind: str = "rsa") -> Signer:
    """A new signing key of a domain, kept wrapped; mails are signed with it from now on. Raises Refused. The caller commits."""
    try:
        name = ascii_domain(domain)
    except BadAddress as bad:
        raise Refused(domain=Fault("bad_domain", str(bad))) from None
    if kind not in KINDS:
        raise Refused(kind=Fault("not_in_list", _("A key is one of: %(known)s.", known=", ".join(KINDS))))
    chosen = selector or clock.now().strftime("ch%Y%m%d") + ("e" if kind == "ed25519" else "")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", chosen):
        raise Refused(selector=Fault("bad_selector", _("A selector is one DNS label: small letters, digits, hyphens.")))
    place = f"dkim:{name}:{chosen}"
    if keys.find(place) is not None:
        raise Refused(
            selector=Fault(
                "not_unique",
                _("There is a key %(chosen)s for %(name)s already. Name another selector.", chosen=chosen, name=name),
            )
        )
    secret = make_key("ed25519" if kind == "ed25519" else "rsa")
    keys.keep(place, secret)
    return Signer(name, chosen, secret)


# DNS


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


def ask_check(viewer: Viewer, id: int) -> None:
    """Have the DNS of an address's domain looked up by a worker. Raises Missing, Forbidden. The caller commits."""
    demand_record(viewer, "sender_addresses", id, "edit")
    outbox.put(db.session, "senders.check", sender_address_id=id)


@task("senders.check")
def check(progress: Progress, sender_address_id: int) -> str:
    """Look up SPF, DKIM and DMARC of one address's domain and keep what was found."""
    table = modules["sender_addresses"].table
    row = db.session.execute(select(table.c.address, table.c.state).where(table.c.id == sender_address_id)).first()
    if row is None:
        raise Missing
    domain = domain_of(row.address)
    records_of_keys = {signer.selector: signer.record for signer in signers_of(domain)}
    db.session.rollback()  # look-ups take seconds: no transaction is held open for them
    note(sender_address_id, check_domain(domain, keys=records_of_keys))
    db.session.commit()
    return domain


def note(id: int, report: DomainReport) -> None:
    """Keep the result of a check; a confirmed address whose domain is in order is verified. The caller commits."""
    table = modules["sender_addresses"].table
    state = db.session.execute(select(table.c.state).where(table.c.id == id)).scalar()
    is_good = report.level in {"ok", "notice"}
    after = {("confirmed", True): "domain_verified", ("domain_verified", False): "confirmed"}.get(
        (state or "", is_good)
    )
    if after:
        records.update(SYSTEM, "sender_addresses", id, {"state": after}, Channel.SYSTEM)
    _set(id, checked_at=clock.now(), check_result=_words(report))


def _words(report: DomainReport) -> str:
    lines = [
        f"{MARKS[finding.level]} {check.kind.upper()}: {finding.sentence}"
        for check in (report.spf, *report.dkim, report.dmarc)
        for finding in check.findings
    ]
    return "\n".join(lines)[:4000]


def find_findings(kept: str | None) -> list[Line]:
    """The sentences of a kept check result."""
    found = []
    for line in (kept or "").splitlines():
        mark, _space, rest = line.partition(" ")
        what, _colon, sentence = rest.partition(": ")
        if mark in LEVELS and sentence:
            found.append(Line(LEVELS[mark], what, sentence))
    return found


def _set(id: int, **values: Any) -> None:
    table = modules["sender_addresses"].table
    db.session.execute(update(table).where(table.c.id == id).values(**values))


def zone_lines(signers: Sequence[Signer]) -> list[tuple[str, str]]:
    """(name, text) of the TXT records that publish these keys."""
    return [(f"{signer.selector}._domainkey.{signer.domain}", signer.record) for signer in signers]
