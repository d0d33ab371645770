"""Whose touches a lead or a potential has, which was first and last, and what all of them together brought in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Float, Select, and_, case, cast, func, literal, or_, select, update

from crm import clock
from crm.db import db
from crm.engine import search
from crm.engine.permissions import scope
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.potentials import won_stages
from web_tracking.scoring.touches import Touch

TOUCHES = Touch.__table__
Share = Literal["first", "last", "even"]
SHARES: tuple[Share, ...] = ("first", "last", "even")
HOUSE = "EUR"  # the currency of amounts that say none


def _owners(key: str) -> Select[Any]:
    """(record_id, person_id, until) of leads or potentials: whose touches are theirs, and up to which day."""
    leads = modules["leads"].table
    if key == "leads":
        person = func.coalesce(leads.c.converted_contact_id, leads.c.id)
        return select(
            leads.c.id.label("record_id"), person.label("person_id"), func.date(leads.c.converted_at).label("until")
        )
    deals = modules["potentials"].table
    person = func.coalesce(deals.c.contact_id, leads.c.converted_contact_id, deals.c.lead_id)
    said = select(deals.c.id.label("record_id"), person.label("person_id"), deals.c.closed_on.label("until"))
    return said.outerjoin(leads, leads.c.id == deals.c.lead_id)


def _pairs(key: str, ids: Sequence[int] | None = None, within: Any = None) -> Any:
    """Records with each of their touches, numbered from the first and from the last, and how many there are."""
    table = modules[key].table
    mine = _owners(key).where(*([table.c.id.in_(ids)] if ids is not None else []))
    mine = mine.where(table.c.id.in_(within)) if within is not None else mine
    owners = mine.subquery(f"{key}_owners")
    up = (TOUCHES.c.at, TOUCHES.c.id)
    part = owners.c.record_id
    said = select(
        part.label("record_id"), TOUCHES.c.label, TOUCHES.c.campaign, TOUCHES.c.at,
        func.row_number().over(partition_by=part, order_by=up).label("from_first"),
        func.row_number().over(partition_by=part, order_by=[one.desc() for one in up]).label("from_last"),
        func.count().over(partition_by=part).label("count"),
    )  # fmt: skip
    meets = and_(
        TOUCHES.c.person_id == owners.c.person_id,
        or_(owners.c.until.is_(None), func.date(TOUCHES.c.at) <= owners.c.until),
    )
    return said.join(owners, meets).subquery(f"{key}_touches")


def carry(key: str, ids: Sequence[int] | None = None) -> None:
    """Write first and last touch into leads or potentials, of all or of some, where they changed. What is known stays when the
    touches themselves are gone. The caller commits."""
    table, pairs = modules[key].table, _pairs(key, ids)
    for name, place in (("first_touch", pairs.c.from_first), ("last_touch", pairs.c.from_last)):
        campaign = case((pairs.c.campaign.is_not(None), literal(" · ") + pairs.c.campaign), else_="")
        said = func.substr(pairs.c.label + campaign, 1, 200)
        column = table.c[name]
        known = update(table).where(table.c.id == pairs.c.record_id, place == 1, column.is_distinct_from(said))
        db.session.execute(known.values({name: said}), execution_options={"synchronize_session": False})


def ids_of(people: Sequence[int]) -> dict[str, list[int]]:
    """The leads and potentials whose touches these persons' are."""
    leads, deals = modules["leads"].table, modules["potentials"].table
    became = select(leads.c.id).where(leads.c.converted_contact_id.in_(people))
    mine = {
        "leads": select(leads.c.id).where(or_(leads.c.id.in_(people), leads.c.converted_contact_id.in_(people))),
        "potentials": select(deals.c.id).where(
            or_(deals.c.contact_id.in_(people), deals.c.lead_id.in_(people), deals.c.lead_id.in_(became))
        ),
    }
    return {key: list(db.session.execute(said).scalars()) for key, said in mine.items()}


def path(viewer: Viewer, row: Row, most: int = 12) -> tuple[list[dict[str, Any]], int]:
    """The touches of a contact, lead or potential in order, and how many there are; of a long path the first and the last ones.

    Of persons whom the viewer may not see nothing is told."""
    if row.module == "contacts":
        mine = select(TOUCHES).where(TOUCHES.c.person_id == row.id)
    else:
        owners = _owners(row.module).where(modules[row.module].table.c.id == row.id).subquery("owners")
        meets = and_(
            TOUCHES.c.person_id == owners.c.person_id,
            or_(owners.c.until.is_(None), func.date(TOUCHES.c.at) <= owners.c.until),
        )
        mine = select(TOUCHES).join(owners, meets)
    narrowing = scope(viewer, "touches")
    mine = mine if narrowing is None else mine.where(narrowing)
    rows = [dict(one) for one in db.session.execute(mine.order_by(TOUCHES.c.at, TOUCHES.c.id)).mappings()]
    return (rows if len(rows) <= most else rows[: most // 2] + rows[-(most - most // 2) :]), len(rows)


# what brings customers


@dataclass(frozen=True)
class Brought:
    """What one source or campaign brought; shares of several touches are parts of one. `values`: won amounts by currency:
    the house keeps no rates, so they are never added up over currencies."""

    name: str
    leads: float
    potentials: float
    won: float
    values: Mapping[str, Decimal]


def brought(
    viewer: Viewer, share: Share, by: Literal["label", "campaign"], first: date | None = None, last: date | None = None
) -> list[Brought]:
    """What each source brought among the records that the viewer may see, made in these days. One statement a module."""
    counts: dict[str, list[float]] = {}
    values: dict[str, dict[str, Decimal]] = {}
    for key in ("leads", "potentials"):
        for row in db.session.execute(_shares(viewer, key, share, by, first, last)).mappings():
            one = counts.setdefault(row["touch_name"], [0.0, 0.0, 0.0])
            one[0 if key == "leads" else 1] += float(row["number"] or 0)
            if key == "potentials":
                one[2] += float(row["won"] or 0)
                if row["value"]:
                    amount = Decimal(str(round(float(row["value"]) / 10_000, 2)))
                    values.setdefault(row["touch_name"], {})[row["money"]] = amount
    made = [
        Brought(name, leads, potentials, won, values.get(name, {})) for name, (leads, potentials, won) in counts.items()
    ]
    leading = currencies(made)[:1]

    def rank(one: Brought) -> tuple[Any, ...]:
        return (*(-one.values.get(money, 0) for money in leading), -one.won, -one.potentials, -one.leads, one.name)

    return sorted(made, key=rank)


def currencies(rows: Sequence[Brought]) -> list[str]:
    """The currencies of what was won, that of the house first, then those of most rows."""
    found = Counter(money for row in rows for money in row.values)
    return sorted(found, key=lambda money: (money != HOUSE, -found[money], money))


def _shares(viewer: Viewer, key: str, share: Share, by: str, first: date | None, last: date | None) -> Select[Any]:
    table = modules[key].table
    seen = search.ids(viewer, key)
    pairs = _pairs(key, within=seen)
    chosen = {"first": pairs.c.from_first == 1, "last": pairs.c.from_last == 1}.get(share)
    meets = pairs.c.record_id == table.c.id
    part = (
        func.coalesce(literal(1.0, Float) / cast(pairs.c["count"], Float), 1.0)
        if share == "even"
        else literal(1.0, Float)
    )
    kept = {"first": table.c.first_touch, "last": table.c.last_touch}.get(share)  # of touches that are gone
    name = pairs.c[by] if by == "campaign" or kept is None else func.coalesce(pairs.c[by], kept)
    said = select(func.coalesce(name, "").label("touch_name"), func.sum(part).label("number"))
    if key == "potentials":
        is_won = table.c.stage.in_(won_stages())
        value = cast(func.coalesce(cast(table.c.amount, TOUCHES.c.ref.type), 0), Float)
        said = said.add_columns(
            func.sum(case((is_won, part), else_=0.0)).label("won"), func.sum(case((is_won, part * value), else_=0.0)).label("value"),
            func.coalesce(func.nullif(table.c.currency, ""), HOUSE).label("money"),
        )  # fmt: skip
    said = said.select_from(table).outerjoin(pairs, meets if chosen is None else and_(meets, chosen))
    said = said.where(table.c.id.in_(seen))
    zone = ZoneInfo(clock.site_zone())
    if first is not None:
        said = said.where(table.c.created_at >= datetime.combine(first, time(), zone))
    if last is not None:
        said = said.where(table.c.created_at < datetime.combine(last, time.max, zone))
    return said.group_by("touch_name", *(["money"] if key == "potentials" else []))
