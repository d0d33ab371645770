"""Reports with a structure: delivery status (RFC 3464), complaints (RFC 5965), and which mails carry DMARC or TLS reports."""

from __future__ import annotations

import re
from email.message import Message as RawMessage
from email.parser import Parser
from typing import TYPE_CHECKING

from crm.mail.inbox.words import header_text
from ecp.bounces.verdicts import find_status, judge

if TYPE_CHECKING:
    from ecp.bounces.reading import Returned

STATUS_PARTS = {"message/delivery-status", "message/global-delivery-status"}
DONE = {"delivered", "relayed", "expanded"}
PACKED = {
    "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip", "application/octet-stream",
    "application/xml", "text/xml", "application/tlsrpt+gzip", "application/tlsrpt+json",
}  # fmt: skip
_DMARC_NAME = re.compile(r"^[A-Za-z0-9.\-_]+![A-Za-z0-9.\-_]+!\d+!\d+", re.I)
_DMARC_SUBJECT = re.compile(r"^\s*(?:\[[^\]]{0,40}\]\s*)?(?:dmarc .{0,60})?report domain:", re.I)


def read_status(parts: list[RawMessage], found: Returned) -> None:
    """What a delivery status says of the first recipient that it refused, else of the first."""
    blocks = [block for part in parts if part.get_content_type() in STATUS_PARTS for block in _blocks(part)]
    people = [block for block in blocks if block.get("Action") or block.get("Status") or block.get("Final-Recipient")]
    failed = next((one for one in people if _word(one, "Action") == "failed"), None)
    block = failed or (people[0] if people else None)
    reporter = next((_typed(one, "Reporting-MTA") for one in blocks if one.get("Reporting-MTA")), "")
    found.domain = _host(reporter) or found.domain
    if block is None:
        found.kind = "other"
        return
    action, status = _word(block, "Action"), find_status(header_text(block.get("Status"), 60))
    said = _typed(block, "Diagnostic-Code")
    found.words = said or header_text(block.get("X-Display-Name"), 200)
    found.domain = _host(_typed(block, "Remote-MTA")) or found.domain
    if action == "delayed" or (not action and status.startswith("4")):
        found.kind = "delayed"
    elif action in DONE or (not action and status.startswith("2")):
        found.kind = "delivered"
    else:
        found.kind = "bounce"
        # The server's own status is nearer to the cause than that of the one which reports.
        own = find_status(said)
        found.verdict = judge(own if own and own[0] == status[:1] and _says_little(status) else status or own, said)


def _says_little(status: str) -> bool:
    return status.endswith((".0.0", ".5.0", ".3.0", ".4.0", ".2.0")) or status in {"5.7.1", "5.1.0", ""}


def read_complaint(parts: list[RawMessage], found: Returned) -> None:
    """A feedback report. `not-spam` takes nothing back by itself; a virus or fraud report is about the mail, not its reader."""
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            block = next(iter(_blocks(part)), None)
            kind = _word(block, "Feedback-Type") if block is not None else ""
            if kind in {"not-spam", "auth-failure", "opt-out-list"}:
                found.kind = "other"
            found.words = kind or "abuse"
            return


def is_outlook_complaint(sender: str, subject: str, kinds: set[str]) -> bool:
    """Outlook.com's programme for senders forwards the mail itself, without a report around it."""
    is_from = re.search(r"staff@hotmail\.com\b", sender, re.I) is not None
    return is_from and subject.lower().startswith("complaint about message from") and "message/rfc822" in kinds


def kind_of_files(mail: RawMessage, parts: list[RawMessage], said: str, subject: str) -> str:
    """dmarc or tls, when the mail carries such a report; else ""."""
    kinds = {part.get_content_type() for part in parts}
    if said == "tlsrpt" or kinds & {"application/tlsrpt+gzip", "application/tlsrpt+json"}:
        return "tls"
    if not kinds & PACKED:
        return ""
    names = [_name(part) for part in parts]
    if _DMARC_SUBJECT.match(subject) or any(_DMARC_NAME.match(name) for name in names):
        return "tls" if any(name.lower().endswith((".json", ".json.gz")) for name in names) else "dmarc"
    return ""


def files_of(parts: list[RawMessage]) -> list[tuple[str, str, bytes]]:
    """(name, media type, octets) of the files that may be reports."""
    found = []
    for part in parts:
        if part.get_content_type() in PACKED:
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload:
                found.append((_name(part), part.get_content_type(), payload))
    return found[:5]


def _name(part: RawMessage) -> str:
    try:
        return header_text(part.get_filename() or "", 200)
    except (ValueError, LookupError, TypeError):
        return ""


def _blocks(part: RawMessage) -> list[RawMessage]:
    """The blocks of fields of a status part. Python splits those of a plain delivery status; others are split here."""
    inner = [one for one in part.get_payload() if isinstance(one, RawMessage)] if part.is_multipart() else []
    coding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    is_coded = coding in {"base64", "quoted-printable"}
    if inner and not is_coded and part.get_content_type() == "message/delivery-status":
        return [one for one in inner if one.keys()]
    text = "\n\n".join(map(_flat, inner)) if inner else str(part.get_payload())
    if is_coded:
        text = _decoded(text, coding)
    return [Parser().parsestr(one, headersonly=True) for one in re.split(r"\n[ \t]*\n", text.strip()) if one.strip()][
        :50
    ]


def _flat(one: RawMessage) -> str:
    """What the parser took for a mail, as it stood there."""
    head = "".join(f"{name}: {value}\n" for name, value in one.items())
    return f"{head}\n{one.get_payload()}" if head else str(one.get_payload())


def _decoded(text: str, coding: str) -> str:
    """The text of an encoded status part: the parser took its coded lines for fields, so they are put together first."""
    coded = RawMessage()
    coded["Content-Transfer-Encoding"] = coding
    coded.set_payload(text)
    payload = coded.get_payload(decode=True)
    return payload.decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def _word(block: RawMessage, name: str) -> str:
    return header_text(block.get(name), 100).split("(")[0].strip().lower()


def _typed(block: RawMessage, name: str) -> str:
    """The value of a field such as `smtp; 550 5.1.1 …` without its type."""
    value = header_text(block.get(name), 1000)
    kind, _semicolon, rest = value.partition(";")
    return rest.strip() if _semicolon and re.fullmatch(r"[\w\- ]{1,30}", kind.strip()) else value


def _host(text: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9.\-]{1,250}\.[A-Za-z]{2,63})\b", text)
    return found[1].lower() if found else ""
