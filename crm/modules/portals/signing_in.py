"""Customers coming in: log-in, links to set a password, its change. The same counting, timing and words as for staff.

An unknown address, a wrong password, access that is off, over or not yet begun: one answer after the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from crm import clock
from crm.db import db, fold, fold_text
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity import logins, passwords, sessions, tokens
from crm.identity.logins import SignIn
from crm.identity.viewer import SYSTEM
from crm.modules.portals import locking, second_step
from crm.modules.portals.customers import may_come_in
from crm.modules.portals.portal_users import PortalUser
from crm.modules.rules import key_of_email
from crm.words import _

SET, RESET, CONFIRM = "portal_set_password", "portal_reset_password", "portal_confirm_email"
LIFETIMES = {SET: timedelta(days=7), RESET: timedelta(minutes=60), CONFIRM: timedelta(days=7)}


@dataclass(frozen=True)
class Held:
    """Whom a link to set a password belongs to."""

    portal_user_id: int
    portal_id: int
    email: str


def sign_in(portal: Any, email: str, password: str, address: str = "", agent: str = "") -> SignIn:
    """Try to sign a customer in to `portal` (its row). The caller commits also when it failed: failures are counted.

    Where a second step follows, a code is mailed and `step` is set. Raises Conflict when too many codes were asked for.
    """
    wait = logins.banned_for(address)
    if wait:
        logins.note("portal", "banned", address, agent)
        return SignIn(wait=wait)
    user = find(portal.id, email)
    right = passwords.is_right(password, user.password_hash if user else None)
    if user is None:
        outcome = "unknown"
    elif locking.is_locked(user):
        outcome = "locked"
    elif not right:
        outcome = "wrong_password"
        locking.count(user.id)
    elif not may_come_in(user) or user.confirmed_at is None or not portal.active:
        outcome = "no_access"
    else:
        _renew_hash(user, password)
        if second_step.is_asked(portal, user):
            return SignIn(step=second_step.begin(portal, user))
        return _let_in(portal, user, address, agent)
    logins.count_failure(address)
    logins.note("portal", outcome, address, agent, portal_user_id=user.id if user else None)
    return SignIn(wait=logins.banned_for(address))


def finish(portal: Any, step: str, code: str, address: str = "", agent: str = "") -> SignIn:
    """The second step: sign in with the code that was mailed. `step` of the answer is empty when the log-in must begin again.

    The caller commits also when it failed: failures are counted.
    """
    wait = logins.banned_for(address)
    user = None if wait else second_step.holder(portal, step)
    if user is None or locking.is_locked(user):
        return SignIn(wait=wait)
    if second_step.is_right(user, code) and tokens.use(second_step.STEP, step) is not None:
        return _let_in(portal, user, address, agent)
    locking.count(user.id)
    logins.count_failure(address)
    logins.note("portal", "wrong_code", address, agent, portal_user_id=user.id)
    return SignIn(wait=logins.banned_for(address), step=step)


def find(portal_id: int, email: str) -> Any:
    """The one log-in of an address; None when there is none, and when there are two, which an import may bring about."""
    key = key_of_email(email.encode("utf-8", "replace").decode().replace("\x00", "").strip()[:320])
    if key is None:
        return None
    users, contacts = PortalUser.__table__, modules["contacts"].table
    query = (
        select(users)
        .join(contacts, contacts.c.id == users.c.contact_id)
        .where(
            users.c.portal_id == portal_id, users.c.active, users.c.deleted_at.is_(None), contacts.c.deleted_at.is_(None),
            or_(users.c.login_key == f"{portal_id}:{fold_text(key)}", fold(contacts.c.email_key) == fold_text(key)),
        )
        .limit(2)
    )  # fmt: skip
    found = db.session.execute(query).all()
    return found[0] if len(found) == 1 else None


def _renew_hash(user: Any, password: str) -> None:
    if passwords.is_outdated(user.password_hash):
        kept = passwords.hash_of(password)
        db.session.execute(update(PortalUser).where(PortalUser.id == user.id).values(password_hash=kept))


def _let_in(portal: Any, user: Any, address: str, agent: str) -> SignIn:
    logins.unban(address)
    locking.forget(user.id)
    db.session.execute(update(PortalUser).where(PortalUser.id == user.id).values(last_login_at=clock.now()))
    token, session_id = sessions.start(
        "portal", portal_user_id=user.id, address=address, agent=agent, minutes=portal.session_minutes
    )
    logins.note("portal", "signed_in", address, agent, session_id=session_id, portal_user_id=user.id)
    return SignIn(token, user.id)


# links of one use


def issue(purpose: str, user: Any) -> str:
    """A new link of `purpose` for a row of portal_users; older ones of that purpose die. The caller commits."""
    tokens.revoke(purpose, user.id)
    return tokens.issue(purpose, user.id, LIFETIMES[purpose], {"email": user.email})


def holder(token: str, *purposes: str) -> Held | None:
    """Whom a link belongs to that can still be used. Changes nothing."""
    for purpose in purposes:
        found = tokens.peek(purpose, token)
        if found is None:
            continue
        table = PortalUser.__table__
        row = db.session.execute(
            select(table).where(table.c.id == found.subject_id, table.c.active, table.c.deleted_at.is_(None))
        ).first()
        if (
            row is not None and row.email and row.email == found.data.get("email")
        ):  # another address: another person's mail
            return Held(row.id, row.portal_id, row.email)
    return None


def set_password(token: str, password: str) -> Held | None:
    """Use a link to set a password; None for one that does not hold. Raises Refused. The caller commits."""
    held = holder(token, SET, RESET)
    if held is None:
        return None
    demand_good(password, held.email)
    used = tokens.use(SET, token) or tokens.use(RESET, token)
    if used is None:
        return None
    for purpose in (SET, RESET):
        tokens.revoke(purpose, held.portal_user_id)
    _write_password(held.portal_user_id, password)
    return held


def confirm(token: str) -> Held | None:
    """Use a link that confirms a changed address; None for one that does not hold. The caller commits."""
    held = holder(token, CONFIRM)
    if held is None or tokens.use(CONFIRM, token) is None:
        return None
    _confirm(held.portal_user_id)
    return held


def change_password(portal_user_id: int, old: str, new: str, session_id: int) -> None:
    """Change one's own password; other browsers are logged out. Raises Refused. The caller commits."""
    table = PortalUser.__table__
    row = db.session.execute(select(table).where(table.c.id == portal_user_id)).one()
    if not passwords.is_right(old, row.password_hash):
        raise Refused.because("wrong_password", _("This is not your password."), "old")
    demand_good(new, row.email)
    _write_password(portal_user_id, new, session_id)


def demand_good(password: str, *about: str | None) -> None:
    """Raises Refused at “new” for a password that is too short or too well known."""
    faults = passwords.faults(password, *about)
    if faults:
        raise Refused({"new": [Fault(code, sentence) for code, sentence in faults]})


def _write_password(portal_user_id: int, password: str, but: int | None = None) -> None:
    db.session.execute(
        update(PortalUser).where(PortalUser.id == portal_user_id).values(password_hash=passwords.hash_of(password))
    )
    locking.forget(portal_user_id)
    _confirm(portal_user_id, {"locked_until": None})
    sessions.end_all_of_portal_users([portal_user_id], but)


def _confirm(portal_user_id: int, also: Mapping[str, Any] | None = None) -> None:
    """The address was proved by a link that was sent to it; the status follows."""
    said = {"confirmed_at": clock.now(), **(also or {})}
    records.update(SYSTEM, "portal_users", portal_user_id, said, Channel.SYSTEM)
