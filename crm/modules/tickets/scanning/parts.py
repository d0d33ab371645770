"""What the ways of taking a mail in share: its text, files and name as a comment has them, and what became of it."""

import io
from dataclasses import dataclass
from typing import Any

from crm.engine import attachments
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.inbox.parse import Incoming
from crm.words import _

MOST_FILES = 20


@dataclass
class Taken:
    """What became of a mail: created, commented, noted, attached, ignored, skipped, seen. Those but `skipped` are done with."""

    result: str
    note: str = ""
    ticket_id: int | None = None
    comment_id: int | None = None

    @property
    def is_scanned(self) -> bool:
        return self.result != "skipped"


def values_of(mail: Incoming, flag: str | None, note: str) -> dict[str, Any]:
    """The fields of the comment that the mail becomes; `flag` and `note` tell staff what is odd about it."""
    text = mail.text or (_("(The mail has no text.)") if not mail.html else "")
    return {
        "text": text or None, "quoted": mail.quoted or None, "html": mail.html or None, "source": "email", "flag": flag,
        "note": note[:500] or None,
    }  # fmt: skip


def keep(mail: Incoming) -> tuple[list[int], str]:
    """The files of a mail, stored; and a sentence on those that were not."""
    kept: list[int] = []
    dropped: list[str] = []
    for file in mail.files[:MOST_FILES]:
        try:
            kept.append(attachments.store(SYSTEM, file.name, io.BytesIO(file.data), file.media_type).id)
        except Refused:
            dropped.append(attachments.plain_name(file.name))
    if any(fault in mail.faults for fault in ("too large", "too many parts", "broken")):
        return kept, _("Attachments dropped: the mail is too large, has too many parts or cannot be read.")
    if dropped:
        return kept, _("Attachments dropped: %(names)s", names=", ".join(dropped)[:300])
    return kept, ""


def name_of(mail: Incoming) -> str:
    """How the sender is called: his name, else his address."""
    return (mail.sender.name or mail.sender.addr) if mail.sender else ""
