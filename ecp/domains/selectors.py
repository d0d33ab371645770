"""The signing keys of a domain (DKIM): one signs, the next one is published ahead, the last one stays in DNS for mails under way.

The keys themselves are among the keys of the house, wrapped (`crm.identity.keys`, “dkim:<domain>:<selector>”).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, cast

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine.refusals import Conflict, Fault, Missing, Refused
from crm.identity import keys
from crm.mail.dkim import Signer, make_key
from crm.mail.message import BadAddress, ascii_domain
from crm.words import _
from ecp.domains.table import SenderDomain, row_of

State = Literal["active", "next", "retired"]
KINDS = ("rsa", "ed25519")
STAYS = timedelta(
    days=7
)  # how long the record of a key that no longer signs is still needed: mails under way are verified


@dataclass(frozen=True)
class Held:
    """A key and what it is for. `since`: of this state, None for a key that was made by the shell before states were kept."""

    signer: Signer
    state: State
    since: datetime | None

    @property
    def selector(self) -> str:
        return self.signer.selector

    @property
    def may_go(self) -> bool:
        """Whether a retired key can be deleted and its record taken out of DNS."""
        return self.state == "retired" and self.since is not None and clock.now() - self.since >= STAYS


def held(domain: str) -> list[Held]:
    """All keys of exactly this domain: those that sign first, then the next ones, then the retired ones."""
    order: tuple[State, ...] = ("active", "next", "retired")
    return sorted(_held(ascii_domain(domain), order), key=lambda one: order.index(one.state))


def _held(name: str, wanted: tuple[State, ...]) -> list[Held]:
    """The keys in these states, the newest first."""
    places = sorted(keys.names(f"dkim:{name}:"), reverse=True)
    said = select(SenderDomain.selectors).where(SenderDomain.domain == name)
    states = (db.session.execute(said).scalar() or {}) if places else {}
    found = []
    for place in places:
        selector = place.rpartition(":")[2]
        noted = states.get(selector, {})
        state = cast(State, noted.get("state", "active"))
        secret = keys.find(place) if state in wanted else None
        if secret:
            since = datetime.fromisoformat(noted["since"]) if noted else None
            found.append(Held(_signer(name, selector, secret), state, since))
    return found


@lru_cache(maxsize=32)
def _signer(name: str, selector: str, secret: bytes) -> Signer:
    """A key that is ready to sign: reading one takes longer than signing a hundred mails."""
    return Signer(name, selector, secret)


def signers_of(domain: str) -> list[Signer]:
    """The keys that sign for a domain, or for the nearest one above it that has some: the newest of each algorithm."""
    labels = ascii_domain(domain).split(".")
    for start in range(len(labels) - 1):
        newest: dict[str, Signer] = {}
        for one in _held(".".join(labels[start:]), ("active",)):
            newest.setdefault(one.signer.algorithm, one.signer)
        if newest:
            return list(newest.values())
    return []


def make(domain: str, selector: str = "", kind: str = "rsa") -> Held:
    """A new key, kept wrapped: the first of its kind signs from now on, a later one waits until it is switched to.

    Raises Refused. The caller commits."""
    try:
        name = ascii_domain(domain)
    except BadAddress as bad:
        raise Refused(domain=Fault("bad_domain", str(bad))) from None
    if kind not in KINDS:
        raise Refused(kind=Fault("not_in_list", _("A key is one of: %(known)s.", known=", ".join(KINDS))))
    known = held(name)
    algorithm = "ed25519-sha256" if kind == "ed25519" else "rsa-sha256"
    same = [one for one in known if one.signer.algorithm == algorithm]
    if any(one.state == "next" for one in same):
        raise Refused(
            selector=Fault("has_next", _("There is a next key already: publish its record and switch to it."))
        )
    chosen = selector or _free_name(known, kind)
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
    made = Held(_signer(name, chosen, secret), "next" if same else "active", clock.now())
    _note(name, {chosen: made.state})
    return made


def _free_name(known: list[Held], kind: str) -> str:
    base = clock.now().strftime("ch%Y%m%d") + ("e" if kind == "ed25519" else "")
    taken = {one.selector for one in known}
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 100))) if name not in taken)


def switch(domain: str) -> Held:
    """Sign with the next key from now on; the present one retires. Raises Conflict while DNS does not show the next key.

    The caller commits."""
    name = ascii_domain(domain)
    known = held(name)
    new = next((one for one in known if one.state == "next"), None)
    if new is None:
        raise Conflict(_("There is no next key. Make one first."), "wrong_state")
    if not is_published(name, new):
        raise Conflict(
            _("The record of the next key is not seen in DNS yet. Publish it, check again, and switch then."),
            "not_published",
        )
    old = [one.selector for one in known if one.state == "active" and one.signer.algorithm == new.signer.algorithm]
    _note(name, {new.selector: "active"} | dict.fromkeys(old, "retired"))
    return new


def is_published(domain: str, one: Held) -> bool:
    """Whether the last check of the domain found the record of a key as it should be."""
    row = db.session.get(SenderDomain, domain)
    return any(check["name"] == one.signer.record_name and check["found"] for check in (row.result if row else ()))


def withdraw(domain: str, selector: str) -> None:
    """Delete a retired key. Raises Missing, Conflict while mails that it signed may still be verified. The caller commits."""
    name = ascii_domain(domain)
    one = next((one for one in held(name) if one.selector == selector), None)
    if one is None:
        raise Missing
    if not one.may_go:
        raise Conflict(
            _(
                "This key signed mails that may still be under way. Leave its record for %(days)s days.",
                days=STAYS.days,
            ),
            "in_use",
        )
    keys.forget(f"dkim:{name}:{selector}")
    row = row_of(name)
    row.selectors = {known: said for known, said in row.selectors.items() if known != selector}


def _note(name: str, states: dict[str, str]) -> None:
    row, now = row_of(name), clock.now().isoformat()
    row.selectors = row.selectors | {selector: {"state": state, "since": now} for selector, state in states.items()}
    db.session.flush()
