"""Mails as their readers have them: from the outbox folder or a server's log, with the links that a mail program would follow."""

import csv
import io
import json
import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, cast

CITIES = ("Helsinki", "Turku", "Oulu", "Pori")


def taken(log: Path) -> list[dict[str, Any]]:
    """The lines of a mail server's log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@dataclass
class Letter:
    """One mail that arrived."""

    recipient: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    def links(self, path: str) -> list[str]:
        """Addresses in the HTML under a public path such as `/c/`, in the order of the mail."""
        return list(dict.fromkeys(re.findall(rf"https?://[^\s\"'<>]+?{re.escape(path)}[^\s\"'<>]*", self.html)))

    def one_click(self) -> str:
        """The address of List-Unsubscribe that is posted to."""
        found = re.search(r"<(https?://[^>]+)>", str(self.message["List-Unsubscribe"]))
        assert found
        return found.group(1)


def letter_of(source: bytes) -> Letter:
    message = cast(EmailMessage, BytesParser(policy=policy.default).parsebytes(source))
    return Letter(str(message.get("Delivered-To", "")), message)


def letters_in(outbox: Path) -> list[Letter]:
    """All mails of a local mail folder, oldest first."""
    return [letter_of(path.read_bytes()) for path in sorted(outbox.glob("*.eml"))]


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    """A plain CSV file."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    return path


MAIL = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {$contact.first_name|friend} of {$account.account_name|your house},</mj-text>
<mj-button href="https://example.com/offer?x=1&amp;y=2">See the offer</mj-button>
<mj-text><a href="https://example.com/more">More</a> · <a href="{$links.online}">Read online</a> ·
<a href="{$links.unsubscribe}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
