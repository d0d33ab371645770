"""How a mail leaves: the protocol that SMTP, the local folder and the memory of tests share, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from crm.mail.message import Envelope, Settled
from crm.mail.outcome import Outcome

GoAhead = Callable[[], bool]
"""Asked once, when the server waits for the text and nothing of it has been sent: may it still go? False takes it back."""


class Connection(Protocol):
    """One open way out. Used by one thread at a time."""

    @property
    def is_open(self) -> bool:
        """False when `open` must be called before the next mail."""
        ...

    def open(self) -> Outcome | None:
        """Connect; None when mails can be sent, else the `unreachable` outcome. Does nothing when it is open."""
        ...

    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        """Hand over one mail (finished bytes, CRLF line ends, no dot-stuffing). Never raises for what a server does."""
        ...

    def close(self) -> None:
        """Say good-bye and let go; never raises."""
        ...


class Transport(Protocol):
    """A place where mails go."""

    @property
    def name(self) -> str:
        """For people: which place this is, without a password."""
        ...

    @property
    def is_throttled(self) -> bool:
        """Whether send rates apply (they don't to the local folder and to memory: decisions.md 25)."""
        ...

    def connection(self) -> Connection:
        """A new connection, not yet open."""
        ...


def choose(smtp_url: str | None, data_dir: Path, *, local_name: str = "") -> Transport:
    """The transport that the settings name: the SMTP server of CUSTOMERHUB_SMTP_URL, else the folder DATA_DIR/outbox.

    Raises ValueError with a sentence when the address cannot be understood."""
    from crm.mail.folder import Folder
    from crm.mail.smtp import SmtpServer

    if smtp_url:
        return SmtpServer(smtp_url, local_name=local_name)
    return Folder(data_dir / "outbox")
