"""What came of a sendout: people by state and reason, who read, clicked and left, the curve, the links, the recipients.

Everything is counted from rows in a few set-based statements. What machines did, and what nobody can tell, is counted
apart. Where persons are not measured, totals count events without persons, and are shown from ten people up (invariants.md 5).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, distinct, func, literal, or_, select

from crm import clock, config
from crm.db import db, is_sqlite
from crm.engine import search
from crm.engine.exports import plain
from crm.engine.registry import modules
from crm.engine.rows import Page
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import OPEN, Delivery
from crm.modules import retention
from ecp.bounces.tables import ReturnedMail
from ecp.pipeline import versions
from ecp.pipeline.frozen import TrackedLink

FEWEST = 10  # people below which totals without persons are not shown
CURVE_HOURS = 72
MADE_BY = ("human", "unknown", "machine")
COUNTS = ("people", "clicks", "machine_clicks", "unknown_clicks", "unmeasured_clicks")
CSV_COLUMNS = (
    "person_id", "email", "state", "skip_reason", "failed_reason", "attempts", "message_id", "sent_at", "first_read_at",
    "read_count", "first_click_at", "click_count", "unsubscribed_at", "bounced_at", "bounce_type",
)  # fmt: skip
_D = Delivery.__table__.c


def report(viewer: Viewer, sendout_id: int) -> dict[str, Any]:
    """The numbers of contract.md (people): the states add up to `audience`. Raises Missing, Forbidden."""
    search.one(viewer, "sendouts", sendout_id, columns=("name",))
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    sums = [
        func.count(_D.first_read_at), func.count(_D.first_click_at), func.count(_D.unsubscribed_at),
        func.count(_D.bounced_at), func.count(case((_D.bounce_type == "soft", 1))), func.sum(_D.read_count), func.sum(_D.click_count),
    ]  # fmt: skip
    counted = select(_D.state, _D.skip_reason, func.count(), *sums).where(_D.sendout_id == sendout_id)
    seen = [0] * len(sums)
    for state, reason, number, *more in db.session.execute(counted.group_by(_D.state, _D.skip_reason)):
        states[state] = states.get(state, 0) + number
        if state == "skipped":
            reasons[reason or "unknown"] = reasons.get(reason or "unknown", 0) + number
        seen = [before + int(one) for before, one in zip(seen, more, strict=True)]
    opens, clicks = (modules[key].table for key in ("opens", "clicks"))
    return {
        "audience": sum(states.values()),
        "sent": states.get("sent", 0),
        "failed": states.get("failed", 0),
        "skipped": states.get("skipped", 0),
        "uncertain": states.get("uncertain", 0),
        "waiting": sum(states.get(state, 0) for state in OPEN),
        "cancelled": states.get("cancelled", 0),
        "skipped_by_reason": reasons,
        "read": seen[0],
        "clicked": seen[1],
        "unsubscribed": seen[2],
        "bounced": seen[3],
        "bounced_soft": seen[4],
        "complained": _complained(sendout_id),
        "reads": seen[5],
        "clicks": seen[6],
        "machine_read": _machines(opens, sendout_id),
        "machine_clicked": _machines(clicks, sendout_id),
        "unknown_read": _doubtful(opens, sendout_id, _D.first_read_at.is_not(None)),
        "unknown_clicked": _doubtful(clicks, sendout_id, _D.first_click_at.is_not(None)),
        "unmeasured_reads": _unmeasured(opens, sendout_id, states),
        "unmeasured_clicks": _unmeasured(clicks, sendout_id, states),
        "measuring": config.current().measure,
        "by_language": versions.report(sendout_id),
    }


def events_kept_since(started_at: datetime | None) -> datetime | None:
    """From when on single openings and clicks of a sendout are there still; None when all are (crm.modules.retention)."""
    days = retention.days()["events"]
    since = clock.now() - timedelta(days=days)
    return since if days and started_at is not None and started_at < since else None


def _complained(sendout_id: int) -> int:
    """People who told their provider that the mail is unwanted."""
    mine = and_(ReturnedMail.kind == "complaint", _D.sendout_id == sendout_id)
    said = select(func.count(distinct(_D.id))).join(ReturnedMail, ReturnedMail.delivery_id == _D.id).where(mine)
    return db.session.execute(said).scalar() or 0


def _machines(table: Any, sendout_id: int) -> int:
    """People whose mail a machine opened (or whose links it followed)."""
    mine = and_(table.c.sendout_id == sendout_id, table.c.made_by == "machine")
    return db.session.execute(select(func.count(distinct(table.c.delivery_id))).where(mine)).scalar() or 0


def _doubtful(table: Any, sendout_id: int, seen: ColumnElement[bool]) -> int:
    """People of whom we cannot tell whether they opened (or clicked), as nothing but doubtful events is known; they are not
    among those who did. `seen`: what says of a delivery that its person did."""
    mine = and_(table.c.sendout_id == sendout_id, table.c.made_by == "unknown", table.c.delivery_id.is_not(None))
    found = select(func.count(distinct(table.c.delivery_id))).join(Delivery, _D.id == table.c.delivery_id)
    return db.session.execute(found.where(mine, ~seen)).scalar() or 0


def why(viewer: Viewer, sendout_id: int) -> list[dict[str, Any]]:
    """What the openings and clicks of people who may be measured were taken for: made_by, why, opens, clicks (events).

    Most first within each of human, unknown, machine. Raises Missing, Forbidden.
    """
    search.one(viewer, "sendouts", sendout_id, columns=("name",))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key in ("opens", "clicks"):
        c = modules[key].table.c
        counted = select(c.made_by, c.why, func.count()).where(c.sendout_id == sendout_id, c.delivery_id.is_not(None))
        for made_by, reason, number in db.session.execute(counted.group_by(c.made_by, c.why)):
            place = (made_by, reason or "")
            one = found.setdefault(place, {"made_by": made_by, "why": reason or "", "opens": 0, "clicks": 0})
            one[key] += number
    return sorted(
        found.values(), key=lambda one: (MADE_BY.index(one["made_by"]), -one["opens"] - one["clicks"], one["why"])
    )


def _unmeasured(table: Any, sendout_id: int, states: Mapping[str, int]) -> int | None:
    """Events that name nobody; None where so few people got the mail that a number would name them."""
    if states.get("sent", 0) + states.get("uncertain", 0) < FEWEST:
        return None
    mine = and_(table.c.sendout_id == sendout_id, table.c.delivery_id.is_(None), table.c.made_by == "human")
    return db.session.execute(select(func.count()).where(mine)).scalar() or 0


def curve(viewer: Viewer, sendout_id: int) -> list[dict[str, Any]]:
    """First reads and first clicks (people), and openings and clicks by machines (events), in each of the first 72 hours from the
    start: [{"hour", "at", "read", "clicked", "machine"}]."""
    row = search.one(viewer, "sendouts", sendout_id, columns=("started_at",))
    start: datetime | None = row["started_at"]
    if start is None:
        return []
    hours: list[dict[str, Any]] = [
        {"hour": hour, "at": start + timedelta(hours=hour), "read": 0, "clicked": 0, "machine": 0}
        for hour in range(CURVE_HOURS)
    ]
    until = start + timedelta(hours=CURVE_HOURS)
    firsts = (_D.first_read_at, _D.first_click_at)
    inside = [and_(column >= start, column < until) for column in firsts]
    places = [
        case((said, _hours_since(column, start))).label(f"hour_{at}")
        for at, (column, said) in enumerate(zip(firsts, inside, strict=True))
    ]
    found = select(*places, func.count()).where(_D.sendout_id == sendout_id, or_(*inside)).group_by(*places)
    for *reached, number in db.session.execute(found):
        for name, hour in zip(("read", "clicked"), reached, strict=True):
            if hour is not None:
                hours[min(int(hour), CURVE_HOURS - 1)][name] += number
    for key in ("opens", "clicks"):
        c = modules[key].table.c
        machines = and_(c.sendout_id == sendout_id, c.made_by == "machine", c.at >= start, c.at < until)
        place = _hours_since(c.at, start).label("reached")
        for hour, number in db.session.execute(select(place, func.count()).where(machines).group_by(place)):
            hours[min(hour, CURVE_HOURS - 1)]["machine"] += number
    return hours


def _hours_since(column: Any, start: datetime) -> ColumnElement[int]:
    """Whole hours from `start` to a later moment, by whole seconds."""
    began = int(start.timestamp())
    if is_sqlite():
        return (cast(func.strftime("%s", column), Integer) - literal(began)) // literal(3600)
    return cast(func.floor((func.floor(func.extract("epoch", column)) - began) / 3600), Integer)


def links(viewer: Viewer, sendout_id: int) -> list[dict[str, Any]]:
    """Each tracked link with its clicks: number, url, label, people, clicks, machine_clicks, unknown_clicks, unmeasured_clicks. Most first."""
    search.one(viewer, "sendouts", sendout_id, columns=("name",))
    clicks = modules["clicks"].table
    person = clicks.c.made_by == "human"
    counted = (
        select(
            clicks.c.link_number.label("number"),
            func.count(distinct(case((person, clicks.c.delivery_id)))).label("people"),
            func.count(case((and_(person, clicks.c.delivery_id.is_not(None)), 1))).label("clicks"),
            func.count(case((clicks.c.made_by == "machine", 1))).label("machine_clicks"),
            func.count(case((and_(clicks.c.made_by == "unknown", clicks.c.delivery_id.is_not(None)), 1))).label(
                "unknown_clicks"
            ),
            func.count(case((and_(person, clicks.c.delivery_id.is_(None)), 1))).label("unmeasured_clicks"),
        )
        .where(clicks.c.sendout_id == sendout_id)
        .group_by(clicks.c.link_number)
        .subquery()
    )
    query = (
        select(
            TrackedLink.number, TrackedLink.url, TrackedLink.label,
            *(func.coalesce(counted.c[name], 0).label(name) for name in COUNTS),
        )
        .outerjoin(counted, counted.c.number == TrackedLink.number)
        .where(TrackedLink.sendout_id == sendout_id)
        .order_by(func.coalesce(counted.c.people, 0).desc(), TrackedLink.number)
    )  # fmt: skip
    return [dict(row) for row in db.session.execute(query).mappings()]


def recipients(viewer: Viewer, sendout_id: int, where: Mapping[str, Any] | None = None, **paging: Any) -> Page:
    """The deliveries of a sendout that the viewer may see, by the reading door; `paging` as for search.find."""
    search.one(viewer, "sendouts", sendout_id, columns=("name",))
    mine: dict[str, Any] = {"$eq": ["sendout_id", sendout_id]}
    return search.find(viewer, "deliveries", where={"$and": [mine, dict(where)]} if where else mine, **paging)


def recipients_csv(viewer: Viewer, sendout_id: int, where: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The recipients as CSV, piece by piece; texts that a spreadsheet would take for a formula begin with a quote.

    The name is empty where the viewer may not see the person any more. Raises as `recipients`, with the first piece.
    """
    yield _line(["name", *CSV_COLUMNS[1:]])
    after: str | None = None
    while True:
        page = recipients(
            viewer, sendout_id, where, columns=CSV_COLUMNS, sort=("id",), limit=2000, after=after, count="none"
        )
        yield "".join(
            _line([_cell(row.label_of("person_id")), *(_cell(row[name]) for name in CSV_COLUMNS[1:])])
            for row in page.rows
        )
        after = page.next
        if after is None:
            return


def usual(viewer: Viewer, sendout_id: int, last: int = 10) -> dict[str, float] | None:
    """The usual shares (0 to 1) of the sender's last sendouts before this one: read, clicked, unsubscribed. None for a first one."""
    row = search.one(viewer, "sendouts", sendout_id, columns=("owner_id", "started_at"))
    table = modules["sendouts"].table
    before = [
        table.c.state == "sent",
        table.c.sent_count > 0,
        table.c.id != sendout_id,
        table.c.owner_id == row["owner_id"],
        table.c.is_automatic.is_(False),
    ]
    if row["started_at"] is not None:
        before.append(or_(table.c.started_at.is_(None), table.c.started_at < row["started_at"]))
    earlier = search.ids(viewer, "sendouts").where(*before).order_by(table.c.started_at.desc()).limit(last).subquery()
    names = ("read_count", "clicked_count", "unsubscribed_count")
    sums = db.session.execute(
        select(func.sum(table.c.sent_count), *(func.sum(table.c[name]) for name in names)).where(
            table.c.id.in_(select(earlier.c[0]))
        )
    ).one()
    if not sums[0]:
        return None
    return {
        name.removesuffix("_count"): float(value or 0) / float(sums[0])
        for name, value in zip(names, sums[1:], strict=True)
    }


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return plain(str(value))
