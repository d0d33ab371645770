"""Letters: single mails of the system itself (confirm an address, new password, a report is ready), all of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.mail.message import Address, Attachment, Message

AutoSubmitted = Literal["auto-generated", "auto-replied", ""]


@dataclass(frozen=True, slots=True)
class Letter:
    """What one letter says and to whom. `auto_submitted` is empty only when a person wrote it (a reply to a ticket).

    Automatic letters carry Auto-Submitted (RFC 3834) and ask auto-responders to be quiet, so that no loop begins."""

    to: Address
    subject: str
    text: str
    html: str = ""
    reply_to: Address | None = None
    auto_submitted: AutoSubmitted = "auto-generated"
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    inline: tuple[Attachment, ...] = ()

    def message(self, sender: Address, date: datetime, message_id: str) -> Message:
        """The mail to send; `message_id` from `senders.message_id`, `date` with its zone. Raises `BadHeader`."""
        headers: list[tuple[str, str]] = []
        if self.auto_submitted:
            headers += [("Auto-Submitted", self.auto_submitted), ("X-Auto-Response-Suppress", "All")]
        if self.in_reply_to:
            headers.append(("In-Reply-To", self.in_reply_to))
        if self.references:
            headers.append(("References", " ".join(self.references)))
        return Message(
            sender=sender, to=self.to, subject=self.subject, date=date, message_id=message_id, text=self.text, html=self.html,
            reply_to=self.reply_to, headers=tuple(headers), attachments=self.attachments, inline=self.inline,
        )  # fmt: skip
