"""How a scanner gets into its mailbox: with a password, or with an access token that the provider gives for a refresh token.

All secrets lie wrapped among the keys: `scanner:<id>` what the administrator typed, `scanner:<id>:access` a token that is still good.
Mailboxes of other rooms have another first word (`room`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import delete

from crm import clock
from crm.db import db
from crm.identity import keys
from crm.identity.keys import Key
from crm.mail import oauth
from crm.mail.mailbox import Account
from crm.mail.oauth import Grant

ROOM = "scanner"
EARLY = 120  # seconds before its end that a token is not used any more


@dataclass(frozen=True)
class Secrets:
    """What opens a mailbox: a password, or what the provider gave for it. `repr` shows none."""

    password: str = ""
    client_secret: str = ""
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "<Secrets>"

    def over(self, kept: "Secrets") -> "Secrets":
        """These, and the kept ones where nothing was typed."""
        return replace(kept, **{name: value for name, value in asdict(self).items() if value})

    def suffice(self, auth: str) -> bool:
        """Whether there is what this way in needs; not every provider gives a client secret."""
        return bool(self.refresh_token if auth == "oauth2" else self.password)


def kept(id: int, room: str = ROOM) -> Secrets:
    """The secrets of a scanner, as they are stored."""
    said = keys.find(f"{room}:{id}")
    return Secrets(**json.loads(said)) if said else Secrets()


def keep(id: int, secrets: Secrets, room: str = ROOM) -> None:
    """Store them, and forget the token that older ones brought. The caller commits."""
    keys.keep(f"{room}:{id}", json.dumps(asdict(secrets)).encode())
    forget_access(id, room)


def forget(id: int, room: str = ROOM) -> None:
    """Delete all secrets of a scanner. The caller commits."""
    db.session.execute(delete(Key).where(Key.name.in_([f"{room}:{id}", f"{room}:{id}:access"])))


def forget_access(id: int, room: str = ROOM) -> None:
    """Ask for a new token next time: this one opened nothing. The caller commits."""
    db.session.execute(delete(Key).where(Key.name == f"{room}:{id}:access"))


def account_of(row: Mapping[str, Any], secrets: Secrets, token: str = "") -> Account:
    """Where the mailbox is and what opens it."""
    return Account(
        row["host"], row["port"], row["username"], secrets.password, row["encryption"], bool(row["validates_certificate"]),
        row["authorities"] or "", token,
    )  # fmt: skip


def grant_of(row: Mapping[str, Any], secrets: Secrets) -> Grant:
    """What a token is asked for with."""
    return Grant(
        row["token_address"] or "", row["client_id"] or "", secrets.client_secret, secrets.refresh_token, row["scope"] or ""
    )  # fmt: skip


def ready(row: Mapping[str, Any], room: str = ROOM) -> Account:
    """How to get into the mailbox of a stored scanner now; the provider is asked when no token is good any more.

    Commits, since the provider may be slow and may change the refresh token. Raises MailboxError.
    """
    id, secrets = row["id"], kept(row["id"], room)
    if row["auth"] != "oauth2":
        db.session.commit()
        return account_of(row, secrets)
    said = json.loads(keys.find(f"{room}:{id}:access") or b"{}")
    db.session.commit()
    if said.get("until", 0) > clock.now().timestamp():
        return account_of(row, Secrets(), said["token"])
    access = oauth.ask(grant_of(row, secrets))
    if access.refresh_token:
        keep(id, replace(secrets, refresh_token=access.refresh_token), room)
    until = clock.now().timestamp() + access.seconds - EARLY
    keys.keep(f"{room}:{id}:access", json.dumps({"token": access.token, "until": until}).encode())
    db.session.commit()
    return account_of(row, Secrets(), access.token)
