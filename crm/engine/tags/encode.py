"""One encoder a context: what a value must become so that it stays text wherever it is printed (invariant 9)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

Context = Literal["html", "url", "address", "style", "bare", "subject", "text"]
"""`html`: text or quoted attribute of HTML; `url`: a part of an address in HTML; `address`: a whole address in HTML;
`style`: inside CSS; `bare`: inside an element, outside quotes, or in a script; `subject`: a mail header (one line); `text`: plain text."""

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_HTML = re.compile(r"""[&<>"'\x00-\x08\x0b\x0c\x0e-\x1f\x7f]""").search  # what encode_html would change
_NOT_STYLE = re.compile(r"[^\w#%., -]")
_NOT_BARE = re.compile(r"[^\w.-]|-(?=-)|-\Z")
_SCHEME = re.compile(r"(?i)(?:https?://|mailto:|tel:)[^\s]")
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9%:/?=_.~-]+").fullmatch
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/?#:].*)?\Z")


def encode_html(value: str) -> str:
    """Escapes & < > " ' and drops control characters that no HTML may hold."""
    return html.escape(_CONTROLS.sub("", value)) if _NOT_HTML(value) else value


def encode_url(value: str) -> str:
    """Percent-encodes everything but unreserved characters (RFC 3986, 2.3)."""
    return quote(value, safe="")


def encode_address(value: str) -> str:
    """A whole address: http(s), mailto, tel pass (escaped), a bare host gets https://, all else becomes empty."""
    if _PLAIN_ADDRESS(value):  # our own links, several in every mail
        return value
    text = _BREAKS.sub("", value.strip())
    if not _SCHEME.match(text):
        if not _HOST.match(text):
            return ""
        text = f"https://{text}"
    return html.escape(quote(text, safe="%:/?#[]@!$&'()*+,;=-._~"))


def encode_style(value: str) -> str:
    """Only letters, digits and `# % . , - _` are let through into a style."""
    return _NOT_STYLE.sub("", value)


def encode_bare(value: str) -> str:
    """Letters, digits, `-`, `_` and `.` only: nothing that could begin another attribute or a statement, end a comment."""
    return _NOT_BARE.sub("", value)


def encode_subject(value: str) -> str:
    """One line: every line break and control character becomes one space, so no header can be injected."""
    return _BREAKS.sub(" ", value)


def encode_text(value: str) -> str:
    """Plain text: control characters are dropped, line breaks stay."""
    return _CONTROLS.sub("", value)


ENCODERS: dict[Context, Callable[[str], str]] = {
    "html": encode_html,
    "url": encode_url,
    "address": encode_address,
    "style": encode_style,
    "bare": encode_bare,
    "subject": encode_subject,
    "text": encode_text,
}
