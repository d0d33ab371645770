"""A demo portal: two profiles, an ordinary customer and one who administers the company, both of a company that buys."""

from datetime import timedelta

from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import passwords
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix, usual
from crm.modules.portals.portal_users import PortalUser
from hub.demo.customers import Customers
from hub.demo.staff import Login, fresh_password

PEOPLE = (  # first name, last name, administrator of the company, what for
    ("Cara", "Customer", False, "a customer, in the portal"),
    ("Pia", "Principal", True, "administers a customer's company in the portal"),
)
LINKS = [{"url": "https://www.kaisla.example/care", "label": {"en": "Care instructions", "fi": "Hoito-ohjeet"}}]


def make(made: Customers, owner: int) -> list[Login]:
    """Make the portal and its log-ins. Commits."""
    portal = records.create(
        SYSTEM, "portals",
        {"name": "My Kaisla", "code": "kaisla", "colour": "#173f35", "self_registration": "request", "owner_id": owner,
         "default_assignee_id": owner, "events_listing_enabled": True,
         "welcome_text": "<p>Here you see what we know of you, and what we do together.</p>"}, Channel.SYSTEM,
    )  # fmt: skip
    ordinary, principal = (
        records.create(SYSTEM, "portal_profiles", {"name": name, "portal_id": portal}, Channel.SYSTEM)
        for name in ("Customers", "Main contacts")
    )
    keys = [module.key for module in matrix.exposable()]
    for profile, is_wide in ((ordinary, False), (principal, True)):
        shown = usual.matrix_of(*keys)
        if is_wide:
            for said in shown.values():
                said["scope"] = "account"
            shown["accounts"]["can_edit"] = True
            shown["accounts"]["fields"]["phone"]["editable"] = True
        matrix.change(SYSTEM, profile, Channel.SYSTEM, modules=shown, links=LINKS)
    account = made.contact_accounts[_busiest(made)]
    logins = [_log_in(portal, principal if is_admin else ordinary, account, owner, first, last, is_admin, purpose)
              for first, last, is_admin, purpose in PEOPLE]  # fmt: skip
    _deals(account, owner)
    db.session.commit()
    return logins


def their_contacts() -> list[int]:
    """The contacts with a log-in, who shall have something of their own to see."""
    users = modules["portal_users"].table
    return list(db.session.scalars(select(users.c.contact_id).order_by(users.c.id)))


def _busiest(made: Customers) -> int:
    """A contact of a company with several people."""
    count: dict[int, int] = {}
    for account in made.contact_accounts.values():
        count[account] = count.get(account, 0) + 1
    most = max(count.values())
    return next(contact for contact, account in made.contact_accounts.items() if count[account] == most)


def _log_in(
    portal: int, profile: int, account: int, owner: int, first: str, last: str, is_admin: bool, purpose: str
) -> Login:
    email, password = f"{first.lower()}@demo.example", fresh_password()
    values = {
        "first_name": first, "last_name": last, "email": email, "account_id": account, "owner_id": owner, "title": "Buyer",
    }  # fmt: skip
    with clock.standing_at(clock.now() - timedelta(days=200)):  # known before anything that is told of them
        contact = records.create(SYSTEM, "contacts", values, Channel.SYSTEM)
    said = {"contact_id": contact, "portal_id": portal, "profile_id": profile, "is_admin": is_admin, "owner_id": owner}
    id = records.create(SYSTEM, "portal_users", said, Channel.SYSTEM)
    now, hashed = clock.now(), passwords.hash_of(password)
    db.session.execute(update(PortalUser).where(PortalUser.id == id).values(password_hash=hashed, invited_at=now))
    records.update(SYSTEM, "portal_users", id, {"confirmed_at": now}, Channel.SYSTEM)
    return Login(id, email, password, purpose)


def _deals(account: int, owner: int) -> None:
    """Something to see in the list of the company."""
    for name, stage in (
        ("Quiet rooms for the second floor", "Proposal or Price Quote"),
        ("Phone booths", "Prospecting"),
    ):
        values = {"name": name, "account_id": account, "stage": stage, "owner_id": owner}
        day = clock.today(clock.site_zone()).replace(day=1)
        values["closes_on"] = day.replace(year=day.year + 1)
        records.create(SYSTEM, "potentials", values, Channel.SYSTEM)
