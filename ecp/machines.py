"""Was it a person? Link checkers and picture proxies open mails too; they are told apart, kept and not counted as reading.

No single sign is proof, so each rule is one that people hardly ever fulfil (spec/marketing.md 4.4, M25). What was counted as
a person and turns out to be a machine later (all links at once, the hidden link) is marked afterwards.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.agents import kind_of

SOON = timedelta(seconds=10)  # after sending: faster than mail is found and read
AT_ONCE = timedelta(seconds=1)
SEVERAL = 3  # different links within AT_ONCE; or all of them when a mail has fewer
AROUND = timedelta(minutes=2)  # what else came from the same delivery around a click of the hidden link


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a picture or a link of a mail. `sent_at`: when the mail left, None when that is not known."""

    agent: str
    method: str
    at: datetime
    sent_at: datetime | None
    is_canary: bool = False
    left_for_a_server: bool = True  # False: into the local mail folder, where nothing stands between us and the reader


def why_machine(visit: Visit) -> str | None:
    """Why the request by itself looks like a machine's (a key of the picklist why_machine); None for a person's."""
    if visit.is_canary:
        return "hidden_link"
    if visit.method == "HEAD":
        return "head"
    kind = kind_of(visit.agent)
    if kind == "scanner":
        return "agent"
    if visit.sent_at is None or visit.at - visit.sent_at >= SOON:
        return None
    return "at_once" if kind in {"proxy", "library"} or visit.left_for_a_server else None
