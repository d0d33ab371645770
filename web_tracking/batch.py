"""A batch of hits worked out in memory: what is known of its visitors goes in, rows to write come out. No database here."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.json import Decoder

from web_tracking.stores import Waiting

PAUSE = timedelta(minutes=30)  # after it the next page begins a new visit
KNOWN_NOW = "recognised"  # the event by which the script says who its visitor is, once his page was told
_decode = Decoder().decode


@dataclass(slots=True)
class Visiting:
    """One visit as it grows. `id`: of its row; `is_new`: it has none yet."""

    id: int
    values: dict[str, Any]
    is_new: bool = True
    is_changed: bool = False


@dataclass(slots=True)
class Known:
    """One visitor: its row's values, and its last visit when that may go on."""

    id: int
    values: dict[str, Any]
    visit: Visiting | None = None
    is_new: bool = True
    is_changed: bool = False
    was_bound: bool = False  # in this batch: earlier rows get the person too
    made: list[dict[str, Any]] = field(default_factory=list)  # rows of visits and views of this batch
    paths: dict[str, int] = field(default_factory=dict)  # page → the first visit of this batch that saw it


@dataclass(frozen=True, slots=True)
class Person:
    """Who a personal link was for, and by which mailing."""

    id: int
    sendout_id: int | None = None


@dataclass
class Batch:
    """Works out hits. `visitors` by (site, cookie), `seen`: (visitor id, nonce) of page views that exist,
    `people`: (way, id of the link) → person, `used`: serial of a link → the visitor who used it."""

    zone: ZoneInfo
    visitors: dict[tuple[int, str], Known]
    seen: set[tuple[int, int]]
    people: dict[tuple[str, int], Person]
    used: dict[int, int]
    next_visitor: int
    next_visit: int
    visits: list[Visiting] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[tuple[int, int], int] = field(default_factory=dict)
    links: list[dict[str, Any]] = field(default_factory=list)
    counts: defaultdict[tuple[int, date, str, str], int] = field(default_factory=lambda: defaultdict(int))
    asked: list[dict[str, Any]] = field(default_factory=list)  # views in a later visit: was their page seen before?
    heard: dict[int, datetime] = field(default_factory=dict)
    tried: dict[int, datetime] = field(default_factory=dict)
    forgotten: list[Known] = field(default_factory=list)
    _fresh: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    _days: dict[int, date] = field(default_factory=dict)

    def work(self, hits: Iterable[Waiting]) -> None:
        """Take the hits in, in the order in which they came."""
        moment = datetime.fromtimestamp
        for hit in hits:
            at = moment(hit.at / 1000, UTC)
            if hit.kind == "try":
                self.tried[hit.site_id] = at
            elif hit.kind == "bot":
                self._count(hit, "bots")
            elif hit.visitor is None:
                self._count_page(hit, _decode(hit.said))
            else:
                self._personal(hit, at, _decode(hit.said))
            self.heard[hit.site_id] = at
        self._leave_out()
        for (site_id, day, what, _name), count in list(self.counts.items()):  # a view is a page that was seen
            if what == "page":
                self.counts[site_id, day, "views", ""] += count

    def _personal(self, hit: Waiting, at: datetime, said: dict[str, Any]) -> None:
        place = (hit.site_id, str(hit.visitor))
        known = self.visitors.get(place)
        if hit.kind == "forget":
            if known is not None:
                self._forget(place, known)
        elif hit.kind == "leave":
            if known is not None:
                self._leave(known, hit.nonce, at, said)
        elif known is None or not ((number := (known.id, hit.nonce)) in self._fresh or number in self.seen):
            self._page(place, known, hit, at, said)  # else the same hit again

    def _page(
        self, place: tuple[int, str], known: Known | None, hit: Waiting, at: datetime, said: dict[str, Any]
    ) -> None:
        path, link = said["p"], said.get("w")
        who = self._who(link, known) if link is not None else None
        if known is None:
            if said.get("l") and who is None:
                self._count_page(hit, said)  # nobody we know, who did not agree: a number
                return
            known = self._greet(place, at)
        sendout_id = self._bind(known, link, who, at) if who is not None else None
        visitor = known.values
        last = visitor["last_seen_at"]
        if visitor["visit_count"] == 0 or (at > last and self._day(hit.at) != self._day(int(last.timestamp() * 1000))):
            self._count(hit, "visitors")
        visit = known.visit
        if visit is None or at - visit.values["ended_at"] > PAUSE:
            visit = self._begin(known, hit, at, said)
        values = visit.values
        if at > values["ended_at"]:
            values["ended_at"] = at
        if at > last:
            visitor["last_seen_at"] = at
        if sendout_id is not None and values["sendout_id"] is None:
            values["sendout_id"] = sendout_id
        visit.is_changed = known.is_changed = True
        if hit.kind == "event" and said["e"] == KNOWN_NOW:
            return  # nothing that he did
        row = {
            "site_id": hit.site_id, "visit_id": visit.id, "visitor_id": known.id, "person_id": visitor["person_id"],
            "nonce": hit.nonce, "kind": hit.kind, "path": path, "title": said.get("t"), "name": said.get("e"), "at": at,
            "seconds": 0, "is_returned": False,
        }  # fmt: skip
        self.views.append(row)
        known.made.append(row)
        self._fresh[known.id, hit.nonce] = row
        if hit.kind == "view":
            values["page_count"] += 1
            values["exit"] = path
            self._count_page(hit, said)
            if known.paths.setdefault(path, visit.id) < visit.id:
                row["is_returned"] = values["is_returning"]
            elif values["is_returning"]:
                self.asked.append(row)
        else:
            self._count(hit, hit.kind, said["e"])

    def _greet(self, place: tuple[int, str], at: datetime) -> Known:
        values = {
            "site_id": place[0], "cookie": place[1], "person_id": None, "bound_at": None, "bound_via": None,
            "first_seen_at": at, "last_seen_at": at, "visit_count": 0,
        }  # fmt: skip
        known = self.visitors[place] = Known(self.next_visitor, values)
        self.next_visitor += 1
        return known

    def _begin(self, known: Known, hit: Waiting, at: datetime, said: dict[str, Any]) -> Visiting:
        utm = said.get("u", {})
        is_returning = known.values["visit_count"] > 0
        source = utm.get("source") or said.get("r")
        visit = Visiting(self.next_visit, {
            "site_id": hit.site_id, "visitor_id": known.id, "person_id": known.values["person_id"], "sendout_id": None,
            "started_at": at, "ended_at": at, "page_count": 0, "is_returning": is_returning, "entry": said["p"],
            "exit": said["p"], "referrer": said.get("r"), "source": source, "medium": utm.get("medium"),
            "campaign": utm.get("campaign"), "agent_family": said["a"], "ip": said["i"],
        })  # fmt: skip
        self.next_visit += 1
        self.visits.append(visit)
        known.made.append(visit.values)
        known.visit = visit
        known.values["visit_count"] += 1
        self._count(hit, "visits")
        self._count(hit, "returning" if is_returning else "new")
        self._count(hit, "source", source or "")
        if utm.get("campaign"):
            self._count(hit, "campaign", utm["campaign"])
        return visit

    def _leave(self, known: Known, nonce: int, at: datetime, said: dict[str, Any]) -> None:
        """How long a page was in view: the script tells the sum each time, so the largest holds."""
        fresh = self._fresh.get((known.id, nonce))
        if fresh is not None:
            fresh["seconds"] = max(fresh["seconds"], said["x"])
        elif (known.id, nonce) in self.seen:
            self.seconds[known.id, nonce] = max(self.seconds.get((known.id, nonce), 0), said["x"])
        else:
            return
        visit = known.visit
        if visit is not None and at - visit.values["ended_at"] <= PAUSE:
            visit.values["ended_at"] = max(visit.values["ended_at"], at)
            visit.is_changed = True

    def _who(self, link: Any, known: Known | None) -> Person | None:
        """The person of a personal link, unless another browser used it before (a forwarded mail)."""
        way, id, serial = link
        user = self.used.get(serial)
        if user is not None and (known is None or user != known.id):
            return None
        return self.people.get((way, id))

    def _bind(self, known: Known, link: Any, who: Person, at: datetime) -> int | None:
        """Tie a visitor to its person; a browser that is known already changes hands by a log-in only."""
        way, _id, serial = link
        if serial not in self.used:
            self.used[serial] = known.id
            self.links.append({"serial": serial, "visitor_id": known.id, "used_at": at})
        bound = known.values["person_id"]
        if bound is None:
            known.was_bound = True
            for row in known.made:
                row["person_id"] = who.id
            if known.visit is not None:
                known.visit.values["person_id"] = who.id
                known.visit.is_changed = True
        elif bound != who.id:
            if way != "portal":
                return None
            known.visit = None  # somebody else sits there now
        known.values |= {"person_id": who.id, "bound_at": at, "bound_via": way}
        known.is_changed = True
        return who.sendout_id

    def _forget(self, place: tuple[int, str], known: Known) -> None:
        """The browser asked to be forgotten: what is in this batch goes, what is stored is for the writer."""
        del self.visitors[place]
        self.forgotten.append(known)

    def _leave_out(self) -> None:
        gone = {known.id for known in self.forgotten}
        if gone:
            self.views = [view for view in self.views if view["visitor_id"] not in gone]
            self.visits = [visit for visit in self.visits if visit.values["visitor_id"] not in gone]
            self.links = [link for link in self.links if link["visitor_id"] not in gone]
            self.seconds = {place: said for place, said in self.seconds.items() if place[0] not in gone}

    def _count_page(self, hit: Waiting, said: dict[str, Any]) -> None:
        """A page was seen; one that was told before its person agreed has been counted then."""
        if not said.get("d"):
            self._count(hit, "page", said["p"])

    def _count(self, hit: Waiting, what: str, name: str = "") -> None:
        self.counts[hit.site_id, self._day(hit.at), what, name] += 1

    def _day(self, at: int) -> date:
        quarter = at // 900_000  # no zone begins its day elsewhere than at a quarter
        day = self._days.get(quarter)
        if day is None:
            day = self._days[quarter] = datetime.fromtimestamp(quarter * 900, self.zone).date()
        return day
