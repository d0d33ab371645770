"""Readable numbers of records: prefix and sequence a module, given out inside the saving transaction without races."""

from sqlalchemy import BigInteger, Integer, String, bindparam, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Entity, db
from crm.engine.module import Module
from crm.engine.refusals import Refused
from crm.words import _


class Numbering(db.Model):  # type: ignore[name-defined]
    """The prefix and next number of one module."""

    __tablename__ = "numbering"
    module: Mapped[str] = mapped_column(String(40), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(20), default="")
    next_number: Mapped[int] = mapped_column(BigId, default=1)
    width: Mapped[int] = mapped_column(Integer, default=0)


TABLE = Numbering.__table__
TAKE = (  # asked by every new record while others wait for the row: built once
    update(TABLE)
    .where(TABLE.c.module == bindparam("of_module"))
    .values(next_number=TABLE.c.next_number + bindparam("count", type_=BigInteger()))
    .returning(TABLE.c.prefix, TABLE.c.next_number, TABLE.c.width)
)


def allocate(module: Module, count: int) -> list[str | None]:
    """The next `count` numbers of a module. The row stays locked until the caller's transaction ends; gaps may remain."""
    if not module.prefix or not count:
        return [None] * count
    said = {"of_module": module.key, "count": count}
    row = db.session.execute(TAKE, said).one_or_none()
    if row is None:
        _begin(module)
        row = db.session.execute(TAKE, said).one()
    prefix, end, width = row
    return [f"{prefix}{str(number).zfill(width)}" for number in range(end - count, end)]


def _begin(module: Module) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    said = make(Numbering.__table__).values(module=module.key, prefix=module.prefix, next_number=1, width=0)
    db.session.execute(said.on_conflict_do_nothing())


def settings(module: Module) -> Numbering:
    """The numbering of a module, made when it has none."""
    found = db.session.get(Numbering, module.key)
    if found is None:
        _begin(module)
        found = db.session.get_one(Numbering, module.key)
    return found


def change(module: Module, prefix: str, start: int, width: int = 0) -> None:
    """Give new records another prefix or start. Raises Refused; the caller commits."""
    kept = settings(module)
    if len(prefix) > 20:
        raise Refused.because("too_long", _("A prefix has at most 20 characters."), "prefix")
    if not 0 <= width <= 12:
        raise Refused.because("out_of_range", _("The width is 0 to 12 digits."), "width")
    if start < 1 or (prefix == kept.prefix and start < kept.next_number):
        least = kept.next_number if prefix == kept.prefix else 1
        raise Refused.because("out_of_range", _("The next number must be %(least)s or more.", least=least), "start")
    if _taken(module, prefix, start, width):
        raise Refused.because(
            "not_unique",
            _(
                "There is a record with the number %(prefix)s%(start)s already.",
                prefix=prefix,
                start=str(start).zfill(width),
            ),
            "start",
        )
    kept.prefix, kept.next_number, kept.width = prefix, start, width
    db.session.flush()


def _taken(module: Module, prefix: str, start: int, width: int) -> bool:
    table = module.table
    wanted = f"{prefix}{str(start).zfill(width)}"
    return bool(db.session.execute(select(func.count()).where(table.c.number == wanted)).scalar())


def fill_missing(module: Module) -> int:
    """Number the records that lack one, oldest first; gives how many. The caller commits."""
    table = module.table
    ids = list(db.session.execute(select(table.c.id).where(table.c.number.is_(None)).order_by(table.c.id)).scalars())
    numbers = allocate(module, len(ids))
    pairs = [{"of": id, "said": number} for id, number in zip(ids, numbers, strict=True)]
    if pairs:
        for target in (table, Entity.__table__):
            said = update(target).where(target.c.id == bindparam("of")).values(number=bindparam("said"))
            db.session.connection().execute(said, pairs)
    return len(ids)


__all__ = ["Numbering", "allocate", "change", "fill_missing", "settings"]
