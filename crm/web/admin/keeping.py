"""Settings of keeping: how long the house keeps what nobody throws away by hand."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _

from crm.db import db
from crm.engine.refusals import Refused
from crm.modules import retention
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp


@bp.get("/keeping")
def keeping() -> Any:
    return _page()


@bp.post("/keeping")
def set_keeping() -> Any:
    try:
        retention.change(request.form)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _page(refused.by_field, 422)
    tell(_("Saved. What is older goes tonight."))
    return redirect("/crm/admin/keeping", 303)


def _page(faults: dict[str, str] | None = None, status: int = 200) -> Any:
    said = {key: str(number) for key, number in retention.days().items()} | (request.form.to_dict() if faults else {})
    values = {
        "here": "admin",
        "page": "keeping",
        "kept": retention.KEPT,
        "most": retention.MOST_DAYS,
        "said": said,
        "faults": faults or {},
    }
    return make_response(render_template("admin/keeping.html", **values), status)
