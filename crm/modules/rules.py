"""What the rules of several modules need: the record as it will be, keys of addresses, one record with the right to it."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from crm.db import db
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Forbidden, Missing
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.message import BadAddress, email_key
from crm.words import _

BUSINESS_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)


def after(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The record as it will be when `values` are written over `old`."""
    return {**(old or {}), **values}


def makes_circle(link: Any, values: Mapping[str, Any], old: Mapping[str, Any] | None) -> bool:
    """Whether writing `values` makes a record stand above itself by `link`, its column to a record of the same module."""
    first, own = values.get(link.key), (old or {}).get("id")
    if first is None or own is None:
        return False
    id = link.table.c.id
    above = select(id, link).where(id == first).cte("above", recursive=True)
    above = above.union(select(id, link).join(above, id == above.c[link.key]))
    return db.session.execute(select(above.c.id).where(above.c.id == own)).first() is not None


def is_business_id(text: str) -> bool:
    """Whether `text` is a Finnish business ID (1234567-8) whose check digit is right: weights 7 9 10 5 8 4 2, modulo 11."""
    found = re.fullmatch(r"(\d{6,7})-?(\d)", text)
    if not found:
        return False
    digits, check = found[1].zfill(7), int(found[2])
    rest = sum(weight * int(digit) for weight, digit in zip(BUSINESS_ID_WEIGHTS, digits, strict=True)) % 11
    return rest != 1 and check == (11 - rest) % 11


def key_of_email(email: str | None) -> str | None:
    """The address as it is compared and made unique (spec/marketing.md 2.5); None for none and for one nobody can write to."""
    if not email:
        return None
    try:
        return email_key(email)
    except BadAddress:
        return None


def demand_record(viewer: Viewer, module: str, id: int, verb: str) -> dict[str, Any]:
    """The stored row of a record with which `viewer` may do `verb`.

    Raises Forbidden (may see it, but no more), Missing (absent, deleted, or not to be seen).
    """
    said = modules[module]
    demand(viewer, "view", said)
    live = select(said.table).where(said.table.c.id == id, said.table.c.deleted_at.is_(None))
    row = db.session.execute(_within(live, scope(viewer, said, "view"))).mappings().first()
    if row is None:
        raise Missing
    demand(viewer, verb, said)
    narrowing = scope(viewer, said, verb)
    if (
        narrowing is not None
        and not db.session.execute(select(said.table.c.id).where(said.table.c.id == id, narrowing)).first()
    ):
        raise Forbidden(
            _("You may see this %(label)s, but not change it.", label=_(said.label).lower()), "forbidden_record"
        )
    return dict(row)


def _within(said: Select[Any], narrowing: Any) -> Select[Any]:
    return said if narrowing is None else said.where(narrowing)
