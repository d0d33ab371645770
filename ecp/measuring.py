"""Opens and clicks: rows appended beside a delivery. Only of persons who agreed; only what a person did is counted.

Whether somebody may be measured is asked again when the picture is loaded or the link followed, so that a withdrawn
consent holds for mails already sent. Without it an event counts for the sendout alone (decisions.md 23).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any

from sqlalchemy import insert, select

from crm import clock, config, limits
from crm.agents import family, kind_of
from crm.db import db
from crm.engine.registry import modules
from crm.engine.tags import compile as compile_tags
from crm.mail.servers import leaves_the_house
from ecp import judging, networks
from ecp.bounces import evidence
from ecp.content.links import Link, address_of
from ecp.machines import RULES, judge, write_signs
from ecp.pipeline.frozen import TrackedLink
from ecp.pipeline.track import CANARY, sealer
from ecp.pipeline.values import Reader
from ecp.recipients import Recipient, recipient_of
from web_tracking import recognising


@dataclass(frozen=True)
class Request:
    """What is known of a request for a picture or a link. `address`: where it came from, not yet shortened; `accepts`: it
    says what it takes (Accept); `is_ahead`: a browser loads it before anybody asked."""

    agent: str = ""
    method: str = "GET"
    address: str = ""
    accepts: bool = True
    is_ahead: bool = False


def note_open(token: str, request: Request) -> None:
    """The picture of a mail was loaded. Unknown tokens change nothing. The caller commits."""
    who = recipient_of("open", token)
    if who is not None:
        note_reading(who, request)
        return
    sendout_id = sealer().open("total_open", token)
    if sendout_id is not None and config.current().measure != "none" and _exists(sendout_id):
        _append("opens", {"sendout_id": sendout_id}, request)


def note_reading(who: Recipient, request: Request) -> None:
    """A mail was read: its picture was loaded, or its online version opened. The caller commits."""
    evidence.has_arrived(who.delivery_id)
    if who.is_measured:
        _append("opens", _of(who), request, who.sent_at)
        judging.judge_one(who.delivery_id, who.sendout_id)


def note_gesture(token: str, request: Request) -> None:
    """A person moved on a page that this mail led to: that tells on the last event from the same source. The caller commits.

    Without one (the page was reached by a link that is not counted) the mail was read all the same, and that is kept."""
    who = recipient_of("seen", token)
    if who is None or not who.is_measured:
        return
    source = (limits.shortened(request.address), family(request.agent))
    is_late = judging.add_gesture(who.delivery_id, source)
    if not is_late:
        _append("opens", _of(who), request, who.sent_at, {"gesture"})
    judging.judge_one(who.delivery_id, who.sendout_id, is_late=is_late)


def follow(token: str, number: int, request: Request) -> str | None:
    """The n-th link of a mail was followed: where it leads; "" for the hidden one, None when there is none. The caller commits."""
    who = recipient_of("click", token)
    sendout_id = who.sendout_id if who else sealer().open("total_click", token)
    if sendout_id is None:
        return None
    link = _link(sendout_id, number)
    if link is None and number != CANARY:
        return None
    url = _address(link, who, sendout_id) if link else ""
    if who is not None:
        evidence.has_arrived(who.delivery_id)
    if config.current().measure != "none":
        about = {"link_number": number, "url": link.url[:4000] if link else None}
        if who is not None and who.is_measured:
            _append("clicks", _of(who) | about, request, who.sent_at)
            judging.judge_one(who.delivery_id, who.sendout_id)
            if url:
                url = recognising.onto(url, sealer(), "mail", who.delivery_id)
        elif link is not None:
            _append("clicks", {"sendout_id": sendout_id} | about, request)
    return url


def _append(
    module: str, about: dict[str, Any], request: Request, sent_at: datetime | None = None, more: Collection[str] = ()
) -> None:
    """Keep an event with what may be kept of it: signs, the family of the program, the address shortened."""
    now = clock.now()
    is_person = about.get("person_id") is not None
    values = {
        "at": now, "agent_family": family(request.agent), "ip": limits.shortened(request.address) if is_person else None,
        "delay": delay_of(now, sent_at), "signs": write_signs({*signs_of(request), *more}), "rules": RULES,
    }  # fmt: skip
    event = judging.event_of(module, 0, {**values, "link_number": about.get("link_number")})
    verdict = judge([event])[event.key]
    db.session.execute(
        insert(modules[module].table).values(made_by=verdict.made_by, why=verdict.why, **values, **about)
    )


def signs_of(request: Request) -> set[str]:
    """What a request shows of whoever made it, in the words of `ecp.machines`."""
    kind = kind_of(request.agent)
    network = networks.kind_of(request.address)
    said = {
        "scanner": kind == "scanner", "proxy": kind == "proxy", "loads_all": kind == "ahead", "library": kind == "library",
        "net_scanner": network == "scanner", "net_proxy": network == "proxy", "head": request.method == "HEAD",
        "ahead": request.is_ahead, "no_accept": not request.accepts, "local": not leaves_the_house(),
    }  # fmt: skip
    return {sign for sign, is_shown in said.items() if is_shown}


def delay_of(at: datetime, sent_at: datetime | None) -> int | None:
    """Whole seconds from sending; None when nothing is known, or what is known fits into no column."""
    if sent_at is None:
        return None
    seconds = floor((at - sent_at).total_seconds())
    return seconds if abs(seconds) < 2**31 else None


def _of(who: Recipient) -> dict[str, Any]:
    return {"sendout_id": who.sendout_id, "delivery_id": who.delivery_id, "person_id": who.person_id}


def _link(sendout_id: int, number: int) -> Link | None:
    row = db.session.execute(
        select(TrackedLink).where(TrackedLink.sendout_id == sendout_id, TrackedLink.number == number)
    ).scalar()
    return Link(row.number, row.url, row.label, row.part) if row else None


def _address(link: Link, who: Recipient | None, sendout_id: int) -> str:
    """The stored target; tags in it are filled with the values of the one who follows."""
    if "{" not in link.url:
        return link.url
    names = compile_tags(link.url, "url").names
    sendouts = modules["sendouts"].table
    sendout = db.session.execute(select(sendouts).where(sendouts.c.id == sendout_id)).mappings().one()
    people = [(who.person_module or "", who.person_id)] if who and who.person_id is not None else []
    found = Reader(frozenset(names), dict(sendout)).read(people)
    values = next(iter(found.values()), None)
    return address_of(link, values.shown, values.raw) if values else address_of(link, {})


def _exists(sendout_id: int) -> bool:
    table = modules["sendouts"].table
    return db.session.execute(select(table.c.id).where(table.c.id == sendout_id)).first() is not None
