"""Bounces of servers that write no report: known openings, and mails of a mail server that quote an SMTP refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecp.bounces.verdicts import find_class, find_status, sign_of

_OPENINGS = re.compile(
    r"This is the (?:qmail-send|\w{2,20}) (?:program|mail system)|message was created automatically by mail delivery software|"
    r"I'm afraid I wasn't able to deliver your message|I'm sorry to have to inform you|could not be delivered to (?:one or more|the following)|"
    r"Delivery to the following recipients? (?:failed|has been|was)|Your message (?:did not reach|wasn't delivered|couldn't be delivered|could not be delivered|has not been delivered)|"
    r"The following (?:addresses had|address(?:es)? failed|recipient)|did not reach the following recipient|Unable to deliver message to|"
    r"Diagnostic information for administrators|User .{1,100} not listed in|undeliverable (?:mail|message)|The original message was received at|"
    r"Message from .{1,80} was not delivered|delivery (?:has )?failed|non-?delivery|Viestiä ei voi(?:tu|da) toimittaa|konnte nicht zugestellt werden|"
    r"n'a pas pu être (?:remis|délivré)|no se ha podido entregar|kunne ikke leveres|kunde inte levereras",
    re.I,
)  # fmt: skip
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status notification|failure|failed|has failed|problem)|mail delivery (?:failed|system|subsystem)|returned mail|"
    r"failure notice|non[- ]?delivery|message status - undeliverable|mail system error|could not be delivered|unzustellbar|toimittamaton|"
    r"ei voitu toimittaa|nicht zugestellt|échec de la remise|no entregado|kan inte levereras|rejected",
    re.I,
)  # fmt: skip
_STILL_TRYING = re.compile(
    r"warning message only|(?:do|you do) not need to resend|will (?:continue|keep|be) (?:to )?(?:try|retr)|delivery (?:status notification \(delay\)|delayed|"
    r"temporarily suspended|will be attempted again|attempts will continue)|still being (?:re)?tried|has not yet been delivered|could not send message for past|"
    r"no action is required on your part",
    re.I,
)
_LINE = re.compile(
    r"(?<![\d.])[45]\d\d[ \-#]{1,3}\S|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)|said:|reason|error|because|unknown|full|quota|exist",
    re.I,
)
_HERE_ON_QUOTED = re.compile(
    r"^-{2,}.{0,60}(?:original|copy of|returned|headers of|message header|transcript of session follows.{0,4}end).{0,80}$|^Return-Path:|^Received: ",
    re.I | re.M,
)
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Plain:
    """What a text says: kind bounce or delayed, the status in it, the words of the server."""

    kind: str
    status: str
    words: str


def read(subject: str, text: str, is_machine: bool, failed: str = "") -> Plain | None:
    """What a plain mail says; None when it is no bounce. `is_machine`: a mail server wrote it; `failed`: X-Failed-Recipients."""
    own = _own_words(text)
    is_known = bool(_OPENINGS.search(own)) or bool(failed)
    if not (is_known or (is_machine and _SUBJECT.search(subject))):
        return None
    if not is_machine and not (is_known and _SUBJECT.search(subject)):
        return None  # a person who tells of a bounce, or quotes one
    if _STILL_TRYING.search(subject) or _STILL_TRYING.search(own):
        return Plain("delayed", find_status(own), "")
    words = _telling_lines(own)
    if not _says(words):
        words = own[:1500]
    if not _says(words):
        return None  # nothing in it says what happened, so nothing is believed
    return Plain("bounce", find_status(words), words)


def _says(words: str) -> bool:
    return bool(find_status(words) or find_class(words) or sign_of(words))


def _own_words(text: str) -> str:
    """The server's words, without the mail that it sends back."""
    found = _HERE_ON_QUOTED.search(text, 20)
    return text[: found.start()] if found else text


def _telling_lines(text: str) -> str:
    """The lines that say why, each with the one after it, since servers wrap."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [place for place, line in enumerate(lines) if _LINE.search(line)]
    wanted = sorted({place + step for place in places for step in (0, 1) if place + step < len(lines)})
    return "\n".join(lines[place] for place in wanted[:MOST_LINES])[:1500]
