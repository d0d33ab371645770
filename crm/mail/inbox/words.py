"""Header texts and charsets of strangers made into clean text; nothing here raises, whatever the bytes."""

from __future__ import annotations

import re
from email.header import decode_header
from email.utils import getaddresses

from crm.mail.message import Address, BadAddress, one_line

_MSG_ID = re.compile("<[^<>\\s\x00-\x1f\x7f\ud800-\udfff]{1,300}>")
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MOST_HEADER = 2_000  # characters of one header that are looked at


def decoded(data: bytes, charset: str | None) -> str:
    """Bytes as text: by their charset when it exists and fits, else UTF-8, else Windows-1252 with marks for what is wrong."""
    for name in (charset, "utf-8"):
        if not name:
            continue
        try:
            if name.lower().replace("_", "-") in {"utf-7", "unicode-escape", "raw-unicode-escape", "idna", "punycode"}:
                continue
            return clean(data.decode(name))
        except (LookupError, UnicodeError, ValueError):
            continue
    return clean(data.decode("cp1252", "replace"))


def clean(text: str) -> str:
    """Text without control characters and lone surrogates, lines ending in one LF."""
    return _NEVER.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def header_text(raw: str | None, most: int = MOST_HEADER) -> str:
    """A header as people read it, on one line; encoded words decoded."""
    if not raw:
        return ""
    raw = str(raw)[:most]
    try:
        parts = decode_header(raw)
        text = "".join(
            part if isinstance(part, str) else decoded(part, charset if isinstance(charset, str) else None)
            for part, charset in parts
        )
    except (ValueError, LookupError, TypeError, AssertionError):
        text = raw
    return one_line(clean(text))[:most]


def addresses(raws: list[str], most: int = 50) -> tuple[Address, ...]:
    """The addresses in some headers that can be written to; others are left out."""
    found: list[Address] = []
    for raw in raws[:20]:
        try:
            pairs = getaddresses([str(raw).replace("\r", " ").replace("\n", " ")[: MOST_HEADER * 5]])
        except (ValueError, TypeError, IndexError):
            continue
        for name, addr in pairs:
            made = address(addr, header_text(name, 120))
            if made is not None and len(found) < most:
                found.append(made)
    return tuple(found)


def address(addr: str, name: str = "") -> Address | None:
    """An address that can be written to, or None."""
    try:
        return Address(clean(addr).strip(), name)
    except (BadAddress, ValueError, UnicodeError):
        return None


def message_ids(raw: str | None, most: int = 50) -> tuple[str, ...]:
    """The Message-IDs in a header, the newest (last) ones when there are many."""
    return tuple(_MSG_ID.findall(str(raw or "")[-MOST_HEADER * 10 :]))[-most:]
