"""Activities: events book time, tasks have a due day. Both link to any number of people, accounts and matters."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Mapped

from crm.clock import now
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, ManyLink, Module, Related, Timeline
from crm.engine.picklists import choices
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after
from crm.words import _

KINDS = PicklistSeed.of("activity_kind", "Kind of activity", Choice("event", "Event"), Choice("task", "Task"))
TYPES = PicklistSeed.of(
    "activity_type", "Activity type",
    Choice("Meeting", colour="blue", carries={"kind": "event", "minutes": 60}),
    Choice("Call", colour="green", carries={"kind": "event", "minutes": 30}),
    Choice("Training", colour="purple", carries={"kind": "event", "minutes": 120}),
    Choice("Task", colour="secondary", carries={"kind": "task"}),
)  # fmt: skip
STATUSES = PicklistSeed.of(
    "activity_status", "Activity status",
    Choice("Planned", colour="azure", carries={"kind": "event"}),
    Choice("Held", colour="green", carries={"kind": "event", "is_end": True}),
    Choice("Not Held", colour="secondary", carries={"kind": "event", "is_end": True}),
    Choice("Not Started", colour="azure", carries={"kind": "task"}),
    Choice("In Progress", colour="blue", carries={"kind": "task"}),
    Choice("Waiting", colour="yellow", carries={"kind": "task"}),
    Choice("Completed", colour="green", carries={"kind": "task", "is_end": True}),
    Choice("Deferred", colour="secondary", carries={"kind": "task"}),
    Choice("Cancelled", colour="secondary", carries={"kind": "task", "is_end": True}),
)  # fmt: skip
ENDED = ["Held", "Not Held", "Completed", "Cancelled"]
PRIORITIES = PicklistSeed.of(
    "activity_priority", "Priority", Choice("High", colour="red"), Choice("Medium", colour="yellow"), "Low"
)
CATEGORIES = PicklistSeed.of(
    "task_category", "Task category", "Call", "Deal", "Demo", "E-mail", "Follow-up", "Lunch", "Meeting", "Note", "Ship",
    "Social networks", "Thank you",
)  # fmt: skip
REMINDERS = PicklistSeed.of(
    "reminder", "Reminder", Choice("never", "Never"), Choice("5", "5 minutes before"), Choice("15", "15 minutes before"),
    Choice("30", "30 minutes before"), Choice("60", "1 hour before"), Choice("120", "2 hours before"),
    Choice("1440", "1 day before"),
)  # fmt: skip


class Activity(Record):
    """An event or a task. `at` is the moment that it stands at in lists and on timelines."""

    __tablename__ = "activities"
    subject: Mapped[str] = f.text("Subject", max=250)
    kind: Mapped[str] = f.picklist("Kind", "activity_kind", default="event", mass_edit=False)
    activity_type: Mapped[str | None] = f.picklist("Type", "activity_type", aliases=("type", "activitytype"))
    status: Mapped[str | None] = f.picklist(
        "Status", "activity_status", audited=True, indexed=True, aliases=("eventstatus", "taskstatus")
    )
    priority: Mapped[str | None] = f.picklist("Priority", "activity_priority", default="Medium")
    starts_at: Mapped[datetime | None] = f.moment("Starts", indexed=True, aliases=("start_date", "date_start"))
    ends_at: Mapped[datetime | None] = f.moment("Ends", aliases=("end_date",))
    due_on: Mapped[date | None] = f.day("Due", indexed=True, mass_edit=True, aliases=("due_date",))
    due_time: Mapped[time | None] = f.time("Due at")
    at: Mapped[datetime | None] = f.moment("When", read_only=True, indexed=True)
    completed_at: Mapped[datetime | None] = f.moment("Done at", read_only=True)
    location: Mapped[str | None] = f.text("Location", max=250)
    public: Mapped[bool] = f.checkbox("Public", default=True, mass_edit=True)
    category: Mapped[str | None] = f.picklist("Category", "task_category")
    reminder: Mapped[str | None] = f.picklist("Reminder", "reminder", default="1440")
    notify_assignee: Mapped[bool] = f.checkbox("Notify who it is assigned to")
    points: Mapped[int | None] = f.whole("Activity points", least=-1000, most=1000)
    description: Mapped[str | None] = f.long_text("Description")


def what_kind_brings(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Type and status that fit the kind, an end half an hour after the start, and the moment it stands at."""
    brought: dict[str, Any] = {}
    if old is None:
        if values.get("activity_type") == "Task":
            brought["kind"] = "task"
        kind = brought.get("kind", values.get("kind", "event"))
        if not values.get("activity_type"):
            brought["activity_type"] = "Task" if kind == "task" else "Meeting"
        if not values.get("status"):
            brought["status"] = "Not Started" if kind == "task" else "Planned"
        if kind == "event" and values.get("starts_at") and not values.get("ends_at"):
            brought["ends_at"] = values["starts_at"] + timedelta(minutes=30)
    before = old or {}
    then = {**before, **values, **brought}
    at = then.get("starts_at")
    if then.get("kind") == "task":
        due = then.get("due_on")
        at = datetime.combine(due, then.get("due_time") or time(0), UTC) if due else None
    if at != before.get("at"):
        brought["at"] = at
    if then.get("status") != before.get("status"):
        brought["completed_at"] = now() if then.get("status") in ENDED else None
    return brought


def holds_together(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An event has a start and an end in that order, a task a due day; the status is one of that kind."""
    then, faults = after(values, old), {}
    is_task = then.get("kind") == "task"
    if is_task and not then.get("due_on"):
        faults["due_on"] = Fault("required", _("A task needs a due date."))
    if not is_task and not then.get("starts_at"):
        faults["starts_at"] = Fault("required", _("An event needs a start."))
    if not is_task and then.get("starts_at") and then.get("ends_at") and then["ends_at"] < then["starts_at"]:
        faults["ends_at"] = Fault("bad_period", _("An event cannot end before it starts."))
    if (then.get("activity_type") == "Task") != is_task:
        kind = _("a task") if is_task else _("an event")
        faults["activity_type"] = Fault(
            "not_in_list", _("“%(name)s” is not a type of %(kind)s.", name=then.get("activity_type"), kind=kind)
        )
    carried = {choice.key: choice.carries for choice in choices("activity_status")}.get(then.get("status") or "", {})
    if carried.get("kind") not in {None, then.get("kind")}:
        faults["status"] = Fault(
            "not_in_list", _("“%(name)s” is not a status of this kind of activity.", name=then["status"])
        )
    return faults


def _shown(through: str) -> Related:
    return Related(
        through=through,
        columns=("subject", "activity_type", "status", "at", "owner_id"),
        timeline=Timeline(
            "at", "{activity_type}: {subject} ({status})", icon="calendar-event", category="task",
            columns=("activity_type", "subject", "status"),
        ),
    )  # fmt: skip


MODULE = Module(
    Activity,
    label="Activity",
    plural="Activities",
    menu="Activities",
    prefix="ACT",
    icon="calendar-event",
    title="subject",
    columns=("subject", "activity_type", "status", "at", "due_on", "priority", "owner_id"),
    facts=("activity_type", "status", "at", "priority", "location"),
    form=(
        Block("Activity", ("subject", "kind", "activity_type", "status", "priority", "owner_id")),
        Block("When", ("starts_at", "ends_at", "due_on", "due_time", "completed_at")),
        Block("More", ("location", "category", "public", "points", "description")),
    ),
    search=("subject", "number", "location"),
    sort=("-at",),
    filters=(
        Filter("open", "Open", where("status", "none of", ENDED), sort=("at",)),
        Filter("tasks", "Tasks", where("kind", "is", "task")),
        Filter("events", "Events", where("kind", "is", "event")),
    ),
    actions=(
        Action("complete", "Mark as done", lambda activity: {
            "status": "Completed" if activity["kind"] == "task" else "Held"
        }, when=where("status", "none of", ENDED), icon="check"),
        Action("reopen", "Reopen", lambda activity: {
            "status": "Not Started" if activity["kind"] == "task" else "Planned"
        }, when=where("status", "one of", ENDED), icon="rotate"),
    ),
    links=(
        ManyLink("accounts", "accounts", "activities", "Accounts", "Activities"),
        ManyLink("contacts", "contacts", "activities", "Contacts", "Activities"),
        ManyLink("leads", "leads", "activities", "Leads", "Activities"),
        ManyLink("potentials", "potentials", "activities", "Potentials", "Activities"),
        ManyLink("campaigns", "campaigns", "activities", "Campaigns", "Activities"),
    ),
    shows_on={key: _shown(key) for key in ("accounts", "contacts", "leads", "potentials", "campaigns")},
    picklists=(KINDS, TYPES, STATUSES, PRIORITIES, CATEGORIES, REMINDERS),
    derives=(what_kind_brings,),
    checks=(holds_together,),
)  # fmt: skip
