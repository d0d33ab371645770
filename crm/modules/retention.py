"""How long is kept what nobody throws away by hand, and the nightly job that throws it away: a batch a transaction.

An administrator sets it (Settings → Keeping). Visits have a time of their own for each site, jobs a month.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, exists, select

from crm import clock
from crm.db import Base, Entity, db, rows_changed
from crm.engine import attachments, exports, records
from crm.engine.history import Change
from crm.engine.imports import plans
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity import logins, sessions, tokens
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.organisation import SETTINGS
from crm.words import N_, _, say_number

AT_ONCE = 2_000
MOST_DAYS = 3_650
PREFIX = "keep_"
EVENTS = ("opens", "clicks")
OVER = ("sent", "failed", "cancelled", "skipped", "uncertain")
_D = Delivery.__table__.c


@dataclass(frozen=True)
class Kept:
    """One sort of data. `days`: how long unless an administrator says otherwise (0: for ever); `least`: the fewest allowed."""

    key: str
    label: str
    hint: str
    days: int
    least: int
    drop: Callable[[datetime], int]  # what is older than a moment: one batch, and how many there were


def _drop_bin(before: datetime) -> int:
    cards = Entity.__table__.c
    old = select(cards.id, cards.module).where(cards.deleted_at < before).order_by(cards.id).limit(AT_ONCE)
    found: dict[str, list[int]] = {}
    for row in db.session.execute(old):
        if row.module in modules:
            found.setdefault(row.module, []).append(row.id)
    return sum(records.purge(SYSTEM, key, ids) for key, ids in found.items())


def _drop_events(before: datetime) -> int:
    gone = 0
    for key in EVENTS:
        c = modules[key].table.c
        some = select(c.id).where(c.at < before).limit(AT_ONCE)
        gone += rows_changed(delete(modules[key].table).where(c.id.in_(some)))
    return gone


def _drop_letters(before: datetime) -> int:
    """Single mails that are over, unless something else than an open or a click stands on them (an answered survey)."""
    pointing = [
        ~exists().where(column == _D.id)
        for table in Base.metadata.sorted_tables
        if table.name not in EVENTS
        for column in table.columns
        if any(key.column is _D.id for key in column.foreign_keys)
    ]
    some = (
        select(_D.id)
        .where(_D.sendout_id.is_(None), _D.state.in_(OVER), _D.created_at < before, *pointing)
        .limit(AT_ONCE)
    )
    return rows_changed(delete(Delivery).where(_D.id.in_(some)).execution_options(synchronize_session=False))


def _drop_logins(before: datetime) -> int:
    c = logins.LoginEvent.__table__.c
    some = select(c.id).where(c.at < before).limit(AT_ONCE)
    return rows_changed(delete(logins.LoginEvent).where(c.id.in_(some)).execution_options(synchronize_session=False))


def _drop_changes(before: datetime) -> int:
    c = Change.__table__.c
    some = select(c.id).where(c.at < before).limit(AT_ONCE)
    return rows_changed(delete(Change).where(c.id.in_(some)).execution_options(synchronize_session=False))


def _drop_transfers(before: datetime) -> int:
    """Files that were read in, with the rows that were refused, and files that exports left."""
    gone = exports.files(before, AT_ONCE)
    attachments.drop_unheld(gone)
    return len(gone) + plans.drop_files(before, AT_ONCE)


KEPT = (
    Kept("bin", N_("Recycle bin"), N_("Records that were deleted can be restored for that long."), 90, 1, _drop_bin),
    Kept(
        "events", N_("Single openings and clicks"), N_("Reports keep who opened and clicked, and how often; which link at what time goes."),
        730, 30, _drop_events,
    ),
    Kept(
        "letters", N_("Record of single mails"), N_("Confirmations, answers, reminders; not mass mails, whose reports stay whole."),
        730, 30, _drop_letters,
    ),
    Kept(
        "transfers", N_("Files of imports and exports"), N_("And the rows that were refused; the numbers of an import stay."),
        30, 1, _drop_transfers,
    ),
    Kept("logins", N_("History of log-ins"), N_("Also of tries that failed."), 365, 30, _drop_logins),
    Kept("changes", N_("Change log"), N_("Who changed which field from what to what."), 0, 365, _drop_changes),
)  # fmt: skip


def days() -> dict[str, int]:
    """Days by key of KEPT, as they are set now; 0 keeps for ever."""
    said = select(SETTINGS.c.name, SETTINGS.c.value).where(SETTINGS.c.name.like(f"{PREFIX}%"))
    own = {row.name.removeprefix(PREFIX): int(row.value) for row in db.session.execute(said)}
    return {one.key: own.get(one.key, one.days) for one in KEPT}


def change(typed: Mapping[str, str]) -> None:
    """Set the days of each sort. Raises Refused with all that is wrong. The caller commits."""
    faults: dict[str, list[Fault]] = {}
    wanted: dict[str, int] = {}
    for one in KEPT:
        text = typed.get(one.key, "").strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        if number == 0 or one.least <= number <= MOST_DAYS:
            wanted[one.key] = number
        else:
            sentence = _(
                "A whole number from %(least)s to %(most)s, or 0 for ever.", least=one.least, most=say_number(MOST_DAYS)
            )
            faults[one.key] = [Fault("out_of_range", sentence)]
    if faults:
        raise Refused(faults)
    names = [f"{PREFIX}{key}" for key in wanted]
    db.session.execute(delete(SETTINGS).where(SETTINGS.c.name.in_(names)))
    rows: list[dict[str, Any]] = [
        {"name": f"{PREFIX}{key}", "value": number, "changed_at": clock.now()} for key, number in wanted.items()
    ]
    db.session.execute(SETTINGS.insert(), rows)


@task("retention.drop", daily=time(3, 30))
def drop(progress: Progress) -> str | None:
    """Throw away what is older than it is kept, and sessions and tokens that are over."""
    said = days()
    gone: dict[str, int] = {"sessions": sessions.sweep(), "tokens": tokens.sweep()}
    logins.sweep_failures()
    db.session.commit()
    for one in KEPT:
        gone[one.key] = 0
        while said[one.key] and (count := one.drop(clock.now() - timedelta(days=said[one.key]))):
            db.session.commit()
            gone[one.key] += count
            progress.step(sum(gone.values()))
            if progress.cancelled():
                break
    return ", ".join(f"{count} {key}" for key, count in gone.items() if count) or None
