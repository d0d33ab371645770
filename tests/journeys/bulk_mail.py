"""What large mailbox providers ask of bulk mail, held against a mail as it arrived, by code of others where there is some.

Their published guidelines (Google, Yahoo, Microsoft; RFC 5322, 6376, 7489, 8058): a valid signature over the headers of lists,
of the domain that readers see; a return path under it; leaving by one click; a plain text; sizes, lines, links.
"""

import re
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any, cast

import dkim
from lxml import html

ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe", "List-Unsubscribe-Post")
SIGNED = {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"}
CLIPPED = 102_000  # octets of HTML beyond which a large provider hides the rest


def breaches(raw: bytes, sender: str, recipient: str, ask: Callable[[bytes], bytes], base: str) -> list[str]:
    """What is wrong with a mail, in words; [] for one that may go to millions.

    `raw`: as it came behind DATA. `sender`, `recipient`: of the envelope. `ask`: the TXT record of a name. `base`: the address
    that its links must lead to."""
    mail = cast(EmailMessage, BytesParser(policy=policy.default).parsebytes(raw))
    found = [f"{name} stands {count} times" for name in ONCE if (count := len(mail.get_all(name, []))) != 1]
    if found:
        return found
    (author,) = mail["From"].addresses
    domain = author.domain.lower()
    try:
        is_valid = dkim.verify(raw, dnsfunc=lambda name, timeout=5: ask(name))
    except dkim.DKIMException as problem:
        is_valid, found = False, [str(problem)]
    signature = BytesParser(policy=policy.compat32).parsebytes(raw)["DKIM-Signature"]
    tags: dict[str, Any] = dict(re.findall(r"(\w+)=([^;]+)", re.sub(r"\s", "", signature or "")))
    rules = {
        "the signature does not verify": is_valid,
        "the signature is of another domain": _is_under(domain, tags.get("d", "")),
        "headers of lists are not signed": set(tags.get("h", "").lower().split(":")) >= SIGNED,
        "a part of the body is not signed": "l" not in tags,
        "the return path is of another domain": _is_under(domain, sender.rpartition("@")[2].lower()),
        "it is not to its recipient": [one.addr_spec for one in mail["To"].addresses] == [recipient],
        "the date is none": parsedate_to_datetime(mail["Date"]) is not None,
        "the Message-ID is of another domain": _is_under(domain, mail["Message-ID"].strip("<>").rpartition("@")[2]),
        "leaving is no one-click": mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click",
        "leaving has no web address": re.search(rf"<{re.escape(base)}/[^>]+>", mail["List-Unsubscribe"]) is not None,
        "a line is too long or ends wrongly": all(len(one) <= 998 and b"\n" not in one and b"\r" not in one for one in raw.split(b"\r\n")),
        "a header is not plain ASCII": raw.partition(b"\r\n\r\n")[0].isascii(),
        "it passes for an answer": not re.match(r"(?i)(re|fwd?):", mail["Subject"]),
    }  # fmt: skip
    found += [words for words, holds in rules.items() if not holds]
    return found + _in_body(mail, base)


def _is_under(domain: str, other: str) -> bool:
    """Whether `other` is the domain or below it: aligned (RFC 7489 3.1), in the relaxed way."""
    return bool(other) and (other == domain or other.endswith(f".{domain}") or domain.endswith(f".{other}"))


def _in_body(mail: EmailMessage, base: str) -> list[str]:
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    if plain is None or rich is None:
        return ["it has no plain text or no HTML"]
    text, page = str(plain.get_content()), str(rich.get_content())
    tree = html.fromstring(page)
    links = [str(one) for one in tree.xpath("//a/@href")]
    strange = [one for one in links if not one.startswith((f"{base}/", "mailto:", "tel:"))]
    rules = {
        "the plain text is empty": len(text.split()) >= 5,
        "the HTML is clipped": len(page.encode()) < CLIPPED,
        "something in it could run": not tree.xpath("//script|//form|//iframe|//object|//embed|//@onclick|//@onload"),
        f"links lead elsewhere: {strange}": not strange,
        "no link to leave can be seen": bool(tree.xpath("//a[contains(translate(., 'UNSCRIBE', 'unscribe'), 'unsubscribe') or contains(., 'Peru')]")),
        "leaving is not in the plain text": f"{base}/" in text,
        "a picture has no words": not tree.xpath("//img[not(@alt)]"),
        "a tag was not filled": "{$" not in page + text,
    }  # fmt: skip
    return [words for words, holds in rules.items() if not holds]
