"""What became of one attempt to hand a mail to a server, told apart as exactly as SMTP allows (invariants.md 2).

| kind | what is certain | what the caller may do |
|---|---|---|
| accepted | the server answered 2xx to the end of the text: it has the mail | write `sent` |
| refused | the server answered 4xx or 5xx: it has not taken the mail | `is_permanent`: failed; else retry later. Counts as an attempt |
| not_sent | the connection ended before the server could have the whole text (no 354, or the last bytes of the text's end were never handed to the system), or `go_ahead` said no | waiting again; no attempt counted |
| unreachable | no session: refused, banner or EHLO cut, TLS or log-in failed | nothing was tried for any person; back off the server |
| in_doubt | the end of the text was handed over, no reply was read | `uncertain`: never send again by yourself |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["accepted", "refused", "not_sent", "unreachable", "in_doubt"]
Stage = Literal["connect", "banner", "ehlo", "tls", "auth", "mail", "rcpt", "data", "text", "dot"]
Blame = Literal["recipient", "sender", "server"]

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)").match
_HARD = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})  # RFC 3463, 7505: the address does not exist


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt. `stage` is where it ended, `code` and `text` the reply (0 and our own words when there was none),
    `enhanced` the status of RFC 3463 ("" when the server gave none), `is_open` whether the connection can go on."""

    kind: Kind
    stage: Stage
    code: int = 0
    text: str = ""
    enhanced: str = ""
    blame: Blame = "server"
    is_open: bool = False

    @property
    def is_permanent(self) -> bool:
        """True when the same mail would be refused again (5xx)."""
        return self.kind == "refused" and self.code >= 500

    @property
    def is_hard_bounce(self) -> bool:
        """True when the server says that this address does not exist: nobody should write to it again."""
        return self.is_permanent and self.stage in ("rcpt", "data", "dot") and self.enhanced in _HARD

    @property
    def is_closing(self) -> bool:
        """True when the server asked us to leave (421): not this person's fault, slow this server down."""
        return self.code == 421

    @property
    def sentence(self) -> str:
        """For people and for the ledger: reply and stage in one line, at most 500 characters."""
        if self.code:
            return f"{self.code} {self.text} (at {self.stage.upper()})"[:500]
        return f"{self.text} (at {self.stage.upper()})"[:500]


def refused(stage: Stage, code: int, text: str, *, is_open: bool) -> Outcome:
    """The outcome for a 4xx or 5xx reply, with its enhanced status and who is to blame."""
    found = _ENHANCED(text)
    enhanced = found.group(1) if found else ""
    return Outcome("refused", stage, code, text, enhanced, judge(stage, code, enhanced), is_open)


def judge(stage: Stage, code: int, enhanced: str) -> Blame:
    """Whose fault a refusal is: by the subject digit of RFC 3463 where there is one, else by the stage."""
    if enhanced:
        _, subject, detail = enhanced.split(".")
        if subject == "1":
            return "sender" if detail in ("7", "8") else "recipient"
        if subject == "2":
            return "recipient"
        return "sender" if subject in ("6", "7") else "server"
    if stage == "mail":
        return "sender" if code >= 500 else "server"
    if stage == "rcpt":
        return "recipient" if code in (450, 452, 550, 551, 552, 553) else "server"
    return "sender" if code >= 500 else "server"
