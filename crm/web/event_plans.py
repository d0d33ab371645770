"""Staff pages of what is planned for an event: its times, and the mails of its triggers, made step by step."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import db
from crm.engine import picklists, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.modules.events import event_times, firing, kinds, typical
from crm.modules.events.event_triggers import ACTIONS
from crm.modules.events.tags import say_moment
from crm.ui import builder
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.web.events import demand_event, sentences

bp = Blueprint("event_plans", __name__, url_prefix="/crm")
EMPTY_ROWS = 2
STEPS = ("when", "who", "rules")
TURNS = [choice.key for choice in ACTIONS.choices]  # as things happen: registration, spare place, cancellation, planned


# times


@bp.get("/invitation_events/<int:id>/times")
def ask_times(id: int) -> Any:
    return _times_page(id)


def _times_page(id: int, typed: list[dict[str, str]] | None = None, faults: dict[str, str] | None = None) -> Any:
    event, row = demand_event("invitation_events", id)
    if typed is None:

        def local(moment: Any) -> str:
            return str(moment.astimezone(ZoneInfo(event.zone)).strftime("%Y-%m-%dT%H:%M"))

        typed = [
            {"subject": one.subject or "", "starts_at": local(one.starts_at), "ends_at": local(one.ends_at)}
            for one in event_times.times_of(id)
        ]
        typed += [{"subject": "", "starts_at": "", "ends_at": ""}] * EMPTY_ROWS
    page = render_template(
        "event_times.html",
        here="invitation_events",
        row=row,
        event=event,
        home=f"/crm/invitation_events/{id}",
        rows=typed,
        faults=faults or {},
    )
    return make_response(page, 422 if faults else 200)


@bp.post("/invitation_events/<int:id>/times")
def set_times(id: int) -> Any:
    """Save all times of the event; rows left empty are none. `more` only adds empty rows to the page."""
    columns = [request.form.getlist(name) for name in ("subject", "starts_at", "ends_at")]
    rows = [dict(zip(("subject", "starts_at", "ends_at"), row, strict=True)) for row in zip(*columns, strict=False)]
    rows = [row for row in rows if any(value.strip() for value in row.values())]
    if request.form.get("more"):  # nothing is saved yet: the page again, with more room
        return _times_page(id, rows + [dict.fromkeys(("subject", "starts_at", "ends_at"), "")] * EMPTY_ROWS)
    try:
        warnings = event_times.set_times(viewer(), id, [_as_read(row) for row in rows], Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(fault.message for fault in found) for name, found in refused.faults.items()}
        return _times_page(id, rows, faults)
    tell(_("The times are saved."))
    for warning in warnings:
        tell(warning, "warn")
    return go(f"/crm/invitation_events/{id}")


def _as_read(row: dict[str, str]) -> dict[str, Any]:
    return {
        **row,
        "starts_at": row["starts_at"].replace("T", " ") or None,
        "ends_at": row["ends_at"].replace("T", " ") or None,
    }


# triggers


@bp.get("/mass_events/<int:id>/triggers")
def triggers(id: int) -> str:
    """The mails of the event, and the typical set with one click."""
    event, row = demand_event("mass_events", id, "view")
    found = search.find(
        viewer(), "event_triggers", where={"$eq": ["event_id", id]}, sort=("action", "name"), limit=200,
        columns=("name", "action", "target", "template_id", "active", "problem", "base", "offset", "unit", "moment", "sub_event_id", "fired_for"),
    )  # fmt: skip
    due_of = {one.id: firing.due_at(one, event) for one in found.rows if one["action"] == "scheduled"}
    due = {id: say_moment(moment, event.zone) for id, moment in due_of.items()}
    return render_template(
        "event_triggers.html", here="mass_events", row=row, event=event, home=f"/crm/mass_events/{id}", due=due,
        triggers=sorted(found.rows, key=lambda one: (TURNS.index(one["action"]), due_of.get(one.id) or clock.now(), one["name"])),
        label=lambda name, key: _(picklists.label(name, key)) if key else "",
    )  # fmt: skip


@bp.get("/mass_events/<int:id>/triggers/new")
def ask_trigger(id: int) -> Any:
    return _step(id, "when", {})


def _step(id: int, step: str, faults: dict[str, str]) -> Any:
    event, row = demand_event("mass_events", id)
    said = {name: values for name, values in request.form.to_dict(flat=False).items() if name in ASKED}
    where = _conditions()
    template = (said.get("template_id") or [""])[0]
    page = render_template(
        "event_trigger.html", here="mass_events", row=row, event=event, home=f"/crm/mass_events/{id}", step=step, steps=STEPS, said=said,
        faults=faults, names={"when": _("When and what"), "who": _("To whom"), "rules": _("Additional rules")},
        mail=labels_of(viewer(), [int(template)]).get(int(template), "") if template.isdecimal() else "",
        parts=[(part.id, part.name) for part in kinds.sub_events(id)],
        options=lambda name: [(choice.key, _(choice.label)) for choice in picklists.choices(name)],
        kept=json.dumps(where) if where else "", tree=builder.tree_of(where), words=builder, about=modules["attendees"],
    )  # fmt: skip
    return make_response(page, 422 if faults else 200)


def _conditions() -> dict[str, Any] | None:
    """The conditions on attendees: as the builder of this step says them, or as an earlier step left them."""
    if "node" in request.form:
        return builder.read_kept(request.form, "conditions")
    try:
        said = json.loads(request.form.get("conditions") or "null")
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


AT = {  # the step at which each field is asked for
    "when": ("name", "action", "template_id", "sub_event_id"),
    "who": ("target", "attendee_roles", "personnel_roles", "statuses", "conditions"),
    "rules": ("base", "offset", "unit", "moment", "active"),
}
ASKED = frozenset(name for names in AT.values() for name in names if name != "conditions")


@bp.post("/mass_events/<int:id>/triggers/new")
def make_trigger(id: int) -> Any:
    """One step forward or back; the last one makes the trigger. What is wrong is said at the step where it was asked."""
    demand_event("mass_events", id)
    step = request.form.get("step", "when")
    step = step if step in STEPS else "when"
    if request.form.get("back"):
        return _step(id, STEPS[max(STEPS.index(step) - 1, 0)], {})
    is_last = step == STEPS[-1]
    nested = db.session.begin_nested()
    try:
        records.create(viewer(), "event_triggers", _values(id), Channel.FORM)
    except Refused as refused:
        nested.rollback()
        faults = {name: " ".join(fault.message for fault in found) for name, found in refused.faults.items()}
        asked = [name for one in STEPS[: STEPS.index(step) + 1] for name in AT[one]]
        wrong = {name: said for name, said in faults.items() if name in asked or (is_last and name not in asked)}
        if wrong:
            at = next((one for one in STEPS if set(AT[one]) & set(wrong)), step)
            return _step(id, at, wrong)
        return _step(id, STEPS[STEPS.index(step) + 1], {})
    if not is_last:  # it would do as it stands, but the later steps have not been seen
        nested.rollback()
        return _step(id, STEPS[STEPS.index(step) + 1], {})
    commit()
    tell(_("The trigger is made."))
    return go(f"/crm/mass_events/{id}/triggers")


def _values(id: int) -> dict[str, Any]:
    form = request.form
    values: dict[str, Any] = {
        "event_id": id,
        "active": form.get("active") == "1" if form.get("step") == STEPS[-1] else True,
    }
    for name in ("name", "action", "template_id", "sub_event_id", "target", "base", "offset", "unit", "moment"):
        if form.get(name):
            values[name] = form[name].replace("T", " ") if name == "moment" else form[name]
    for name in ("attendee_roles", "personnel_roles", "statuses"):
        if form.getlist(name):
            values[name] = form.getlist(name)
    return values | {"conditions": _conditions()}


@bp.post("/mass_events/<int:id>/triggers/typical")
def make_typical(id: int) -> AnyResponse:
    """Confirmation, spare place, cancellation, reminder and thanks with one click."""
    demand_event("mass_events", id)
    try:
        made = typical.make_set(viewer(), id, Channel.FORM)
        commit()
        tell(_("%(count)s triggers are made. Look at their mails before you publish the event.", count=made))
    except (Refused, Conflict) as refused:
        db.session.rollback()
        tell(sentences(refused), "wrong")
    return go(f"/crm/mass_events/{id}/triggers")


@bp.post("/mass_events/<int:id>/triggers/<int:trigger_id>/send")
def send_now(id: int, trigger_id: int) -> AnyResponse:
    """Send a planned mail now to whom it has not reached."""
    event, _row = demand_event("mass_events", id)
    trigger = search.one(viewer(), "event_triggers", trigger_id, columns=("event_id", "action", "name"))
    if trigger["event_id"] != id or trigger["action"] != "scheduled":
        raise Missing
    if event.state in {"planned", "cancelled"}:
        tell(_("Nothing is sent for a draft, or for an event that is called off."), "wrong")
        return go(f"/crm/mass_events/{id}/triggers")
    sent = firing.send_planned(trigger_id, clock.now())
    tell(_("%(count)s mails are on their way.", count=sent))
    return go(f"/crm/mass_events/{id}/triggers")
