"""Access tokens for mailboxes that take no password: a refresh token is turned into one at the provider (RFC 6749, section 6)."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from crm import outgoing
from crm.mail.mailbox import MailboxError
from crm.outgoing import OutgoingError
from crm.words import _

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
SECONDS_UNSAID = 300  # a provider that does not say how long its token is good for


@dataclass(frozen=True, slots=True)
class Grant:
    """What the provider gave the administrator. `repr` shows no secret."""

    token_address: str
    client_id: str
    client_secret: str
    refresh_token: str
    scope: str = ""

    def __repr__(self) -> str:
        return f"<Grant of {self.client_id} at {self.token_address}>"


@dataclass(frozen=True, slots=True)
class Access:
    """A token that opens the mailbox for `seconds`; `refresh_token` is a new one when the provider has changed it, else ""."""

    token: str
    seconds: int
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"<Access for {self.seconds} s>"


def ask(grant: Grant) -> Access:
    """A fresh access token. Raises MailboxError (`provider`: not reached; `token`: refused). No transaction may be open."""
    said = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, "client_id": grant.client_id}
    said |= {name: value for name in ("client_secret", "scope") if (value := getattr(grant, name))}
    try:
        answer = outgoing.call("POST", grant.token_address, FORM, urlencode(said).encode())
    except OutgoingError as problem:
        raise MailboxError("provider", str(problem)) from None
    found = _read(answer.body)
    token = found.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not _is_plain(token):
        sentence = _(
            "The provider gives no access: %(reason)s.", reason=_plain(found.get("error")) or f"HTTP {answer.status}"
        )
        raise MailboxError("token", sentence)
    seconds: Any = found.get("expires_in")
    changed: Any = found.get("refresh_token")
    is_changed = isinstance(changed, str) and changed != grant.refresh_token and _is_plain(changed)
    is_said = type(seconds) is int and seconds > 0
    return Access(token, seconds if is_said else SECONDS_UNSAID, changed if is_changed else "")


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_plain(token: str) -> bool:
    """Whether it can stand in a log-in: printable ASCII (RFC 6749, appendix A.12)."""
    return bool(token) and len(token) <= 20_000 and all("!" <= one <= "~" for one in token)


def _plain(said: object) -> str:
    """The provider's word for what is wrong, as far as it may be shown."""
    return "".join(one for one in said[:100] if one.isalnum() or one in "_-. ") if isinstance(said, str) else ""
