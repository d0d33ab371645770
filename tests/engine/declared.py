"""Modules for tests of the engine: one with a field of every kind, one it links to, children, a many-link, a ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Mapped

from crm.db import Base, Entity, db
from crm.engine import fields as f
from crm.engine import relations  # noqa: F401  (its table is needed)
from crm.engine.fields import PicklistSeed
from crm.engine.module import Filter, ManyLink, Module, Related, Timeline
from crm.engine.record import Ledger, Record
from crm.engine.registry import Registry, modules
from crm.identity import tables  # noqa: F401  (the table of users)

STAGES = PicklistSeed.of("thing_stage", "Stage", "New", "Open", "Won", "Lost")
COLOURS = PicklistSeed.of("thing_colours", "Colours", "Red", "red", "Green", "Blue_%")
MOMENT = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


class Place(Record):
    __tablename__ = "t_places"
    name: Mapped[str] = f.text("Place name", max=120)
    city: Mapped[str | None] = f.text("City", max=80)
    secret: Mapped[str | None] = f.text("Secret", max=80)


class Thing(Record):
    __tablename__ = "t_things"
    name: Mapped[str] = f.text("Name", max=120)
    place_id: Mapped[int | None] = f.link("Place", to="t_places")
    note: Mapped[str | None] = f.long_text("Note")
    email: Mapped[str | None] = f.email("E-mail")
    phone: Mapped[str | None] = f.phone("Phone")
    stage: Mapped[str | None] = f.picklist("Stage", "thing_stage")
    colours: Mapped[tuple[str, ...] | None] = f.multi("Colours", "thing_colours")
    amount: Mapped[Decimal | None] = f.money("Amount")
    share: Mapped[Decimal | None] = f.percent("Share")
    pieces: Mapped[int | None] = f.whole("Pieces")
    due_on: Mapped[date | None] = f.day("Due date")
    seen_at: Mapped[datetime | None] = f.moment("Seen at")
    opens: Mapped[time | None] = f.time("Opens")
    vip: Mapped[bool] = f.checkbox("VIP")


class Part(Record):
    __tablename__ = "t_parts"
    name: Mapped[str] = f.text("Part name")
    thing_id: Mapped[int | None] = f.link("Thing", to="t_things")
    cost: Mapped[int | None] = f.whole("Cost")


class Touch(Ledger):
    __tablename__ = "t_touches"
    thing_id: Mapped[int] = f.link("Thing", to="t_things", on_delete="CASCADE")
    at: Mapped[datetime] = f.moment("At")
    said: Mapped[str | None] = f.text("Said")


PLACES = Module(Place, "Place", "Places", columns=("name", "city"), search=("name", "city", "secret"), sort=("name",))
THINGS = Module(
    Thing, "Thing", "Things", columns=("name", "place_id", "stage", "amount"), prefix="THI",
    search=("name", "email", "note"), sort=("-created_at",), picklists=(STAGES, COLOURS),
    links=(ManyLink("friends", "t_places", "things_here", "Friendly places", "Things here"),),
    filters=(Filter("open", "Open ones", {"$nin": ["stage", ["Won", "Lost"]]}, sort=("name",)),),
)  # fmt: skip
PARTS = Module(
    Part, "Part", "Parts", columns=("name", "thing_id"), follows="thing_id",
    shows_on={"t_things": Related(by="thing_id", timeline=Timeline("created_at", "Part {name} was made", category="note"))},
)  # fmt: skip
TOUCHES = Module(
    Touch, "Touch", "Touches", title="said", columns=("thing_id", "at", "said"), parent="thing_id", sort=("-at",),
    shows_on={"t_things": Related(by="thing_id", timeline=Timeline("at", "Touched: {said}", "hand-stop", category="visit"))},
)  # fmt: skip
ALL = (PLACES, THINGS, PARTS, TOUCHES)

for _module in ALL:  # their tables are of these tests only, so the house's metadata is not to know them
    for _key in _module.table.foreign_keys:
        _ = _key.column
for _module in ALL:
    Base.metadata.remove(_module.table)


@contextmanager
def present() -> Iterator[Registry]:
    """The test modules are declared and their tables exist, inside the transaction of the test."""
    kept = dict(modules._modules)
    for module in ALL:
        modules.add(module)
        module.table.create(db.session.connection())
    try:
        yield modules
    finally:
        modules._modules = kept


def put(module: Module, **values: Any) -> int:
    """Write a row as it is, past the writing door; gives its id."""
    table = module.table
    if module.is_ledger:
        return int(db.session.execute(insert(table).values(**values)).inserted_primary_key[0])
    label = str(values.get("name") or "")
    card = insert(Entity.__table__).values(
        module=module.key, label=label, number=values.get("number"), deleted_at=values.get("deleted_at")
    )
    id = int(db.session.execute(card).inserted_primary_key[0])
    stamps = {"created_at": MOMENT, "updated_at": MOMENT, "archived": False, "version": 1, "extra": {}}
    db.session.execute(insert(table).values(**(stamps | {"name": "x", "id": id} | values)))
    return id
