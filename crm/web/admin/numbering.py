"""Numbering: the prefix and next number of each module."""

from flask import redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import numbering as kept
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp, parties
from crm.words import say_number


@bp.get("/numbering")
def numbering() -> str:
    table = kept.Numbering.__table__
    held = {row.module: row for row in db.session.execute(select(table))}
    rows = [(module, held.get(module.key)) for module in modules if module.prefix]
    return render_template("admin/numbering.html", here="admin", page="numbering", rows=rows)


@bp.post("/numbering/<key>")
def set_numbering(key: str) -> AnyResponse:
    if key not in modules:
        raise Missing
    try:
        if request.form.get("fill"):
            count = kept.fill_missing(modules[key])
            tell(_("%(count)s records got a number.", count=say_number(count)))
        else:
            kept.change(
                modules[key], request.form.get("prefix", ""), request.form.get("start", 0, type=int), request.form.get("width", 0, type=int)
            )  # fmt: skip
            tell(_("New records are numbered so from now on."))
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(" ".join(parties.sentences(refused).values()), "wrong")
    return redirect("/crm/admin/numbering", 303)
