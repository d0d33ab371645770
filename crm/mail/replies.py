"""Reading an SMTP server's replies with a deadline each, and telling "nothing came" from "something came".

smtplib reads replies too, but hides whether a line was cut, late or garbled; the ledger must know.
"""

from __future__ import annotations

import re
import socket
import time
from functools import lru_cache

_ONE_LINE = re.compile(rb"([2-5]\d\d)(?: ([^\r\n]*))?\r*\n").match  # nearly every reply
_LONGEST = 64 * 1024  # all lines of one reply; a server that talks longer is not speaking SMTP


class Dropped(Exception):
    """No reply can be had any more: closed, timed out or garbled. The text says which."""


class Replies:
    """The replies of one connection; `sock` may be exchanged after TLS."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""

    def read(self, seconds: float) -> tuple[int, str]:
        """Code and text (lines joined by a space) of the next reply; raises `Dropped` when it is not whole within `seconds`."""
        code, lines = (self.buffer and self._take()) or self.read_lines(
            seconds
        )  # of several commands the replies come together
        return code, _words(lines)

    def read_lines(self, seconds: float) -> tuple[int, bytes]:
        """The same with the lines as they came, joined by LF (EHLO)."""
        deadline = time.monotonic() + seconds
        while True:
            reply = self._take()
            if reply:
                return reply
            if len(self.buffer) > _LONGEST:
                raise Dropped("the server's reply has no end")
            left = deadline - time.monotonic()
            if left <= 0:
                raise Dropped(f"no reply within {seconds:g} s")
            try:
                self.sock.settimeout(left)
                data = self.sock.recv(16384)
            except TimeoutError:
                raise Dropped(f"no reply within {seconds:g} s") from None
            except OSError as problem:
                raise Dropped(f"connection lost: {problem.strerror or problem}") from None
            if not data:
                raise Dropped("the server closed the connection")
            self.buffer += data

    def _take(self) -> tuple[int, bytes] | None:
        """The first whole reply in the buffer, if there is one."""
        short = _ONE_LINE(self.buffer)
        if short:
            self.buffer = self.buffer[short.end() :]
            return int(short[1]), (short[2] or b"").strip()
        lines: list[bytes] = []
        start = 0
        while True:
            end = self.buffer.find(b"\n", start)
            if end < 0:
                return None
            line = self.buffer[start:end].rstrip(b"\r")
            start = end + 1
            if not (line[:3].isdigit() and b"200" <= line[:3] <= b"599") or line[3:4] not in (b"", b" ", b"-"):
                raise Dropped(f"the server does not speak SMTP: {line[:60]!r}")
            if lines and line[:3] != lines[0][:3]:
                raise Dropped("the lines of a reply have different codes")
            lines.append(line)
            if line[3:4] != b"-":
                self.buffer = self.buffer[start:]
                return int(line[:3]), b"\n".join(part[4:].strip() for part in lines)


@lru_cache(maxsize=64)  # most replies of a server are always the same
def _words(lines: bytes) -> str:
    """The lines of a reply as one text. Replies end up in the ledger and on screens: no control characters."""
    text = lines.replace(b"\n", b" ").decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
