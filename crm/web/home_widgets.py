"""The widgets of the CRM itself: potentials by stage, new leads, mails sent, what is next, the newest, key figures."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine import picklists
from crm.engine.permissions import may, readable
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.engine.search import count, find, ids
from crm.identity.viewer import Viewer
from crm.ui import widgets
from crm.ui.charts import Chart, Point
from crm.ui.formats import own
from crm.ui.lists import columns_of
from crm.ui.page import address
from crm.ui.widgets import Widget

OPEN = {"$nin": ["stage", ["Closed Won", "Closed Lost"]]}
WEEKS = 12


def register() -> None:
    """Make the widgets known, in the order in which they stand at first."""
    for widget in (
        Widget("figures", "At a glance", figures, lambda viewer: True, size="full"),
        Widget("stages", "Open potentials by stage", stages, sees("potentials", "stage", "amount"), is_chart=True),
        Widget("new_leads", "New leads a week", new_leads, sees("leads"), is_chart=True),
        Widget("mails", "Mails sent a day", mails, sees("deliveries"), is_chart=True),
        Widget("next", "Next activities", next_activities, sees("activities")),
        Widget("largest", "Largest open potentials", largest, sees("potentials", "stage", "amount")),
        Widget("top_accounts", "Top accounts", top_accounts, sees("potentials", "account_id", "amount"), is_chart=True),
        Widget("newest", "Newest contacts", newest, sees("contacts")),
    ):
        widgets.add(widget)


def sees(module: str, *fields: str) -> Callable[[Viewer], bool]:
    """Whether a viewer may see the module and these fields of it."""
    return lambda viewer: (
        module in modules and may(viewer, "view", module) and readable(viewer, module).issuperset(fields)
    )


def figures(viewer: Viewer) -> str:
    """A few numbers, each a way to its list."""
    month_ago = "$now.date -30 days"
    asked: list[tuple[str, str, Any]] = [
        ("contacts", _("Contacts"), None),
        ("accounts", _("Accounts"), None),
        ("leads", _("New leads in 30 days"), {"$gte": ["created_at", month_ago]}),
        ("potentials", _("Open potentials"), OPEN),
        ("activities", _("My open activities"), {"$and": [{"$eq": ["owner_id", "$me"]}, {"$nin": ["status", ["Held", "Not Held", "Completed", "Cancelled"]]}]}),
    ]  # fmt: skip
    found = []
    for module, label, where in asked:
        if module in modules and may(viewer, "view", module):
            number = count(viewer, module, where, exact=False)
            said = own().number(min(number, 10_000)) + ("+" if number > 10_000 else "")
            found.append((label, said, address(f"/crm/{module}", where=_json(where)) if where else f"/crm/{module}"))
    return render_template("_figures.html", figures=found)


def _json(where: Any) -> str:
    import json

    return json.dumps(where, separators=(",", ":"))


def stages(viewer: Viewer) -> Chart:
    """The amount of open potentials in each stage."""
    table = modules["potentials"].table
    mine = ids(viewer, "potentials", OPEN).subquery()
    said = (
        select(table.c.stage, func.sum(table.c.amount)).where(table.c.id.in_(select(mine.c.id))).group_by(table.c.stage)
    )
    sums: dict[str, Any] = dict(db.session.execute(said).all())
    kept = [choice for choice in picklists.choices("sales_stage") if choice.carries.get("kind", "Open") == "Open"]
    points = [
        Point(
            _(choice.label),
            sums.get(choice.key) or 0,
            address("/crm/potentials", where=_json({"$eq": ["stage", choice.key]})),
        )
        for choice in kept
    ]
    return Chart(
        _("Open potentials by stage"),
        points if sums else [],
        "bars",
        "money",
        _("Stage"),
        _("Amount"),
        "/crm/home/stages.csv",
    )


def top_accounts(viewer: Viewer) -> Chart:
    """The accounts with the largest sums of open potentials."""
    table = modules["potentials"].table
    mine = ids(viewer, "potentials", OPEN).subquery()
    whole = func.sum(table.c.amount)
    said = (
        select(table.c.account_id, whole)
        .where(table.c.id.in_(select(mine.c.id)), table.c.account_id.in_(ids(viewer, "accounts")))
        .group_by(table.c.account_id)
        .having(whole > 0)
        .order_by(whole.desc(), table.c.account_id)
        .limit(7)
    )
    sums = db.session.execute(said).all()
    names = labels_of(viewer, [id for id, _amount in sums])
    points = [Point(names[id], amount, f"/crm/accounts/{id}") for id, amount in sums if id in names]
    return Chart(
        _("Top accounts"), points, "bars", "money", _("Account"), _("Open potentials"), "/crm/home/top_accounts.csv"
    )


def _a_week(viewer: Viewer, module: str) -> list[Point]:
    table = modules[module].table
    today = clock.today(viewer.timezone)
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    mine = ids(viewer, module, {"$gte": ["created_at", first.isoformat()]}).subquery()
    moments = db.session.execute(
        select(func.date(table.c.created_at), func.count())
        .where(table.c.id.in_(select(mine.c.id)))
        .group_by(func.date(table.c.created_at))
    )
    counts: dict[date, int] = {}
    for day, number in moments:
        when = date.fromisoformat(str(day))
        monday = when - timedelta(days=when.weekday())
        counts[monday] = counts.get(monday, 0) + number
    weeks = [first + timedelta(weeks=n) for n in range(WEEKS)]
    return [Point(own().date(week), counts.get(week, 0)) for week in weeks] if counts else []


def new_leads(viewer: Viewer) -> Chart:
    return Chart(
        _("New leads a week"),
        _a_week(viewer, "leads"),
        "line",
        "number",
        _("Week of"),
        _("Leads"),
        "/crm/home/new_leads.csv",
    )


def mails(viewer: Viewer) -> Chart:
    """Mails that went out, a day, in the last 30 days."""
    table = modules["deliveries"].table
    first = clock.today(viewer.timezone) - timedelta(days=29)
    mine = ids(viewer, "deliveries").subquery()
    day = func.date(table.c.sent_at)
    said = select(day, func.count()).where(
        table.c.id.in_(select(mine.c.id)), table.c.sent_at >= clock.now() - timedelta(days=30)
    )
    counts = {str(when): number for when, number in db.session.execute(said.group_by(day))}
    days = [first + timedelta(days=n) for n in range(30)]
    points = [Point(own().date(when), counts.get(when.isoformat(), 0)) for when in days] if counts else []
    return Chart(_("Mails sent a day"), points, "line", "number", _("Day"), _("Mails"), "/crm/home/mails.csv")


def _rows(viewer: Viewer, module: str, names: tuple[str, ...], where: Any, sort: tuple[str, ...], empty: str) -> str:
    said = modules[module]
    columns = columns_of(viewer, said, names, sortable=False)
    page = find(
        viewer, module, where=where, columns=[column.name for column in columns], sort=sort, limit=7, count="none"
    )
    rows = [[column.draw(row) for column in columns] for row in page.rows]
    return render_template("_widget_rows.html", columns=columns, rows=rows, empty=empty, href=f"/crm/{module}")


def next_activities(viewer: Viewer) -> str:
    where = {
        "$and": [{"$eq": ["owner_id", "$me"]}, {"$nin": ["status", ["Held", "Not Held", "Completed", "Cancelled"]]}]
    }
    return _rows(viewer, "activities", ("subject", "activity_type", "at"), where, ("at",), _("Nothing is planned."))


def largest(viewer: Viewer) -> str:
    return _rows(
        viewer, "potentials", ("name", "account_id", "amount"), OPEN, ("-amount",), _("There are no open potentials.")
    )


def newest(viewer: Viewer) -> str:
    return _rows(
        viewer,
        "contacts",
        ("last_name", "first_name", "account_id"),
        None,
        ("-created_at",),
        _("There are no contacts yet."),
    )
