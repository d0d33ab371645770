"""One mail's bytes → `Incoming`: who wrote, what it answers, text, files. Limits first, then parsing, never an exception."""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message as RawMessage
from email.parser import BytesParser

import nh3
from lxml import etree
from lxml import html as lxml_html

from crm.mail.inbox import signs
from crm.mail.inbox.quoting import folded
from crm.mail.inbox.words import addresses, clean, decoded, header_text, message_ids
from crm.mail.message import Address

MOST_OCTETS = 25 * 1024 * 1024  # of a whole mail
MOST_HEADER_OCTETS = 256 * 1024
MOST_HEADERS = 1_000
MOST_PARTS = 20
MOST_TEXT = 60_000  # characters
MOST_HTML = 512 * 1024  # octets that are sanitised
MOST_ELEMENTS = 50_000
MOST_DEPTH = 3_000  # elements that are never closed count, so this is more than any page of people has
_ELEMENT = re.compile(r"<(/?)[a-zA-Z]")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}  # a remote picture tells its sender that and when it was read
_BLOCKS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "pre", "hr")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a mail. `name` and `media_type` are what the sender says, to be believed by nobody."""

    name: str
    media_type: str
    data: bytes


@dataclass(slots=True)
class Incoming:
    """What a mail says. `sender` is None when no address in From can be written to. `faults`: what was wrong, in words for
    the log: "too large", "too many parts", "too many headers", "broken". `key` names the mail for "seen already"."""

    sender: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    quoted: str = ""
    html: str = ""  # sanitised
    files: list[File] = field(default_factory=list)
    automatic_by: str = ""
    is_bounce: bool = False
    bounce_of: tuple[str, ...] = ()
    bounce_status: str = ""
    verdict: str = ""  # the topmost Authentication-Results
    delivered_to: tuple[Address, ...] = ()
    faults: list[str] = field(default_factory=list)
    key: str = ""


def read(data: bytes, size: int | None = None) -> Incoming:
    """What the mail says. `size`: of the whole mail when `data` is only its beginning."""
    found = Incoming()
    found.key = "sha256:" + hashlib.sha256(data).hexdigest()
    size = len(data) if size is None else size
    if size > len(data) or size > MOST_OCTETS:
        found.faults.append("too large")
    head, body = _halves(data[:MOST_OCTETS], found)
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(head + b"\r\n\r\n" + body)
    except Exception:  # noqa: BLE001 - whatever the parser stumbles over, the mail is told of, not lost
        found.faults.append("broken")
        found.text = decoded(body[:MOST_TEXT], None)
        return found
    _read_headers(mail, found)
    try:
        _read_parts(mail, found)
    except Exception:  # noqa: BLE001 - as above
        found.faults.append("broken")
        found.text = found.text or decoded(body[:MOST_TEXT], None)
    if not found.text and found.html:
        found.text = text_of(found.html)
    found.text, found.quoted = folded(found.text[:MOST_TEXT])
    if found.is_bounce:
        _read_bounce(mail, found)
    return found


def _halves(data: bytes, found: Incoming) -> tuple[bytes, bytes]:
    """Headers and the rest; of absurdly many headers only the first are kept."""
    end = re.search(rb"\r?\n\r?\n", data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    lines = head[:MOST_HEADER_OCTETS].split(b"\n", MOST_HEADERS + 1)
    if len(head) > MOST_HEADER_OCTETS or len(lines) > MOST_HEADERS:
        found.faults.append("too many headers")
        head = b"\n".join(lines[:MOST_HEADERS])
    return head, body


def _read_headers(mail: RawMessage, found: Incoming) -> None:
    def all_of(name: str) -> list[str]:
        return [str(one) for one in mail.get_all(name, [])]

    senders = addresses(all_of("From"))
    found.sender = senders[0] if senders else None
    found.to, found.cc = addresses(all_of("To")), addresses(all_of("Cc"))
    found.delivered_to = addresses([*all_of("Delivered-To"), *all_of("X-Original-To"), *all_of("Envelope-To")])
    found.subject = header_text(mail.get("Subject"), 500)
    ids = message_ids(mail.get("Message-ID"), 1)
    if ids:
        found.message_id = found.key = ids[0]
    found.in_reply_to = message_ids(mail.get("In-Reply-To"))
    found.references = message_ids(mail.get("References"))
    found.verdict = header_text(mail.get("Authentication-Results"))
    found.is_bounce = signs.is_bounce(mail)
    found.automatic_by = signs.automatic_by(mail)
    if not found.automatic_by and found.sender and signs.is_machine_address(found.sender.addr):
        found.automatic_by = "From"


def _read_parts(mail: RawMessage, found: Incoming) -> None:
    texts: list[str] = []
    pages: list[str] = []
    count, inside = 0, set[int]()  # of mails that are themselves attachments: those are kept whole
    for part in mail.walk():
        if id(part) in inside or (part.is_multipart() and part.get_content_type() != "message/rfc822"):
            continue
        count += 1
        if count > MOST_PARTS:
            found.faults.append("too many parts")
            found.files.clear()
            break
        if part.get_content_type() == "message/rfc822":
            inside |= _read_mail(part, found)
        else:
            _read_part(part, found, texts, pages)
    found.text = clean("\n".join(texts))[:MOST_TEXT]
    page = "\n".join(pages)
    if page and _is_bomb(page):
        found.faults.append("too deep")
        found.text = found.text or _TAG.sub(" ", page)[:MOST_TEXT]
    elif page:
        found.html = nh3.clean(page, tags=_TAGS)


def _is_bomb(page: str) -> bool:
    """Whether a page is built to be expensive: absurdly many elements, or ones inside each other without end."""
    depth = deepest = 0
    for number, one in enumerate(_ELEMENT.finditer(page)):
        if number > MOST_ELEMENTS:
            return True
        depth += -1 if one.group(1) else 1
        deepest = max(deepest, depth)
    return deepest > MOST_DEPTH


def _read_mail(part: RawMessage, found: Incoming) -> set[int]:
    """Keep a mail inside the mail as one file; gives what is below it, not to be looked at again."""
    inner = _inner(part)
    name = header_text(_file_name(part), 200) or "message.eml"
    found.files.append(File(name, "application/octet-stream", b"\n".join(map(_flat, inner))))
    return {id(below) for one in inner for below in one.walk()}


def _inner(part: RawMessage) -> list[RawMessage]:
    """The parts of a part that has some."""
    inner = part.get_payload()
    return [one for one in inner if isinstance(one, RawMessage)] if isinstance(inner, list) else []


def _read_part(part: RawMessage, found: Incoming, texts: list[str], pages: list[str]) -> None:
    kind = part.get_content_type()
    name = header_text(_file_name(part), 200)
    disposition = str(part.get("Content-Disposition", "") or "").strip().lower()
    is_file = bool(name) or disposition.startswith("attachment") or not kind.startswith("text/")
    if kind in {"message/delivery-status", "text/rfc822-headers"}:
        return
    payload = _payload(part)
    charset = part.get_content_charset()
    if not is_file and kind == "text/html":
        pages.append(decoded(payload[:MOST_HTML], charset))
    elif not is_file:
        texts.append(decoded(payload[: MOST_TEXT * 4], charset))
    elif "too large" not in found.faults and payload:
        found.files.append(File(name or "file", kind, payload))


def _file_name(part: RawMessage) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        return ""


def _flat(mail: RawMessage) -> bytes:
    try:
        return mail.as_bytes()
    except (ValueError, LookupError, TypeError, KeyError, AttributeError):
        return b""


def _payload(part: RawMessage) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, binascii.Error, AttributeError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def _read_bounce(mail: RawMessage, found: Incoming) -> None:
    """Which mail of ours was not delivered, and the status (RFC 3463) of the first recipient."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _inner(part):
                status = header_text(block.get("Status"), 20)
                if status and not found.bounce_status:
                    found.bounce_status = status.split()[0]
        elif kind == "message/rfc822":
            for one in _inner(part):
                found.bounce_of += message_ids(one.get("Message-ID"), 1)
        elif kind == "text/rfc822-headers":
            text = decoded(_payload(part)[:MOST_HEADER_OCTETS], None)
            said = re.search(r"^message-id:\s*(<[^<>\s]{1,300}>)", text, re.I | re.M)
            found.bounce_of += (said[1],) if said else ()


def text_of(page: str) -> str:
    """The words of sanitised HTML, block by block."""
    try:
        tree = lxml_html.fromstring(f"<div>{page}</div>")
    except (etree.ParserError, ValueError):
        return ""
    for one in tree.iter():
        if one.tag in _BLOCKS:
            one.tail = "\n" + (one.tail or "")
    lines = [" ".join(line.split()) for line in str(tree.text_content()).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
