"""What a mail is before it becomes bytes: addresses, attachments, the message itself and its envelope.

Everything is checked here, when a value is made, so that no later stage can be talked into an extra header or command:
CR, LF, NUL and every other control character are refused in addresses, names and header texts (the email package of
Python 3.11.7 does not do it: CVE-2024-6923).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import idna

from crm.words import _

LOCAL_PART_OCTETS = 64  # RFC 5321 4.5.3.1.1
PATH_OCTETS = 254  # RFC 5321 4.5.3.1.3: 256 with the angle brackets

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]"
_UTEXT = (
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]|[^\x00-\x7f])"  # RFC 6531: any non-ASCII character may stand in a local part
)
_PLAIN = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{{2,63}}").fullmatch
_DOT_ATOM = re.compile(rf"{_UTEXT}+(?:\.{_UTEXT}+)*").fullmatch
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"').fullmatch
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?").fullmatch
# C0, DEL and C1 controls, the two Unicode line ends and lone surrogates: none of them has a place in a header.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_RUN_OF_CONTROLS = re.compile("[ \x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class BadAddress(ValueError):
    """An address that cannot be written to; `code` for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class BadHeader(ValueError):
    """A header name or text that cannot be sent (control characters, lone surrogates, a line that is too long)."""


def check_text(text: str, what: str) -> str:
    """Give back `text` if it may stand in a header, else raise `BadHeader` that names `what`."""
    if (
        text.isprintable() and not text.isspace()
    ):  # the common case, at C speed; surrogates and controls are not printable
        return text
    found = _CONTROL(text)
    if found:
        raise BadHeader(f"{what} contains the character U+{ord(found.group()):04X}, which is not allowed in a header.")
    return text


def one_line(text: str) -> str:
    """Make any text fit for a header: runs of control characters and white space become one space, ends are trimmed.

    For values of tags in subjects and names, where somebody else's line break must not cost a mail."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _RUN_OF_CONTROLS.sub(" ", text).strip()


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Domain name in lower case A-labels (IDNA 2008 with the UTS 46 mapping); raises `BadAddress`."""
    text = domain.strip()
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError as problem:
            raise BadAddress(
                "domain", _("The domain “%(domain)s” is not a valid name: %(problem)s.", domain=domain, problem=problem)
            ) from None
    text = text.lower()
    if text.startswith("["):
        raise BadAddress("domain", _("An address must end in a domain name, not in a numeric address in brackets."))
    labels = text.split(".")
    if len(text) > 253 or not all(map(_LABEL, labels)):
        raise BadAddress("domain", _("“%(domain)s” is not a valid domain name.", domain=domain))
    if text != "localhost" and (len(labels) < 2 or labels[-1].isdigit()):
        raise BadAddress("domain", _("“%(domain)s” is not a full domain name (like example.com).", domain=domain))
    return text


def clean_addr(addr: str) -> str:
    """Canonical spelling of an address: outer space trimmed, needless quotes dropped, domain in lower case A-labels.

    The case of the local part is kept (only its owner knows whether it matters). Raises `BadAddress`."""
    text = addr.strip(" ")
    if len(text) <= LOCAL_PART_OCTETS and _PLAIN(text):
        return text
    found = _CONTROL(text)
    if found:
        raise BadAddress(
            "control",
            _("The address contains the control character U+%(code)s.", code=format(ord(found.group()), "04X")),
        )
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise BadAddress(
            "form", _("“%(addr)s” is not an e-mail address: it needs a name, an @ and a domain.", addr=addr)
        )
    quoted = _QUOTED(local)
    if quoted:
        bare = re.sub(r"\\(.)", r"\1", quoted.group(1))
        local = bare if _DOT_ATOM(bare) else '"' + re.sub(r'(["\\])', r"\\\1", bare) + '"'
    elif not _DOT_ATOM(local):
        raise BadAddress(
            "local",
            _("The part before the @ in “%(addr)s” has characters or dots that are not allowed there.", addr=addr),
        )
    octets = len(local.encode())
    if octets > LOCAL_PART_OCTETS:
        raise BadAddress(
            "local_length",
            _(
                "The part before the @ has %(octets)s octets; at most %(most)s are allowed.",
                octets=octets,
                most=LOCAL_PART_OCTETS,
            ),
        )
    clean = f"{local}@{ascii_domain(domain)}"
    if len(clean.encode()) > PATH_OCTETS:
        raise BadAddress("length", _("The address is longer than %(most)s octets.", most=PATH_OCTETS))
    return clean


def email_key(addr: str) -> str:
    """Key under which two spellings of an address are the same: canonical and in lower case; dots and plus parts are kept.

    (spec/marketing.md 2.5.) Raises `BadAddress`."""
    return clean_addr(addr).lower()


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be written to, with the name to show. Both are checked and put in canonical form when it is made."""

    addr: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "addr", clean_addr(self.addr))
        if self.name:
            object.__setattr__(self, "name", check_text(self.name, "The name of an address"))

    @property
    def local(self) -> str:
        """The part before the last @."""
        return self.addr.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The domain in A-labels."""
        return self.addr.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """True when the local part is not ASCII, so that only a server that offers SMTPUTF8 can take it."""
        return not self.addr.isascii()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. With `content_id` (without angle brackets) it is an inline picture that the HTML shows as `cid:…`."""

    name: str
    mime_type: str
    data: bytes
    content_id: str = ""

    def __post_init__(self) -> None:
        check_text(self.name, "The name of an attachment")
        if not re.fullmatch(r"[A-Za-z0-9!#$&^_.+\-]{1,100}/[A-Za-z0-9!#$&^_.+\-]{1,100}", self.mime_type):
            raise BadHeader(f"“{self.mime_type}” is not a media type (like image/png).")
        if self.mime_type.startswith(("multipart/", "message/")):
            raise BadHeader("An attachment cannot be a multipart or message type; send it as application/octet-stream.")
        if self.content_id and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@\-]{1,200}", self.content_id):
            raise BadHeader("A content id may hold only letters, digits and the usual signs of an address.")


@dataclass(frozen=True, slots=True)
class Message:
    """One mail as people think of it; `assemble.build` makes the bytes. `headers` are added in order (name, text).

    `date` must know its zone; `message_id` comes with its angle brackets (`senders.message_id`)."""

    sender: Address
    to: Address
    subject: str
    date: datetime
    message_id: str
    text: str = ""
    html: str = ""
    reply_to: Address | None = None
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    inline: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.subject, "The subject")
        if not self.text and not self.html:
            raise BadHeader("A mail needs a text or an HTML part.")
        if self.date.tzinfo is None:
            raise BadHeader("The date of a mail must know its time zone.")
        if self.inline and not self.html:
            raise BadHeader("Inline pictures need an HTML part that shows them.")


_PATH = re.compile(r"[^\x00-\x20\x7f<>]+").fullmatch
_QUOTED_PATH = re.compile(r'"(?:[^\x00-\x1f\x7f"\\]|\\[^\x00-\x1f\x7f])*"@[A-Za-z0-9.\-]+').fullmatch


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends (the return path, empty for none) and who receives; what the server is told, not what the reader sees."""

    sender: str
    recipient: str

    def __post_init__(self) -> None:
        for path in (self.sender, self.recipient) if self.sender else (self.recipient,):
            if not (_PATH(path) or _QUOTED_PATH(path)) or "@" not in path:
                raise BadAddress("path", _("An envelope address has characters that must not reach a server."))

    @property
    def needs_smtputf8(self) -> bool:
        """True when one of the two is not ASCII."""
        return not (self.sender.isascii() and self.recipient.isascii())


@dataclass(frozen=True, slots=True)
class Settled:
    """A whole mail known to have CRLF line ends only and no line that begins with a dot: it goes over the line as it is.

    `assemble` makes it so by construction; looking for it would cost 140 us a 60 kB mail. In two pieces, `bytes(mail)` joins
    them: each copy of a large mail drives what the next one needs out of the processor's memory. `body` is ASCII."""

    head: bytes
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return self.head + self.body

    def __len__(self) -> int:
        return len(self.head) + len(self.body)

    def isascii(self) -> bool:
        """Whether no server has to be asked for 8BITMIME."""
        return self.head.isascii()


@dataclass(slots=True)
class Mail:
    """What a transport takes: the envelope and the finished bytes (CRLF line ends, no dot-stuffing)."""

    envelope: Envelope
    data: bytes | Settled
    labels: dict[str, str] = field(default_factory=dict)
