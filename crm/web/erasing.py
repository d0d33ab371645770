"""Erasing a person from the card: what goes and what stays, the number typed, then a job does it."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import one
from crm.identity.viewer import Viewer
from crm.modules.privacy import erasing, erasures, person
from crm.modules.privacy.person import PERSONS
from crm.ui.cards import Deed, add_deed
from crm.ui.page import tell
from crm.ui.session import commit, viewer

bp = Blueprint("erasing", __name__, url_prefix="/crm")


@bp.get("/<any(contacts, leads):key>/<int:id>/erase")
def ask(key: str, id: int) -> AnyResponse:
    """What would be removed and what would stay."""
    return _page(key, id)


@bp.post("/<any(contacts, leads):key>/<int:id>/erase")
def begin(key: str, id: int) -> AnyResponse:
    """Put the job, when the number was typed."""
    try:
        erasing.ask(viewer(), key, id, request.form.get("typed", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        return _page(key, id, faults, 422)
    tell(_("The person is being erased. It takes less than a minute."))
    return redirect(f"/crm/{key}/{id}", 303)


def _page(key: str, id: int, faults: Any = None, status: int = 200) -> AnyResponse:
    row = one(viewer(), key, id)
    if not erasing.may_erase(viewer(), key):
        raise Missing
    found = person.find(key, id)
    goes, stays = erasing.preview(found)
    page = render_template(
        "erase.html", here=key, key=key, module=modules[key], row=row, goes=goes, stays=stays, faults=faults or {}, typed=request.form.get("typed", ""),
        number=erasing.confirmation(key, id), is_erased=erasures.is_erased(id), others=len(found.ids) - 1,
    )  # fmt: skip
    return make_response(page, status)


def _href(who: Viewer, row: Row) -> str:
    return f"/crm/{row.module}/{row.id}/erase" if erasing.may_erase(who, row.module) else ""


for one_key in PERSONS:
    add_deed(one_key, Deed("erase", "Erase person", "eraser", _href))
