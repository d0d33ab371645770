"""Header lines: encoded words where the text is not ASCII, folded, never longer than the standards allow.

Every function gives bytes that end in CRLF. RFC 5322 2.2.3 (folding), RFC 2047 (encoded words), RFC 2231 (file names).
"""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

from crm.mail.message import Address, BadHeader, check_text

_LINE = 76
_LONGEST = 998  # RFC 5322 2.1.1, without the CRLF
_WORD = 75  # RFC 2047 2: longest encoded word
_NAME = re.compile(r"[!-9;-~]+").fullmatch
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*").fullmatch
_Q_SAFE = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)  # RFC 2047 5 (3), the narrowest set
_Q = [chr(b) if b in _Q_SAFE else "_" if b == 32 else f"={b:02X}" for b in range(256)]


def text_header(name: str, text: str) -> bytes:
    """A header whose value is free text (Subject, Comments …), as encoded words when it has to be. Raises `BadHeader`."""
    check_text(text, name)
    if text.isascii() and "=?" not in text and text == text.strip(" ") and "  " not in text:
        if len(name) + 2 + len(text) <= _LINE:
            return f"{_checked(name)}: {text}\r\n".encode("ascii")
        if all(len(word) < _LINE for word in text.split(" ")):
            return _fold(_checked(name), text)
    return f"{_checked(name)}: {encode_words(text, len(name) + 2)}\r\n".encode("ascii")


def raw_header(name: str, value: str) -> bytes:
    """A header whose value has a grammar (Message-ID, List-Unsubscribe, Date …): ASCII, folded at its spaces only."""
    if not value.isascii():
        raise BadHeader(f"{name} must be plain ASCII.")
    check_text(value, name)
    if len(name) + 2 + len(value) <= _LINE:
        return f"{_checked(name)}: {value}\r\n".encode("ascii")
    return _fold(_checked(name), value)


def address_header(name: str, *addresses: Address) -> bytes:
    """From, To, Reply-To …: names as atoms, quoted strings or encoded words, the address in angle brackets after a name."""
    lines, line = [], _checked(name) + ":"
    for number, address in enumerate(addresses, 1):
        comma = "," if number < len(addresses) else ""
        for token in (
            *_phrase(address.name, len(line) + 1),
            (f"<{address.addr}>" if address.name else address.addr) + comma,
        ):
            if len(line) + 1 + len(token) > _LINE and line.strip() and not line.endswith(":"):
                lines.append(line)
                line = ""
            line += " " + token
    lines.append(line)
    # Only a mailbox with a non-ASCII local part (SMTPUTF8, RFC 6532) leaves anything but ASCII here.
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


def file_parameter(key: str, value: str) -> str:
    """`key="value"` of a MIME header, by RFC 2231 when it is not short plain ASCII; joined by `;` and fold for long ones."""
    check_text(value, "A file name")
    if value.isascii() and len(value) <= 60:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{key}="{escaped}"'
    coded = quote(value, safe="", encoding="utf-8")
    if len(coded) <= 60:
        return f"{key}*=utf-8''{coded}"
    pieces, rest = [], coded
    while rest:
        cut = min(len(rest), 50)
        if cut < len(rest):  # do not cut an escape
            percent = rest.rfind("%", cut - 2, cut)
            cut = percent if percent > 0 else cut
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return ";\r\n ".join(f"{key}*{n}*=" + ("utf-8''" if n == 0 else "") + piece for n, piece in enumerate(pieces))


def encode_words(text: str, column: int) -> str:
    """`text` as encoded words, one a line; `column` is where the first begins. Characters are never cut in two."""
    data = text.encode("utf-8")
    plain = sum(map(_Q_SAFE.__contains__, data)) + data.count(b" ")
    use_base64 = plain * 2 < len(data)
    words: list[str] = []
    room = max(min(_WORD, _LINE - column) - 12, 12)
    chunk, size = "", 0
    for character in text:
        octets = character.encode("utf-8")
        cost = len(octets) if use_base64 else sum(len(_Q[b]) for b in octets)
        limit = room // 4 * 3 if use_base64 else room
        if chunk and size + cost > limit:
            words.append(_word(chunk, use_base64))
            chunk, size, room = "", 0, _WORD - 12
        chunk += character
        size += cost
    words.append(_word(chunk, use_base64))
    return "\r\n ".join(words)


def _word(text: str, use_base64: bool) -> str:
    data = text.encode("utf-8")
    if use_base64:
        return f"=?utf-8?b?{b64encode(data).decode('ascii')}?="
    return f"=?utf-8?q?{''.join(map(_Q.__getitem__, data))}?="


def _phrase(name: str, column: int) -> list[str]:
    """The tokens of a display name; a line may be folded between two of them."""
    if not name:
        return []
    if name.isascii() and "=?" not in name and len(name) < 60 and name == name.strip(" "):
        if _ATOMS(name):
            return name.split(" ")
        return ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return encode_words(name, column).split("\r\n ")


def _checked(name: str) -> str:
    if not _NAME(name):
        raise BadHeader(f"“{name}” is not a header name.")
    return name


def _fold(name: str, value: str) -> bytes:
    """Fold at single spaces; a word that fits no line stands alone on its own, up to 998 octets."""
    lines, line = [], name + ":"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _LINE and line.strip() and line != name + ":":
            lines.append(line)
            line = ""
        line += " " + word
    lines.append(line)
    if max(map(len, lines)) > _LONGEST:
        raise BadHeader(f"{name} has a word longer than a line of a mail may be ({_LONGEST} octets).")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")
