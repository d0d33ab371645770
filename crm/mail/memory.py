"""A transport for tests: mails stay in a list; outcomes can be planned."""

from __future__ import annotations

from collections import deque
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from crm.mail.message import Envelope, Mail, Settled
from crm.mail.outcome import Outcome
from crm.mail.transport import GoAhead


class Memory:
    """Keeps what was sent in `mails`. Outcomes put into `planned` are given first, one a mail; only accepted ones are kept."""

    name = "memory"
    is_throttled = False

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.planned: deque[Outcome] = deque()

    def connection(self) -> MemoryConnection:
        """A connection to this memory."""
        return MemoryConnection(self)

    def parsed(self, number: int = -1) -> EmailMessage:
        """One of the mails as the standard library reads it."""
        return BytesParser(policy=policy.default).parsebytes(bytes(self.mails[number].data))


class MemoryConnection:
    """Always open."""

    is_open = True

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def open(self) -> Outcome | None:
        """Nothing to do."""
        return None

    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        """Keep the mail, or give the planned outcome."""
        if go_ahead and not go_ahead():
            return Outcome("not_sent", "text", text="withdrawn", is_open=True)
        outcome = (
            self.memory.planned.popleft()
            if self.memory.planned
            else Outcome("accepted", "dot", 250, "kept", is_open=True)
        )
        if outcome.kind == "accepted":
            self.memory.mails.append(Mail(envelope, bytes(data)))
        return outcome

    def close(self) -> None:
        """Nothing to do."""
