"""Settings of service requests: levels and the table of priorities, times, hours of units, alerts. One row, read once a session."""

from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Json, UtcDateTime, db, rows_changed
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.words import _

KEY = "sr_settings"
LEVELS = ("1", "2", "3", "4", "5")
PRIORITIES = tuple(str(number) for number in range(1, 11))


class SrSettingsRow(db.Model):  # type: ignore[name-defined, misc]
    """The one row of settings."""

    __tablename__ = "sr_settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column("said", Json, default=dict)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class SrSettings:
    """`cells`: "impact-urgency" → priority; an empty one is filled by the rule. `minutes`: priority → open minutes allowed."""

    impacts_off: list[str] = field(default_factory=list)
    urgencies_off: list[str] = field(default_factory=list)
    impact: str = "3"
    urgency: str = "3"
    cells: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # priority → what it is called
    minutes: dict[str, int] = field(default_factory=lambda: {"1": 240, "2": 480, "3": 960})
    hours: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # group id → day → [from, until]
    alerts: list[int] = field(default_factory=lambda: [50, 80, 100])
    auto_accept_after_days: int = 0  # 0: never


def priority_of(said: SrSettings, impact: str | None, urgency: str | None) -> int:
    """The priority of a pair of levels: the cell of the table, else what the rule says."""
    first, second = impact or said.impact, urgency or said.urgency
    return said.cells.get(f"{first}-{second}") or by_rule(first, second)


def by_rule(impact: str, urgency: str) -> int:
    """The priority where the table says none: impact + urgency − 1, from 1 to 10 (spec/portal.md 6.5)."""
    return min(10, max(1, int(impact) + int(urgency) - 1))


def name_of(priority: int | None) -> str:
    """A priority as people read it: its number, with its name where it has one."""
    label = current().labels.get(str(priority or ""))
    return f"{priority} {label}" if label else str(priority or "")


def current() -> SrSettings:
    """As they are now."""
    info = db.session().info
    if KEY not in info:
        said = db.session.execute(select(SrSettingsRow.values).where(SrSettingsRow.id == 1)).scalar() or {}
        known = {one.name for one in fields(SrSettings)}
        info[KEY] = SrSettings(**{name: value for name, value in said.items() if name in known})
    return info[KEY]  # type: ignore[no-any-return]


def change(**values: Any) -> SrSettings:
    """Set some of them; gives the whole. Raises Refused for a level that requests have. The caller commits."""
    forget()
    made = replace(current(), **values)
    _check(made)
    row = {"values": asdict(made), "changed_at": clock.now()}
    if not rows_changed(update(SrSettingsRow).where(SrSettingsRow.id == 1).values(row)):
        db.session.execute(insert(SrSettingsRow).values(id=1, **row))
    db.session().info[KEY] = made
    return made


def _check(made: SrSettings) -> None:
    table = modules["service_requests"].table
    for name, off, chosen in (("impact", made.impacts_off, made.impact), ("urgency", made.urgencies_off, made.urgency)):
        if chosen in off or chosen not in LEVELS:
            raise Refused.because("not_in_list", _("The level that is taken at first must be one that is used."), name)
        used = select(table.c[name]).where(
            table.c[name].in_(off), table.c.state.not_in(("completed", "cancelled")), table.c.deleted_at.is_(None)
        )
        if off and db.session.execute(used.limit(1)).first() is not None:
            raise Refused.because("in_use", _("Requests that are not finished have this level."), f"{name}s_off")
    if any(not 1 <= number <= 10 for number in made.cells.values()):
        raise Refused.because("out_of_range", _("Priorities go from 1 to 10."), "cells")


def forget() -> None:
    """Read them anew: another process may have written."""
    db.session().info.pop(KEY, None)
