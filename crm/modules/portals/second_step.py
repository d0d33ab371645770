"""The second step of a log-in to a portal: after the right password, a code that is mailed at that moment (spec/portal.md 1.5).

The portal says for whom: nobody, who wants it, everybody. The half-done log-in is a token of ten minutes in a cookie; the
code is one of those of the personal page (privacy/codes.py: six digits, ten minutes, five tries, five an hour).
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.viewer import SYSTEM
from crm.modules.portals import letters
from crm.modules.portals.customers import may_come_in
from crm.modules.portals.portal_users import PortalUser
from crm.modules.privacy import codes

STEP, ACT = "portal_second_step", "log_in"
LIFETIME = timedelta(minutes=30)  # of the half-done log-in: several codes may be asked for


def is_asked(portal: Any, user: Any) -> bool:
    """Whether this log-in (rows of portal and portal user) needs a code."""
    return bool(portal.second_step == "always" or (portal.second_step == "chosen" and user.second_step))


def begin(portal: Any, user: Any) -> str:
    """The password was right: mail a code; gives the token of the half-done log-in. Raises Conflict. The caller commits."""
    _send(portal, user)
    tokens.revoke(STEP, user.id)
    return tokens.issue(STEP, user.id, LIFETIME, {"email": user.email})


def again(portal: Any, token: str) -> bool:
    """Mail another code; False when the token does not hold. Raises Conflict after five in an hour. The caller commits."""
    user = holder(portal, token)
    if user is None:
        return False
    _send(portal, user)
    return True


def holder(portal: Any, token: str) -> Any:
    """The row of the portal user who is half way in; None for a token that does not hold, and when access ended meanwhile."""
    found = tokens.peek(STEP, token) if token else None
    if found is None or not portal.active:
        return None
    table = PortalUser.__table__
    row = db.session.execute(
        select(table).where(
            table.c.id == found.subject_id, table.c.portal_id == portal.id, table.c.deleted_at.is_(None)
        )
    ).first()
    is_same = row is not None and row.email == found.data.get("email") and may_come_in(row)
    return row if is_same else None


def is_right(user: Any, code: str) -> bool:
    """Whether the code is the one that was mailed; a wrong one counts as a try. The caller commits in both cases."""
    return codes.check(user.contact_id, ACT, code)


def choose(portal_user_id: int, is_wanted: bool) -> None:
    """Keep whether a customer wants to be asked for a code. The caller commits."""
    records.update(SYSTEM, "portal_users", portal_user_id, {"second_step": is_wanted}, Channel.PORTAL)


def _send(portal: Any, user: Any) -> None:
    contacts = modules["contacts"].table
    language = db.session.execute(select(contacts.c.language).where(contacts.c.id == user.contact_id)).scalar()
    codes.send("contacts", user.contact_id, user.email, ACT, letters.language_among(portal, user.language, language))
