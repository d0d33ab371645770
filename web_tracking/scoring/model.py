"""How the model as a whole is set: its half-life, from which score on people are warm and hot, how long touches are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from crm.db import db
from crm.engine.refusals import Fault, Refused
from crm.words import _
from web_tracking.scoring.tables import ScoreModel

LIMITS = {"half_life_days": (1, 3650), "warm_at": (1, 100_000), "hot_at": (2, 100_000), "touch_months": (1, 120)}


@dataclass(frozen=True)
class Model:
    """The settings. `half_life_days` None: nothing fades."""

    half_life_days: int | None = 90
    warm_at: int = 25
    hot_at: int = 60
    touch_months: int = 36

    def grade_of(self, score: int) -> str:
        return "hot" if score >= self.hot_at else "warm" if score >= self.warm_at else "cold"


def row() -> ScoreModel:
    """The row itself, made when it is not there yet."""
    found = db.session.execute(select(ScoreModel).where(ScoreModel.id == 1)).scalar()
    if found is None:
        found = ScoreModel(id=1, seen={}, **vars(Model()))
        db.session.add(found)
        db.session.flush()
    return found


def load() -> Model:
    """The settings as they are."""
    table = ScoreModel.__table__
    found = db.session.execute(select(*(table.c[name] for name in LIMITS)).where(table.c.id == 1)).first()
    return Model() if found is None else Model(**found._mapping)


def read(texts: Mapping[str, str]) -> Model:
    """The settings as they were typed. Raises Refused by field."""
    faults: dict[str, Fault] = {}
    found: dict[str, int | None] = {}
    for name, (least, most) in LIMITS.items():
        said = texts.get(name, "").strip()
        if not said and name == "half_life_days":
            found[name] = None
        elif not (said.isascii() and said.isdecimal() and len(said) < 9 and least <= int(said) <= most):
            faults[name] = Fault("bad_value", _("A whole number from %(least)s to %(most)s.", least=least, most=most))
        else:
            found[name] = int(said)
    if not faults and (found["hot_at"] or 0) <= (found["warm_at"] or 0):
        faults["hot_at"] = Fault("bad_value", _("Hot begins above warm."))
    if faults:
        raise Refused({name: [said] for name, said in faults.items()})
    return Model(**found)  # type: ignore[arg-type]


def save(said: Model) -> None:
    """Keep the settings. The caller commits."""
    kept = row()
    for name in LIMITS:
        setattr(kept, name, getattr(said, name))
    db.session.flush()


def counted_at() -> datetime | None:
    """When scores were counted last."""
    table = ScoreModel.__table__
    return db.session.execute(select(table.c.counted_at).where(table.c.id == 1)).scalar()
