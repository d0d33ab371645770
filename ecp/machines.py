"""Was it a person? Each opening and click of a mail is a person's, a machine's, or cannot be told (spec/marketing.md M25).

Evidence in layers: what a request says of itself (its signs), when it came, in which order, what came beside it, the link that
nobody sees, and a movement on the page it led to. Some signs decide alone, because people hardly ever show them; of the weak
ones it takes two, and one alone makes the event doubtful. The rules look only at what is kept on the rows, so that the same
events can be judged again by later rules: RULES counts their versions.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ecp.pipeline.track import CANARY

RULES = 2

SOON = 10  # seconds after sending: faster than mail is found and read
EARLY = (
    -300
)  # seconds before it: a mail is noted as sent a moment later, clocks differ a little; beyond, they say nothing
FIRST = 30  # seconds in which hardly anybody clicks in a mail whose pictures were not shown
AT_ONCE = timedelta(seconds=1)
SEVERAL = 3  # different links within AT_ONCE; or all of them when a mail has fewer
NEXT = timedelta(seconds=10)  # from one link to the next in their order
IN_ORDER = 8  # links one after the other; or all of them when a mail has fewer
NEAR = timedelta(seconds=10)  # around a click of the hidden link, from wherever
AROUND = timedelta(minutes=2)  # around a machine, from the same source

MadeBy = Literal["human", "machine", "unknown"]
OWN = {  # signs that decide alone, the surest first → why
    "scanner": "agent", "net_scanner": "network", "head": "head", "ahead": "ahead", "crowd": "crowd",
}  # fmt: skip
BY_PROXY = ("proxy", "loads_all", "net_proxy")
WEAK = ("library", "no_accept", "no_picture")
SPREADS = ("hidden_link", "several_links", "in_order", "agent", "network")  # what came beside these came from them too


@dataclass(frozen=True, slots=True)
class Event:
    """One opening (`link` None) or click as it is kept. `delay`: seconds from sending, None when not known; `source`: the
    shortened address and family of the program; `signs`: what the request showed (`ecp.measuring` writes them)."""

    key: tuple[str, int]
    at: datetime
    link: int | None = None
    delay: int | None = None
    signs: frozenset[str] = frozenset()
    source: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose it was, and why (a key of the picklist why_made_by)."""

    made_by: MadeBy
    why: str


PERSON = Verdict("human", "like_person")


def judge(events: Sequence[Event], links: int = 0) -> dict[tuple[str, int], Verdict]:
    """The verdict on each event of one mail, by its key. `links`: how many links the mail has, 0 when that is not known.

    `events` may come in any order. What comes late can change the verdict on what came before: a burst shows at its second
    click. Linear but for sorting, so that a flood costs no more than its size.
    """
    found = sorted(events, key=lambda one: (one.at, one.key))
    clicks = [one for one in found if one.link]
    why = {one.key: reason for one in found if (reason := _by_itself(one))}
    for key in _in_order(clicks, links):
        why.setdefault(key, "in_order")
    for key in _bursts(clicks, links):
        why.setdefault(key, "several_links")
    why |= _beside(found, why)
    verdicts: dict[tuple[str, int], Verdict] = {}
    has_picture = False
    for one in found:
        has_picture = has_picture or (one.link is None and one.key not in why)
        verdicts[one.key] = Verdict("machine", why[one.key]) if one.key in why else _weighed(one, has_picture)
    return verdicts


def _by_itself(one: Event) -> str | None:
    """Why the event is a machine's whatever else there is; None when that is not so."""
    if one.link == CANARY:
        return "hidden_link"
    return next(
        (why for sign, why in OWN.items() if sign in one.signs and not (sign == "crowd" and _is_proxied(one))), None
    )


def _is_proxied(one: Event) -> bool:
    return any(sign in one.signs for sign in BY_PROXY)


def _weighed(one: Event, has_picture: bool) -> Verdict:
    """An event that nothing proves to be a machine's."""
    if "gesture" in one.signs:
        return Verdict("human", "gesture")
    is_soon = one.delay is not None and EARLY <= one.delay < SOON and "local" not in one.signs
    if "loads_all" in one.signs or "net_proxy" in one.signs or ("proxy" in one.signs and is_soon):
        return Verdict("unknown", "proxy")
    if is_soon:
        return Verdict("machine", "at_once")
    if "local" in one.signs:
        return PERSON  # into the local mail folder: nothing stands between us and the reader
    is_first = bool(one.link) and not has_picture and one.delay is not None and EARLY <= one.delay < FIRST
    weak = sum(sign in one.signs for sign in WEAK) + is_first
    if weak > 1:
        return Verdict("machine", "several_signs")
    return Verdict("unknown", "one_sign") if weak else PERSON


def _bursts(clicks: Sequence[Event], links: int) -> Iterator[tuple[str, int]]:
    """Clicks on several links within a second."""
    enough = max(2, min(SEVERAL, links or SEVERAL))
    seen: dict[int, int] = defaultdict(int)
    first = done = 0
    for last, one in enumerate(clicks):
        seen[one.link or 0] += 1
        while clicks[first].at < one.at - AT_ONCE:
            gone = clicks[first].link or 0
            seen[gone] -= 1
            if not seen[gone]:
                del seen[gone]
            first += 1
        if len(seen) >= enough:
            for member in clicks[max(first, done) : last + 1]:
                yield member.key
            done = last + 1


def _in_order(clicks: Sequence[Event], links: int) -> Iterator[tuple[str, int]]:
    """Clicks on the links of a mail in the order in which they stand in it, one soon after the other."""
    enough = max(3, min(IN_ORDER, links or IN_ORDER))
    run: list[Event] = []
    different = 0
    for one in [*clicks, None]:
        if one is not None and run and one.link and (one.link >= (run[-1].link or 0)) and one.at - run[-1].at <= NEXT:
            different += one.link != run[-1].link
            run.append(one)
            continue
        if different >= enough:
            yield from (member.key for member in run)
        run, different = ([one], 1) if one is not None else ([], 0)


def _beside(found: Sequence[Event], why: dict[tuple[str, int], str]) -> dict[tuple[str, int], str]:
    """What came from the source of a machine within minutes, and whatever came at the moment of the hidden link."""
    spots: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    hidden_from: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    hidden: list[datetime] = []
    for one in found:
        if why.get(one.key) in SPREADS:
            spots[one.source].append(one.at)
        if why.get(one.key) == "hidden_link":
            hidden.append(one.at)
            hidden_from[one.source].append(one.at)
    if not spots:
        return {}
    also: dict[tuple[str, int], str] = {}
    for one in found:
        if one.key in why and why[one.key] not in {"several_links", "in_order"}:
            continue
        if _has_near(hidden, one.at, NEAR) or _has_near(hidden_from.get(one.source, ()), one.at, AROUND):
            also[one.key] = "hidden_link"
        elif one.key not in why and _has_near(spots.get(one.source, ()), one.at, AROUND):
            also[one.key] = "beside"
    return also


def _has_near(moments: Sequence[datetime], at: datetime, within: timedelta) -> bool:
    return bisect_left(moments, at - within) < bisect_right(moments, at + within)


def read_signs(text: str | None) -> frozenset[str]:
    """The signs as they are kept: words with spaces between."""
    return frozenset((text or "").split())


def write_signs(signs: Collection[str]) -> str | None:
    """The same the other way; None for no sign."""
    return " ".join(sorted(signs)) or None
