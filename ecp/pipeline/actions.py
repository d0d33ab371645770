"""What people do with a sendout: start, schedule, unschedule, pause, resume, cancel. The same for pages, REST and commands.

Every move is one conditional statement on the row (spec/marketing.md 3.2): pressed twice it happens once, and who comes
second is told the state that holds. The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update

from crm import clock
from crm.cycles import cycle_from
from crm.db import db
from crm.engine import afterwards, history, outbox, picklists
from crm.engine.channels import Channel
from crm.engine.permissions import demand, has_area, scope
from crm.engine.refusals import Conflict, Fault, Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.sending import runs
from crm.words import _
from ecp import quotas
from ecp.pipeline import checks

SOONEST, LATEST = timedelta(minutes=2), timedelta(days=366)
OPEN = ("preparing", "sending", "paused")
QUICK = "quick_mailing"  # source of what administrators send to people chosen in a list
MERGE = "mail_merge"  # source of what carries a document of its own for each person
MOVES: dict[str, tuple[tuple[str, ...], str]] = {  # action → from which states, to which
    "start": (("draft",), "preparing"),
    "schedule": (("draft",), "scheduled"),
    "unschedule": (("scheduled",), "draft"),
    "pause": (("preparing", "sending"), "paused"),
    "resume": (("paused",), "sending"),
    "cancel": (("scheduled", "preparing", "sending", "paused"), "cancelled"),
}
DONE = {  # action → states in which it was done already: asked again, it says so and changes nothing
    "start": ("preparing", "sending", "paused"),
    "pause": ("paused",),
    "resume": ("sending",),
    "cancel": ("cancelled",),
}


@dataclass(frozen=True)
class Sendout:
    """The row of a sendout as its actions see it."""

    id: int
    state: str
    email_template_id: int
    campaign_id: int | None
    list_type_id: int | None
    creator_id: int | None
    owner_id: int | None
    scheduled_at: datetime | None
    skip_earlier: bool
    is_automatic: bool = False
    recurrence: str | None = None
    recurs_from: datetime | None = None
    source: str | None = None

    @property
    def is_listed(self) -> bool:
        """Whether its people were written down for it (sendout_people), and come from no campaign or target group."""
        return self.is_automatic or self.source in {QUICK, MERGE}

    @property
    def recurs(self) -> bool:
        """Whether it makes a sendout at each occurrence, and is none itself."""
        return self.recurrence not in {None, "none"}


def start(viewer: Viewer, id: int, channel: Channel = Channel.API) -> str:
    """Send now: gives the state that holds afterwards. Raises Missing, Forbidden, Conflict, Refused (why it cannot be sent)."""
    sendout = load(viewer, id)
    _demand_administrator(viewer, sendout)
    if sendout.state in DONE["start"]:
        return sendout.state
    if sendout.state == "draft":
        if sendout.recurs:
            raise Refused(recurrence=Fault("recurs", _("A recurring mailing is scheduled: say when it leaves first.")))
        checks.demand_sendable(viewer, sendout)
    return _move(viewer, sendout, "start", channel, started_at=clock.now())


def schedule(viewer: Viewer, id: int, at: datetime, channel: Channel = Channel.API) -> str:
    """Send at a moment: 2 minutes to 366 days ahead. Raises as `start`, and Refused for the moment."""
    sendout = load(viewer, id)
    _demand_administrator(viewer, sendout)
    if at.tzinfo is None:
        raise Refused(
            scheduled_at=Fault("bad_date", _("Say the time zone of the moment, such as 2026-11-30T14:05+02:00."))
        )
    if sendout.state != "draft":
        if sendout.state == "scheduled" and sendout.scheduled_at == at:
            return "scheduled"
        return _move(viewer, sendout, "schedule", channel, scheduled_at=at)
    demand_moment(at)
    preview = checks.demand_sendable(viewer, sendout, quotas.month_of(at))
    state = _move(viewer, sendout, "schedule", channel, scheduled_at=at, recurs_from=at if sendout.recurs else None)
    if not sendout.recurs:  # each of its sendouts takes its mails when it is prepared
        quotas.hold(id, preview.count.sendable, at)
    return state


def _demand_administrator(viewer: Viewer, sendout: Sendout) -> None:
    """Quick mailings are sent by administrators only, whoever may change their drafts (M112)."""
    if sendout.source == QUICK and not viewer.is_admin:
        raise Forbidden(_("Only administrators may send quick mailings."), "forbidden_action")


def demand_moment(at: datetime) -> None:
    """Raises Refused (field scheduled_at) when nothing can be scheduled for `at`."""
    now = clock.now()
    if at <= now:
        raise Refused(scheduled_at=Fault("in_the_past", _("This moment is past. Choose one that comes.")))
    if at < now + SOONEST:
        raise Refused(scheduled_at=Fault("too_soon", _("Choose a moment at least 2 minutes ahead, or send now.")))
    if at > now + LATEST:
        raise Refused(scheduled_at=Fault("too_late", _("Choose a moment within a year.")))


def unschedule(viewer: Viewer, id: int, channel: Channel = Channel.API) -> str:
    """Make a draft again of a scheduled sendout, until its moment has come."""
    return _move(viewer, load(viewer, id), "unschedule", channel, scheduled_at=None)


def pause(viewer: Viewer, id: int, channel: Channel = Channel.API) -> str:
    """Stop for now: nothing whose text has not begun goes out any more."""
    return _move(viewer, load(viewer, id), "pause", channel, state_note=_("Paused by a person"))


def resume(viewer: Viewer, id: int, channel: Channel = Channel.API) -> str:
    """Go on with those who wait. One that was paused while it was prepared is prepared to its end first.

    One that recurs (only a restored backup pauses those) goes on with its next time: the last one may have been sent."""
    sendout = load(viewer, id)
    if sendout.recurs and sendout.recurs_from is not None:
        kind: Any = sendout.recurrence
        zone = clock.site_zone()
        following = cycle_from(kind, sendout.recurs_from, zone).next(clock.now(), zone)
        return _move(viewer, sendout, "resume", channel, after="scheduled", state_note=None, scheduled_at=following)
    after = "sending" if checks.is_prepared(sendout.id) else "preparing"
    return _move(viewer, sendout, "resume", channel, after=after, state_note=None)


def cancel(viewer: Viewer, id: int, channel: Channel = Channel.API) -> str:
    """End it: what was sent stays sent, the rest is cancelled. Another's sendout only administrators may cancel."""
    sendout = load(viewer, id)
    mine = viewer.id is not None and viewer.id in {sendout.creator_id, sendout.owner_id}
    if not (mine or viewer.is_system or viewer.is_admin or "ecp_admin" in viewer.flags):
        raise Forbidden(
            _("This sendout belongs to somebody else. Only administrators may cancel it."), "forbidden_action"
        )
    return _move(viewer, sendout, "cancel", channel, finished_at=clock.now())


def load(viewer: Viewer, id: int) -> Sendout:
    """The sendout, when the viewer may send it. Raises Missing, Forbidden."""
    module = modules["sendouts"]
    demand(viewer, "view", module)
    table = module.table
    query = select(table).where(table.c.id == id, table.c.deleted_at.is_(None))
    seen = db.session.execute(_narrowed(query, viewer, "view")).mappings().first()
    if seen is None:
        raise Missing
    if not has_area(viewer, "send") or db.session.execute(_narrowed(query, viewer, "edit")).first() is None:
        raise Forbidden(_("You have no right to send this mass mail."), "forbidden_action")
    return of_row(seen)


def _narrowed(query: Select[Any], viewer: Viewer, verb: str) -> Select[Any]:
    narrowing = scope(viewer, "sendouts", verb)
    return query if narrowing is None else query.where(narrowing)


def of_row(row: Mapping[Any, Any]) -> Sendout:
    """A sendout from a row of its table."""
    return Sendout(**{name: row[name] for name in Sendout.__dataclass_fields__})


def move(viewer: Viewer, id: int, before: tuple[str, ...], after: str, channel: Channel, **values: Any) -> bool:
    """Change the state of a sendout if it is one of `before`; False when it was not. Logged; tells the worker. The caller commits."""
    module = modules["sendouts"]
    table, now = module.table, clock.now()
    was = db.session.execute(
        select(table.c.state).where(table.c.id == id).with_for_update()
    ).scalar()  # a worker may be moving it
    moved = db.session.execute(
        update(table)
        .where(table.c.id == id, table.c.state == was, table.c.state.in_(before), table.c.deleted_at.is_(None))
        .values(state=after, version=table.c.version + 1, updated_at=now, updater_id=viewer.id, **values)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        return False
    changed = {id: {"state": (was, after)}}
    history.note_changes(viewer, module, changed, module.fields, channel, now)
    afterwards.tell(module, "updated", [id], channel, viewer, changed={id: ("state",)})
    if after in {"draft", "cancelled", "failed"}:
        quotas.release(id)
    if after == "paused":
        runs.pause_run(db.session, id)
    elif after == "cancelled":
        runs.cancel_run(db.session, id)
    elif was == "paused" and after == "sending":
        runs.open_run(db.session, id)
    if after in {"preparing", "sending", "cancelled"}:
        outbox.put(db.session, "sendouts.work", sendout_id=id)
    return True


def _move(
    viewer: Viewer, sendout: Sendout, action: str, channel: Channel, after: str | None = None, **values: Any
) -> str:
    before, usual = MOVES[action]
    after = after or usual
    if move(viewer, sendout.id, before, after, channel, **values):
        return after
    table = modules["sendouts"].table
    state: str = db.session.execute(select(table.c.state).where(table.c.id == sendout.id)).scalar() or ""
    if state in DONE.get(action, ()):
        return state
    raise Conflict(why_not(action, state), "wrong_state")


def why_not(action: str, state: str) -> str:
    """Why `action` cannot be done to a sendout in `state`, and what to do instead."""
    said = {
        ("start", "scheduled"): _("This sendout is scheduled. Unschedule it first, then send it now."),
        ("start", "cancelled"): _("This sendout was cancelled. Make a copy and send that."),
        ("start", "failed"): _("This sendout failed. Make a copy and send that."),
        ("start", "sent"): _("This sendout was sent already. Make a copy to send it again."),
        ("schedule", "scheduled"): _("This sendout is scheduled already. Unschedule it first."),
        ("unschedule", "draft"): _("This sendout is not scheduled."),
        ("pause", "draft"): _("This sendout has not been started."),
        ("pause", "scheduled"): _("This sendout has not been started."),
        ("resume", "draft"): _("This sendout has not been started."),
        ("resume", "cancelled"): _("This sendout was cancelled and cannot go on."),
        ("cancel", "draft"): _("This sendout is a draft. Delete it instead."),
        ("cancel", "sent"): _("This sendout was sent already."),
    }
    if (action, state) in said:
        return said[action, state]
    return _(
        "This sendout is in the state “%(state)s”, so that cannot be done.",
        state=_(picklists.label("sendout_state", state)),
    )
