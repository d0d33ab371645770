"""Settings of support: who gets tickets, office hours and times of the clock, what statuses mean."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _

from crm.db import db
from crm.engine import picklists
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.engine.search import find
from crm.identity.owners import owners_among
from crm.modules.tickets import settings, statuses
from crm.modules.tickets.settings import ASSIGNING
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp, typed


@bp.get("/support")
def support() -> Any:
    return _page()


def _page(faults: dict[str, str] | None = None, status: int = 200) -> Any:
    said = settings.current()
    known = [one for one in (said.assignee_id, said.group_id) if one]
    surveys = (
        find(viewer(), "surveys", columns=modules["surveys"].titles, limit=200).rows if "surveys" in modules else []
    )
    page = render_template(
        "admin/support.html", here="admin", page="support", said=said, faults=faults or {}, form=request.form, days=typed.DAY_NAMES,
        names=labels_of(viewer(), known), priorities=[one.key for one in picklists.choices("ticket_priority")], surveys=surveys,
        statuses=[(one.key, one.label or one.key, statuses.state_of(one.key), statuses.tells_customer(one.key)) for one in picklists.choices(statuses.NAME)],
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/support")
def set_support() -> Any:
    try:
        settings.change(**_typed())
        commit()
    except Refused as refused:
        return _refused(refused)
    tell(_("Saved. Tickets that are made or changed from now on go by it."))
    return redirect("/crm/admin/support", 303)


def _refused(refused: Refused) -> Any:
    db.session.rollback()
    settings.forget()
    return _page(refused.by_field, 422)


def _typed() -> dict[str, Any]:
    """The form as settings. Raises Refused with all that is wrong."""
    form, faults = request.form, dict[str, list[Fault]]()
    values: dict[str, Any] = {
        "assigning": form.get("assigning", "nobody"), "assignee_id": form.get("assignee_id", type=int),
        "group_id": form.get("group_id", type=int), "needs_solution": bool(form.get("needs_solution")),
        "exports_notes": bool(form.get("exports_notes")),
        "survey_id": form.get("survey_id", type=int), "trusted_server": form.get("trusted_server", "").strip()[:255],
    }  # fmt: skip
    if values["assigning"] not in ASSIGNING:
        faults["assigning"] = [Fault("not_in_list", _("Choose a value of the list."))]
    for name, wanted in (("assignee_id", "one"), ("group_id", "round_robin")):
        if values["assigning"] == wanted and not (values[name] and owners_among([values[name]])):
            faults[name] = [Fault("required", _("Choose who gets the tickets."))]
    values["reopens_for_days"] = typed.number("reopens_for_days", 3650, faults)
    for kind in ("answer_minutes", "solve_minutes"):
        values[kind] = {
            one.key: number
            for one in picklists.choices("ticket_priority")
            if (number := typed.hours(f"{kind}.{one.key}", faults))
        }
    values["hours"], values["holidays"] = typed.office(faults), typed.holidays(faults)
    if faults:
        raise Refused(faults)
    return values


@bp.post("/support/statuses")
def set_statuses() -> Any:
    """What each status means; and one more."""
    form = request.form
    mapped = {
        one.key: (form.get(f"state.{one.key}", ""), bool(form.get(f"tells.{one.key}")))
        for one in picklists.choices(statuses.NAME)
    }
    name = form.get("new_name", "").strip()
    new = (name, form.get("new_state", "open"), bool(form.get("new_tells"))) if name else None
    try:
        statuses.change(mapped, new)
        commit()
    except Refused as refused:
        return _refused(refused)
    tell(_("The statuses are saved."))
    return redirect("/crm/admin/support#statuses", 303)
