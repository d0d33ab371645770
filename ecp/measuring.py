"""Opens and clicks: rows appended beside a delivery. Only of persons who agreed; machines' are kept and not counted.

Whether somebody may be measured is asked again when the picture is loaded or the link followed, so that a withdrawn
consent holds for mails already sent. Without it an event counts for the sendout alone (decisions.md 23).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, distinct, func, insert, select, update

from crm import clock, config, limits
from crm.agents import family
from crm.db import db
from crm.engine.registry import modules
from crm.engine.tags import compile as compile_tags
from crm.mail.sending.deliveries import Delivery
from crm.mail.servers import leaves_the_house
from ecp.bounces import evidence
from ecp.content.links import Link, address_of
from ecp.machines import AROUND, AT_ONCE, SEVERAL, Visit, why_machine
from ecp.pipeline.frozen import TrackedLink
from ecp.pipeline.track import CANARY, sealer, tracking
from ecp.pipeline.values import Reader
from ecp.recipients import Recipient, recipient_of
from web_tracking import recognising


@dataclass(frozen=True)
class Request:
    """What is known of a request for a picture or a link. `address`: where it came from, not yet shortened."""

    agent: str = ""
    method: str = "GET"
    address: str = ""


def note_open(token: str, request: Request) -> None:
    """The picture of a mail was loaded. Unknown tokens change nothing. The caller commits."""
    who = recipient_of("open", token)
    if who is not None:
        note_reading(who, request)
        return
    sendout_id = sealer().open("total_open", token)
    if sendout_id is not None and config.current().measure != "none" and _exists(sendout_id):
        _append("opens", {"sendout_id": sendout_id}, _visit(request, None))


def note_reading(who: Recipient, request: Request) -> None:
    """A mail was read: its picture was loaded, or its online version opened. The caller commits."""
    evidence.has_arrived(who.delivery_id)
    how = tracking(config.current().measure, who.may_measure)
    visit = _visit(request, who.sent_at)
    if how.links == "personal":
        _append("opens", _of(who), visit)
        recount(who.delivery_id)


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
    measure = config.current().measure
    if measure != "none":
        visit = _visit(request, who.sent_at if who else None, is_canary=number == CANARY)
        about = {"link_number": number, "url": link.url[:4000] if link else None}
        if who is not None and tracking(measure, who.may_measure).links == "personal":
            _append("clicks", _of(who) | about, visit)
            _look_around(who, visit)
            recount(who.delivery_id)
            if url:
                url = recognising.onto(url, sealer(), "mail", who.delivery_id)
        elif link is not None:
            _append("clicks", {"sendout_id": sendout_id} | about, visit)
    return url


def recount(delivery_id: int) -> None:
    """Bring the copies in the delivery's row up to date with its opens and clicks, machines left out."""
    opens, clicks = (modules[key].table for key in ("opens", "clicks"))
    found: dict[str, Any] = {}
    for name, table in (("read", opens), ("click", clicks)):
        mine = and_(table.c.delivery_id == delivery_id, table.c.is_machine.is_(False))
        row = db.session.execute(select(func.count(), func.min(table.c.at)).where(mine)).one()
        found[name] = (row[0], row[1])
    reads, first_open = found["read"]
    count, first_click = found["click"]
    first_read = min((at for at in (first_open, first_click) if at is not None), default=None)
    db.session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(
            read_count=max(reads, 1 if first_click else 0), first_read_at=first_read,
            click_count=count, first_click_at=first_click,
        )
    )  # fmt: skip


def _look_around(who: Recipient, visit: Visit) -> None:
    """What a click tells of those before it: several links at once, or the link that no person sees."""
    clicks = modules["clicks"].table
    mine = clicks.c.delivery_id == who.delivery_id
    if visit.is_canary:
        for key in ("opens", "clicks"):
            table = modules[key].table
            db.session.execute(
                update(table)
                .where(
                    table.c.delivery_id == who.delivery_id,
                    table.c.is_machine.is_(False),
                    table.c.at >= visit.at - AROUND,
                )
                .values(is_machine=True, why_machine="hidden_link")
            )
        return
    recent = and_(mine, clicks.c.at >= visit.at - AT_ONCE)
    several = db.session.execute(select(func.count(distinct(clicks.c.link_number))).where(recent)).scalar() or 0
    links = db.session.execute(
        select(func.count()).select_from(TrackedLink).where(TrackedLink.sendout_id == who.sendout_id)
    ).scalar()
    if several >= max(2, min(SEVERAL, links or 0)):
        db.session.execute(
            update(clicks)
            .where(recent, clicks.c.is_machine.is_(False))
            .values(is_machine=True, why_machine="several_links")
        )
        return
    hidden = select(clicks.c.id).where(mine, clicks.c.why_machine == "hidden_link", clicks.c.at >= visit.at - AROUND)
    if db.session.execute(hidden.limit(1)).first() is not None:
        near = and_(mine, clicks.c.at >= visit.at - AROUND, clicks.c.is_machine.is_(False))
        db.session.execute(update(clicks).where(near).values(is_machine=True, why_machine="hidden_link"))


def _visit(request: Request, sent_at: datetime | None, is_canary: bool = False) -> "_Seen":
    return _Seen(
        request.agent,
        request.method,
        clock.now(),
        sent_at,
        is_canary,
        leaves_the_house(),
        limits.shortened(request.address),
    )


@dataclass(frozen=True, slots=True)
class _Seen(Visit):
    ip: str = ""


def _append(module: str, about: dict[str, Any], visit: _Seen) -> None:
    why = why_machine(visit)
    is_person = about.get("person_id") is not None
    db.session.execute(
        insert(modules[module].table).values(
            at=visit.at, agent_family=family(visit.agent), ip=visit.ip if is_person else None,
            is_machine=why is not None, why_machine=why, **about,
        )
    )  # fmt: skip


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
