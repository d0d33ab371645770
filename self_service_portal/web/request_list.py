"""The list of requests, tickets and service requests alike: open, closed or all; All and Mine; by status and by words."""

from collections.abc import Sequence
from typing import Any

from flask import render_template, request
from sqlalchemy import false, not_, select
from sqlalchemy.sql import ColumnElement

from crm.engine import picklists, search
from crm.engine.module import Module
from crm.engine.permissions import readable
from crm.engine.refusals import Refused
from crm.ui.session import viewer
from self_service_portal.face import label_of
from self_service_portal.web import drawing
from self_service_portal.web.records import is_wide, own_ids

ROWS = 25
TABS = ("open", "closed", "all")


def draw(
    module: Module, columns: Sequence[str], is_closed: ColumnElement[bool], can_make: bool, *, statuses_of: str = ""
) -> str:
    """The page. `columns`: as far as the profile shows them; `statuses_of`: the picklist of the field `status`, "" for none."""
    seen = readable(viewer(), module)
    tab = request.args.get("tab", "open")
    tab = tab if tab in TABS else "open"
    is_split = is_wide(module.key)
    whose = "mine" if request.args.get("whose") == "mine" and is_split else "all"
    within: Any = own_ids(module) if whose == "mine" or not is_split else select(module.table.c.id)
    statuses = picklists.choices(statuses_of) if statuses_of and "status" in seen else []
    status = request.args.get("status", "")
    if status in {one.key for one in statuses}:  # says more than a tab does: “Closed” is not looked for among the open
        tab, within = "all", within.where(module.table.c.status == status)
    if tab != "all":
        within = within.where(is_closed if tab == "closed" else not_(is_closed))
    text, fault = " ".join(request.args.get("q", "").split())[:100], ""
    asked: dict[str, Any] = {
        "columns": [name for name in columns if name in seen], "sort": ("-updated_at",) if "updated_at" in seen else (), "limit": ROWS,
        "after": request.args.get("after") or None, "count": "none",
    }  # fmt: skip
    try:
        page = search.find(viewer(), module, text=text or None, within=within, **asked)
    except Refused as refused:
        fault = refused.sentences
        page = search.find(viewer(), module, within=within.where(false()), **asked)
    return render_template(
        "tickets/list.html", here=module.key, module=module, title=label_of(viewer(), module), page=page, columns=asked["columns"],
        tab=tab, whose=whose, is_wide=is_split, statuses=statuses, status=status, text=text, fault=fault, can_make=can_make,
        cell=drawing.cell,
    )  # fmt: skip
