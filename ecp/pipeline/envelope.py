"""The header lines and the return path of one mail of a sendout: what lets a reader's program leave, sort and answer it.

RFC 2369 and 8058 (List-Unsubscribe with one https and one mailto address, one click), 2919 (List-Id), 3834
(Auto-Submitted), 5322 (one stable Message-ID). What is the same for everybody is made once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from crm.mail.headers import address_header, raw_header, text_header
from crm.mail.message import Address, BadAddress, Envelope, one_line
from crm.mail.senders import message_id, read_return_path, return_path

_PLAIN = re.compile(r"[a-z0-9.+@-]+").fullmatch  # nothing that an address of a link must escape
RETURN_OCTETS = 6  # of a delivery id in a return path
ONE_CLICK = raw_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


@dataclass(frozen=True)
class Letterhead:
    """What all mails of one sendout have in common.

    `secret`: the key of Message-IDs. `mailbox`: where bounces come back. `public_host`: the host name of CUSTOMERHUB_PUBLIC_URL.
    `is_automatic`: nobody pressed Send for this mail (Auto-Submitted).
    """

    sender: Address
    secret: bytes
    mailbox: str
    public_host: str
    list_slug: str | None
    list_name: str = ""
    reply_to: Address | None = None
    is_automatic: bool = False
    more: Sequence[tuple[str, str]] = ()
    _fixed: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    _from: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fixed = [address_header("Reply-To", self.reply_to)] if self.reply_to else []
        if self.list_slug:
            fixed.append(list_id(self.list_slug, self.list_name, self.public_host, self.sender.domain))
        fixed.append(raw_header("Precedence", "bulk"))
        if self.is_automatic:
            fixed.append(raw_header("Auto-Submitted", "auto-generated"))
        fixed += [text_header(name, value) for name, value in self.more]
        object.__setattr__(self, "_fixed", tuple(fixed))
        object.__setattr__(self, "_from", address_header("From", self.sender))

    def message_id(self, delivery_id: int) -> str:
        """The Message-ID of a delivery, with its angle brackets: the same on every try."""
        return message_id(self.secret, "delivery", delivery_id, self.sender.domain)

    def envelope(self, to: Address, token: str) -> Envelope:
        """Return path (VERP, when the mailbox allows it) and recipient. `token`: `bounce_token` of the delivery."""
        try:
            sender = return_path(self.mailbox, token)
        except BadAddress:  # a long or unusual mailbox: bounces then come back without telling the delivery
            sender = self.mailbox
        return Envelope(sender, to.addr)

    def lines(
        self, to: Address, subject: str, date: datetime, message_id: str, one_click: str = "", leave: str = ""
    ) -> list[bytes]:
        """The header lines for one person. `subject` is made fit for a header; `one_click`: the https address to leave by
        (none in a test mail); `leave`: the address to leave by mail, which is the return path of the same mail."""
        lines = [
            self._from,
            address_header("To", to),
            text_header("Subject", one_line(subject)),
            _date_line(int(date.timestamp())),
            raw_header("Message-ID", message_id),
            *self._fixed,
        ]
        if one_click:
            by_mail = leave if _PLAIN(leave) else quote(leave, safe="@+")
            lines.append(raw_header("List-Unsubscribe", f"<{one_click}>, <mailto:{by_mail}?subject=unsubscribe>"))
            lines.append(ONE_CLICK)
        return lines


@lru_cache(maxsize=8)
def _date_line(second: int) -> bytes:
    """The Date of all mails that are made in one second."""
    return raw_header("Date", format_datetime(datetime.fromtimestamp(second, UTC)))


def list_id(slug: str, name: str, public_host: str, domain: str) -> bytes:
    """`List-Id: "News" <news.hub.example.com>`: under our own host when it has a name, else under the sender's domain.

    `slug`: the list type's, which never changes; letters, digits and hyphens."""
    label = f"<{slug}.{public_host if is_host_name(public_host) else domain}>"
    phrase = one_line(name)
    if phrase.isascii() and phrase:
        quoted = phrase.replace("\\", "\\\\").replace('"', '\\"')
        return raw_header("List-Id", f'"{quoted}" {label}')
    return raw_header("List-Id", label)


def is_host_name(host: str) -> bool:
    """Whether `host` is a full name, not a numeric address or a bare word."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host.strip(".")
    return False


def host_of(url: str) -> str:
    """The host name of an address such as CUSTOMERHUB_BASE_URL."""
    return urlsplit(url).hostname or ""


def bounce_token(sealed: bytes) -> str:
    """Sealed octets as a return path can carry them: lower case letters and digits."""
    return sealed.hex()


def read_bounce_token(token: str) -> bytes | None:
    """What `bounce_token` was made from; None for anything else."""
    try:
        return bytes.fromhex(token)
    except ValueError:
        return None


__all__ = ["RETURN_OCTETS", "Letterhead", "bounce_token", "host_of", "list_id", "read_bounce_token", "read_return_path"]
