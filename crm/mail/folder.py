"""The local mail folder: every mail becomes a file in DATA_DIR/outbox, so that a newcomer sees them all without a server.

A file appears whole or not at all (written beside, then renamed). The envelope stands in front of the mail as Return-Path and
Delivered-To, as a mailbox would show it. `/ecp/outbox` reads with `newest` and `read`.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from typing import cast

from crm.mail.message import Envelope, Settled
from crm.mail.outcome import Outcome
from crm.mail.transport import GoAhead

_ID = re.compile(r"\d{19}-[0-9a-f]{12}").fullmatch


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A line of the outbox: what a list shows."""

    id: str
    stored_at: datetime
    sender: str
    recipient: str
    subject: str
    octets: int
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attachment or inline picture of a stored mail."""

    name: str
    mime_type: str
    data: bytes
    content_id: str


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail of the outbox, taken apart; `headers` in the order of the file, decoded."""

    head: StoredHead
    return_path: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    files: tuple[StoredFile, ...]
    source: bytes = field(repr=False)


class Folder:
    """A directory as a transport. Made on first use."""

    is_throttled = False

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """For people."""
        return "local mail folder"

    def connection(self) -> FolderConnection:
        """A connection to the folder."""
        return FolderConnection(self)

    def newest(self, limit: int = 100, before: str = "") -> list[StoredHead]:
        """Heads of the newest mails, newest first; `before` is the id of the last one already shown."""
        names = sorted((name for name in self._ids() if not before or name < before), reverse=True)
        return [head for head in map(self._head, names[:limit]) if head]

    def count(self) -> int:
        """How many mails lie in the folder."""
        return sum(1 for _ in self._ids())

    def read(self, mail_id: str) -> StoredMail | None:
        """One mail by its id, None when there is none (or the id is not one of ours)."""
        head = self._head(mail_id)
        if head is None:
            return None
        source = self._file(mail_id).read_bytes()
        message = BytesParser(policy=policy.default).parsebytes(source)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        files = tuple(
            StoredFile(
                str(part.get_filename() or ""),
                part.get_content_type(),
                cast(bytes, part.get_payload(decode=True) or b""),
                str(part.get("Content-ID", "")).strip("<>"),
            )
            for part in message.walk()
            if not part.is_multipart() and (part.get_content_disposition() or part.get("Content-ID"))
        )
        return StoredMail(
            head,
            str(message.get("Return-Path", "")).strip("<>"),
            tuple((name, str(value)) for name, value in message.items()),
            text.get_content().replace("\r\n", "\n") if text else "",
            html.get_content().replace("\r\n", "\n") if html else "",
            files,
            source,
        )

    def delete(self, mail_id: str) -> None:
        """Remove one mail; nothing happens when it is not there."""
        if _ID(mail_id):
            self._file(mail_id).unlink(missing_ok=True)

    def _ids(self) -> Iterator[str]:
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(".eml")
                    if name != entry.name and _ID(name):
                        yield name
        except FileNotFoundError:
            return

    def _file(self, mail_id: str) -> Path:
        return self.path / f"{mail_id}.eml"

    def _head(self, mail_id: str) -> StoredHead | None:
        if not _ID(mail_id):
            return None
        try:
            with self._file(mail_id).open("rb") as file:
                octets = os.fstat(file.fileno()).st_size
                message = BytesHeaderParser(policy=policy.default).parse(file)
        except FileNotFoundError:
            return None
        stored_at = datetime.fromtimestamp(int(mail_id[:19]) / 1e9, UTC)
        recipient, identity = str(message.get("Delivered-To", "")), str(message.get("Message-ID", ""))
        return StoredHead(
            mail_id,
            stored_at,
            str(message.get("From", "")),
            recipient,
            str(message.get("Subject", "")),
            octets,
            identity,
        )


class FolderConnection:
    """Writes into the folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.is_open = False

    def open(self) -> Outcome | None:
        """Make the folder if need be."""
        try:
            self.folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            return Outcome("unreachable", "connect", text=f"the mail folder cannot be made: {problem.strerror}")
        self.is_open = True
        return None

    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        """Store the mail; `unreachable` when the folder cannot be written (disk full), for it is nobody's fault."""
        problem = None if self.is_open else self.open()
        if problem:
            return problem
        if go_ahead and not go_ahead():
            return Outcome("not_sent", "text", text="withdrawn before the text began", is_open=True)
        name = f"{time.time_ns():019d}-{secrets.token_hex(6)}"
        beside = self.folder.path / f"{name}.part"
        front = b"Return-Path: <%s>\r\nDelivered-To: %s\r\n" % (envelope.sender.encode(), envelope.recipient.encode())
        try:
            beside.write_bytes(front + bytes(data))
            beside.rename(self.folder.path / f"{name}.eml")
        except OSError as error:
            self.is_open = False
            beside.unlink(missing_ok=True)
            return Outcome("unreachable", "connect", text=f"the mail folder cannot be written: {error.strerror}")
        return Outcome("accepted", "dot", 250, f"stored as {name}", is_open=True)

    def close(self) -> None:
        """Nothing is held open."""
        self.is_open = False
