"""Which unit a request goes to that nobody was named for: the one of the customer's area, else the one of its type (spec/portal.md 6.8)."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db, fold_text
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.identity.owners import owners_among
from crm.modules.rules import after
from crm.words import _

CODE = re.compile(r"[0-9A-Za-z ]{1,10}(-[0-9A-Za-z ]{1,10})?")
WHERE = {  # module → where its address stands, for country, city, postal code
    "contacts": ("mailing_country", "mailing_city", "mailing_postal_code"),
    "accounts": ("billing_country", "billing_city", "billing_postal_code"),
}


class SrArea(Record):
    """One rule: customers of this area go to this unit. The first that fits decides; what it leaves empty fits all."""

    __tablename__ = "sr_areas"
    name: Mapped[str] = f.text("Area", max=120)
    place: Mapped[int | None] = f.whole("Place", least=0, most=999, default=0, help="The lowest is asked first")
    active: Mapped[bool] = f.checkbox("Active", default=True)
    country: Mapped[str | None] = f.text(
        "Countries", max=200, help="As addresses write them, with commas: Finland, Suomi"
    )
    city: Mapped[str | None] = f.text("Cities", max=500, help="With commas")
    postal_codes: Mapped[str | None] = f.text(
        "Postal codes", max=500, help="Beginnings or ranges with commas: 00, 33100-33900"
    )
    type_id: Mapped[int | None] = f.link("Only requests of this type", to="sr_types", help="Empty: of every type")
    unit_id: Mapped[int] = f.link("Unit", to="groups", on_delete="CASCADE")


TABLE = SrArea.__table__


def fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Postal codes are beginnings, or ranges of codes of the same length."""
    then = after(values, old)
    for one in _words(then.get("postal_codes")):
        first, _dash, last = one.partition("-")
        if not CODE.fullmatch(one) or (last and (len(first.strip()) != len(last.strip()) or first > last)):
            sentence = _("“%(code)s” is no beginning or range of postal codes; write 00 or 33100-33900.", code=one)
            return {"postal_codes": Fault("bad_value", sentence)}
    return {}


def unit_for(type: Any, contact_id: int | None, account_id: int | None) -> int | None:
    """The unit of the customer's area, else that of the type; None where neither names one that is there."""
    found = _of_area(type, contact_id, account_id) or (type["unit_id"] if type is not None else None)
    return found if found is not None and owners_among([found]) else None


def _of_area(type: Any, contact_id: int | None, account_id: int | None) -> int | None:
    said = select(TABLE).where(TABLE.c.active, TABLE.c.deleted_at.is_(None)).order_by(TABLE.c.place, TABLE.c.id)
    rows = db.session.execute(said).mappings().all()
    address = (
        _address("contacts", contact_id) or _address("accounts", account_id) or ("", "", "") if rows else ("", "", "")
    )
    for row in rows:
        is_of_type = row["type_id"] is None or (type is not None and row["type_id"] == type["id"])
        if is_of_type and _holds(dict(row), *address) and owners_among([row["unit_id"]]):
            return int(row["unit_id"])
    return None


def _address(module: str, id: int | None) -> tuple[str, str, str] | None:
    """Country, city and postal code, folded; None where the address is empty."""
    table = modules[module].table
    said = select(*(table.c[name] for name in WHERE[module])).where(table.c.id == (id or 0))
    row = db.session.execute(said).first()
    if row is None or not any(row):
        return None
    country, city, code = (fold_text(str(one or "").strip()) or "" for one in row)
    return country, city, code.replace(" ", "")


def _holds(row: Mapping[str, Any], country: str, city: str, code: str) -> bool:
    for name, value in (("country", country), ("city", city)):
        wanted = [fold_text(one) for one in _words(row[name])]
        if wanted and value not in wanted:
            return False
    codes = [(fold_text(one) or "").replace(" ", "") for one in _words(row["postal_codes"])]
    return not codes or any(_is_within(code, one) for one in codes)


def _is_within(code: str, said: str) -> bool:
    first, dash, last = said.partition("-")
    return first <= code[: len(first)] <= last if dash else code.startswith(first)


def _words(said: str | None) -> list[str]:
    return [one.strip() for one in (said or "").split(",") if one.strip()]


MODULE = Module(
    SrArea,
    label="Area of service requests",
    plural="Areas of service requests",
    icon="map-search",
    columns=("place", "name", "country", "city", "postal_codes", "type_id", "unit_id", "active"),
    form=(
        Block("Area", ("name", "country", "city", "postal_codes")),
        Block("Where requests go", ("unit_id", "type_id", "place", "active")),
    ),
    in_search=False,
    search=("name",),
    sort=("place",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    shows_on={"sr_types": Related(by="type_id", label="Areas", columns=("place", "name", "unit_id"))},
    checks=(fits,),
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)
