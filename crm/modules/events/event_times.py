"""Times of invitation events: an event of two days has two. Start and end of the event follow from them."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.kinds import BadValue
from crm.engine.module import Module, Related
from crm.engine.record import Ledger
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.events.acting import acting
from crm.modules.rules import demand_record
from crm.words import _

MOST = 50


class EventTime(Ledger):
    """From when to when, and what for."""

    __tablename__ = "event_times"
    event_id: Mapped[int] = f.link("Event", to="invitation_events", on_delete="CASCADE")
    subject: Mapped[str | None] = f.text("Subject", max=200)
    starts_at: Mapped[datetime] = f.moment("Starts")
    ends_at: Mapped[datetime] = f.moment("Ends")


TABLE = EventTime.__table__


def set_times(viewer: Viewer, event_id: int, rows: Sequence[Mapping[str, Any]], channel: Channel) -> list[str]:
    """Make `rows` (subject, starts_at, ends_at; local time of the event's zone) the times of an event; gives warnings.

    Times that overlap are warned of, not refused. Raises Missing, Forbidden, Refused (fields named `starts_at.0`). The
    caller commits.
    """
    event = demand_record(viewer, "invitation_events", event_id, "edit")
    cleaned = _clean(rows, event["time_zone"])
    db.session.execute(delete(EventTime).where(EventTime.event_id == event_id))
    if cleaned:
        db.session.execute(insert(TABLE), [{"event_id": event_id, **row} for row in cleaned])
    whole = {
        "starts_at": min((row["starts_at"] for row in cleaned), default=None),
        "ends_at": max((row["ends_at"] for row in cleaned), default=None),
    }
    records.update(acting(viewer), "invitation_events", event_id, whole, channel)
    return _warnings(cleaned, event)


def times_of(event_id: int) -> list[Any]:
    """The times of an event in order: rows of (subject, starts_at, ends_at)."""
    said = select(TABLE.c.subject, TABLE.c.starts_at, TABLE.c.ends_at).where(TABLE.c.event_id == event_id)
    return list(db.session.execute(said.order_by(TABLE.c.starts_at, TABLE.c.id)).all())


def _clean(rows: Sequence[Mapping[str, Any]], zone: str) -> list[dict[str, Any]]:
    module, faults, cleaned = modules["event_times"], {}, []
    if len(rows) > MOST:
        raise Refused.because("out_of_range", _("An event has at most %(most)s times.", most=MOST))
    for place, row in enumerate(rows):
        values: dict[str, Any] = {}
        for name in ("subject", "starts_at", "ends_at"):
            said = module.fields[name]
            try:
                values[name] = said.kind.clean(row.get(name), said, zone)
            except BadValue as bad:
                faults[f"{name}.{place}"] = [Fault(bad.code, bad.message)]
                continue
            if name != "subject" and values[name] is None:
                faults[f"{name}.{place}"] = [
                    Fault("required", _("“%(label)s” must be filled in.", label=_(said.label)))
                ]
        if values.get("starts_at") and values.get("ends_at") and values["ends_at"] <= values["starts_at"]:
            faults[f"ends_at.{place}"] = [Fault("bad_period", _("An event cannot end before it starts."))]
        cleaned.append(values)
    if faults:
        raise Refused(faults)
    return sorted(cleaned, key=lambda row: row["starts_at"])


def _warnings(rows: Sequence[Mapping[str, Any]], event: Mapping[str, Any]) -> list[str]:
    found = []
    if any(one["ends_at"] > other["starts_at"] for one, other in itertools.pairwise(rows)):
        found.append(_("Two of the times overlap."))
    last = event["last_registration_on"]
    if rows and last and last > rows[0]["starts_at"].date():
        found.append(_("The last registration date is after the start of the event."))
    return found


MODULE = Module(
    EventTime,
    label="Time of an event",
    plural="Times of events",
    icon="clock",
    title="subject",
    parent="event_id",
    columns=("subject", "starts_at", "ends_at"),
    sort=("starts_at",),
    shows_on={"invitation_events": Related(by="event_id", label="Times", columns=("subject", "starts_at", "ends_at"), tab=False)},
    importable=False,
)  # fmt: skip
