"""What a refusal means: hard (the address is no good), soft (perhaps another time), policy (our mail was refused, not the address).

By the enhanced status of RFC 3463 where it says enough, else by words that servers are known to write. In words for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from crm.words import N_, _

Kind = Literal["hard", "soft", "policy"]

REASONS = {
    "unknown": N_("The address does not exist."),
    "domain": N_("The domain of the address does not exist or takes no mail."),
    "closed": N_("The mailbox is closed."),
    "full": N_("The mailbox is full."),
    "size": N_("The mail is too large for the receiver."),
    "policy": N_("The receiver refused our mail by its own rules; the address may be fine."),
    "busy": N_("The receiver asked to come back later, until it was too late."),
    "away": N_("The receiver's server could not be reached for too long."),
    "failed": N_("The receiver refused the mail for good."),
}

# The words of servers, the telling ones first. One pass each; no pattern can take long on a line.
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(words, re.I))
    for reason, words in (
        ("full", r"mailbox (?:is )?full|over.?(?:the |its |their )?quota|quota.{0,20}exceed|exceed.{0,30}quota|out of storage|storage space|mailbox size limit|"
                 r"insufficient (?:system )?(?:storage|disk)|disk quota|is full\b|has no space"),
        ("size", r"too (?:large|big)|size (?:limit )?exceed|exceeds? (?:the )?(?:maximum|fixed|allowed).{0,20}size|message size"),
        ("unknown", r"user (?:is )?unknown|unknown (?:local[- ]part|user|recipient|address|mailbox|account|alias)|no such (?:user|recipient|address|mailbox|"
                    r"person|account|local user)|user .{0,80}(?:not found|(?:does not|doesn't) exist)|(?:mailbox|recipient|account|address|user)\b.{0,80}?"
                    r"\b(?:does not exist|doesn't exist|not found|couldn't be found|could not be found|is invalid|not known)|"
                    r"no mailbox here|no mailbox by that name|recipient ?not ?found|invalid (?:recipient|mailbox|user|address)|bad destination mailbox|"
                    r"not a (?:known|valid) (?:user|recipient|mailbox)|not listed in|isn't listed|mailbox unavailable|unrouteable address|"
                    r"no valid recipients|user doesn't have a|nonexistent|unknown to"),
        ("closed", r"(?:account|mailbox|user|address|recipient).{0,60}(?:disabled|inactive|suspended|closed|expired|deactivated|blocked for inactivity)|"
                   r"no longer (?:valid|active|available|works)|has been (?:deactivated|closed)"),
        ("domain", r"(?:host|domain)(?: name)?.{0,60}(?:not found|unknown|does not exist|doesn't exist|not exist)|no such (?:domain|host)|unknown (?:host|domain)|"
                   r"unrouteable mail domain|nxdomain|name or service not known|does not accept mail|nullmx|null mx|couldn't find any host"),
        ("policy", r"spam|block ?list|black ?list|blocked|listed (?:at|by|in|on)|policy|dmarc|\bspf\b|\bdkim\b|reputation|content rejected|"
                   r"not authorized|authentication|unsolicited|banned|poor sender|denied|prohibited|relay(?:ing)? (?:not|access)|virus"),
        ("busy", r"gr[ae]y.?list|try (?:again|later)|temporar|rate.?limit|too many|deferred|throttl|too quickly|over rate|busy|unavailable"),
        ("away", r"timed? ?out|timeout|connection (?:refused|reset|lost)|(?:couldn't|could not|unable to) connect|no route|unreachable|not responding|"
                 r"can't connect|retry time(?:out)? |expired|too long|too old"),
    )
)  # fmt: skip
_HARD = {
    "1.0": "unknown", "1.1": "unknown", "1.2": "domain", "1.3": "unknown", "1.4": "unknown", "1.6": "unknown", "1.10": "domain",
    "2.1": "closed", "4.310": "domain", "4.4": "domain",
}  # fmt: skip
_POLICY = {"1.7": "policy", "1.8": "policy", "2.3": "size", "3.4": "size"}
# A mailbox that would exist another day, or a server in trouble: RFC 3463 calls some of them permanent all the same.
_SOFT = {"2.2": "full", "4.6": "away", "4.7": "away"}
_BY_WORDS = {"unknown": "hard", "domain": "hard", "closed": "hard", "full": "soft", "busy": "soft", "away": "soft", "size": "policy", "policy": "policy"}  # fmt: skip
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?<![\d.])([245])\d\d(?=[ \-#\]:>]|$)")
MOST_WORDS = 2_000  # characters of a diagnosis that are looked at


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal means. `reason`: a key of REASONS; `status`: the enhanced status, as far as one is known."""

    kind: Kind
    reason: str
    status: str = ""

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _(REASONS[self.reason])


def find_status(text: str) -> str:
    """The first enhanced status in a text; "" when there is none. Numbers of versions and addresses are none."""
    found = _STATUS.search(text[:MOST_WORDS])
    return found[0] if found else ""


def find_class(text: str) -> str:
    """2, 4 or 5: the class of the first SMTP reply in a text; "" when there is none."""
    found = _CODE.search(text[:MOST_WORDS])
    return found[1] if found else ""


def sign_of(text: str) -> str:
    """The reason that a server's words give; "" when they are not known."""
    said = " ".join(text[:MOST_WORDS].split())
    return next((reason for reason, words in _SIGNS if words.search(said)), "")


def judge(status: str, words: str) -> Verdict:
    """What a final refusal means. `status`: of the report ("" for none); `words`: what the server said."""
    found = _STATUS.search(status) or _STATUS.search(words[:MOST_WORDS])
    sign = sign_of(words)
    if found is None:
        return _by_words(sign, find_class(words), "")
    level, place, known = found[1], f"{int(found[2])}.{int(found[3])}", found[0]
    if level != "5":
        return Verdict(
            "soft", sign if sign in {"full", "busy", "away"} else ("full" if place == "2.2" else "busy"), known
        )
    if place in _HARD:
        # A full mailbox is told as 5.2.1 or 5.1.1 by some servers: their words are more than their number.
        if sign == "full":
            return Verdict("soft", "full", known)
        return Verdict("hard", sign if sign in {"unknown", "closed", "domain"} else _HARD[place], known)
    if place in _POLICY:
        return Verdict("policy", _POLICY[place], known)
    if place in _SOFT:
        return Verdict("soft", _SOFT[place], known)
    if place == "4.1":  # Microsoft's word for an address that its directory does not hold
        return (
            Verdict("hard", "unknown", known)
            if "denied" in words.lower() or sign == "unknown"
            else Verdict("soft", "away", known)
        )
    subject = place.partition(".")[0]
    if subject in {"6", "7"}:
        return Verdict("policy", sign if sign in {"size", "policy"} else "policy", known)
    if subject in {"3", "4"} and sign not in {"unknown", "domain", "closed"}:
        return Verdict("soft", sign if sign in {"full", "busy", "away"} else "away", known)
    return _by_words(sign, "5", known)


def _by_words(sign: str, level: str, status: str) -> Verdict:
    """Where no number says more: the words, and else one refusal for good is one (spec/marketing.md 4.2)."""
    if level == "4":
        return Verdict("soft", sign if sign in {"full", "busy", "away"} else "busy", status)
    if sign:
        kind: Kind = _BY_WORDS[sign]  # type: ignore[assignment]
        return Verdict(kind, sign, status)
    return Verdict("hard", "failed", status) if level == "5" else Verdict("soft", "busy", status)
