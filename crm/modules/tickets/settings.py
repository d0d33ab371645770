"""Settings of support: hours and times of the clock, who gets new tickets, what closing asks for. One row, read once a session."""

from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Json, UtcDateTime, db, rows_changed

KEY = "ticket_settings"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ASSIGNING = ("nobody", "one", "round_robin")


class TicketSettingsRow(db.Model):  # type: ignore[name-defined, misc]
    """The one row of settings."""

    __tablename__ = "ticket_settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column("said", Json, default=dict)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


def _office_hours() -> dict[str, list[str]]:
    return {day: ["08:00", "16:00"] for day in DAYS[:5]}


@dataclass(frozen=True)
class TicketSettings:
    """Minutes are of office hours. `hours`: day → [from, until]; none at all: the clock runs day and night."""

    answer_minutes: dict[str, int] = field(
        default_factory=lambda: {"Low": 960, "Normal": 480, "High": 240, "Urgent": 60}
    )
    solve_minutes: dict[str, int] = field(
        default_factory=lambda: {"Low": 4800, "Normal": 2400, "High": 960, "Urgent": 240}
    )
    hours: dict[str, list[str]] = field(default_factory=_office_hours)
    holidays: list[str] = field(default_factory=list)
    assigning: str = "nobody"
    assignee_id: int | None = None  # a user or group, of "one"
    group_id: int | None = None  # of "round_robin"
    last_assigned_id: int | None = None
    needs_solution: bool = False
    reopens_for_days: int = 14
    survey_id: int | None = None  # asked of the customer when a ticket was closed
    exports_notes: bool = False  # whether the export of a customer's own data holds what staff wrote among themselves
    trusted_server: str = ""  # whose Authentication-Results is believed


def current() -> TicketSettings:
    """As they are now."""
    info = db.session().info
    if KEY not in info:
        said = db.session.execute(select(TicketSettingsRow.values).where(TicketSettingsRow.id == 1)).scalar() or {}
        known = {one.name for one in fields(TicketSettings)}
        info[KEY] = TicketSettings(**{name: value for name, value in said.items() if name in known})
    return info[KEY]  # type: ignore[no-any-return]


def change(**values: Any) -> TicketSettings:
    """Set some of them; gives the whole. Raises TypeError for a name that is none. The caller commits."""
    forget()
    made = replace(current(), **values)
    row = {"values": asdict(made), "changed_at": clock.now()}
    if not rows_changed(update(TicketSettingsRow).where(TicketSettingsRow.id == 1).values(row)):
        db.session.execute(insert(TicketSettingsRow).values(id=1, **row))
    db.session().info[KEY] = made
    return made


def forget() -> None:
    """Read them anew: another process may have written."""
    db.session().info.pop(KEY, None)
