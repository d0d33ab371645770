"""Registration by oneself (spec/portal.md 1.5): off, by request, or for addresses of a company that is known.

The page answers every address alike; what is done about it is done by a job. Nobody is linked to a contact who is known
before the address was confirmed by a link.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select, update

from crm import clock
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity import passwords, tokens
from crm.identity.viewer import SYSTEM
from crm.modules.contacts.resolve import people_of
from crm.modules.portals import access, letters, requests, signing_in
from crm.modules.portals.portal_users import PortalUser
from crm.modules.rules import key_of_email
from crm.words import _

REGISTER = "portal_register"
LIFETIME = timedelta(days=2)
# Addresses that anybody can have say nothing about a company.
FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.com",
        "zoho.com",
        "yandex.com",
        "fastmail.com",
        "luukku.com",
        "suomi24.fi",
        "kolumbus.fi",
        "elisanet.fi",
        "welho.com",
        "saunalahti.fi",
        "pp.inet.fi",
        "netti.fi",
        "hotmail.fi",
    ]
)
LIMITS = {"first_name": 60, "last_name": 80, "company": 120, "message": 2000}


def ask(portal: Any, said: dict[str, str]) -> None:
    """Somebody filled in the form. Raises Refused for what cannot be read. The caller commits."""
    values = {name: " ".join(said.get(name, "").split()) for name in ("first_name", "last_name", "company", "email")}
    values["message"] = said.get("message", "").replace("\r\n", "\n").replace("\x00", "").strip()
    faults: dict[str, list[Fault]] = {}
    if key_of_email(values["email"]) is None or len(values["email"]) > 320:
        faults["email"] = [Fault("bad_email", _("Type an e-mail address such as name@example.com."))]
    if not values["last_name"]:
        faults["last_name"] = [Fault("required", _("“%(label)s” must be filled in.", label=_("Last name")))]
    for name, most in LIMITS.items():
        if len(values[name]) > most:
            faults[name] = [Fault("too_long", _("At most %(most)s characters.", most=most))]
        values[name] = values[name].replace("\x00", "")
    if faults:
        raise Refused(faults)
    outbox.put(db.session, "portals.registration_asked", portal_id=portal.id, values=values)


@task("portals.registration_asked")
def registration_asked(_progress: Progress, portal_id: int, values: dict[str, str]) -> str:
    """Do about a registration what the portal's mode says."""
    try:
        portal = access.portal_row(portal_id)
    except Missing:
        return "no portal"
    if not portal.active or portal.self_registration == "off":
        return "closed"
    done = _answer(portal, values)
    db.session.commit()
    return done


def _answer(portal: Any, values: dict[str, str]) -> str:
    if signing_in.find(portal.id, values["email"]) is not None:
        access.ask_for_password(portal, values["email"])
        return "has access already"
    account = account_of(values["email"]) if portal.self_registration == "domain_match" else None
    if account is not None and not _is_known_elsewhere(values["email"], account):
        token = tokens.issue(REGISTER, portal.id, LIFETIME, {**values, "account_id": account})
        letters.registration(portal, values, access.address_of_portal(portal, f"/register/{token}"), token)
        return "asked to confirm"
    made = requests.ask("registration", portal, **{name: values[name] or None for name in (*LIMITS, "email")})
    if made:
        letters.tell_of_request(portal, made, values["email"])
    return "request" if made else "asked already"


def account_of(email: str) -> int | None:
    """The one account to which the domain of an address belongs: by its website or its own address; None for none or two."""
    domain = (key_of_email(email) or "").rpartition("@")[2].lower()
    if not domain or domain in FREE_MAIL:
        return None
    table = modules["accounts"].table
    likely = select(table.c.id, table.c.website, table.c.email).where(
        table.c.deleted_at.is_(None),
        or_(func.lower(table.c.website).contains(domain, autoescape=True), func.lower(table.c.email).endswith(f"@{domain}", autoescape=True)),
    )  # fmt: skip
    found = {row.id for row in db.session.execute(likely.limit(200)) if domain in _domains(row)}
    return found.pop() if len(found) == 1 else None


def _domains(row: Any) -> set[str]:
    site = row.website or ""
    try:
        host = urlsplit(site if "//" in site else f"//{site}").hostname or ""
    except ValueError:
        host = ""
    return {host.removeprefix("www."), (row.email or "").rpartition("@")[2].lower()}


def _is_known_elsewhere(email: str, account: int) -> bool:
    """Whether a contact of another account has this address: an agent decides."""
    return any(_account_of_contact(one.id) != account for one in people_of(email) if one.module == "contacts")


def _account_of_contact(id: int) -> int | None:
    table = modules["contacts"].table
    found: int | None = db.session.execute(select(table.c.account_id).where(table.c.id == id)).scalar()
    return found


def holder(token: str, portal_id: int) -> dict[str, Any] | None:
    """What was typed, for a link that can still be used. Changes nothing."""
    found = tokens.peek(REGISTER, token)
    return dict(found.data) if found is not None and found.subject_id == portal_id else None


def confirm(portal: Any, token: str, password: str) -> bool:
    """The address is confirmed: a contact of the account (the known one, else a new one) gets access with this password.

    False for a link that does not hold. Raises Refused. The caller commits."""
    said = holder(token, portal.id)
    if said is None:
        return False
    signing_in.demand_good(password, said["email"])
    if tokens.use(REGISTER, token) is None:
        return False
    known = [one.id for one in people_of(said["email"]) if one.module == "contacts"]
    own = [id for id in known if _account_of_contact(id) == said["account_id"]]
    if known and not own:
        return False  # became another company's contact since the mail was sent
    table = modules["accounts"].table
    owner = db.session.execute(select(table.c.owner_id).where(table.c.id == said["account_id"])).scalar()
    contact = own[0] if own else records.create(
        SYSTEM, "contacts",
        {"first_name": said["first_name"] or None, "last_name": said["last_name"], "email": said["email"],
         "account_id": said["account_id"], "owner_id": owner}, Channel.PORTAL,
    )  # fmt: skip
    values = {"contact_id": contact, "portal_id": portal.id, "active": True, "owner_id": owner}
    user = records.create(SYSTEM, "portal_users", values, Channel.PORTAL)
    now = clock.now()
    hashed = passwords.hash_of(password)
    db.session.execute(update(PortalUser).where(PortalUser.id == user).values(password_hash=hashed, invited_at=now))
    records.update(SYSTEM, "portal_users", user, {"confirmed_at": now}, Channel.SYSTEM)
    return True
