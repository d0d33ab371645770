"""Picklists: seeded from the declarations, grown by administrators; values that imports could not take are kept aside."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, Json, UtcDateTime, db
from crm.engine.fields import Choice
from crm.engine.labels import of_choice
from crm.engine.refusals import Refused, UnknownName
from crm.engine.registry import modules
from crm.words import _


class Picklist(db.Model):  # type: ignore[name-defined]
    """A list of choices."""

    __tablename__ = "picklists"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    label: Mapped[str] = mapped_column(String(120))


class PicklistValue(db.Model):  # type: ignore[name-defined]
    """One choice. Its key never changes; `carries` are numbers that go with it, such as a stage's probability."""

    __tablename__ = "picklist_values"
    __table_args__ = (UniqueConstraint("picklist_id", "key"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    picklist_id: Mapped[int] = mapped_column(BigId, ForeignKey("picklists.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(80))
    label: Mapped[str] = mapped_column(String(120), default="")
    colour: Mapped[str] = mapped_column(String(20), default="")
    carries: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    place: Mapped[int] = mapped_column(Integer, default=0)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class PicklistVersion(db.Model):  # type: ignore[name-defined]
    """One row: which state the lists are in, so that every process knows when to read them again."""

    __tablename__ = "picklist_version"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=0)


class RejectedValue(db.Model):  # type: ignore[name-defined]
    """A value that an import or an integration tried to write and that is in no list (spec/platform.md 2.3)."""

    __tablename__ = "rejected_values"
    __table_args__ = (UniqueConstraint("module", "field", "raw"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    field: Mapped[str] = mapped_column(String(60))
    raw: Mapped[str] = mapped_column(String(255))
    count: Mapped[int] = mapped_column(Integer, default=0)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


Lists = dict[str, dict[str, Choice]]
VERSION = select(PicklistVersion.__table__.c.version)  # asked by every request: built once
PRESENT = VERSION.scalar_subquery().label("picklist_version")  # for a statement that reads something else too
_kept: dict[str, tuple[int, Lists]] = {}


def seed() -> None:
    """Write the lists that the modules declare, and new values of them; what an administrator changed stays. Can be repeated."""
    lists, values = Picklist.__table__, PicklistValue.__table__
    known = {name: id for id, name in db.session.execute(select(lists.c.id, lists.c.name))}
    taken: dict[int, set[str]] = {}
    for id, key in db.session.execute(select(values.c.picklist_id, values.c.key)):
        taken.setdefault(id, set()).add(key)
    is_changed = False
    for name, said in modules.picklists().items():
        if name not in known:
            made = db.session.execute(insert(lists).values(name=name, label=said.label).returning(lists.c.id))
            known[name] = made.scalar_one()
        have = taken.get(known[name], set())
        rows = [
            {"picklist_id": known[name], "key": one.key, "label": one.label, "colour": one.colour,
             "carries": dict(one.carries), "place": place, "is_active": True}
            for place, one in enumerate(said.choices) if one.key not in have
        ]  # fmt: skip
        if rows:
            db.session.execute(insert(values), rows)
            is_changed = True
    if is_changed:
        touch()


def touch() -> None:
    """Tell every process that a list has changed (with the caller's commit)."""
    version = secrets.randbits(31)  # never used twice, see overlay.touch
    changed = db.session.execute(update(PicklistVersion).values(version=version))
    if not changed.rowcount:  # type: ignore[attr-defined]
        db.session.execute(insert(PicklistVersion).values(id=1, version=version))
    for known in ("picklists", "picklist_version"):
        db.session().info.pop(known, None)


def _lists() -> Lists:
    info = db.session().info
    known: Lists | None = info.get("picklists")
    if known is None:
        known = info["picklists"] = _read()
    return known


def know(version: int | None) -> None:
    """What PRESENT gave in this session, so that it need not be asked again."""
    db.session().info["picklist_version"] = version or 0


def _read() -> Lists:
    url = str(db.engine.engine.url)  # also where a connection stands in for the engine
    with db.session.no_autoflush:
        version = db.session().info.pop("picklist_version", None)
        if version is None:
            version = db.session.execute(VERSION).scalar() or 0
        if url in _kept and _kept[url][0] == version:
            return _kept[url][1]
        lists, values = Picklist.__table__, PicklistValue.__table__
        said = (
            select(lists.c.name, values.c.key, values.c.label, values.c.colour, values.c.carries, values.c.is_active)
            .join_from(lists, values, values.c.picklist_id == lists.c.id)
            .order_by(lists.c.id, values.c.place, values.c.id)
        )
        found: Lists = {}
        for name, key, label, colour, carries, is_active in db.session.execute(said):
            if is_active:
                found.setdefault(name, {})[key] = Choice(key, of_choice(name, key, label or key), colour, carries or {})
    _kept[url] = (version, found)
    return found


def _list(name: str) -> dict[str, Choice]:
    known = _lists()
    if name in known:
        return known[name]
    declared = modules.picklists()
    if name not in declared:
        raise UnknownName("picklist", name, {*known, *declared})
    return {
        one.key: Choice(one.key, of_choice(name, one.key, one.label or one.key), one.colour, one.carries)
        for one in declared[name].choices
    }


def choices(name: str) -> list[Choice]:
    """The choices of a list in their order; labels are English, pages translate them. Raises UnknownName."""
    return list(_list(name).values())


def label(name: str, key: str) -> str:
    """The English label of a key; the key itself when the list does not have it (any more). Raises UnknownName."""
    found = _list(name).get(key)
    return found.label if found else key


def is_key(name: str, key: str) -> bool:
    """Whether the list has that key. Raises UnknownName."""
    return key in _list(name)


def add(name: str, keys: Iterable[str]) -> tuple[list[str], list[str]]:
    """Add values to a list; gives (added, skipped: empty, there already, or unusable). Raises UnknownName; the caller commits."""
    lists, values = Picklist.__table__, PicklistValue.__table__
    known = _list(name)
    id = db.session.execute(select(lists.c.id).where(lists.c.name == name)).scalar()
    if id is None:
        seed()
        id = db.session.execute(select(lists.c.id).where(lists.c.name == name)).scalar_one()
    added: list[str] = []
    skipped: list[str] = []
    for raw in keys:
        key = " ".join(raw.split())
        good = key and len(key) <= 80 and "|" not in key and key not in known and key not in added
        (added if good else skipped).append(key)
    place = len(known)
    if added:
        rows = [
            {
                "picklist_id": id,
                "key": key,
                "label": "",
                "colour": "",
                "carries": {},
                "place": place + n,
                "is_active": True,
            }
            for n, key in enumerate(added)
        ]
        db.session.execute(insert(values), rows)
        touch()
    return added, skipped


def relabel(name: str, labels: Mapping[str, str]) -> None:
    """Call choices of a list otherwise: key → label. Their keys stay. Raises UnknownName; the caller commits."""
    _list(name)
    lists, values = Picklist.__table__, PicklistValue.__table__
    id = select(lists.c.id).where(lists.c.name == name).scalar_subquery()
    for key, label in labels.items():
        said = update(values).where(values.c.picklist_id == id, values.c.key == key)
        db.session.execute(said.values(label=label))
    if labels:
        touch()


def keep_rejected(module: str, found: Iterable[tuple[str, str]]) -> None:
    """Remember values (field, raw) that are in no list, with how often and when they came last."""
    counts: dict[tuple[str, str], int] = {}
    for field, raw in found:
        said = raw[:255]
        counts[field, said] = counts.get((field, said), 0) + 1
    if not counts:
        return
    table, now = RejectedValue.__table__, clock.now()
    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    for (field, raw), count in counts.items():
        row = make(table).values(module=module, field=field, raw=raw, count=count, last_seen_at=now)
        row = row.on_conflict_do_update(
            index_elements=["module", "field", "raw"],
            set_={"count": table.c.count + count, "last_seen_at": now},
        )
        db.session.execute(row)


def rejected(module: str, field: str) -> list[RejectedValue]:
    """What was kept aside for a field, most frequent first."""
    said = select(RejectedValue).where(RejectedValue.module == module, RejectedValue.field == field)
    return list(db.session.execute(said.order_by(RejectedValue.count.desc(), RejectedValue.raw)).scalars())


def take_rejected(module: str, field: str, raws: Iterable[str]) -> list[str]:
    """Add kept-aside values to the list of their field ("Import from module"); gives the keys added. The caller commits.

    Raises UnknownName, Refused when the field has no list.
    """
    name = modules[module].field(field).picklist
    if not name:
        raise Refused.because("no_list", _("This field has no list of choices."), field)
    wanted = list(raws)
    added, _row = add(name, wanted)
    table = RejectedValue.__table__
    db.session.execute(table.delete().where(table.c.module == module, table.c.field == field, table.c.raw.in_(wanted)))
    return added
