"""Evidence that one request cannot show: the same moment for many people, and networks that were named later.

It is written onto the rows as signs, beside those of the requests, by a few statements for all of them.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    cast,
    distinct,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from crm.db import db, is_sqlite
from ecp import networks

CROWD = 10  # mails of one sendout
MOMENT = 5  # seconds in which they are all opened from one shortened address
MOST_ADDRESSES = 2_000  # in one statement


def mark_crowds(table: Any, which: ColumnElement[bool], is_again: bool = False) -> None:
    """Put the sign `crowd` on the events among `which` that one source made for CROWD people at the same moment.

    Services that load pictures for their people do that all the time and are left out. `is_again`: take the sign from those
    that have it first, because what makes a crowd may have changed. The caller commits.
    """
    c = table.c
    if is_again:
        _take(table, and_(which, _has(c, "crowd")), "crowd")
    told = and_(
        which, c.ip.is_not(None), c.delivery_id.is_not(None), not_(_has_any(c, ("proxy", "net_proxy", "loads_all")))
    )
    crowds = (
        select(c.sendout_id, c.ip, func.min(c.at).label("first"), func.max(c.at).label("last"))
        .where(told)
        .group_by(c.sendout_id, c.ip, _moment(c.at))
        .having(func.count(distinct(c.delivery_id)) >= CROWD)
        .subquery()
    )
    one = table.alias()
    same = and_(
        one.c.sendout_id == crowds.c.sendout_id, one.c.at >= crowds.c.first, one.c.at <= crowds.c.last, one.c.ip == crowds.c.ip
    )  # fmt: skip
    _put(table, and_(c.id.in_(select(one.c.id).join(crowds, same)), told), "crowd")


def renew_networks(table: Any) -> None:
    """Hold the kept addresses against the networks that are named today. The caller commits.

    They are shortened, so a network that is smaller than what is left of them leaves the sign as the request had it.
    """
    c = table.c
    wanted: dict[str, list[str]] = {"net_scanner": [], "net_proxy": []}
    for address in db.session.execute(select(c.ip).where(c.ip.is_not(None)).distinct()).scalars():
        kind = networks.kind_of_shortened(address)
        if kind in {"scanner", "proxy"}:
            wanted[f"net_{kind}"].append(address)
    for sign, addresses in wanted.items():
        for some in _portions(addresses):
            _put(table, c.ip.in_(some), sign)
        signed = db.session.execute(select(c.ip).where(_has(c, sign), c.ip.is_not(None)).distinct()).scalars()
        known = set(addresses)
        gone = [one for one in signed if one not in known and networks.kind_of_shortened(one) is not None]
        for some in _portions(gone):
            _take(table, c.ip.in_(some), sign)


def _words(c: Any) -> ColumnElement[str]:
    return literal(" ") + func.coalesce(c.signs, "") + literal(" ")


def _has(c: Any, sign: str) -> ColumnElement[bool]:
    return _words(c).contains(f" {sign} ", autoescape=True)


def _has_any(c: Any, signs: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(_has(c, sign) for sign in signs))


def _put(table: Any, which: ColumnElement[bool], sign: str) -> None:
    more = func.trim(func.coalesce(table.c.signs, "") + literal(f" {sign}"))
    db.session.execute(update(table).where(which, not_(_has(table.c, sign))).values(signs=more))


def _take(table: Any, which: ColumnElement[bool], sign: str) -> None:
    less = func.nullif(func.trim(func.replace(_words(table.c), f" {sign} ", " ")), "")
    db.session.execute(update(table).where(which, _has(table.c, sign)).values(signs=less))


def _moment(column: Any) -> ColumnElement[int]:
    """Which span of MOMENT seconds a time is in."""
    if is_sqlite():
        return cast(func.strftime("%s", column), Integer) // literal_column(str(MOMENT))
    return cast(func.floor(func.extract("epoch", column) / literal_column(str(MOMENT))), Integer)


def _portions(addresses: list[str]) -> Iterable[list[str]]:
    return (addresses[place : place + MOST_ADDRESSES] for place in range(0, len(addresses), MOST_ADDRESSES))
