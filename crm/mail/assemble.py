"""From content to the bytes of a mail: a MIME frame made once per content version, filled by joining per person.

Mass mail: `compile_parts` once, then for each person `assemble([header lines], parts, text pieces, html pieces, signers)`.
A single mail (`build`) goes through exactly the same code. Measured: about 15 us a 60 kB mail without signature.
"""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from crm.mail.dkim import Signer, sign
from crm.mail.headers import address_header, file_parameter, raw_header, text_header
from crm.mail.message import Attachment, BadHeader, Message, Settled
from crm.mail.quoted_printable import encode_piece, end_pieces

# Headers whose value has a grammar of its own: never encoded words.
_RAW = frozenset(
    {
        *(
            "list-id",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "list-help",
            "list-archive",
            "precedence",
            "feedback-id",
        ),
        *("auto-submitted", "x-auto-response-suppress", "in-reply-to", "references", "return-path"),
    }
)
# Headers that we write ourselves; a second one would make the mail invalid or change who it is from.
_OURS = frozenset(
    {
        *("from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "dkim-signature"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    }
)

_TEXT_HEAD = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
_HTML_HEAD = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"


@dataclass(frozen=True, slots=True)
class Parts:
    """The MIME frame of one content version. A mail's body is before_text + text + before_html + html + after."""

    headers: tuple[bytes, ...]
    before_text: bytes
    before_html: bytes
    after: bytes
    has_text: bool
    has_html: bool

    def body(self, text: Sequence[bytes], html: Sequence[bytes]) -> bytes:
        """Fill the frame with encoded pieces (`quoted_printable.encode_piece`)."""
        pieces = [self.before_text]
        if self.has_text:
            pieces += end_pieces(text)
        pieces.append(self.before_html)
        if self.has_html:
            pieces += end_pieces(html)
        is_bare = self.after == b"\r\n"  # a mail of one part: its text may end in a line end already
        if not (is_bare and next(filter(None, reversed(pieces)), b"").endswith(b"\r\n")):
            pieces.append(self.after)
        return b"".join(pieces)


def compile_parts(
    *,
    has_text: bool,
    has_html: bool,
    attachments: Sequence[Attachment] = (),
    inline: Sequence[Attachment] = (),
    version: str = "",
) -> Parts:
    """Make the frame: mixed( alternative( text, related( html, pictures … ) ), files … ), leaving out what is not needed.

    `version` (any text that names the content version) keeps boundaries stable. Boundaries hold “=_”, which neither
    quoted-printable nor base64 can contain."""
    if not has_text and not has_html:
        raise BadHeader("A mail needs a text or an HTML part.")
    seed = hashlib.sha256(version.encode())
    for file in (*attachments, *inline):
        seed.update(hashlib.sha256(file.data).digest())
    name = seed.hexdigest()[:24]
    tree: list[bytes] = [_TEXT_HEAD, b"\r\n", b"\x00text"] if has_text else []
    if has_html:
        html = [_HTML_HEAD, b"\r\n", b"\x00html"]
        if inline:
            html = _multipart(
                "related", f"=_r{name}", [html, *([_file(file)] for file in inline)], '; type="text/html"'
            )
        tree = _multipart("alternative", f"=_a{name}", [tree, html]) if has_text else html
    if attachments:
        tree = _multipart("mixed", f"=_m{name}", [tree, *([_file(file)] for file in attachments)])
    return _split(tree, has_text, has_html)


def assemble(
    headers: Iterable[bytes],
    parts: Parts,
    text: Sequence[bytes],
    html: Sequence[bytes],
    signers: Sequence[Signer] = (),
    now: int = 0,
) -> Settled:
    """Put a mail together: header lines (bytes from `headers`), the frame, the encoded pieces, a signature a signer.

    `now` is the time of signing in seconds since 1970. Gives the whole mail with CRLF line ends, no dot-stuffing needed."""
    lines = [*headers, *parts.headers]
    body = parts.body(text, html)
    signatures = sign(signers, lines, body, now) if signers else ()
    return Settled(b"".join((*signatures, *lines, b"\r\n")), body)


def compile_text(text: str) -> tuple[bytes, ...]:
    """The pieces of a text that has no tags."""
    return (encode_piece(text),)


def build(message: Message, signers: Sequence[Signer] = ()) -> bytes:
    """The bytes of a single mail. Raises `BadHeader`, `BadAddress`, UnicodeEncodeError (lone surrogates in the text)."""
    parts = compile_parts(
        has_text=bool(message.text), has_html=bool(message.html), attachments=message.attachments, inline=message.inline,
        version=message.message_id,
    )  # fmt: skip
    text, html = compile_text(message.text), compile_text(message.html)
    return bytes(assemble(message_headers(message), parts, text, html, signers, int(message.date.timestamp())))


def message_headers(message: Message) -> list[bytes]:
    """The header lines of a single mail, in the order in which they are read."""
    lines = [
        address_header("From", message.sender),
        address_header("To", message.to),
        text_header("Subject", message.subject),
        raw_header("Date", format_datetime(message.date)),
        raw_header("Message-ID", message.message_id),
    ]
    if message.reply_to:
        lines.append(address_header("Reply-To", message.reply_to))
    for name, value in message.headers:
        lines.append(extra_header(name, value))
    return lines


def extra_header(name: str, value: str) -> bytes:
    """One further header line; those that the post office writes itself are refused."""
    key = name.lower()
    if key in _OURS:
        raise BadHeader(f"{name} is written by the post office; it cannot be added.")
    return raw_header(name, value) if key in _RAW else text_header(name, value)


def _multipart(kind: str, boundary: str, children: Sequence[list[bytes]], more: str = "") -> list[bytes]:
    out = [f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"{more}\r\n'.encode("ascii"), b"\r\n"]
    for child in children:
        out += [f"--{boundary}\r\n".encode("ascii"), *child, b"\r\n"]
    out.append(f"--{boundary}--".encode("ascii"))
    return out


def _file(file: Attachment) -> bytes:
    place = "inline" if file.content_id else "attachment"
    # A calendar is UTF-8 (RFC 5545); of other texts nobody knows, and without a word mail programs read ASCII.
    charset = "; charset=utf-8" if file.mime_type == "text/calendar" else ""
    head = (
        f"Content-Type: {file.mime_type}{charset}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: {place}"
    )
    head += f";\r\n {file_parameter('filename', file.name)}\r\n" if file.name else "\r\n"
    if file.content_id:
        head += f"Content-ID: <{file.content_id}>\r\n"
    return head.encode("ascii") + b"\r\n" + encodebytes(file.data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _split(tree: list[bytes], has_text: bool, has_html: bool) -> Parts:
    """Cut the flat frame at its two holes; the first element holds the headers that belong to the mail itself."""
    content_headers, flat = tree[0], [*tree[2:], b"\r\n"]
    holes = [b"".join(piece) for piece in _cut(flat, (b"\x00text", b"\x00html"))]
    before_text = holes.pop(0) if has_text else b""
    before_html = holes.pop(0) if has_html else b""
    lines = [b"MIME-Version: 1.0\r\n"]
    for line in content_headers.replace(b"\r\n ", b"\x00 ").splitlines(keepends=True):
        lines.append(line.replace(b"\x00 ", b"\r\n "))
    return Parts(tuple(lines), before_text, before_html, holes.pop(0), has_text, has_html)


def _cut(flat: list[bytes], marks: tuple[bytes, ...]) -> list[list[bytes]]:
    out: list[list[bytes]] = [[]]
    for item in flat:
        if item in marks:
            out.append([])
        else:
            out[-1].append(item)
    return out
