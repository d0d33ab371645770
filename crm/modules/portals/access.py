"""What follows from a change of access: mails to the customer, sessions that end, log-ins that follow the contact."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from crm import clock, config, limits
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict, Missing
from crm.engine.registry import modules
from crm.engine.search import exists
from crm.identity import sessions, tokens
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.portals import letters, signing_in
from crm.modules.portals.portal_users import PortalUser, address_of
from crm.modules.portals.profiles import PortalProfile
from crm.modules.rules import key_of_email

ASKED_AN_HOUR = limits.Limiter(limits.Rate(3, 3600))  # links for a new password to one address


def address_of_portal(portal: Any, path: str = "/") -> str:
    """An address in a portal as mails name it."""
    settings = config.current()
    base = portal.base_url or settings.portal_url or settings.base_url
    return f"{base.rstrip('/')}/portal{path}"


def portal_row(id: int) -> Any:
    """The row of a portal. Raises Missing."""
    table = modules["portals"].table
    row = db.session.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None))).first()
    if row is None:
        raise Missing
    return row


def login_of(contact_id: int, portal_id: int) -> Any:
    """The log-in of a contact at a portal, switched off or not; None when there is none."""
    table = PortalUser.__table__
    return db.session.execute(
        select(table).where(
            table.c.contact_id == contact_id, table.c.portal_id == portal_id, table.c.deleted_at.is_(None)
        )
    ).first()


def user_row(id: int) -> Any:
    """The row of a portal user with the contact's name and language. Raises Missing."""
    users, contacts = PortalUser.__table__, modules["contacts"].table
    row = db.session.execute(
        select(users, contacts.c.first_name, contacts.c.last_name, contacts.c.language.label("contact_language"), contacts.c.owner_id.label("contact_owner_id"))
        .join(contacts, contacts.c.id == users.c.contact_id)
        .where(users.c.id == id, users.c.deleted_at.is_(None))
    ).first()  # fmt: skip
    if row is None:
        raise Missing
    return row


def invite(viewer: Viewer, id: int) -> None:
    """Send the welcome mail (again) with a link to set a password, valid for seven days; older links die.

    Raises Missing, Forbidden, Conflict when access is off. The caller commits."""
    if not exists(viewer, "portal_users", id):
        raise Missing
    demand(viewer, "edit", "portal_users")
    row = user_row(id)
    if not row.active:
        raise Conflict(letters.access_is_off(), "disabled")
    portal = portal_row(row.portal_id)
    token = signing_in.issue(signing_in.SET, row)
    letters.welcome(portal, row, address_of_portal(portal, f"/password/{token}"), address_of_portal(portal), token)
    db.session.execute(update(PortalUser).where(PortalUser.id == id).values(invited_at=clock.now()))


def ask_for_password(portal: Any, email: str) -> None:
    """Somebody forgot a password: a link goes out if the address has access. Says nothing either way. The caller commits."""
    key = key_of_email(email)
    if key is None or ASKED_AN_HOUR.take(f"{portal.id}:{key}"):
        return
    found = signing_in.find(portal.id, email)
    if found is None:
        return
    row = user_row(found.id)
    token = signing_in.issue(signing_in.RESET, row)
    letters.reset(portal, row, address_of_portal(portal, f"/password/{token}"), token)


@task("portals.access_changed")
def access_changed(_progress: Progress, module: str, event: str, ids: list[int], **_more: Any) -> str:
    """Whoever has access now and was never invited gets the welcome mail; whoever has none is logged out."""
    table = PortalUser.__table__
    rows = db.session.execute(select(table).where(table.c.id.in_(ids))).all()
    gone = [row.id for row in rows if not row.active or row.deleted_at is not None]
    sessions.end_all_of_portal_users(gone)
    for id in gone:
        for purpose in signing_in.LIFETIMES:
            tokens.revoke(purpose, id)
    fresh = [row for row in rows if row.id not in gone and row.invited_at is None and row.password_hash is None]
    for row in fresh:
        invite(SYSTEM, row.id)
    db.session.commit()
    return f"{len(fresh)} invited, {len(gone)} without access"


@task("portals.contacts_changed")
def contacts_changed(_progress: Progress, module: str, event: str, ids: list[int], **_more: Any) -> str:
    """Log-ins follow the contact: a new address is the new user name, a deleted contact has no access."""
    rows = rows_of_contacts(ids)
    for row in rows:
        follow(row)
    db.session.commit()
    return f"{len(rows)} log-ins"


def rows_of_contacts(ids: list[int]) -> list[Any]:
    """The log-ins of contacts."""
    table = PortalUser.__table__
    return list(
        db.session.execute(select(table).where(table.c.contact_id.in_(ids), table.c.deleted_at.is_(None))).all()
    )


def follow(row: Any, is_confirmed: bool = False) -> None:
    """Make one log-in (a row of portal_users) follow its contact. `is_confirmed`: who owns the new address has said so.

    The caller commits."""
    now = address_of(row.contact_id)
    if key_of_email(now) == key_of_email(row.email) and now:
        return
    key, users = key_of_email(now), PortalUser.__table__
    taken = key is not None and db.session.execute(
        select(users.c.id).where(
            users.c.login_key == f"{row.portal_id}:{key.lower()}", users.c.id != row.id, users.c.deleted_at.is_(None)
        )
    ).first()  # fmt: skip
    sessions.end_all_of_portal_users([row.id])
    for purpose in signing_in.LIFETIMES:
        tokens.revoke(purpose, row.id)
    if key is None or taken:
        if row.active:
            records.update(SYSTEM, "portal_users", row.id, {"active": False}, Channel.SYSTEM)
        if taken:
            letters.tell_owner_of_collision(user_row(row.id), str(now))
        return
    confirmed_at = clock.now() if is_confirmed else None
    records.update(SYSTEM, "portal_users", row.id, {"email": now, "confirmed_at": confirmed_at}, Channel.SYSTEM)
    if not row.active:
        return
    fresh, portal = user_row(row.id), portal_row(row.portal_id)
    if fresh.password_hash is None:  # never was in: the welcome mail goes to the right address now
        invite(SYSTEM, row.id)
        return
    if is_confirmed:
        letters.tell_old_address(portal, fresh, str(row.email or ""))
        return
    token = signing_in.issue(signing_in.CONFIRM, fresh)
    letters.address_changed(portal, fresh, str(row.email or ""), address_of_portal(portal, f"/confirm/{token}"), token)


@task("portals.one_default")
def one_default(_progress: Progress, module: str, event: str, ids: list[int], **_more: Any) -> str:
    """A profile that was made that of new log-ins takes this from the others of its portal."""
    table = PortalProfile.__table__
    chosen = db.session.execute(
        select(table.c.id, table.c.portal_id).where(
            table.c.id.in_(ids), table.c.is_default, table.c.deleted_at.is_(None)
        )
    ).all()
    for row in chosen[-1:]:
        keep_one_default(row.portal_id, row.id)
    db.session.commit()
    return f"{len(chosen)} defaults"


def keep_one_default(portal: int, profile: int) -> None:
    """Take the mark from all other profiles of the portal. The caller commits."""
    table = PortalProfile.__table__
    others = table.c.portal_id == portal, table.c.id != profile, table.c.is_default
    db.session.execute(update(table).where(*others).values(is_default=False, version=table.c.version + 1))


def ends_soon(row: Any, days: int) -> int | None:
    """Days until access ends, when that is at most `days` away; else None."""
    if row.valid_to is None or not days:
        return None
    left = (row.valid_to - clock.today(clock.site_zone())) // timedelta(days=1)
    return int(left) if 0 <= left <= days else None


def ask_later(portal_id: int, email: str) -> None:
    """Let a job send the link for a new password, so that a known address takes no longer than another one."""
    outbox.put(db.session, "portals.password_asked", portal_id=portal_id, email=email)


@task("portals.password_asked")
def password_asked(_progress: Progress, portal_id: int, email: str) -> str:
    """Somebody forgot a password."""
    try:
        portal = portal_row(portal_id)
    except Missing:
        return "no portal"
    if portal.active:
        ask_for_password(portal, email)
        db.session.commit()
    return "done"


def choose_language(portal_user_id: int, language: str) -> None:
    """Keep a customer's choice of language. The caller commits."""
    records.update(SYSTEM, "portal_users", portal_user_id, {"language": language}, Channel.PORTAL)
