"""One mail of a return mailbox → `Returned`: what it is, about which mail of ours, and what it says. Never raises.

The order of the questions matters: a report by structure first (RFC 3464, 5965, 8460), then answers of machines to people
(out of office), and only then plain text, which must look like a known server's before it is believed to be a bounce.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message as RawMessage
from email.parser import BytesParser

from crm.mail.inbox import signs
from crm.mail.inbox.words import decoded, header_text
from ecp.bounces import plain, reports
from ecp.bounces.verdicts import Verdict, judge

MOST_OCTETS = 256 * 1024  # of a mail that is no report with files
MOST_REPORT = 10 * 1024 * 1024
MOST_PARTS = 50
MOST_TEXT = 20_000
MOST_TOKENS = 20
MOST_HEADERS = 64 * 1024
_TOKEN = re.compile(rb"[+=]([0-9a-fA-F]{44})@")
_ENVELOPE = (
    "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-TO", "X-Failed-To", "To", "Cc",
    "Apparently-To", "X-MS-Exchange-Organization-OriginalEnvelopeRecipients",
)  # fmt: skip
_AWAY = re.compile(
    r"out[ -]of[ -](?:the[ -])?office|auto(?:matic|mated|[ -])? ?(?:reply|response|antwort|svar)|autoreply|away from|on vacation|on leave|"
    r"automaattinen vastaus|poissa|lomalla|abwesen|réponse automatique|absence|frånvaro|fraværende|respuesta automática|vastauspalvelu",
    re.I,
)
_LEAVE = re.compile(r"(?:re: *)?\W*(?:unsubscribe|leave|poista|peru|remove)\b", re.I)


@dataclass(slots=True)
class Returned:
    """What one mail is and says. `tokens`: octets that stand in return paths in it, nearest first, proved by nobody yet.

    `kind`: bounce, delayed, delivered, complaint, unsubscribe, auto_reply, dmarc, tls, other. `verdict` of a bounce.
    `words`: what the server said; `domain`: who reports; `files`: of a report, packed as they came."""

    kind: str = "other"
    tokens: list[bytes] = field(default_factory=list)
    verdict: Verdict | None = None
    words: str = ""
    domain: str = ""
    files: list[tuple[str, str, bytes]] = field(default_factory=list)
    subject: str = ""


def read(data: bytes) -> Returned:
    """What came back. `data`: the mail, or its beginning."""
    found = Returned()
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(data[:MOST_REPORT])
        _read(mail, data, found)
    except Exception:  # noqa: BLE001 - hostile bytes: whatever the parser stumbles over, it is a mail that says nothing
        found.kind, found.verdict = "other", None
    return found


def _read(mail: RawMessage, data: bytes, found: Returned) -> None:
    found.subject = header_text(mail.get("Subject"), 300)
    sender = header_text(mail.get("From"), 300)
    found.domain = _domain_of(sender)
    parts = _parts(mail)
    kinds = {part.get_content_type() for part in parts}
    in_envelope = _tokens(" ".join(str(mail.get(name, ""))[:2000] for name in _ENVELOPE).encode("utf-8", "replace"))
    found.tokens = in_envelope
    said = str(mail.get_param("report-type") or "").lower() if mail.get_content_type() == "multipart/report" else ""
    if said == "disposition-notification" or "message/disposition-notification" in kinds:
        found.kind = "auto_reply"  # a person read it, or deleted it unread: no word on the address
    elif said == "feedback-report" or "message/feedback-report" in kinds:
        found.kind = "complaint"
        reports.read_complaint(parts, found)
    elif reports.is_outlook_complaint(sender, found.subject, kinds):
        found.kind, found.words = "complaint", "abuse"
    elif kinds & reports.STATUS_PARTS:
        reports.read_status(parts, found)
    elif kind := reports.kind_of_files(mail, parts, said, found.subject):
        found.kind = kind
        found.files = reports.files_of(parts)
    else:
        _read_text(mail, parts, sender, found)
    if found.kind in {"bounce", "delayed", "delivered", "complaint"}:
        _add_tokens(data, parts, found)


def _read_text(mail: RawMessage, parts: list[RawMessage], sender: str, found: Returned) -> None:
    """A mail without structure: to leave, written by a machine for people, or a bounce of an old server."""
    automatic = signs.automatic_by(mail)
    if found.tokens and not automatic and _LEAVE.match(found.subject):
        found.kind = "unsubscribe"
        return
    text = _text_of(parts)
    is_machine = _is_daemon(mail, sender)
    if _AWAY.search(found.subject) or (automatic in {"X-Autoreply", "Auto-Submitted"} and not is_machine):
        found.kind = "auto_reply"
        return
    bounced = plain.read(found.subject, text, is_machine, header_text(mail.get("X-Failed-Recipients"), 300))
    if bounced is None:
        found.kind = "auto_reply" if automatic and automatic not in {"List-Id", "Precedence"} else "other"
        return
    found.kind, found.words = bounced.kind, bounced.words
    if bounced.kind == "bounce":
        found.verdict = judge(bounced.status, bounced.words)


def _is_daemon(mail: RawMessage, sender: str) -> bool:
    """Whether a mail server wrote it: by its name, or by a return path that leads nowhere."""
    path = str(mail.get("Return-Path", "") or "").strip()
    named = re.search(
        r"mailer-?daemon|postmaster|mail delivery|mail ?administrator|microsoftexchange|\bmdaemon\b|mail ?system",
        sender,
        re.I,
    )
    return path == "<>" or bool(named)


def _parts(mail: RawMessage) -> list[RawMessage]:
    found: list[RawMessage] = []
    for part in mail.walk():
        found.append(part)
        if len(found) >= MOST_PARTS:
            break
    return found


def _text_of(parts: list[RawMessage]) -> str:
    """The words of the first text parts; of a mail that is only a page, its words."""
    texts = [body_of(part) for part in parts if part.get_content_type() == "text/plain"][:3]
    if not any(text.strip() for text in texts):
        texts = [
            re.sub(r"<[^<>]{0,500}>", " ", body_of(part)) for part in parts if part.get_content_type() == "text/html"
        ][:2]
    return "\n".join(texts)[:MOST_TEXT]


def body_of(part: RawMessage) -> str:
    """A part as text, its transfer encoding undone."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return decoded(payload[:MOST_HEADERS], part.get_content_charset())


def _tokens(text: bytes) -> list[bytes]:
    found = dict.fromkeys(bytes.fromhex(one.decode("ascii")) for one in _TOKEN.findall(text))
    return list(found)[:MOST_TOKENS]


def _add_tokens(data: bytes, parts: list[RawMessage], found: Returned) -> None:
    """Also those in the mail that came back with the report: in its Return-Path and List-Unsubscribe."""
    more = _tokens(data[:MOST_OCTETS])
    if not more and not found.tokens:
        coded = [
            part
            for part in parts
            if str(part.get("Content-Transfer-Encoding", "")).strip().lower() in {"base64", "quoted-printable"}
        ]
        for part in coded[:5]:
            payload = part.get_payload(decode=True)
            more += _tokens(payload[:MOST_HEADERS]) if isinstance(payload, bytes) else []
    found.tokens = list(dict.fromkeys([*found.tokens, *more]))[:MOST_TOKENS]


def _domain_of(sender: str) -> str:
    found = re.search(r"@([A-Za-z0-9][A-Za-z0-9.\-]{0,250}[A-Za-z0-9])", sender)
    return found[1].lower() if found else ""


__all__ = ["MOST_OCTETS", "MOST_REPORT", "Returned", "body_of", "read"]
