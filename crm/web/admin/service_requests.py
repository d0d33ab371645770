"""Settings of service requests: levels and the table of priorities, times, warnings, acceptance by time, hours of units."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.engine import picklists
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.search import count
from crm.identity.tables import Group
from crm.modules.service_requests import settings
from crm.modules.service_requests.settings import LEVELS, PRIORITIES
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp, typed

SCALES = ("impact", "urgency")
MOST_ALERTS, MOST_LABEL = 5, 40
LISTS = ("sr_types", "sr_statuses", "sr_categories", "sr_rules", "sr_areas", "sr_absences")
HERE = "/crm/admin/service-requests"


@bp.get("/service-requests")
def service_requests() -> Any:
    return _page()


def _page(faults: dict[str, str] | None = None, status: int = 200) -> Any:
    said = settings.current()
    groups = db.session.execute(
        select(Group.id, Group.name).where(Group.deleted_at.is_(None)).order_by(Group.name)
    ).all()
    page = render_template(
        "admin/service_requests.html", here="admin", page="service-requests", said=said, faults=faults or {}, form=request.form,
        levels=LEVELS, priorities=PRIORITIES, groups=groups, names={name: _labels(name) for name in SCALES},
        computed={f"{a}-{b}": settings.by_rule(a, b) for a in LEVELS for b in LEVELS},
        counts={key: count(viewer(), key) for key in LISTS},
    )  # fmt: skip
    return make_response(page, status)


def _labels(scale: str) -> dict[str, str]:
    return {one.key: _(one.label) for one in picklists.choices(f"sr_{scale}")}


@bp.post("/service-requests")
def set_service_requests() -> Any:
    try:
        values, labels = _typed()
        settings.change(**values)
        for scale, said in labels.items():
            picklists.relabel(f"sr_{scale}", said)
        commit()
    except Refused as refused:
        db.session.rollback()
        settings.forget()
        return _page(refused.by_field, 422)
    tell(_("Saved. Requests that are made or changed from now on go by it."))
    return redirect(HERE, 303)


def _typed() -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The form as settings, and new labels of levels by scale. Raises Refused with all that is wrong."""
    form, faults = request.form, dict[str, list[Fault]]()
    values: dict[str, Any] = {"cells": {}, "labels": {}, "minutes": {}}
    labels: dict[str, dict[str, str]] = {}
    for scale in SCALES:
        values[f"{_plural(scale)}_off"] = [one for one in LEVELS if not form.get(f"{scale}.{one}.on")]
        values[scale] = form.get(scale, "")
        labels[scale] = _new_labels(scale, faults)
    for first in LEVELS:
        for second in LEVELS:
            name = f"cell.{first}-{second}"
            if raw := form.get(name, "").strip():
                values["cells"][f"{first}-{second}"] = _priority(name, raw, faults)
    for one in PRIORITIES:
        if label := " ".join(form.get(f"label.{one}", "").split())[:MOST_LABEL]:
            values["labels"][one] = label
        if minutes := typed.hours(f"minutes.{one}", faults):
            values["minutes"][one] = minutes
    values["alerts"] = _alerts(faults)
    values["auto_accept_after_days"] = typed.number("auto_accept_after_days", 365, faults)
    if faults:
        raise Refused(faults)
    return values, labels


def _plural(scale: str) -> str:
    return "impacts" if scale == "impact" else "urgencies"


def _new_labels(scale: str, faults: typed.Faults) -> dict[str, str]:
    """What levels are called from now on, where it is not what they are called in the language of the page."""
    found = {}
    for key, now in _labels(scale).items():
        name = f"{scale}.{key}.label"
        label = " ".join(request.form.get(name, now).split())
        if not label or len(label) > MOST_LABEL:
            faults[name] = [
                Fault("required", _("Give the level a name of at most %(most)s characters.", most=MOST_LABEL))
            ]
        elif label != now:
            found[key] = label
    return found


def _priority(name: str, raw: str, faults: typed.Faults) -> int:
    if raw not in PRIORITIES:
        faults[name] = [Fault("out_of_range", _("Priorities go from 1 to 10."))]
        return 1
    return int(raw)


def _alerts(faults: typed.Faults) -> list[int]:
    raw = request.form.get("alerts", "").replace(",", " ").replace("%", " ").split()
    if len(raw) > MOST_ALERTS or any(not one.isdecimal() or not 1 <= int(one) <= 100 for one in raw):
        sentence = _("Warnings are at most %(most)s percents from 1 to 100, such as 50, 80, 100.", most=MOST_ALERTS)
        faults["alerts"] = [Fault("out_of_range", sentence)]
        return []
    return sorted({int(one) for one in raw})


# hours of units


@bp.get("/service-requests/units/<int:id>")
def unit_hours(id: int) -> Any:
    return _unit_page(_group(id))


@bp.post("/service-requests/units/<int:id>")
def set_unit_hours(id: int) -> Any:
    """The unit's own office hours; none at all: those of support."""
    group, faults = _group(id), dict[str, list[Fault]]()
    days = typed.office(faults)
    if faults:
        return _unit_page(group, Refused(faults).by_field, 422)
    kept = {key: value for key, value in settings.current().hours.items() if key != str(id)}
    settings.change(hours=kept | ({str(id): days} if days else {}))
    commit()
    tell(_("The hours of %(unit)s are saved.", unit=group.name))
    return redirect(f"{HERE}#units", 303)


def _group(id: int) -> Any:
    row = db.session.execute(select(Group.id, Group.name).where(Group.id == id, Group.deleted_at.is_(None))).first()
    if row is None:
        raise Missing
    return row


def _unit_page(group: Any, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    page = render_template(
        "admin/unit_hours.html", here="admin", page="service-requests", group=group, faults=faults or {}, form=request.form,
        days=typed.DAY_NAMES, hours=settings.current().hours.get(str(group.id), {}),
    )  # fmt: skip
    return make_response(page, status)
