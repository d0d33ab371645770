"""Quoted-printable in pieces: each piece begins at column 0 and ends at column 0, so any pieces joined are a valid part.

That is what makes mass mail fast: the literals of a content version are encoded once, per person only the values of tags
are, and the part is a join (measures.md A3). A piece never has a line that begins with a dot or with “From ”, so neither
dot-stuffing nor an mbox on the way changes a byte and a signature over it stays good. RFC 2045 6.7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SOFT = b"=\r\n"
_ROOM = 73  # octets in a line before the soft break; leaves room to turn a last space into =20 within 76
_AS_IT_IS = re.compile(r"(?!\.|From )[ !-<>-~]{1,73}").fullmatch
_NEWLINE = re.compile(r"\r\n|\r|\n")
_TABLE = [bytes([b]) if b in b"\t " or (33 <= b <= 126 and b != 61) else b"=%02X" % b for b in range(256)]


def encode_piece(text: str) -> bytes:
    """Encode one literal or one value; any kind of line break becomes CRLF. Raises UnicodeEncodeError on lone surrogates."""
    if _AS_IT_IS(text):  # nearly every value of a tag
        return text.encode("ascii") + SOFT
    out: list[bytes] = []
    *lines, last = _NEWLINE.split(text)
    for line in lines:
        folded = _fold(line)
        out.append(_guard_end(folded) + b"\r\n")
    if last:
        out.append(_fold(last) + SOFT)
    return b"".join(out)


def join_pieces(pieces: Sequence[bytes]) -> bytes:
    """Join pieces to a part without the last soft break, which must not end the data (RFC 2045 6.7 rule 5)."""
    return b"".join(end_pieces(pieces))


def end_pieces(pieces: Sequence[bytes]) -> list[bytes]:
    """The same as pieces: only the last one that is not empty is another, so a large part is not copied for its end."""
    ended = list(pieces)
    for place in range(len(ended) - 1, -1, -1):
        if ended[place]:
            if ended[place].endswith(SOFT):
                ended[place] = _guard_end(ended[place][:-3])
            break
    return ended


def _guard_end(line: bytes) -> bytes:
    """White space at the end of a line would be cut off on the way, so it is encoded."""
    if line.endswith(b" "):
        return line[:-1] + b"=20"
    if line.endswith(b"\t"):
        return line[:-1] + b"=09"
    return line


def _fold(line: str) -> bytes:
    """Encode one line, cut by soft breaks, without one at its end; an escape is never cut."""
    rest = b"".join(map(_TABLE.__getitem__, line.encode("utf-8")))
    out: list[bytes] = []
    while True:
        if rest.startswith(b"."):
            rest = b"=2E" + rest[1:]
        elif rest.startswith(b"From "):
            rest = b"=46" + rest[1:]
        if len(rest) <= _ROOM:
            out.append(rest)
            return SOFT.join(out)
        cut = _ROOM
        if rest[cut - 1] == 61:
            cut -= 1
        elif rest[cut - 2] == 61:
            cut -= 2
        out.append(rest[:cut])
        rest = rest[cut:]
